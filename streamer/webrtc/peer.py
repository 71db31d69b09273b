"""The other end of one WebRTC connection, viewer or publisher: its offer answered, its vanishing noticed, its end.

RFC 9725 (WHIP) and draft-ietf-wish-whep ask for the same of a session: an id nobody can guess, an entity tag, an answer
with every candidate of ours in it, candidates of theirs that may trickle in.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from aiortc import RTCConfiguration, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError, OperationError

from streamer.values.clock import Clock
from streamer.values.errors import Refused
from streamer.values.host import host_of
from streamer.webrtc.budget import Budget
from streamer.webrtc.datagram_filter import DatagramFilter, datagram_filters
from streamer.webrtc.hooks import close_by_force, limit_reports, on_source
from streamer.webrtc.sdp import MAX_CANDIDATES, Fragment, Offer

log = logging.getLogger(__name__)

FIRST_CHECK_TIMEOUT = 5.0
"""Seconds from the answer to the peer's first check: who means to come checks as soon as he has read it."""
HANDSHAKE_TIMEOUT = 10.0
"""Seconds from the answer to connected. aiortc alone would try for a minute, or for ever where no candidate comes."""
SILENCE_TIMEOUT = 10.0
"""Seconds without any datagram after which a peer has vanished. A living one is heard more often: RTCP comes every few
seconds (RFC 3550 section 6.2), consent checks every 4 to 6 (RFC 7675). aioice alone gives up after six lost checks,
about 30 s; its checks themselves may not come faster (RFC 7675 section 5.1)."""
LOOK_INTERVAL = 0.5
"""Seconds between two looks at the clock."""
CLOSE_TIMEOUT = 3.0
"""Seconds aiortc gets to close."""
MAX_SOURCES = 31
"""SSRCs of a peer: as many as one report can be about (RFC 3550 section 6.4.2); aiortc trips over far more."""
MAX_REPORT = 512
"""Bytes of RTCP in a datagram. A browser's are below 300; a NACK of so many could name each packet that is kept."""
MIN_REPORT = 128
"""Bytes that a shorter report counts for: each costs something."""
REPORTS = 8192
"""Bytes of RTCP a second, and at once: 64 short reports, or 16 of the longest, since what one costs is its length. A
browser asks for lost packets every 20 ms at the most."""
VIEWERS_DATAGRAMS = 300
"""A second, and at once, from who sends reports alone."""
MAX_OWN_CANDIDATES = 32
"""Candidates at a peer's own address that are tried: each has a port of its own, and is sent checks."""
CONNECTED = "connected"
CODECS_KNOWN = {"video": "H.264 Baseline in mode 1, VP8", "audio": "Opus, G.711, G.722"}
"""For who offers others."""


