"""The composition root: configuration in, everything built, started, and stopped in reverse order."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp import web

from streamer import api, url
from streamer.administration import Administration
from streamer.admission import Admission
from streamer.clock import Clock, monotonic
from streamer.config import Config, Stream, Tls, parse_stream
from streamer.detections import Detections
from streamer.doctor.practice import Practice
from streamer.doctor.routes import PRACTICE
from streamer.errors import ChangeError, ConfigError
from streamer.events import Events
from streamer.frame import Frame
from streamer.ingress import Ingress
from streamer.metrics import Metrics
from streamer.model import ServedModel
from streamer.openings import Openings
from streamer.origins import Origins
from streamer.pipeline import Pipeline
from streamer.policy import judge, target_of
from streamer.reload import Reload
from streamer.roster import Entry
from streamer.served_models import ServedModels
from streamer.signalling import IceServer, Signalling
from streamer.source import Source, Target
from streamer.statefile import StateFile
from streamer.streams import Streams
from streamer.terminal import Terminal
from streamer.viewers import ViewerLimits, Viewers
from streamer.watch import Watch

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT = 5.0
"""Seconds viewers' connections get to end by themselves."""
LAG_INTERVAL = 0.5
CLOSING = 2.0
"""Seconds a camera's connection gets to close before a change counts as made."""


class Service:
    """Everything that runs, joined."""

    def __init__(self, config: Config, clock: Clock = monotonic, *, path: Path | None = None) -> None:
        """Join it.

        Args:
            config: what to run.
            clock: monotonic seconds.
            path: the file it stands in, to be followed; None: it does not change.
        """
        self.config = config
        self.clock = clock
        self._openings = Openings()
        self.events = Events()
        self.streams = Streams(
            viewers=Viewers(_viewer_limits(config)),
            admission=_admission(config),
            make_ingress=self._ingress,
            clock=clock,
        )
        self.models = ServedModels(self._model)
        self._require_models()
        self.metrics = Metrics(self.streams, self.models.values(), self.events)
        self.metrics.config_read_at = time.time()
        self.models.on_removed.append(self.metrics.forget_model)
        self.streams.on_removed.append(self.metrics.forget)
        self._sources: dict[str, Source] = {}
        """Of every stream that is not published to us."""
        state = _state_file(config, path)
        self.administration = Administration(config, state, judge=judge, apply=self._apply)
        self.reload = None if path is None else Reload(path, config, self._reconfigure)
        self.watch = None if path is None else Watch(path)

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[web.Application]:
        """Start models, then streams; stop them in reverse order."""
        self.models.start()
        await self._apply(self.administration.roster.entries())
        tasks = [asyncio.create_task(self._watch_loop())]
        if self.watch is not None:
            tasks.append(asyncio.create_task(self.watch.run(self._reload)))
        try:
            application = api.build(
                self.streams,
                self.events,
                self.metrics,
                self.models,
                _signalling(self.config),
                self.administration,
                self.reload,
            )
            application[PRACTICE] = Practice(self._examined, self.clock)
            yield application
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.streams.close()
            await self.models.close()

    # ---- what is to run, and what runs

    async def _apply(self, entries: Mapping[str, Entry]) -> None:
        """Make what runs be what is to run. What need not stop goes on, and its viewers watch on."""
        # At once: a camera that is away may take its time to close.
        await asyncio.gather(*(self._remove(name) for name in self._sources.keys() - entries.keys()))
        await asyncio.gather(*(self._adapt(name, entries[name]) for name in self._sources))
        for name in entries.keys() - self._sources.keys():
            await self.streams.free(name)
        for name, entry in entries.items():
            if name not in self._sources:
                await self._add(name, entry)
        await self.models.keep(self.models.required | {pipeline.model.name for pipeline in self.streams})

    async def _add(self, name: str, entry: Entry) -> None:
        pipeline = self._pipeline(name, entry)
        if entry.paused:
            await pipeline.pause()
        self.streams.add(pipeline)

    async def _remove(self, name: str) -> None:
        await self.streams.remove(name)
        await self._sources.pop(name).closed(within=CLOSING)

    async def _adapt(self, name: str, entry: Entry) -> None:
        source, pipeline = self._sources[name], self.streams.get(name)
        if pipeline is None:  # the service is stopping
            return
        pipeline.origin = entry.origin
        stream, target = entry.settings, self._target(entry)
        pipeline.change(self._model_of(stream), sample_fps=stream.sample_fps, min_score=stream.min_score)
        turned = target != source.target or (pipeline.paused and not entry.paused)
        if entry.paused and not pipeline.paused:
            await pipeline.pause()
            await source.closed(within=CLOSING)
        if turned:
            source.aim(target)
            if not entry.paused:
                pipeline.restart()

    async def _reconfigure(self, config: Config) -> None:
        self.config = config
        self.streams.viewers.limits = _viewer_limits(config)
        self.streams.admission = _admission(config)
        self._require_models()
        await self.administration.reconfigure(config)

    def read_again(self) -> None:
        """Have the configuration file read now."""
        if self.watch is not None:
            self.watch.ask()

    async def _reload(self) -> None:
        if self.reload is not None:
            try:
                await self.reload.run_once()
            except Exception:  # the next edit must still be seen
                log.exception("the configuration could not be taken over in a way nobody foresaw")
            self.metrics.config_ok = self.reload.error is None
            self.metrics.config_read_at = self.reload.read_at
            self.metrics.restart_needed = len(self.reload.restart_needed)

    # ---- the parts

    def _require_models(self) -> None:
        """Have the models that the configuration names."""
        named = (*(stream.model for stream in self.config.streams.values()), self.config.ingress.model)
        self.models.required = frozenset({self.config.serving.model, *(name for name in named if name)})
        for name in sorted(self.models.required):
            self.models.use(name)

    def _model_of(self, stream: Stream) -> ServedModel:
        return self.models.use(stream.model or self.config.serving.model)

    def _target(self, entry: Entry) -> Target:
        return target_of(entry.settings, self.config.api_streams if entry.origin == "api" else None)

    def _examined(self, settings: dict[str, Any]) -> Target:
        """What the doctor is asked about through the API, with the limits of streams that are added there."""
        stream = parse_stream("doctor", settings)
        if stream.tls.ca is not None:
            raise ChangeError(403, "tls.ca: names a file of this machine, as only the configuration file may")
        return target_of(stream, self.config.api_streams)

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

    def _pipeline(self, name: str, entry: Entry) -> Pipeline:
        stream = entry.settings
        pipeline: Pipeline

        def receive(frame: object) -> None:
            pipeline.receive(frame)  # type: ignore[arg-type]

        source = Source(
            name, self._target(entry), receive, clock=self.clock, redact=url.redact, openings=self._openings
        )
        pipeline = Pipeline(
            source,
            self._model_of(stream),
            sample_fps=stream.sample_fps,
            min_score=stream.min_score,
            clock=self.clock,
            on_detections=self._publish,
            origin=entry.origin,
        )
        self._sources[name] = source
        return pipeline

    def _ingress(self, name: str, on_close: Callable[[Ingress], None]) -> tuple[Ingress, Pipeline]:
        """A publisher's source, and the pipeline it feeds."""
        settings = self.config.ingress
        pipeline: Pipeline

        def receive(frame: Frame) -> None:
            pipeline.receive(frame)

        ingress = Ingress(
            name, receive, on_close, clock=self.clock, max_pixels=settings.max_pixels, max_fps=settings.max_fps
        )
        pipeline = Pipeline(
            ingress,
            self.models.use(settings.model or self.config.serving.model),
            sample_fps=settings.sample_fps,
            min_score=settings.min_score,
            clock=self.clock,
            on_detections=self._publish,
            origin="publisher",
        )
        return ingress, pipeline

    def _publish(self, detections: Detections) -> None:
        if self.streams.get(detections.stream) is None:
            return  # it was asked about before its stream's end, and must not bring back what was forgotten
        self.metrics.answered(detections)
        self.events.publish(detections)

    async def _watch_loop(self) -> None:
        """How late the event loop wakes: what every viewer feels first when the machine is too small."""
        while True:
            asleep_at = self.clock()
            await asyncio.sleep(LAG_INTERVAL)
            self.metrics.loop_lag = max(0.0, self.clock() - asleep_at - LAG_INTERVAL)


