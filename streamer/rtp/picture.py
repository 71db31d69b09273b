"""One encoded picture, as it comes out of RTP."""

from dataclasses import dataclass

from streamer.rtp.payload import Entry


@dataclass(slots=True)
class Picture:
    """One encoded picture, whole: an access unit, its delimiter, messages and parameter sets included.

    Made for each that comes, therefore not frozen, which would cost as much again.
    """

    data: bytes
    pts: float
    """Seconds of the sender's clock, counted on past its 32 bits."""
    is_keyframe: bool
    """Whether decoding may begin with it."""
    received_at: float
    """Monotonic arrival of its first packet."""
    whole_at: float
    """Monotonic arrival of its last packet."""
    is_whole: bool = True
    """False for what is decoded from pictures that never came, until a sender's refresh has passed over all of it."""
    entry: Entry = Entry.NONE
    """How well decoding can begin with it."""
    stands: bool = True
    """Whether neither it nor what is shown after it needs what came before."""
