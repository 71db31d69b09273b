"""What a camera says it has: the SDP (RFC 8866) that answers DESCRIBE, as tracks. Pure."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from streamer.source.failure import printable
from streamer.source.rtsp.message import MAX_BODY
from streamer.values.errors import SourceError

MAX_TRACKS = 32
MAX_FORMATS = 32
"""Payload types of a track that are looked at: each is looked for in all of the track's lines."""
CLOCK_RATE = 90_000
"""Hertz, of video (RFC 3551 section 5) where nothing else is said."""
TELEPHONE = ("PCMU", "PCMA")
TELEPHONE_RATE = 8_000
"""Hertz, of G.711 (RFC 3551 section 4.5.14) where nothing else is said."""
PLAYABLE = ("H264", "H265", "JPEG", "MP4V-ES", "VP8")
"""By the names of their payload formats (RFC 6184, 7798, 2435, 6416, 7741)."""

STATIC = {0: "PCMU", 3: "GSM", 4: "G723", 8: "PCMA", 9: "G722", 14: "MPA", 26: "JPEG", 31: "H261", 32: "MPV"} | {
    33: "MP2T",
    34: "H263",
}
"""Payload types that need no rtpmap (RFC 3551 section 6)."""
_SAME = {"HEVC": "H265", "AVC": "H264", "MJPEG": "JPEG", "MP4V": "MP4V-ES"}
"""What some call them."""
_START_CODE = b"\0\0\0\1"
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True)
class Track:
    """One media section."""

    media: str
    """"video", "audio", "application"."""
    profile: str
    """How it is carried: "RTP/AVP"."""
    codec: str
    """In upper case; "" where nothing tells."""
    payload_type: int
    """-1 where there is none."""
    clock_rate: int = CLOCK_RATE
    """Ticks a second."""
    fmtp: Mapping[str, str] = field(default_factory=dict)
    """What the codec needs to know; names in lower case. Of JPEG also its size, `x-dimensions`."""
    control: str = ""
    """Its URL as the camera writes it; "" where it has none of its own."""
    direction: str = ""
    """As the camera writes it; "" where it does not."""
    frame_rate: float | None = None
    """Pictures a second, as the camera says."""
    channels: int = 1
    """Of sound."""
    parameter_sets: bytes = b""
    """H.264 and H.265: what of them stands here, as Annex B. MPEG-4: its configuration."""

    @property
    def encrypted(self) -> bool:
        """Whether it is SRTP (RFC 3711)."""
        return "SAVP" in self.profile

    @property
    def playable(self) -> bool:
        """Whether it is video that can be read here."""
        return self.media == "video" and self.codec in PLAYABLE and not self.encrypted


@dataclass(frozen=True)
class Description:
    """All of it."""

    control: str
    """The URL of the whole, as the camera writes it; "" where it has none."""
    tracks: tuple[Track, ...]

    def video(self) -> Track:
        """The first video that can be played; one that goes towards the camera only where there is no other.

        Raises:
            SourceError: there is none; kind "codec" or "unsupported".
        """
        videos = [track for track in self.tracks if track.media == "video"]
        playable = [track for track in videos if track.playable]
        if not videos:
            raise SourceError("codec", "the stream carries no video")
        if playable:
            # ONVIF's back channel is "sendonly"; cameras that know nothing of it write that of their own video.
            return next((track for track in playable if track.direction not in ("sendonly", "inactive")), playable[0])
        if any(track.encrypted for track in videos):
            raise SourceError("unsupported", "the camera's video is encrypted (SRTP), which is not played")
        what = printable(videos[0].codec) or "of a kind it does not name"
        raise SourceError("codec", f"the camera's video is {what}, which is not played; allowed are {_allowed()}")

    def sound(self) -> Track | None:
        """The first sound that comes from the camera; None: there is none."""
        return next((track for track in self.tracks if _is_heard(track)), None)


def _is_heard(track: Track) -> bool:
    """Whether it is sound that comes from the camera, unencrypted: ONVIF's back channel goes towards it."""
    return track.media == "audio" and not track.encrypted and track.direction not in ("sendonly", "inactive")


def _allowed() -> str:
    return f"{', '.join(PLAYABLE[:-1])} and {PLAYABLE[-1]}"


def read(body: bytes) -> Description:
    """The SDP of a DESCRIBE.

    Raises:
        SourceError: kind "protocol", or "too_large" for one beyond MAX_BODY or MAX_TRACKS.
    """
    if len(body) > MAX_BODY:
        raise SourceError("too_large", f"the camera's description has {len(body)} bytes, more than {MAX_BODY}")
    lines = [line.strip() for line in re.split(r"[\r\n]+", body.decode(errors="replace"))]
    begins = [number for number, line in enumerate(lines) if line.startswith("m=")]
    if len(begins) > MAX_TRACKS:
        raise SourceError("too_large", f"the camera describes {len(begins)} tracks, more than {MAX_TRACKS}")
    if not begins and "v=0" not in lines:
        raise SourceError("protocol", "what the camera describes is no stream")
    whole = _Attributes(lines[: begins[0] if begins else len(lines)])
    sections = [lines[begin:end] for begin, end in pairwise([*begins, len(lines)])]
    return Description(whole.first("control"), tuple(_track(section, whole) for section in sections))


