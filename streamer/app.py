"""The composition root: configuration in, everything built, started, and stopped in reverse order."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from streamer import api, url
from streamer.clock import Clock, monotonic
from streamer.config import Config
from streamer.detections import Detections
from streamer.errors import ConfigError
from streamer.events import Events
from streamer.metrics import Metrics
from streamer.model import ServedModel
from streamer.pipeline import Pipeline
from streamer.source import Source
from streamer.streams import Streams

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT = 5.0
"""Seconds viewers' connections get to end by themselves."""
LAG_INTERVAL = 0.5


class Service:
    """Everything that runs, joined."""

    def __init__(self, config: Config, clock: Clock = monotonic) -> None:
        self.config = config
        self.clock = clock
        self.events = Events()
        self.streams = Streams(max_viewers=config.server.max_viewers)
        names = {config.serving.model, *(stream.model for stream in config.streams.values() if stream.model)}
        self.models = {name: self._model(name) for name in sorted(names)}
        self.metrics = Metrics(self.streams, tuple(self.models.values()), self.events)

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[web.Application]:
        """Start models, then streams; stop them in reverse order."""
        tasks = [asyncio.create_task(model.run(), name=f"model-{name}") for name, model in self.models.items()]
        tasks.append(asyncio.create_task(self._watch_loop()))
        for name in self.config.streams:
            self.streams.add(self._pipeline(name))
        try:
            yield api.build(self.streams, self.events, self.metrics, tuple(self.models.values()))
        finally:
            await self.streams.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _model(self, name: str) -> ServedModel:
        serving = self.config.serving
        return ServedModel(
            serving.address,
            name,
            max_batch_size=serving.max_batch_size,
            in_flight=serving.in_flight,
            deadline=serving.deadline,
            clock=self.clock,
            on_call=lambda *call: self.metrics.called(*call),
            on_error=lambda *error: self.metrics.failed(*error),
        )

    def _pipeline(self, name: str) -> Pipeline:
        stream = self.config.streams[name]
        pipeline: Pipeline

        def receive(frame: object) -> None:
            pipeline.receive(frame)  # type: ignore[arg-type]

        source = Source(name, stream.url, receive, listen=stream.listen, clock=self.clock, redact=url.redact)
        pipeline = Pipeline(
            source,
            self.models[stream.model or self.config.serving.model],
            sample_fps=stream.sample_fps,
            min_score=stream.min_score,
            clock=self.clock,
            on_detections=self._publish,
        )
        return pipeline

    def _publish(self, detections: Detections) -> None:
        self.metrics.answered(detections)
        self.events.publish(detections)

    async def _watch_loop(self) -> None:
        """How late the event loop wakes: what every viewer feels first when the machine is too small."""
        while True:
            asleep_at = self.clock()
            await asyncio.sleep(LAG_INTERVAL)
            self.metrics.loop_lag = max(0.0, self.clock() - asleep_at - LAG_INTERVAL)


async def serve(config: Config, ready: Callable[[str], None]) -> None:
    """Run the service until SIGINT or SIGTERM.

    Args:
        config: what to run.
        ready: told the URL once the port is open.

    Raises:
        ConfigError: the port cannot be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    service = Service(config)
    async with service.run() as application:
        # Cancelled when the client leaves: a viewer of a stream without pictures would not be missed otherwise.
        runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT, handler_cancellation=True
        )
        await runner.setup()
        try:
            host, port = config.server.host, config.server.port
            site = web.TCPSite(runner, host, port)
            try:
                await site.start()
            except OSError as error:
                raise ConfigError(f"server: cannot listen on {host}:{port}: {_why(error)}") from None
            ready(f"http://{_shown(host)}:{runner.addresses[0][1]}")
            gc.freeze()  # what is here now stays; collections need not walk it again
            await stop.wait()
        finally:
            # Streams first: their endless responses end, and the server need not wait for them.
            await service.streams.close()
            await runner.cleanup()


def _why(error: OSError) -> str:
    """The system's own words: asyncio wraps them in a longer sentence that says host and port again."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)


def _shown(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104


def keep_memory() -> None:
    """Tell glibc not to give pictures back to the kernel one by one.

    Frames and tensors are megabytes each; by default every one is mapped, zeroed and unmapped again, which costs a
    batch of eight three times its gRPC call. M_MMAP_THRESHOLD (-3) and M_TRIM_THRESHOLD (-1): mallopt(3).
    """
    with contextlib.suppress(OSError, AttributeError):  # not glibc: nothing to gain, nothing lost
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 64 << 20)
        libc.mallopt(-1, 256 << 20)
