"""The section `api_streams`: streams that are added through the API."""

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from streamer.config.section import Section


def _checked_network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError(f"{value!r} is no network; allowed are 10.0.0.0/8, fd00::/8 and single addresses") from None


class ApiStreamsSettings(Section):
    """Streams that are added through the API: whoever may, has this service connect where he says."""

    allowed: bool = False
    max_streams: Annotated[int, Field(ge=1, le=1000)] = 16
    """Added ones, beside those of the configuration."""
    token: Annotated[str, Field(min_length=8)] | None = None
    """What whoever changes streams must show. None: nothing."""
    state: Annotated[str, Field(min_length=1)] | None = None
    """Path of the file that keeps what was changed. None: beside the configuration."""
    schemes: list[Literal["rtsp", "rtsps", "rtmp", "http", "https", "srt"]] = Field(
        default=["rtsp", "rtsps", "http", "https"]
    )
    networks: list[Annotated[str, AfterValidator(_checked_network)]] = Field(default=["0.0.0.0/0", "::/0"])
    """Where their hosts may be. Loopback, link-local, multicast and the clouds' metadata addresses are not allowed by a
    wider network, only by one that lies inside theirs: 127.0.0.1/32."""
    max_pixels: Annotated[int, Field(ge=64 * 64, le=8192 * 8192)] = 3840 * 2160
    """Width times height of a picture."""
    max_fps: Annotated[float, Field(gt=0, le=240)] = 60.0
    """Pictures a second that are taken; what comes beyond is dropped."""
    max_packet_bytes: Annotated[int, Field(ge=1 << 16, le=1 << 28)] = 4 << 20
    """Of one encoded picture."""
