"""The camera's second, smaller video, for whoever sees it small: its source, which runs while somebody wishes for it.

Nothing of it reaches the model. Where it fails, viewers have the large one, and the stream goes on as if there were
none.
"""

import asyncio
import math
from collections.abc import Callable

from streamer.stream.frame_source import FrameSource
from streamer.stream.valve import Valve
from streamer.values.buffer import Mailbox
from streamer.values.clock import Clock
from streamer.values.depth import Depth
from streamer.values.frame import Frame
from streamer.values.mishaps import Mishaps
from streamer.values.supervision import supervise
from streamer.values.task_group import together
from streamer.view.clean.clean import BoxesAt
from streamer.view.clean.sizes import Sizes

QUIET = 2.0
"""Seconds without a picture after which viewers are sent the large video: before a page gives up at 3."""
LINGER = 40.0
"""Seconds that its camera stays connected after the last who wished for it: pages are scrolled, opened anew, and try a
way again after 30."""
HOPE = 3.5
"""Seconds in which it may be expected to be there, once it is opened or its last picture came: a page gives up at 3
by itself, and tries again after 30; told that it cannot play the large one, it would not for five minutes."""
FRAMES = 2
"""Decoded pictures that may wait for the event loop."""
LOOK = 0.2
"""Seconds from one look at it to the next."""
NOTHING = Depth(is_whole=False, wanted_at=math.inf)
"""What is decoded of it: no more than tells how the camera holds its pictures."""
UNWATCHED = "nobody watches it"
PAUSED = "paused: its camera is not connected"


class SubStream:
    """One stream's; it may have none."""

    def __init__(
        self, name: str, sizes: Sizes, *, clock: Clock, is_paused: Callable[[], bool], on_restart: Callable[[], None]
    ) -> None:
        """Have none yet.

        Args:
            name: of the stream.
            sizes: who sees which video.
            clock: monotonic seconds.
            is_paused: whether the stream is, and so is this.
            on_restart: told when it ended in a way nobody foresaw, and begins anew.
        """
        self._name, self._sizes, self._clock = name, sizes, clock
        self._is_paused, self._on_restart = is_paused, on_restart
        self.source: FrameSource | None = None
        """None: the camera has no second address."""
        self.reason: str | None = UNWATCHED
        """Why viewers are sent the large video, as a sentence; None while they are sent this one."""
        self._valve = Valve(is_open=False)
        self._asked = asyncio.Event()
        self._wished_at = -math.inf
        self._opened_at: float | None = None
        """None: it is closed."""
        self._unlooked = Mishaps(f"{name}: pictures of the sub-stream cannot be looked at", clock=clock)

    @property
    def is_open(self) -> bool:
        """Whether its camera is connected, or is tried."""
        return self._valve.is_open

    def use(self, source: FrameSource | None) -> None:
        """Have it come from another source, or from none."""
        put = self._sizes.renew()
        self.source, self.reason, self._opened_at = source, UNWATCHED, None
        self._sizes.serve(is_there=False, is_hoped=source is not None)
        if source is not None:
            source.on_coded, source.depth = put, lambda: NOTHING
        if self._valve.is_open:
            self._valve.open()  # anew
        self.ask()

    def ask(self) -> None:
        """Somebody may wish for it now."""
        self._asked.set()

    async def run(self, boxes_at: BoxesAt) -> None:
        """Be there for viewers until cancelled, whatever becomes of it."""
        self._sizes.open(asyncio.get_running_loop(), boxes_at)
        lives = (lambda: self._valve.run(self._read), self._attend)
        name, on_restart = f"sub-stream of {self._name}", self._on_restart
        await together(*(supervise(name, life, on_restart=on_restart) for life in lives))

    async def _read(self) -> None:
        source = self.source
        if source is not None:
            look_at = self._sizes.small.decoded
            decoded = Mailbox(asyncio.get_running_loop(), look_at, FRAMES, self._unlooked)
            await source.run(lambda frame: _put(decoded, frame))

    async def _attend(self) -> None:
        while True:
            self._asked.clear()
            if self.settle(self._clock()):
                await asyncio.sleep(LOOK)
            else:
                await self._valve.close()
                self._sizes.forget()
                await self._asked.wait()

    def settle(self, now: float) -> bool:
        """Open it where somebody wishes for it, and say what he is sent.

        Returns:
            Whether it is to stay open.
        """
        is_open = self.source is not None and not self._is_paused()
        if is_open and self._sizes.wished:
            self._wished_at = now
        is_open = is_open and now - self._wished_at < LINGER
        if is_open and not self._valve.is_open:
            self._valve.open()
        if not is_open:
            self._opened_at = None
        elif self._opened_at is None:
            self._opened_at = now
        self.reason = self._amiss(now) if is_open else PAUSED if self._is_paused() else UNWATCHED
        self._sizes.serve(is_there=self.reason is None, is_hoped=self._is_hoped(now))
        return is_open

    def _is_hoped(self, now: float) -> bool:
        if self.source is None or self._is_paused() or self._sizes.small.withheld is not None:
            return False
        return self._opened_at is None or now - max(self._opened_at, self._sizes.small.sent_at) < HOPE

    def _amiss(self, now: float) -> str | None:
        small = self._sizes.small
        if small.withheld is not None:
            return small.withheld
        if now - small.sent_at > QUIET:
            told = None if self.source is None else self.source.reason
            return told or f"no picture for more than {QUIET:g} s"
        if not self._sizes.is_there and not len(small.group):
            return "it has not sent a key picture yet"
        return None


def _put(decoded: Mailbox[Frame], frame: Frame) -> None:
    decoded.put(frame)
