"""What a source reads, and how it may be reached. A value."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from streamer.source.allowed_destinations import OPERATOR, AllowedDestinations
from streamer.source.certificate_trust import CertificateTrust
from streamer.values import url
from streamer.values.errors import SourceError

Transport = Literal["tcp", "udp"]


@dataclass(frozen=True)
class Limits:
    """The most a source may send."""

    max_pixels: int = 4096 * 2304
    """In one picture; a larger one is refused before its memory is taken."""
    max_fps: float = 120.0
    """Pictures a second. Of more, those that others may need are decoded, and go no further; JPEGs are not decoded."""
    max_packet_bytes: int = 8 << 20
    """In one packet: a 4K keyframe of MJPEG has three."""
    max_held: int = 17
    """Pictures of the largest size that a decoder may have to hold at once, and more of smaller ones: H.264 keeps 16 at
    the most, beside the one that is decoded."""

    def require_size(self, width: int, height: int) -> None:
        """Check a picture's size in pixels.

        Raises:
            SourceError: kind "too_large".
        """
        if width * height > self.max_pixels:
            sentence = f"the camera sends {width} x {height}, more than {self.max_pixels} pixels"
            raise SourceError("too_large", sentence)

    def require_packet(self, size: int) -> None:
        """Check a packet's size in bytes.

        Raises:
            SourceError: kind "too_large".
        """
        if size > self.max_packet_bytes:
            sentence = f"the camera sends a packet of {size} bytes, more than {self.max_packet_bytes}"
            raise SourceError("too_large", sentence)


@dataclass(frozen=True)
class Target:
    """One stream's URL with everything that is needed to open it."""

    url: str
    listen: bool = False
    """The camera pushes to this URL, instead of being pulled from it."""
    transport: Transport = "tcp"
    """How RTSP carries the video."""
    trust: CertificateTrust = field(default_factory=CertificateTrust)
    limits: Limits = field(default_factory=Limits)
    destinations: AllowedDestinations = OPERATOR
    """Where it may lead."""
    sound: bool = False
    """Whether the sound beside the video is asked for, to be kept with it."""

    def __post_init__(self) -> None:
        url.hold(self.url, self)  # its password is known for as long as anything may speak of it

    @property
    def scheme(self) -> str:
        """The URL's scheme."""
        return url.scheme_of(self.url)

    @property
    def host(self) -> str:
        """The URL's host."""
        return url.host_of(self.url)

    @property
    def port(self) -> int:
        """The URL's port, or its scheme's."""
        return url.port_of(self.url)

    @property
    def waits(self) -> bool:
        """Whether somebody has to send to us: nobody doing so is not a failure."""
        return self.listen or self.scheme == "udp"

    def require_allowed(self) -> None:
        """Check what can be judged without asking a name server: the scheme, and ways no policy can judge.

        Those are a port of ours, a file, and datagrams to wherever a server says (RFC 7826, 18.54).

        Raises:
            SourceError: kind "forbidden".
        """
        self.destinations.require_scheme(self.scheme)
        if not self.destinations.pins:
            return
        called = parse_qs(urlsplit(self.url).query).get("mode", ["caller"])  # SRT's
        if self.listen or self.scheme in ("udp", "file") or called != ["caller"]:
            raise SourceError("forbidden", "only the configuration file may have a stream listen, or read a file")
        if self.transport == "udp":
            raise SourceError("forbidden", "only the configuration file may have a camera choose where datagrams go")
