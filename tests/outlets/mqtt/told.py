"""An outlet for a broker, with streams, rules and an outbox that a test says."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from streamer.outlets.mqtt.broker import Broker
from streamer.outlets.mqtt.outlet import MqttOutlet, Options
from streamer.outlets.news import StreamNews
from streamer.values.notification import NotificationKind
from streamer.values.state import StreamState
from tests.outlets.memory_outbox import MemoryOutbox
from tests.outlets.memory_outbox import told as letter
from tests.peers.clock import FakeClock

LIVE = StreamState("live")
FOUR = ("gate", "line-1", "line-2", "yard")
"""Streams."""


@dataclass
class Streams:
    """What there is to see."""

    news: dict[str, StreamNews] = field(default_factory=dict)
    names_of_rules: list[str] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    stopping: bool = False

    def put(self, news: StreamNews) -> None:
        self.news[news.name] = news

    def streams(self) -> Sequence[StreamNews] | None:
        return None if self.stopping else list(self.news.values())

    def rules(self) -> Sequence[str]:
        return self.names_of_rules

    async def picture(self, stream: str) -> bytes | None:
        return self.images.get(stream)


@dataclass
class Obeyed:
    """What was ordered."""

    orders: list[tuple[object, ...]] = field(default_factory=list)

    async def pause(self, stream: str) -> None:
        self.orders.append(("pause", stream))

    async def resume(self, stream: str) -> None:
        self.orders.append(("resume", stream))

    async def snooze(self, seconds: float, rule: str | None, stream: str | None) -> None:
        self.orders.append(("snooze", seconds, rule, stream))

    async def wake(self, rule: str | None, stream: str | None) -> None:
        self.orders.append(("wake", rule, stream))


class Told:
    """An outlet and all that it knows."""

    def __init__(self, broker: Broker, options: Options) -> None:
        self.streams, self.obeyed, self.outbox = Streams(), Obeyed(), MemoryOutbox(FakeClock())
        self.outlet = MqttOutlet(
            "mqtt",
            broker,
            options,
            self.outbox,
            look=self.streams,
            orders=self.obeyed,
            clock=time.monotonic,
            wall=time.time,
            dice=lambda: 0.0,
        )

    def put(self, kind: NotificationKind, event: str = "e", *, stream: str = "yard") -> str:
        """Have something wait in the outbox; returns its id. Alerts are of the rule night."""
        new = letter(len(self.outbox.rows) + 1, stream, kind, 1.0, id=event)
        self.outbox.put(new)
        return new.id

    @property
    def waiting(self) -> int:
        """Notifications that the broker has not."""
        return self.outbox.states().count("waiting")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run it for as long as the block lasts."""
        task = asyncio.create_task(self.outlet.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


def told(port: int, options: Options | None = None) -> Told:
    """One for a broker of this machine."""
    return Told(Broker("127.0.0.1", port), options or Options())