class Peer:
    """One peer connection from offer to end."""

    def __init__(
        self,
        who: str,
        *,
        clock: Clock,
        on_connected: Callable[[], None],
        on_closed: Callable[[], None],
        datagrams: int = VIEWERS_DATAGRAMS,
    ) -> None:
        """Make a connection that waits for its offer.

        Args:
            who: names the peer in the log.
            clock: monotonic seconds.
            on_connected: told when the connection has come about.
            on_closed: told once when it ends.
            datagrams: a second, and at once, that the peer may send.
        """
        self.id = secrets.token_urlsafe(18)
        """Unguessable: whoever knows it may end the session."""
        self.etag = f'"{secrets.token_hex(8)}"'
        """The ICE session's entity tag (RFC 9725 section 4.3.1); one for good, since ICE is never restarted."""
        # No servers: None would mean Google's STUN, and seconds of waiting where there is no internet.
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connected = False
        self.on_report: Callable[[], None] = lambda: None
        """Told of each datagram of RTCP before it is read."""
        self.reports_dropped = 0
        """Datagrams of RTCP that were not read: too long, or too much."""
        self._reports = Budget(REPORTS, REPORTS)
        self._datagrams = datagrams
        self._who = who
        self._clock = clock
        self._on_connected, self._on_closed = on_connected, on_closed
        self._ufrag = ""
        self._address: IPv4Address | IPv6Address | None = None
        self._trickled = self._own_candidates = 0
        self._sources: set[bytes] = set()
        self._filters: list[DatagramFilter] = []
        """Of its sockets; kept beyond their end, for what they counted."""
        self._heard = 0
        self._heard_at = self._began_at = clock()
        self._negotiating: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
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
        return sum(each.dropped for each in self._filters)

    async def answer(self, offer: Offer, address: str = "") -> str:
        """The SDP answer, with every candidate of ours in it. What is sent and received is set up before.

        Args:
            offer: as it was read.
            address: whence it came. Nobody else is sent a check, whatever the offer names; who is elsewhere checks
                us, and is answered.

        Raises:
            Refused: 406 the offer has no codec known here, 404 closed meanwhile. Whatever else fails is no fault of the
                offer's, which was read before.
        """
        self._ufrag = offer.ufrag
        self._address = host_of(address)
        # Left alone even where nobody waits any more: cut off in between, aioice forgets sockets it has opened.
        self._negotiating = asyncio.create_task(self._negotiate(offer.text))
        try:
            await asyncio.shield(self._negotiating)
        except OperationError as error:
            kind = "audio" if "audio" in str(error) else "video"
            raise Refused(406, f"the SDP offer has no {kind} codec known here: {CODECS_KNOWN[kind]}") from error
        except asyncio.CancelledError:
            self._negotiating.add_done_callback(self._answered_nobody)
            raise
        if self._closing is not None:
            raise Refused(404, "the stream ended while its answer was being made")
        self._heard_at = self._began_at = self._clock()
        self._filters = datagram_filters(self.pc)
        for each in self._filters:
            each.budget = Budget(self._datagrams, self._datagrams)
        self._watch = asyncio.create_task(self._look())
        limit_reports(self.pc, self._takes_report)
        on_source(self.pc, self._heard_from)  # outside of that: what is not read costs libsrtp's memory, too
        self._add(offer.candidates)
        return self.pc.localDescription.sdp

    async def _negotiate(self, offer: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())

    def _answered_nobody(self, negotiating: asyncio.Task[None]) -> None:
        """An answer was made after whoever asked for it had left: a refusal is no news, a breakdown is."""
        error = None if negotiating.cancelled() else negotiating.exception()
        if error is not None and not isinstance(error, OperationError):
            log.error("%s: could not be answered", self._who, exc_info=error)

    def trickle(self, fragment: Fragment) -> None:
        """Take candidates that came after the offer.

        Raises:
            Refused: 422 an ICE restart, 400 too many.
        """
        if fragment.ufrag is not None and fragment.ufrag != self._ufrag:
            raise Refused(422, "ICE restarts are not supported; DELETE this session and POST a new offer")
        self._trickled += len(fragment.candidates)
        if self._trickled > MAX_CANDIDATES:
            raise Refused(400, f"more than {MAX_CANDIDATES} candidates trickled in")
        self._add(fragment.candidates)

    async def close(self) -> None:
        """End the connection; may be called twice, and whoever is cancelled here does not stop it half way."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
            self.connected = False
            for task in (self._watch, *self._adding):
                if task is not None and task is not asyncio.current_task():
                    task.cancel()
            self._on_closed()
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._negotiating is not None:
            await asyncio.gather(self._negotiating, return_exceptions=True)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self.pc.close()
        except Exception as error:  # after an accident in one of its tasks aiortc may wait for ever
            news = None if isinstance(error, TimeoutError) else error
            log.warning("%s: the connection was closed by force: %s", self._who, type(error).__name__, exc_info=news)
            await close_by_force(self.pc)

    def _takes_report(self, size: int) -> bool:
        """Whether to read a datagram of RTCP: to read one costs as much as it is long."""
        if size > MAX_REPORT or not self._reports.spend(max(MIN_REPORT, size), self._clock()):
            self.reports_dropped += 1
            return False
        self.on_report()
        return True

    def _heard_from(self, source: bytes) -> None:
        """Each source costs memory for as long as the connection lasts."""
        self._sources.add(source)
        if len(self._sources) == MAX_SOURCES + 1:
            log.warning("%s: sends from more than %d sources, and is sent away", self._who, MAX_SOURCES)
            self._ending = asyncio.create_task(self.close())

    def _add(self, candidates: tuple[RTCIceCandidate, ...]) -> None:
        """Add those candidates that are where the offer came from: any other may be somebody else (RFC 8445 19.5.1)."""
        for candidate in candidates:
            if self._address is None or host_of(candidate.ip) != self._address:
                continue
            if self._own_candidates == MAX_OWN_CANDIDATES:
                break
            self._own_candidates += 1
            task = asyncio.create_task(self._add_one(candidate))
            self._adding.add(task)
            task.add_done_callback(self._adding.discard)

    async def _add_one(self, candidate: RTCIceCandidate) -> None:
        try:
            await self.pc.addIceCandidate(candidate)
        except (ValueError, OSError, InvalidStateError) as error:  # of no use: ignored (RFC 9725 section 4.3.2)
            log.debug("%s: a candidate was ignored: %s", self._who, type(error).__name__)
        except Exception:
            log.exception("%s: a candidate could not be added", self._who)

    async def _look(self) -> None:
        """End a connection that does not come about, or whose peer has gone without a word."""
        try:
            log.info("%s: %s", self._who, await self._gone())
        except Exception:  # nobody else would notice its end
            log.exception("%s: is not watched any more, and is sent away", self._who)
        await self.close()

    async def _gone(self) -> str:
        """Wait until the peer has gone; returns how."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL)
            now = self._clock()
            heard = sum(each.heard for each in datagram_filters(self.pc))
            if heard != self._heard:
                self._heard, self._heard_at = heard, now
            patience = HANDSHAKE_TIMEOUT if self._heard else FIRST_CHECK_TIMEOUT
            if not self.connected and now - self._began_at > patience:
                return f"did not connect within {patience:.0f} s"
            if self.connected and now - self._heard_at > SILENCE_TIMEOUT:
                return f"vanished; nothing came for {SILENCE_TIMEOUT:.0f} s"

    async def _state_changed(self) -> None:
        state = self.pc.connectionState
        if state == CONNECTED and self._closing is None:  # it is told a turn later, and the end may have come between
            self.connected = True
            self._on_connected()
        elif state in ("failed", "closed"):
            await self.close()
