"""What an HTTP answer is: a container, a playlist, or pictures. Pure."""

from streamer.source import protocol as protocols
from streamer.source.failure import printable
from streamer.source.protocol import Protocol
from streamer.values.errors import SourceError

_TYPES: dict[str, Protocol] = {
    "multipart/x-mixed-replace": protocols.MULTIPART_JPEG,
    "multipart/mixed": protocols.MULTIPART_JPEG,
    "video/x-motion-jpeg": protocols.MULTIPART_JPEG,
    "video/x-mjpeg": protocols.MULTIPART_JPEG,
    "video/mjpeg": protocols.MULTIPART_JPEG,
    "application/vnd.apple.mpegurl": protocols.HLS,
    "application/x-mpegurl": protocols.HLS,
    "audio/mpegurl": protocols.HLS,
    "audio/x-mpegurl": protocols.HLS,
    "video/mp4": protocols.MP4,
    "video/quicktime": protocols.MP4,
    "video/mp2t": protocols.MPEG_TS,
    "video/x-flv": protocols.FLV,
}
"""By media type (RFC 2046, RFC 8216, IANA)."""


def protocol_of(media_type: str, start: bytes) -> Protocol:
    """What an HTTP answer is: by its media type, or, since many servers name a wrong one, by its first bytes.

    Raises:
        SourceError: kind "protocol"; it is no video.
    """
    for mark, protocol in (
        (start.startswith(b"#EXTM3U"), protocols.HLS),
        (start[4:8] in (b"ftyp", b"styp", b"moov"), protocols.MP4),
        (start.startswith(b"FLV"), protocols.FLV),
        (start.startswith(b"\x47"), protocols.MPEG_TS),
        (media_type in _TYPES, _TYPES.get(media_type)),
    ):
        if mark and protocol is not None:
            return protocol
    if media_type.startswith("image/"):
        raise SourceError("protocol", "the server sends one picture, not a video; ask the camera for its MJPEG stream")
    what = printable(media_type)
    raise SourceError("protocol", f"the server sends {what}; allowed are HLS, MJPEG, MP4, MPEG-TS and FLV")
