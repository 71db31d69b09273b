"""One of the section `streams`: a camera."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from streamer.config.cluster import Labels, OnPartition
from streamer.config.recording import RecordSettings
from streamer.config.sampling import SamplingSettings
from streamer.config.section import Section, checked
from streamer.config.watching import WatchingSettings
from streamer.values import url

PULLED = ("rtsp", "rtsps", "rtmp", "http", "https")
"""Schemes by which a camera with two addresses is asked."""

Url = Annotated[str, AfterValidator(checked(url.check))]


class CameraTlsSettings(Section):
    """How a camera proves who it is, over rtsps:// and https://."""

    ca: Annotated[str, Field(min_length=1)] | None = None
    """Path of a PEM file: the authority that signed its certificate, or a self-signed certificate itself. None: the
    system's authorities."""
    name: Annotated[str, Field(min_length=1)] | None = None
    """What stands in the certificate. None: the URL's host."""
    verify: bool = True
    """False: whoever answers is taken for the camera."""


class SubSettings(Section):
    """A second address of the same camera, at which it sends the same picture smaller."""

    url: Url


class StreamSettings(WatchingSettings, SamplingSettings):
    """One camera."""

    url: Url
    listen: bool = False
    """The camera pushes to this URL, instead of being pulled from it."""
    transport: Literal["tcp", "udp"] = "tcp"
    """How RTSP carries the video."""
    tls: CameraTlsSettings = CameraTlsSettings()
    sub: SubSettings | None = None
    """What viewers of small pictures are sent; the model has the large one. None: that is sent to all."""
    record: RecordSettings = RecordSettings()
    """Which of its video is kept, where there is an archive."""
    labels: Labels = Field(default_factory=dict)
    """Of where it is, such as site: north: replicas that have the same are asked first to run it."""
    on_partition: OnPartition = "keep"
    """What its replica does while NATS is away: run it on, or let go of it, for a camera that bears one client."""
    paused: bool = False
    """The camera is not connected. Left out: as the API was last told."""

    @model_validator(mode="after")
    def _fits_its_url(self) -> Self:
        url.hold(self.url, self)  # its password is known for as long as anything may speak of it
        scheme = url.scheme_of(self.url)
        if self.listen and scheme not in ("rtsp", "rtmp", "srt"):
            raise ValueError(f"listen: {scheme}:// cannot be pushed to; allowed are rtsp://, rtmp:// and srt://")
        if self.transport != "tcp" and (scheme != "rtsp" or self.listen):
            raise ValueError("transport: udp is for rtsp:// URLs that are pulled; what pushes chooses for itself")
        if self.tls != CameraTlsSettings() and scheme not in ("rtsps", "https"):
            raise ValueError(f"tls: {scheme}:// has no certificates; allowed with rtsps:// and https://")
        if self.sub is not None:
            url.hold(self.sub.url, self)
            self._require_pulled(self.sub.url)
        return self

    def _require_pulled(self, sub_url: str) -> None:
        allowed = ", ".join(f"{scheme}://" for scheme in PULLED)
        if self.listen or url.scheme_of(self.url) not in PULLED:
            raise ValueError(f"sub: is for cameras that are asked for their video; allowed with a url of {allowed}")
        if url.scheme_of(sub_url) not in PULLED:
            raise ValueError(f"sub.url: {url.scheme_of(sub_url)}:// cannot be a sub-stream; allowed are {allowed}")
        if sub_url == self.url:
            raise ValueError("sub.url: is the stream's own url; allowed is another address, of the smaller video")

    @property
    def of_sub(self) -> "StreamSettings | None":
        """What its sub-stream would be as a stream of its own; None: it has none."""
        if self.sub is None:
            return None
        transport = self.transport if url.scheme_of(self.sub.url) == "rtsp" else "tcp"
        return self.model_copy(
            update={"url": self.sub.url, "transport": transport, "sub": None, "record": RecordSettings()}
        )