async def serve(config: Config, path: Path, ready: Callable[[str], None]) -> None:
    """Run the service until SIGINT or SIGTERM; SIGHUP has it read its configuration again.

    Args:
        config: what to run.
        path: the file it stands in, which is followed.
        ready: told the URL once the port is open.

    Raises:
        ConfigError: the port cannot be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    service = Service(config, path=path)
    terminal = Terminal()
    loop.add_signal_handler(signal.SIGHUP, lambda: stop.set() if terminal.is_gone() else service.read_again())
    async with service.run() as application:
        # Cancelled when the client leaves: a viewer of a stream without pictures would not be missed otherwise.
        runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT, handler_cancellation=True
        )
        await runner.setup()
        try:
            host, port = config.server.host, config.server.port
            tls = config.server.tls
            site = web.TCPSite(runner, host, port, ssl_context=None if tls is None else _tls(tls))
            try:
                await site.start()
            except OSError as error:
                raise ConfigError(f"server: cannot listen on {host}:{port}: {_why(error)}") from None
            ready(f"{'http' if tls is None else 'https'}://{_shown(host)}:{runner.addresses[0][1]}")
            gc.freeze()  # what is here now stays; collections need not walk it again
            await stop.wait()
        finally:
            # Streams first: their endless responses end, and the server need not wait for them.
            await service.streams.close()
            await runner.cleanup()


def _tls(settings: Tls) -> ssl.SSLContext:
    """What HTTPS is served with.

    Raises:
        ConfigError: the files cannot be used.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(settings.cert, settings.key, password=lambda: "")
    except FileNotFoundError:
        raise ConfigError(f"server.tls: {settings.cert} or {settings.key} is not there") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(
            f"server.tls: {settings.cert} and {settings.key} cannot be used ({reason}); they must be a certificate and"
            " its key in PEM, the key without a password"
        ) from None
    return context


def _state_file(config: Config, path: Path | None) -> StateFile | None:
    """Where what the API changes is kept."""
    if config.api_streams.state is not None:
        return StateFile(Path(config.api_streams.state))
    return None if path is None else StateFile(path.with_suffix(".streams.json"))


def _viewer_limits(config: Config) -> ViewerLimits:
    server = config.server
    return ViewerLimits(server.max_viewers, server.max_viewers_per_stream, server.max_viewers_per_address)


def _admission(config: Config) -> Admission:
    return Admission(_publishable(config), config.ingress.token, config.ingress.max_publishers)


def _publishable(config: Config) -> tuple[str, ...]:
    """The names that may be published: those configured, else any where only this machine can ask."""
    names = config.ingress.names
    return tuple(names) if names is not None else ("*",) if _is_loopback(config.server.host) else ()


def _signalling(config: Config) -> Signalling:
    server = config.server
    return Signalling(
        Origins(server.origins, on_loopback=_is_loopback(server.host)),
        tuple(IceServer(each.url, each.username, each.credential) for each in server.ice_servers),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
