"""What FFmpeg is told for each kind of URL, and why.

The names are options of libavformat 62 (FFmpeg 8.1), which silently ignores those it does not know: `stimeout` is gone
since FFmpeg 5, and a stream that set it blocked for ever. tests/source/test_protocol.py asks the library for each name.
"""

from dataclasses import dataclass, field

SOCKET_TIMEOUT = 2.0
"""Seconds one read of a socket may take in FFmpeg. A stalled stream is noticed after two of them at the most."""
LISTEN_TIMEOUT = 5
"""Seconds one `listen` waits for a camera; then it is renewed."""
STALL_TIMEOUT = 4.5
"""Seconds without a frame after which a connection is given up: noticed within five."""

FIRST_TIMEOUT = 6.0
"""Seconds from an answer that it plays to a camera's first packet. Some wait for their next key picture first, and one
every five seconds is usual; the doctor has 8.5 s for everything."""

_MICROSECONDS = str(int(SOCKET_TIMEOUT * 1e6))

_UNDECODED = {
    # To tell what a stream is FFmpeg decodes some of it by decoders of its own, which know no limits: 2.9 GB for one
    # packet. It needs none for H.264, H.265, MPEG-4 and MPEG-2; sound tells it little without. A size that only a
    # decoder could tell is found out by ours.
    "codec_whitelist": "aac,aac_latm,ac3,eac3,mp2,mp2float,mp3,mp3float,opus,speex,nellymoser",
}
_SOON = _UNDECODED | {
    # The codec is known from the first keyframe; FFmpeg would go on looking for audio for five seconds.
    "analyzeduration": "1000000",
}


@dataclass(frozen=True)
class Protocol:
    """How one kind of URL is read."""

    format: str | None
    """FFmpeg's demuxer: named, so that nothing a server sends makes it choose another. None: by the file itself."""
    options: dict[str, str] = field(default_factory=dict)
    clocked: bool = True
    """Whether packets carry the camera's own times; without, their arrival is their time."""
    bursts: bool = False
    """Whether it comes faster than it happened, so that pictures must be held until they are due."""
    stall: float = STALL_TIMEOUT
    """Seconds without a frame after which a connection is given up."""
    start: float | None = None
    """The same before anything has come; None: no other."""


PLAYED = Protocol(None, {"protocol_whitelist": "none"}, start=FIRST_TIMEOUT + 1.0)
"""RTSP, which FFmpeg only decodes: see rtsp/. Why nothing comes at first it says itself, and is let."""
RTMP = Protocol(
    "live_flv",
    _SOON
    | {
        "protocol_whitelist": "rtmp,tcp",
        # RTMP's own `timeout` is seconds and for listening only; this one reaches the TCP below it.
        "rw_timeout": _MICROSECONDS,
        # Not a recording of the same name, if the server keeps one.
        "rtmp_live": "live",
    },
)
RTMP_LISTEN = Protocol(
    "live_flv",
    _SOON
    | {
        "protocol_whitelist": "rtmp,tcp",
        "rw_timeout": _MICROSECONDS,
        "listen": "1",
        "timeout": str(LISTEN_TIMEOUT),  # seconds
    },
)
FILE = Protocol(None, {"protocol_whitelist": "file"}, bursts=True, stall=60.0)

# What comes through a connection of ours: FFmpeg gets bytes, and opens nothing itself.

_BYTES = {"protocol_whitelist": "none"}
MPEG_TS = Protocol(
    "mpegts",
    _BYTES
    | _SOON
    | {
        # An encoder that starts anew goes on in the same stream, with whatever codec; a new stream would not be read.
        "merge_pmt_versions": "1",
    },
)
_UNITS = (
    _BYTES
    | _SOON
    | {
        # They carry no times: there is nothing to be learned from more of them than one.
        "fpsprobesize": "0",
        "max_ts_probe": "0",
    }
)
H264_UNITS = Protocol("h264", _UNITS, clocked=False)
H265_UNITS = Protocol("hevc", _UNITS, clocked=False)
NAL_UNITS = {"H264": H264_UNITS, "H265": H265_UNITS}
"""A stream of NAL units between start codes (H.264 and H.265, annex B), by SDP's name of the codec."""
MULTIPART_JPEG = Protocol(None, _BYTES, clocked=False)
"""Pictures that FFmpeg only decodes: see multipart.py."""
FLV = Protocol("live_flv", _BYTES | _SOON)
MP4 = Protocol("mov", _BYTES | _UNDECODED)
HLS = Protocol(
    "hls",
    _SOON
    | {
        # Every request goes through playlist.py. A persistent connection would be FFmpeg's own, and asserts that it is.
        "http_persistent": "0",
        "http_multiple": "0",
        "protocol_whitelist": "http,https",
        # Segments are MPEG-TS or MP4, never another playlist's trick; what they are called says nothing (RFC 8216).
        "format_whitelist": "hls,mpegts,mov",
        "extension_picky": "0",
        "allowed_extensions": "ALL",
        "allowed_segment_extensions": "ALL",
        # Play from the third segment before the end: what is shown comes evenly, though it arrives by segments.
        "live_start_index": "-3",
    },
    bursts=True,
    # A segment may be late by its own length; segments of up to ten seconds are usual.
    stall=15.0,
)