class _Attributes:
    """The a= lines of a section."""

    def __init__(self, lines: Sequence[str]) -> None:
        found = (line[2:].partition(":") for line in lines if line[:2] == "a=")
        self._found = [(name.strip().lower(), value.strip()) for name, _, value in found]

    def first(self, name: str) -> str:
        """The value of the first of that name; "" where there is none."""
        return next((value for known, value in self._found if known == name), "")

    def of(self, name: str, payload_type: int) -> str:
        """What stands behind the payload type."""
        wanted = str(payload_type)
        for known, value in self._found:
            if known == name:
                number, _, rest = value.partition(" ")
                if number == wanted:
                    return rest.strip()
        return ""

    def direction(self) -> str:
        """Which way it goes; "" where nothing tells."""
        return next((known for known, _ in self._found if known in _DIRECTIONS), "")


def _track(section: Sequence[str], whole: _Attributes) -> Track:
    words = section[0][2:].split()
    media, profile = (words[0].lower() if words else ""), (words[2].upper() if len(words) > 2 else "")
    attributes = _Attributes(section[1:])
    formats = [int(word) for word in words[3 : 3 + MAX_FORMATS] if re.fullmatch(r"\d{1,3}", word, re.ASCII)] or [-1]
    codecs = [_codec(attributes, payload_type) for payload_type in formats]
    chosen = next((number for number, (codec, *_) in enumerate(codecs) if codec in PLAYABLE), 0)
    (codec, clock_rate, channels), payload_type = codecs[chosen], formats[chosen]
    fmtp = _fmtp(attributes.of("fmtp", payload_type))
    if codec == "JPEG" and (size := _size(attributes, payload_type)):
        fmtp |= {"x-dimensions": size}
    rate = attributes.first("framerate") or attributes.first("x-framerate")
    return Track(
        media,
        profile,
        codec,
        payload_type,
        clock_rate,
        fmtp,
        attributes.first("control"),
        attributes.direction() or whole.direction(),
        _frame_rate(rate),
        channels,
        _parameter_sets(codec, fmtp),
    )


def _codec(attributes: _Attributes, payload_type: int) -> tuple[str, int, int]:
    """A payload type's codec, clock rate and channels."""
    name, _, rest = attributes.of("rtpmap", payload_type).partition("/")
    name = name.strip().upper() or STATIC.get(payload_type, "")
    if not name:  # some cameras leave it out
        told = attributes.of("fmtp", payload_type).lower()
        name = "H265" if "sprop-vps" in told else "H264" if "sprop-parameter-sets" in told else ""
    rate, _, channels = (part.strip() for part in rest.partition("/"))
    known = re.fullmatch(r"\d{1,7}", rate, re.ASCII) and 0 < int(rate) <= 1_000_000
    otherwise = TELEPHONE_RATE if name in TELEPHONE else CLOCK_RATE
    count = int(channels) if re.fullmatch(r"[1-9]", channels, re.ASCII) else 1
    return _SAME.get(name, name), int(rate) if known else otherwise, count


def _fmtp(text: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts if name.strip()}


def _size(attributes: _Attributes, payload_type: int) -> str:
    """JPEG's size, which RTP has up to 2040: "2592,1944", or as RFC 6064 writes it, "26 2592-1944"; "" for none."""
    return attributes.first("x-dimensions") or attributes.of("framesize", payload_type).replace("-", ",")


def _frame_rate(text: str) -> float | None:
    found = re.fullmatch(r"\d{1,4}(\.\d{1,9})?", text, re.ASCII)
    return float(text) if found and float(text) else None


def _parameter_sets(codec: str, fmtp: Mapping[str, str]) -> bytes:
    if codec == "MP4V-ES":
        config = fmtp.get("config", "")
        return bytes.fromhex(config) if re.fullmatch(r"([0-9A-Fa-f]{2})+", config) else b""
    if codec == "H264":
        units = _units(fmtp.get("sprop-parameter-sets", ""))
        wanted = [unit for unit in units if unit[0] & 31 in (7, 8, 13)]
    elif codec == "H265":
        units = (unit for name in ("vps", "sps", "pps") for unit in _units(fmtp.get(f"sprop-{name}", "")))
        wanted = [unit for unit in units if unit[0] >> 1 & 63 in (32, 33, 34)]
    else:
        return b""
    return b"".join(_START_CODE + unit for unit in wanted)


def _units(text: str) -> Iterator[bytes]:
    """NAL units written in base64, a comma between them; what is none is passed over."""
    for part in text.split(","):
        written = part.strip().rstrip("=")
        try:
            unit = base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
        except (binascii.Error, ValueError):  # ValueError: not ASCII
            continue
        if unit := unit.removeprefix(_START_CODE):  # some cameras write it as well
            yield unit
