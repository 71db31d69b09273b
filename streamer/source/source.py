"""A stream's source for life: an attempt to read it, and after its end another one.

`run` is that life: try, say why it ended, wait, try again. One attempt is a `Connection`.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import av

from streamer.source.backoff import Backoff
from streamer.source.connection import Connection
from streamer.source.failure import OPEN_TIMEOUT, stalled
from streamer.source.opened import Unit
from streamer.source.openings import Openings
from streamer.source.rtsp.keepalive import Habits
from streamer.source.rtsp.place import Place
from streamer.source.tap import Tap
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.clock import Clock
from streamer.values.coded import OnCoded, OnSound
from streamer.values.depth import WHOLE, Depth
from streamer.values.errors import SourceError, SourceErrorKind
from streamer.values.frame import Frame
from streamer.values.state import SourceState
from streamer.values.timeline import Timeline

log = logging.getLogger(__name__)

Deliver = Callable[[Frame], None]
"""Takes one frame."""

PICTURE_TIMEOUT = 75.0
"""Seconds of packets without one picture that can be decoded: there are cameras with a keyframe a minute."""
OPENING = 20.0
"""Seconds after which an attempt that still opens is given up. All that can take long has a limit of its own; this one
is for servers that send just enough to stay below those, and for name servers that are silent."""
PATIENCE = 2 * OPEN_TIMEOUT
"""Seconds a given-up connection gets to close its socket before there is a second one. FFmpeg's timeouts end it sooner,
unless a camera without pictures keeps the connection busy with reports. There is never a third."""
LOOK = 0.1
"""Seconds from one look at a connection to the next."""
REFUSED = 0.5
"""Seconds from one camera that may not push to the next attempt: whoever comes often costs no more than that."""
_OURS = ("unreachable", "dns", "forbidden", "failed")
"""What is no camera's fault where one pushes."""


