"""Pictures for the broker to hold: each stream's newest, and its newest event's. None of them is kept here."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from streamer.outlets.mqtt.topics import Topics
from streamer.outlets.news import Look
from streamer.outlets.outbox import Outbox
from streamer.values.clock import Clock
from streamer.values.errors import Overloaded
from streamer.values.mishaps import Mishaps

INTERVAL = 1.0
"""Seconds from one look at what is due to the next."""
PATIENCE = 15.0
"""Seconds after which a picture of an event is not looked for any more: it has none."""

Tell = Callable[[str, bytes], Awaitable[None]]
"""Publishes to a topic what the broker is to hold there."""


@dataclass(slots=True)
class _Wanted:
    event: str
    since: float | None = None
    """Monotonic; None: from the next look on."""


class Pictures:
    """One broker's."""

    def __init__(self, topics: Topics, look: Look, outbox: Outbox, every: float, clock: Clock) -> None:
        """Tell none yet.

        Args:
            topics: where they are held.
            look: where streams' are had from.
            outbox: where events' are.
            every: seconds from one picture of a stream to the next.
            clock: monotonic seconds.
        """
        self._topics, self._look, self._outbox, self._every, self._clock = topics, look, outbox, every, clock
        self._told_at: dict[str, float] = {}
        self._wanted: dict[str, _Wanted] = {}
        """Of each stream the newest event alone: a thousand that waited for the broker are not a thousand pictures."""
        self._newest: dict[str, str] = {}
        """The newest event of each stream, for a broker that has lost its picture."""
        self._mishaps = Mishaps("pictures cannot be told over MQTT", clock=clock)

    def of_event(self, stream: str, event: str) -> None:
        """There is an event, of which there may be a picture, or a better one."""
        self._newest[stream] = event
        self._wanted[stream] = _Wanted(event)

    def tell_all_again(self) -> None:
        """The broker may have lost those of events; of streams the next is soon due anyhow."""
        self._wanted = {stream: _Wanted(event) for stream, event in self._newest.items()}

    async def run(self, streams: Callable[[], Collection[str]], tell: Tell) -> None:
        """Tell what is due, until cancelled.

        Args:
            streams: names of those there are.
            tell: raises BrokerAway where the connection is lost.

        Raises:
            BrokerAway: so it is.
        """
        while True:
            await self.look(streams(), tell)
            await asyncio.sleep(INTERVAL)

    async def look(self, streams: Collection[str], tell: Tell) -> None:
        """Tell what is due now."""
        for gone in self._told_at.keys() | self._newest.keys():
            if gone not in streams:
                for each in (self._told_at, self._wanted, self._newest):
                    each.pop(gone, None)
        for stream in list(self._wanted):
            await self._of_event(stream, self._wanted[stream], tell)
        for stream in sorted(streams):
            now = self._clock()
            if now - self._told_at.get(stream, -self._every) >= self._every:
                self._told_at[stream] = now
                image: bytes | None = None
                with self._mishaps:
                    image = await self._look.picture(stream)
                if image is not None:
                    await tell(self._topics.stream(stream, "picture"), image)

    async def _of_event(self, stream: str, wanted: _Wanted, tell: Tell) -> None:
        now = self._clock()
        wanted.since = now if wanted.since is None else wanted.since
        try:
            picture = await self._outbox.picture(wanted.event)
        except Overloaded:
            return
        if (picture is not None or now - wanted.since > PATIENCE) and self._wanted.get(stream) is wanted:
            del self._wanted[stream]
        if picture is not None:
            await tell(self._topics.stream(stream, "event_picture"), picture.image)
