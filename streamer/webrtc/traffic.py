"""What is counted of sessions. A value; without what WebRTC is made of."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was counted of sessions' datagrams and packets."""

    datagrams_dropped: int = 0
    """Of strangers at the media ports, of nobody a peer would send, and beyond a peer's budget."""
    reports_dropped: int = 0
    """Datagrams of RTCP that were not read."""
    sent_again: int = 0
    """Packets that a viewer had lost."""
    not_sent_again: int = 0
    """Packets that a viewer asked for too often, or too many of."""

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(*(ours + theirs for ours, theirs in zip(astuple(self), astuple(other), strict=True)))
