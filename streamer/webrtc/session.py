"""A session with a URL: a viewer's (WHEP) or a publisher's (WHIP)."""

from streamer.webrtc.peer import Peer
from streamer.webrtc.sdp import Fragment
from streamer.webrtc.traffic import Traffic


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
