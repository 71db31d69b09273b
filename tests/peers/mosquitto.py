"""A real MQTT broker, and somebody who listens to it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import aiomqtt

from tests.peers.process import Process, free_port, run_process
from tests.peers.required import mosquitto_path, requires
from tests.peers.until import until, wait_until

OPEN = ("allow_anonymous true",)


class Mosquitto:
    """One, which can be stopped, killed and started again on its port; what it held is gone then."""

    def __init__(self, folder: Path, lines: Sequence[str]) -> None:
        self.port = free_port()
        self.folder = folder
        self._lines = lines
        self.process: Process | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it for as long as the block lasts."""
        program = mosquitto_path()
        assert program is not None
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join((f"listener {self.port} 127.0.0.1", "user root", *self._lines)))
        with run_process([program, "-c", path]) as self.process:
            wait_until(self._listens)
            yield

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.process.output
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def make_mosquitto(*lines: str) -> Iterator[Mosquitto]:
    """One that does not run yet.

    Args:
        lines: of its configuration, beside where it listens; without any it lets everybody in. `{folder}` in them is
            its own.
    """
    requires("mosquitto")
    with TemporaryDirectory(prefix="mosquitto-") as folder:
        yield Mosquitto(Path(folder), [line.replace("{folder}", folder) for line in lines or OPEN])


@contextmanager
def run_mosquitto(*lines: str) -> Iterator[Mosquitto]:
    """One that runs."""
    with make_mosquitto(*lines) as broker, broker.running():
        yield broker


class Listener:
    """What was heard, in order."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[aiomqtt.Message] = []

    def on(self, topic: str) -> list[bytes]:
        """Payloads of a topic, in order."""
        return [bytes(message.payload) for message in self.heard if str(message.topic) == topic]

    def newest(self, topic: str) -> bytes | None:
        """The last payload of a topic; None: there was none."""
        return next(reversed(self.on(topic)), None)

    async def hears(self, topic: str, payload: bytes | None = None) -> bytes:
        """Wait until the newest payload of a topic is this, or is there at all; returns it."""
        await until(lambda: self.on(topic) and payload in (None, self.newest(topic)))
        return self.on(topic)[-1]

    async def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Publish something, and wait until the broker has it."""
        await self.client.publish(topic, payload, qos=1, retain=retain)

    async def _listen(self) -> None:
        client = self.client
        try:
            async for message in client.messages:
                self.heard.append(message)
        finally:  # the library forgets at the connection's end what came before it, and was acknowledged
            while not client._queue.empty():
                self.heard.append(client._queue.get_nowait())


@asynccontextmanager
async def listening(
    port: int, *topics: str, user: tuple[str | None, str | None] = (None, None), identifier: str | None = None
) -> AsyncIterator[Listener]:
    """Somebody who has subscribed to topics, QoS 1; without any, to all."""
    async with aiomqtt.Client("127.0.0.1", port, username=user[0], password=user[1], identifier=identifier) as client:
        listener = Listener(client)
        for topic in topics or ("#",):
            await client.subscribe(topic, qos=1)
        task = asyncio.create_task(listener._listen())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def lasting(port: int, topic: str) -> AsyncIterator[Listener]:
    """Somebody for whom the broker keeps messages while it, or he, is away."""

    def client() -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", port, identifier="lasting", clean_session=False)

    async with client() as first:
        await first.subscribe(topic, qos=1)
    listener = Listener(first)

    async def listen() -> None:
        while True:
            with suppress(aiomqtt.MqttError):
                async with client() as listener.client:
                    await listener._listen()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(listen())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
