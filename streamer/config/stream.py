"""One of the section `streams`: a camera."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from streamer.config.recording import RecordSettings
from streamer.config.sampling import SamplingSettings
from streamer.config.section import Section, checked
from streamer.config.watching import WatchingSettings
from streamer.values import url

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


class StreamSettings(WatchingSettings, SamplingSettings):
    """One camera."""

    url: Url
    listen: bool = False
    """The camera pushes to this URL, instead of being pulled from it."""
    transport: Literal["tcp", "udp"] = "tcp"
    """How RTSP carries the video."""
    tls: CameraTlsSettings = CameraTlsSettings()
    record: RecordSettings = RecordSettings()
    """Which of its video is kept, where there is an archive."""
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
        return self
