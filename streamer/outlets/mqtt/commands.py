"""Commands that come over MQTT, obeyed one after the other; what is none is counted, and little is said of it."""

import asyncio
import logging

from streamer.outlets.mqtt.command import BadCommand, Command, read
from streamer.outlets.mqtt.remarks import Remarks
from streamer.outlets.mqtt.topics import Topics
from streamer.outlets.news import Orders
from streamer.values.clock import Clock
from streamer.values.errors import SightlineError

log = logging.getLogger(__name__)

MOST_WAITING = 20
"""Commands; one more is ignored. To let go of a camera takes a second or two."""


class Commands:
    """Of one broker."""

    def __init__(self, topics: Topics, orders: Orders, clock: Clock) -> None:
        """Have been told nothing.

        Args:
            topics: ours.
            orders: who does it.
            clock: monotonic seconds.
        """
        self._topics, self._orders = topics, orders
        self._waiting: asyncio.Queue[Command] = asyncio.Queue(MOST_WAITING)
        self._remarks = Remarks("a command was ignored", clock)

    @property
    def ignored(self) -> int:
        """That were none, or could not be obeyed."""
        return self._remarks.count

    def put(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """Something was said on a topic of commands; anybody may have."""
        try:
            self._waiting.put_nowait(read(self._topics, topic, payload, is_retained=is_retained))
        except BadCommand as error:
            self._remarks.add(f"{topic[:200]!r}: {error}")
        except asyncio.QueueFull:
            self._remarks.add(f"{topic[:200]!r}: {MOST_WAITING} others wait already")

    async def run(self) -> None:
        """Obey, until cancelled."""
        while True:
            command = await self._waiting.get()
            try:
                await self._obey(command)
            except SightlineError as error:
                self._remarks.add(f"{command.word} {command.target}: {error}")
            except Exception:
                log.exception("mqtt: %s %s failed in a way nobody foresaw", command.word, command.target)

    async def _obey(self, command: Command) -> None:
        match command:
            case Command("pause", stream=str(stream)):
                await self._orders.pause(stream)
            case Command("resume", stream=str(stream)):
                await self._orders.resume(stream)
            case Command("snooze"):
                await self._orders.snooze(command.seconds, command.rule, command.stream)
            case _:
                await self._orders.wake(command.rule, command.stream)
