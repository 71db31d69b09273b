"""Which codecs are read out of RTP, by the names that SDP has for them (RFC 8866 section 6.6, IANA's media types)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from streamer.rtp.h264 import continues_h264, read_h264
from streamer.rtp.h265 import continues_h265, read_h265
from streamer.rtp.jpeg import END, JpegReader
from streamer.rtp.mpeg4 import read_mpeg4
from streamer.rtp.payload import Continues, Depacketizer, never
from streamer.rtp.vp8 import read_vp8


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec, as RTP carries it and as FFmpeg decodes it."""

    decoder: str
    """FFmpeg's name."""
    depacketizer: Callable[[Mapping[str, str]], Depacketizer]
    """Makes one for a sender, of its `fmtp` parameters, names in small letters."""
    ending: bytes = b""
    """What each of its pictures ends with: `Assembler`'s argument."""
    continues: Continues = never
    """Tells packets that only go on with their picture, which are most of them."""


def _h265(parameters: Mapping[str, str]) -> Depacketizer:
    numbered = parameters.get("sprop-max-don-diff", "0").strip().lstrip("0") != ""
    return partial(read_h265, numbered=numbered)


CODECS: Mapping[str, Codec] = {
    "H264": Codec("h264", lambda _: read_h264, continues=continues_h264),
    "H265": Codec("hevc", _h265, continues=continues_h265),
    "JPEG": Codec("mjpeg", JpegReader, END),
    "MP4V-ES": Codec("mpeg4", lambda _: read_mpeg4),
    "VP8": Codec("vp8", lambda _: read_vp8),
}
"""By encoding name, in capitals."""
PAYLOAD_TYPES: Mapping[int, str] = {26: "JPEG"}
"""Fixed payload types of video read here, which need no `rtpmap` (RFC 3551 table 5)."""
