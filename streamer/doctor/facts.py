"""What a camera of RTSP or RTP said of itself and showed of its ways: as a document, and as a person reads it. Pure.

Plain facts. What of them is worth a word of advice, findings.py says.
"""

from collections.abc import Iterator
from typing import Literal

from typing_extensions import TypedDict

from streamer.source.failure import printable
from streamer.source.rtsp.description import Track
from streamer.source.rtsp.traits import Traits
from streamer.values import url

CODECS = {"H264": "H.264", "H265": "H.265", "JPEG": "MJPEG", "MP4V-ES": "MPEG-4"}
KINDS = {"key": "IDR", "recovery point": "recovery points", "intra": "intra pictures that are no IDR"} | {
    "refresh": "none came, perhaps refreshed bit by bit"
}
"""Of the pictures with which decoding may begin: H.264's words."""
MARKERS = {
    "normal": "the last of each picture is marked",
    "never": "none is marked as a picture's last",
    "always": "each is marked as a picture's last",
}
PLACES = {("described",): "in the description", ("in band",): "in band"} | {
    ("described", "in band"): "in the description and in band",
    (): "none",
}
LONGEST = 40
"""Letters of a camera's word for a codec."""
SHOWN = 8
"""Tracks that a person is shown."""


class TrackDocument(TypedDict):
    """A track that an RTSP camera describes, in the words of its SDP."""

    media: str
    codec: str | None
    profile: str
    encrypted: bool
    played: bool
    why_not: str | None
    """Why it is not played; null: it is."""


class RtspDocument(TypedDict):
    """What an RTSP camera said of itself and showed of its ways. Null: not known yet."""

    server: str | None
    login: str | None
    """How it was logged in to, such as "Digest SHA-256"; null: without."""
    transport: Literal["tcp", "udp"] | None
    keepalive: str | None
    """What keeps its session alive: a method."""
    session_timeout: float | None
    """Seconds that its session lasts without."""
    tracks: list[TrackDocument]
    """What it describes."""
    packets: int
    """RTP packets of the video that were sent, by their numbers."""
    lost: int | None
    """Of these, such as never came; null where the numbers mean nothing."""
    numbered: bool
    """Whether its sequence numbers mean anything."""
    markers: Literal["normal", "never", "always"] | None
    """When a packet is marked as a picture's last."""
    strangers: int
    """Datagrams of others that came to the same port, where it sends RTP and nothing more."""
    clock_pace: float
    """Seconds that pass while its times count one; 1.0 is honest."""
    parameter_sets: list[Literal["described", "in band"]] | None
    """Where they come: in its SDP, or between the pictures; null where the codec has none."""
    keyframe_kinds: list[Literal["key", "recovery point", "intra", "refresh"]]
    """With what decoding could begin: IDR, a recovery point, intra pictures that do not say so, or none of these; then
    it was begun in the middle."""


def document(traits: Traits) -> RtspDocument:
    """For a program."""
    return {
        "server": traits.server,
        "login": traits.login,
        "transport": traits.transport,
        "keepalive": traits.keepalive,
        "session_timeout": traits.session_timeout,
        "tracks": [
            {
                "media": _word(track.media),
                "codec": _word(track.codec) or None,
                "profile": _word(track.profile),
                "encrypted": track.encrypted,
                "played": track is traits.played,
                "why_not": traits.why_not(track),
            }
            for track in traits.tracks
        ],
        "packets": traits.packets,
        "lost": traits.lost,
        "numbered": traits.numbered,
        "markers": traits.markers,
        "strangers": traits.strangers,
        "clock_pace": round(traits.clock_pace, 3),
        "parameter_sets": None if traits.parameter_sets is None else list(traits.parameter_sets),
        "keyframe_kinds": list(traits.keyframes),
    }


def rows(traits: Traits) -> list[tuple[str, str]]:
    """For a person: names, the second of a kind "", and values."""
    return [*_conversation(traits), *_tracks(traits), *_packets(traits)]


def keyframe_kinds(traits: Traits) -> str:
    """What a camera's keyframes are; "" where none came."""
    # Where it has better ones, those are all that decoding waits for.
    best = [kind for kind in traits.keyframes if kind in ("key", "recovery point")] or traits.keyframes[:1]
    return " and ".join(KINDS[kind] for kind in best)


def lost_share(lost: int, packets: int) -> str:
    """A share of packets, in per cent."""
    return f"{100 * lost / packets:.2g} %"


def _conversation(traits: Traits) -> Iterator[tuple[str, str]]:
    if traits.server:
        yield "server", traits.server
    if traits.is_bare:
        yield "session", "none: it sends RTP to this port, and does not ask"
    elif traits.tracks:
        realm = f' for "{traits.realm}"' if traits.realm else ""
        yield "log-in", f"{traits.login}{realm}" if traits.login else "none asked for"
    if traits.transport is not None and traits.session_timeout is not None:
        lasts = f"kept alive by {traits.keepalive}; lasts {traits.session_timeout:.0f} s without"
        yield "session", f"over {traits.transport.upper()}, {lasts}"


def _tracks(traits: Traits) -> Iterator[tuple[str, str]]:
    for number, track in enumerate(traits.tracks[:SHOWN]):
        yield "" if number else "tracks", f"{_name(track)}: {traits.why_not(track) or 'played'}"
    if (more := len(traits.tracks) - SHOWN) > 0:
        yield "", f"and {more} more"


def _packets(traits: Traits) -> Iterator[tuple[str, str]]:
    if traits.packets:
        lost = "numbered without sense" if traits.lost is None else "none lost"
        if traits.lost:
            lost = f"{traits.lost} lost ({lost_share(traits.lost, traits.packets)})"
        said = [f"{traits.packets}, {lost}", *([MARKERS[traits.markers]] if traits.markers else [])]
        yield "RTP packets", "; ".join(said)
    if traits.strangers:
        yield "others", f"{traits.strangers} datagrams of other senders came to this port, and were left alone"
    if traits.packets and traits.parameter_sets is not None:
        yield "parameter sets", PLACES[traits.parameter_sets]


def _name(track: Track) -> str:
    return f"{_word(track.media)}, {CODECS.get(track.codec, _word(track.codec)) or 'not named'}"


def _word(text: str) -> str:
    return url.redact(printable(text[:LONGEST]))
