"""What a camera says of itself while it is asked, and shows of its ways while it plays: for the doctor. Values.

What an attempt keeps for the next are its `Habits`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from streamer.rtp.marker import MarkerHabit
from streamer.source.rtsp.description import Track
from streamer.source.target import Transport

KeyframeKind = Literal["key", "recovery point", "intra", "refresh"]
"""A picture that needs no other, nor does what follows it; one with the message that pictures are right from there on;
one that is intra, and no word about it; none, and decoding was begun in the middle."""
SetsPlace = Literal["described", "in band"]
"""In the SDP, or between the pictures."""


@dataclass(frozen=True)
class Traits:
    """What is known of one camera so far."""

    server: str | None = None
    """What it calls itself."""
    login: str | None = None
    """How it was logged in to: "Digest SHA-256"; None: without."""
    realm: str | None = None
    """What it asks the password for."""
    tracks: tuple[Track, ...] = ()
    """All that it describes."""
    played: Track | None = None
    """The one of these that plays."""
    transport: Transport | None = None
    """How its packets come."""
    keepalive: str | None = None
    """What keeps its session alive: "GET_PARAMETER" or "OPTIONS"."""
    session_timeout: float | None = None
    """Seconds its session lasts without."""
    packets: int = 0
    """Sent, as their numbers tell; of a camera whose numbers mean nothing: that came."""
    lost: int | None = None
    """Of these, such as never came; None: cannot be told."""
    numbered: bool = True
    """Whether its sequence numbers mean anything."""
    markers: MarkerHabit | None = None
    """When it sets the marker bit; None: no picture has come."""
    clock_pace: float = 1.0
    """Seconds that pass while the clock of its pictures counts one. 1.0: it is honest, as far as could be told."""
    parameter_sets: tuple[SetsPlace, ...] | None = None
    """Where it sends them; None: its codec has none."""
    keyframes: tuple[KeyframeKind, ...] = ()
    """The kinds of pictures that decoding could begin with, the best first."""
    is_bare: bool = False
    """It sends RTP and nothing more: there is no session, nor a description."""
    strangers: int = 0
    """Datagrams of others that came to the same port."""

    def why_not(self, track: Track) -> str | None:
        """Why a track is not played; None: it is."""
        if track is self.played:
            return None
        if track.media != "video":
            return "sound is not asked for" if track.media == "audio" else "no video"
        if track.encrypted:
            return "encrypted (SRTP), which is not played"
        if not track.playable:
            return "not played here"
        if track.direction in ("sendonly", "inactive"):
            return f"it is {track.direction}"
        return "another comes first" if self.played is not None else "it could not be set up"


Learn = Callable[[Traits], None]
"""Takes what is known of a camera each time it is more, until it no longer plays: also where it never does."""


def forget(_: Traits) -> None:
    """For whoever does not ask."""
