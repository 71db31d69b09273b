"""Everything that runs, joined: configuration in; models and streams started, changed, and stopped in reverse order."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from streamer import access
from streamer.config import Config, StreamSettings, parse_stream
from streamer.control.edits import Edits
from streamer.control.reconciler import Reconciler
from streamer.control.reload import Reload
from streamer.control.roster import Entry
from streamer.control.seats import Seats
from streamer.control.statefile import StateFile
from streamer.control.stream_changes import StreamChanges
from streamer.control.streams import Streams
from streamer.control.targets import judge, target_of
from streamer.doctor.practice import Practice
from streamer.http import api
from streamer.http.doctor import PRACTICE
from streamer.http.events import Events
from streamer.http.metrics import Metrics
from streamer.inference.model import ServedModel
from streamer.inference.served_models import ServedModels
from streamer.source import Source, Target
from streamer.source.openings import Openings
from streamer.stream.pipeline import Pipeline
from streamer.values import url
from streamer.values.clock import Clock, monotonic
from streamer.values.detections import Detections
from streamer.values.errors import Refused
from streamer.values.frame import Frame
from streamer.webrtc.publisher import Publisher

LAG_INTERVAL = 0.5


class Service:
    """One service."""

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
            seats=Seats(access.viewer_limits(config)),
            publishing_rights=access.publishing_rights(config),
            make_publisher=self._publisher,
            clock=clock,
        )
        self.models = ServedModels(self._model)
        self._require_models()
        self.metrics = Metrics(self.streams, self.models.values(), self.events)
        self.metrics.config_read_at = time.time()
        self.models.on_removed.append(self.metrics.forget_model)
        self.streams.on_removed.append(self.metrics.forget)
        self._reconciler = Reconciler(
            self.streams, make=self._pipeline, target_of=self._target, model_of=self._model_of
        )
        self.stream_changes = StreamChanges(config, _state_file(config, path), judge=judge, apply=self._apply)
        self.reload = None if path is None else Reload(path, config, self._reconfigure)
        self.edits = None if path is None else Edits(path)

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[web.Application]:
        """Start models, then streams; stop them in reverse order."""
        self.models.start()
        await self._apply(self.stream_changes.roster.entries())
        tasks = [asyncio.create_task(self._watch_loop())]
        if self.edits is not None:
            tasks.append(asyncio.create_task(self.edits.run(self._reload)))
        try:
            yield self._application()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.stream_changes.settle()
            await self.streams.close()
            await self.models.close()

    def read_again(self) -> None:
        """Have the configuration file read now."""
        if self.edits is not None:
            self.edits.ask()

    def _application(self) -> web.Application:
        application = api.build(
            self.streams,
            self.events,
            self.metrics,
            self.models,
            access.signalling(self.config),
            self.stream_changes,
            self.reload,
        )
        application[PRACTICE] = Practice(self._examined, self.clock)
        return application

    # ---- what changes

    async def _apply(self, entries: Mapping[str, Entry]) -> None:
        await self._reconciler.apply(entries)
        await self.models.keep(self.models.required | {pipeline.model.name for pipeline in self.streams})

    async def _reconfigure(self, config: Config) -> None:
        self.config = config
        self.streams.seats.limits = access.viewer_limits(config)
        self.streams.publishing_rights = access.publishing_rights(config)
        self._require_models()
        await self.stream_changes.reconfigure(config)

    async def _reload(self) -> None:
        if self.reload is not None:
            await self.reload.run_once()
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

    def _model_of(self, stream: StreamSettings) -> ServedModel:
        return self.models.use(stream.model or self.config.serving.model)

    def _target(self, entry: Entry) -> Target:
        return target_of(entry.settings, self.config.api_streams if entry.origin == "api" else None)

    def _examined(self, settings: dict[str, Any]) -> tuple[Target, float]:
        """What the API has the doctor examine: a URL, within the limits of what is added there, or a stream."""
        if "stream" in settings:
            return self._examined_stream(settings)
        stream = parse_stream("doctor", settings)
        if stream.tls.ca is not None:
            raise Refused(403, "tls.ca: names a file of this machine, as only the configuration file may")
        return target_of(stream, self.config.api_streams), stream.sample_fps

    def _examined_stream(self, settings: dict[str, Any]) -> tuple[Target, float]:
        """A stream by its name, with the settings and limits it runs with."""
        if settings.keys() != {"stream"}:
            raise Refused(422, "stream: goes with no setting but still; a stream is examined as it is set")
        name = settings["stream"]
        if not isinstance(name, str):
            raise Refused(422, "stream: is not allowed; it must be a stream's name")
        entry = self.stream_changes.roster.require(name)
        target = self._target(entry)
        if target.waits and not entry.paused:
            raise Refused(
                409, f"{name!r} waits for its camera at a port where nobody else can; its `reason` says what came"
            )
        return target, entry.settings.sample_fps

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

    def _pipeline(self, name: str, entry: Entry) -> tuple[Source, Pipeline]:
        """A source, and the pipeline it feeds."""
        stream = entry.settings
        pipeline: Pipeline

        def receive(frame: Frame) -> None:
            pipeline.receive(frame)

        source = Source(
            name, self._target(entry), receive, clock=self.clock, redact=url.redact, openings=self._openings
        )
        pipeline = Pipeline(
            source,
            self._model_of(stream),
            sample_fps=stream.sample_fps,
            min_score=stream.min_score,
            clock=self.clock,
            on_detections=lambda detections: self._publish(pipeline, detections),
            origin=entry.origin,
            paused=entry.paused,
        )
        return source, pipeline

    def _publisher(self, name: str, on_close: Callable[[Publisher], None]) -> tuple[Publisher, Pipeline]:
        """A publisher's source, and the pipeline it feeds."""
        settings = self.config.ingress
        pipeline: Pipeline

        def receive(frame: Frame) -> None:
            pipeline.receive(frame)

        publisher = Publisher(
            name, receive, on_close, clock=self.clock, max_pixels=settings.max_pixels, max_fps=settings.max_fps
        )
        pipeline = Pipeline(
            publisher,
            self.models.use(settings.model or self.config.serving.model),
            sample_fps=settings.sample_fps,
            min_score=settings.min_score,
            clock=self.clock,
            on_detections=lambda detections: self._publish(pipeline, detections),
            origin="publisher",
        )
        return publisher, pipeline

    def _publish(self, pipeline: Pipeline, detections: Detections) -> None:
        if self.streams.get(pipeline.name) is not pipeline:
            return  # it was asked about before its stream's end, and another may have the name now
        self.metrics.answered(detections)
        self.events.publish(detections)

    async def _watch_loop(self) -> None:
        """How late the event loop wakes: what every viewer feels first when the machine is too small."""
        while True:
            asleep_at = self.clock()
            await asyncio.sleep(LAG_INTERVAL)
            self.metrics.loop_lag = max(0.0, self.clock() - asleep_at - LAG_INTERVAL)


def _state_file(config: Config, path: Path | None) -> StateFile | None:
    """Where what the API changes is kept."""
    if config.api_streams.state is not None:
        return StateFile(Path(config.api_streams.state))
    return None if path is None else StateFile(path.with_suffix(".streams.json"))
