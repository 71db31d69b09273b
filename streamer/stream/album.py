"""The best picture of each event that goes on, drawn in a thread, and handed over when it is to be kept.

Bounded in what waits to be drawn and in what is held. What there is no room for is handed over at once, and not lost.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from streamer.values.errands import Errands
from streamer.values.event import Box, Boxed, Event, Picture
from streamer.values.frame import Frame
from streamer.values.mishaps import Mishaps
from streamer.view.portrait import portray

log = logging.getLogger(__name__)

MOST_WAITING = 4
"""Frames that wait to be drawn, each of them megabytes; the oldest gives way."""
MOST_BYTES = 16 << 20
"""Of pictures that are held for later."""


@dataclass(slots=True)
class _Page:
    """One event's."""

    event: Event
    picture: Picture | None = None
    """The best; None: none, or it is kept already."""
    is_due: bool = False
    """It is to be kept as soon as it is drawn."""
    is_last: bool = False
    """Its event has ended."""


class Album:
    """One stream's."""

    def __init__(self, errands: Errands, on_picture: Callable[[Event, Picture], None], mishaps: Mishaps) -> None:
        """Hold none.

        Args:
            errands: threads that draw, of all streams.
            on_picture: told of each picture that is to be kept.
            mishaps: of drawing.
        """
        self._errands, self._on_picture, self._mishaps = errands, on_picture, mishaps
        self._pages: dict[str, _Page] = {}
        self._waiting: dict[str, tuple[Frame, Box, tuple[Boxed, ...]]] = {}
        self._drawing: str | None = None
        self._filled = asyncio.Event()
        self._late = 0

    @property
    def dropped(self) -> dict[str, int]:
        """Frames that were to be drawn and were not: `late` gave way to newer ones, `failed` could not be."""
        return {"late": self._late, "failed": self._mishaps.count}

    def take(self, event: Event, frame: Frame, boxes: tuple[Boxed, ...]) -> None:
        """Have an event pictured as it is in this frame, in the place of what it looked like before."""
        self._waiting.pop(event.id, None)
        self._waiting[event.id] = (frame, event.box, boxes)
        while len(self._waiting) > MOST_WAITING:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            self._late += 1
            self._settle(oldest)
        self._filled.set()

    def know(self, event: Event, *, keep: bool) -> None:
        """An event is like this now; `keep` its best picture, now or as soon as it is drawn."""
        page = self._pages.setdefault(event.id, _Page(event))
        page.event, page.is_last = event, event.ended_at is not None
        if keep:
            self._keep(page)

    async def run(self) -> None:
        """Draw until cancelled."""
        while True:
            await self._filled.wait()
            if not self._waiting:
                self._filled.clear()
                continue
            self._drawing = next(iter(self._waiting))
            frame, box, boxes = self._waiting.pop(self._drawing)
            try:
                with self._mishaps:
                    picture = await self._errands.run(partial(portray, frame, box, boxes))
                    self._hold(self._drawing, picture)
            finally:
                drawn, self._drawing = self._drawing, None
            self._settle(drawn)

    def _hold(self, id_: str, picture: Picture) -> None:
        page = self._pages.get(id_)
        if page is None:
            return
        page.picture = picture
        held = sum(len(each.picture or ()) for each in self._pages.values())
        for each in list(self._pages.values()):
            if held <= MOST_BYTES:
                return
            held -= len(each.picture or ())
            self._hand_over(each)

    def _settle(self, id_: str) -> None:
        """What waited for a picture waits no longer, whether there is one or not."""
        page = self._pages.get(id_)
        if page is not None and page.is_due:
            self._keep(page)

    def _keep(self, page: _Page) -> None:
        """Hand its picture over; where a better one is under way, that too once it is drawn."""
        self._hand_over(page)
        page.is_due = page.event.id in self._waiting or page.event.id == self._drawing
        if page.is_last and not page.is_due:
            del self._pages[page.event.id]

    def _hand_over(self, page: _Page) -> None:
        if page.picture is not None:
            self._on_picture(page.event, page.picture)
            page.picture = None
