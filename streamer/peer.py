"""The other end of one WebRTC connection, viewer or publisher: its offer answered, its vanishing noticed, its end.

RFC 9725 (WHIP) and draft-ietf-wish-whep ask for the same of a session: an id nobody can guess, an entity tag, an answer
with every candidate of ours in it, candidates of theirs that may trickle in.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable

from aiortc import RTCConfiguration, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import OperationError

from streamer.clock import Clock
from streamer.errors import SessionError
from streamer.guard import guards
from streamer.sdp import MAX_CANDIDATES, Fragment, Offer

log = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT = 15.0
"""Seconds from offer to connected. aiortc alone would try for a minute, or for ever where no candidate comes."""
SILENCE_TIMEOUT = 10.0
"""Seconds without any datagram after which a peer has vanished. A living one is heard more often: RTCP comes every few
seconds (RFC 3550 section 6.2), consent checks every 4 to 6 (RFC 7675). aioice alone gives up after six lost checks,
about 30 s; its checks themselves may not come faster (RFC 7675 section 5.1)."""
LOOK_INTERVAL = 0.5
"""Seconds between two looks at the clock."""
CLOSE_TIMEOUT = 3.0
"""Seconds aiortc gets to close; an error in one of its tasks can keep it waiting for ever."""
CONNECTED = "connected"


class Peer:
    """One peer connection from offer to end."""

    def __init__(
        self, who: str, *, clock: Clock, on_connected: Callable[[], None], on_closed: Callable[[], None]
    ) -> None:
        """Make a connection that waits for its offer; `who` names the peer in the log."""
        self.id = secrets.token_urlsafe(18)
        """Unguessable: whoever knows it may end the session."""
        self.etag = f'"{secrets.token_hex(8)}"'
        """The ICE session's entity tag (RFC 9725 section 4.3.1); one for good, since ICE is never restarted."""
        # No servers: None would mean Google's STUN, and seconds of waiting where there is no internet.
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connected = False
        self._who = who
        self._clock = clock
        self._on_connected, self._on_closed = on_connected, on_closed
        self._ufrag = ""
        self._trickled = 0
        self._closed = False
        self._heard = 0
        self._heard_at = self._began_at = clock()
        self._watch: asyncio.Task[None] | None = None
        self._adding: set[asyncio.Task[None]] = set()
        self.pc.on("connectionstatechange", self._state_changed)

    @property
    def silent_for(self) -> float:
        """Seconds since anything came from the peer."""
        return self._clock() - self._heard_at

    @property
    def dropped(self) -> int:
        """Datagrams of strangers on this peer's media ports, and others not let through."""
        return sum(guard.dropped for guard in guards(self.pc))

    async def answer(self, offer: Offer) -> str:
        """The SDP answer, with every candidate of ours in it. What is sent and received is set up before.

        Raises:
            SessionError: 400 the offer cannot be read, 406 it has no codec known here.
        """
        self._ufrag = offer.ufrag
        try:
            await self.pc.setRemoteDescription(RTCSessionDescription(sdp=offer.text, type="offer"))
            await self.pc.setLocalDescription(await self.pc.createAnswer())
        except OperationError as error:
            raise SessionError(406, "the SDP offer has no codec known here: H.264 Baseline in mode 1, VP8") from error
        except Exception as error:  # aiortc meets a bad offer with whatever its parser trips over
            log.info("%s: an offer that cannot be answered: %s", self._who, type(error).__name__)
            raise SessionError(400, "the SDP offer cannot be read") from error
        self._watch = asyncio.create_task(self._look())
        self._add(offer.candidates)
        return self.pc.localDescription.sdp

    def trickle(self, fragment: Fragment) -> None:
        """Take candidates that came after the offer.

        Raises:
            SessionError: 422 an ICE restart, 400 too many.
        """
        if fragment.ufrag is not None and fragment.ufrag != self._ufrag:
            raise SessionError(422, "ICE restarts are not supported; DELETE this session and POST a new offer")
        self._trickled += len(fragment.candidates)
        if self._trickled > MAX_CANDIDATES:
            raise SessionError(400, f"more than {MAX_CANDIDATES} candidates trickled in")
        self._add(fragment.candidates)

    async def close(self) -> None:
        """End the connection; may be called twice."""
        if self._closed:
            return
        self._closed, self.connected = True, False
        for task in (self._watch, *self._adding):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        self._on_closed()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self.pc.close()
        except TimeoutError:
            log.warning("%s: the connection could not be closed within %.0f s", self._who, CLOSE_TIMEOUT)

    def _add(self, candidates: tuple[RTCIceCandidate, ...]) -> None:
        """Add candidates without waiting: a .local name takes a second to be found missing."""
        for candidate in candidates:
            task = asyncio.create_task(self._add_one(candidate))
            self._adding.add(task)
            task.add_done_callback(self._adding.discard)

    async def _add_one(self, candidate: RTCIceCandidate) -> None:
        try:
            await self.pc.addIceCandidate(candidate)
        except Exception as error:  # noqa: BLE001  a candidate that is of no use is ignored (RFC 9725 section 4.3.2)
            log.debug("%s: a candidate was ignored: %s", self._who, type(error).__name__)

    async def _look(self) -> None:
        """End a connection that does not come about, or whose peer has gone without a word."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL)
            now = self._clock()
            heard = sum(guard.heard for guard in guards(self.pc))
            if heard != self._heard:
                self._heard, self._heard_at = heard, now
            if not self.connected and now - self._began_at > HANDSHAKE_TIMEOUT:
                log.info("%s: did not connect within %.0f s", self._who, HANDSHAKE_TIMEOUT)
                break
            if self.connected and now - self._heard_at > SILENCE_TIMEOUT:
                log.info("%s: vanished; nothing came for %.0f s", self._who, SILENCE_TIMEOUT)
                break
        await self.close()

    async def _state_changed(self) -> None:
        state = self.pc.connectionState
        if state == CONNECTED:
            self.connected = True
            self._on_connected()
        elif state in ("failed", "closed"):
            await self.close()
