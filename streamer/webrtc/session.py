"""A session with a URL: a viewer's (WHEP) or a publisher's (WHIP)."""

from dataclasses import astuple, dataclass

from streamer.webrtc.peer import Peer
from streamer.webrtc.sdp import Fragment


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


class Session:
    """What both have in common: a peer, and what is asked of it at that URL."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    @property
    def id(self) -> str:
        """What stands in the session's URL; unguessable."""
        return self._peer.id

    @property
    def etag(self) -> str:
        """The entity tag of its ICE session."""
        return self._peer.etag

    @property
    def silent_for(self) -> float:
        """Seconds since anything came from the peer."""
        return self._peer.silent_for

    @property
    def traffic(self) -> Traffic:
        """What was counted until now."""
        return Traffic(self._peer.dropped, self._peer.reports_dropped)

    def trickle(self, fragment: Fragment) -> None:
        """Take candidates that came after the offer.

        Raises:
            Refused: an ICE restart, or too many.
        """
        self._peer.trickle(fragment)

    async def close(self) -> None:
        """End the session; may be called twice."""
        await self._peer.close()
