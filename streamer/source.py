"""A URL becomes frames: PyAV in a thread of its own, a watchdog, and a new attempt after every failure.

`run` is the life of a source: try, say why it ended, wait, try again. One attempt is a `Connection`.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Literal, NoReturn

import av

from streamer.backoff import Backoff
from streamer.clock import Clock
from streamer.connection import SOCKET_TIMEOUT, STALL_TIMEOUT, STALLED, Connection
from streamer.errors import SourceError, SourceErrorKind
from streamer.frame import Frame
from streamer.timeline import Timeline

log = logging.getLogger(__name__)

SourceState = Literal["connecting", "live", "offline"]

FIRST_PICTURE_TIMEOUT = 75.0
"""Seconds of packets without a picture that can be decoded: cameras with a keyframe a minute exist."""
PATIENCE = 2 * SOCKET_TIMEOUT
"""Seconds a given-up connection gets to close its socket, so that a camera rarely sees two."""


class Source:
    """Keeps one stream's frames coming.

    `on_frame` is called in the source's own thread, once a frame, in order, and must not wait.
    """

    def __init__(
        self,
        name: str,
        url: str,
        on_frame: Callable[[Frame], None],
        *,
        listen: bool = False,
        clock: Clock,
        redact: Callable[[str], str],
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.url = url
        self.listen = listen
        self.state: SourceState = "connecting"
        self.reason: str | None = None
        """Why the state is not live, as a sentence."""
        self.last_frame_at: float | None = None
        """Monotonic arrival of the newest frame."""
        self.reconnects: dict[SourceErrorKind, int] = {}
        """Attempts that ended, by reason."""
        self._skipped_before = 0
        self._connection: Connection | None = None
        self._on_frame = on_frame
        self._clock = clock
        self._redact = redact
        self._backoff = Backoff(rand)
        self._timeline = Timeline()
        self._frames = 0

    @property
    def skipped_late(self) -> int:
        """Packets dropped undecoded because decoding had fallen behind."""
        return self._skipped_before + (self._connection.skipped_late if self._connection is not None else 0)

    async def run(self) -> None:
        """Open the source, and open it again whenever it ends, until cancelled."""
        while True:
            if self.state != "offline":
                self._waiting()
            try:
                await self.run_once()
            except SourceError as error:
                await asyncio.sleep(self._failed(error))

    async def run_once(self) -> NoReturn:
        """One attempt.

        Raises:
            SourceError: always, sooner or later; its kind says why the attempt ended.
        """
        self._timeline.reopened()
        connection = Connection(self.name, self.url, self.listen, self._timeline, self._deliver, self._clock)
        self._connection = connection
        ended = connection.start()
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=0.25)
                error = None if ended.done() else self._given_up(connection)
                if error is not None:
                    self._say("offline", str(error))
                    await asyncio.wait({ended}, timeout=PATIENCE)
                    raise error
            raise ended.result()
        finally:
            connection.abandon()
            self._skipped_before, self._connection = self._skipped_before + connection.skipped_late, None

    def _given_up(self, connection: Connection) -> SourceError | None:
        """Why a connection is not worth waiting for any longer, or None while it is."""
        now = self._clock()
        if connection.opened_at is None:
            return None  # opening has a timeout of its own
        if now - connection.alive_at > STALL_TIMEOUT:
            return SourceError("stalled", STALLED)
        if not connection.delivering and now - connection.opened_at > FIRST_PICTURE_TIMEOUT:
            return SourceError("codec", f"no picture could be decoded in {FIRST_PICTURE_TIMEOUT:.0f} s of packets")
        return None

    def _failed(self, error: SourceError) -> float:
        """Note why an attempt ended; returns the seconds to wait."""
        if error.kind == "waiting":  # nobody pushed to us yet: not a failure
            return 0.0
        self.reconnects[error.kind] = self.reconnects.get(error.kind, 0) + 1
        if self.state == "live" or self.reason != str(error):  # once an outage and reason, not once an attempt
            log.warning("%s: %s", self.name, error)
        self._say("offline", str(error))
        if self.listen and error.kind in ("ended", "stalled", "timeout"):
            return 0.0  # the camera will push again, and must find somebody listening
        return self._backoff.failed(self._clock(), locked_out=error.kind == "authentication")

    def _waiting(self) -> None:
        where = self._redact(self.url)
        self._say("connecting", f"waiting for a camera to push to {where}" if self.listen else "connecting")

    def _say(self, state: SourceState, reason: str | None) -> None:
        self.state, self.reason = state, reason

    def _deliver(self, picture: av.VideoFrame, pts: float | None, received_at: float) -> None:
        """In the connection's thread: one decoded picture."""
        placed = self._timeline.place(pts, received_at)
        frame = Frame(self.name, self._frames, placed, received_at, picture)
        self._frames += 1
        self.last_frame_at = received_at
        if self.state != "live":
            log.info("%s: live, %d x %d", self.name, picture.width, picture.height)
            self._say("live", None)
            self._backoff.delivered()
        self._on_frame(frame)