class Source:
    """Keeps one stream's frames coming."""

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        clock: Clock,
        redact: Callable[[str], str],
        openings: Openings | None = None,
        rand: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.target = target
        self.state: SourceState = "connecting"
        self.reason: str | None = None
        """Why the state is not live, as a sentence."""
        self.error: SourceErrorKind | None = None
        """The same as a word; None while live, and before the first attempt ended."""
        self.last_frame_at: float | None = None
        """Monotonic arrival of the newest frame."""
        self.reconnects: dict[SourceErrorKind, int] = {}
        """Attempts that ended, by reason."""
        self.on_coded: OnCoded | None = None
        """Told of every encoded picture as it comes, in the source's thread; None: nobody wants them."""
        self.on_sound: OnSound | None = None
        """The same of sound, where the target says that it is asked for."""
        self.depth: Callable[[], Depth] = lambda: WHOLE
        """Asked at each picture that comes how much is to be decoded, in the source's thread; must not wait."""
        self._missed = 0
        """Pictures that came since the newest frame and were not decoded, since nobody needed them."""
        self._skipped_before = 0
        self._connection: Connection | None = None
        self._lingering: set[asyncio.Future[SourceError]] = set()
        """Ends of connections that were given up and are not closed yet."""
        self._clock, self._wall = clock, wall
        self._redact = redact
        self._openings = openings or Openings()
        self._rand = rand
        self._backoff = Backoff(rand)
        self._timeline = Timeline()
        self._habits = Habits()
        self._place = Place()
        self._frames = 0
        self._opening = 0
        """Counts attempts."""

    @property
    def skipped_late(self) -> int:
        """Packets dropped undecoded because decoding had fallen behind, and pictures beyond the most a second."""
        return self._skipped_before + (self._connection.skipped_late if self._connection is not None else 0)

    def aim(self, target: Target) -> None:
        """Read this from the next attempt on, as if nothing had failed yet; whoever runs the source ends that one."""
        self.target = target
        self._backoff = Backoff(self._rand)
        self._moves()
        self._waiting()

    async def closed(self, *, within: float) -> None:
        """Wait until the sockets of ended attempts are closed, for so many seconds at the most."""
        if self._lingering:
            await asyncio.wait(self._lingering, timeout=within)

    async def run(self, deliver: Deliver) -> None:
        """Open the source, and open it again whenever it ends, until cancelled.

        `deliver` is called in the source's own thread, once a frame, in order, and must not wait.
        """
        self._moves()
        try:
            while True:
                if self.state != "offline":
                    self._waiting()
                try:
                    await self.run_once(deliver)
                except SourceError as error:
                    await asyncio.sleep(self._failed(error))
        finally:
            self._place.close()

    async def run_once(self, deliver: Deliver) -> NoReturn:
        """One attempt; `deliver` as in `run`.

        Raises:
            SourceError: always, sooner or later; its kind says why the attempt ended.
        """
        camera = urls.without_login(self.target.url)
        await self._openings.vacated(camera, patience=PATIENCE)
        self._timeline.reopened()
        self._opening += 1
        connection = Connection(
            self.name,
            self.target,
            self._timeline,
            partial(self._deliver, deliver, self._opening),
            self._clock,
            self._habits,
            self._place,
            Tap(self, self._opening),
            lambda: self.depth(),  # which is another one as soon as somebody sets it
            self._pass_over,
        )
        # Whoever waits to be called needs no turn, and must never be without somebody at the port.
        opening = None if self.target.waits else await self._openings.turn()
        self._connection = connection
        ended = connection.start()
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=LOOK)
                if opening is not None and connection.opened_at is not None:
                    opening.done()
                error = None if ended.done() else self._given_up(connection)
                if error is not None:
                    raise error
            raise ended.result()
        finally:
            if opening is not None:
                opening.done()
            connection.abandon()
            if not ended.done():
                self._lingering.add(ended)
                ended.add_done_callback(self._lingering.discard)
                self._openings.leave(camera, ended)
            self._skipped_before, self._connection = self.skipped_late, None

    def _given_up(self, connection: Connection) -> SourceError | None:
        """Why a connection is not worth waiting for any longer, or None while it is."""
        now = self._clock()
        if connection.opened_at is None:
            if now - connection.started_at < OPENING:
                return None
            return SourceError("timeout", f"the camera showed no stream within {OPENING:.0f} s")
        if now - connection.alive_at > connection.stall_timeout:
            return stalled(connection.stall_timeout)
        if now - (connection.pictured_at or connection.opened_at) > PICTURE_TIMEOUT:
            return SourceError("codec", f"no picture could be decoded in {PICTURE_TIMEOUT:.0f} s of packets")
        return None

    def _failed(self, error: SourceError) -> float:
        """Note why an attempt ended; returns the seconds to wait."""
        if error.kind == "waiting":  # nobody pushed to us yet: not a failure
            return 0.0
        self.reconnects[error.kind] = self.reconnects.get(error.kind, 0) + 1
        if self.state == "live" or self.reason != str(error):  # once an outage and reason, not once an attempt
            log.warning("%s: %s: %s", self.name, error.kind, error)
        self._say("offline", error)
        if self.target.waits and error.kind in ("ended", "stalled", "timeout"):
            return 0.0  # the camera will push again, and must find somebody listening
        if self.target.listen and self.target.scheme == "rtsp" and error.kind not in _OURS:
            return REFUSED  # so it will where what it pushed was refused; meanwhile it waits for its answer
        return self._backoff.failed(self._clock(), locked_out=error.kind == "authentication")

    def _moves(self) -> None:
        """Give up where cameras pushed to, for another place; what pushes there already goes on."""
        self._place.close()
        self._place = Place()

    def _waiting(self) -> None:
        where = self._redact(self.target.url)
        self.state, self.error = "connecting", None
        self.reason = f"waiting for a camera to push to {where}" if self.target.waits else "connecting"

    def _say(self, state: SourceState, error: SourceError | None) -> None:
        self.state, self.reason = state, None if error is None else str(error)
        self.error = None if error is None else error.kind

    def _deliver(self, deliver: Deliver, opening: int, picture: av.VideoFrame, pts: float | None, of: Unit) -> None:
        """In the connection's thread: one decoded picture."""
        received_at = of.received_at
        placed = self._timeline.place(pts, received_at)
        now = self._clock()
        age = None if of.camera_time is None else self._wall() - (now - received_at) - of.camera_time
        missed, self._missed = self._missed, 0
        own = of.coded_at, now, age, of.is_turned, missed
        frame = Frame(self.name, self._frames, placed, received_at, picture, opening, *own)
        self._frames += 1
        self.last_frame_at = received_at
        if self.state != "live":
            log.info("%s: live, %d x %d", self.name, picture.width, picture.height)
            self._say("live", None)
            self._backoff.delivered()
        deliver(frame)

    def _pass_over(self, received_at: float) -> None:
        """In the connection's thread: a picture came that nobody needs."""
        self.last_frame_at = received_at
        self._missed += 1
