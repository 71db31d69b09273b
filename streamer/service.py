"""Everything that runs, joined: models and streams started, changed, and stopped in reverse order."""

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
from aiohttp import web

from streamer.config import Config
from streamer.config.outlets import MQTT, names
from streamer.control.edits import Edits
from streamer.control.reconciler import Reconciler
from streamer.control.reload import Reload
from streamer.control.roster import Entry
from streamer.control.seats import Seats
from streamer.control.statefile import StateFile
from streamer.control.stream_changes import StreamChanges
from streamer.control.streams import Streams
from streamer.control.targets import judge
from streamer.doctor.practice import Practice
from streamer.entrance import Entrance
from streamer.http import application
from streamer.http.admissions import Admissions
from streamer.http.connections import Connections
from streamer.http.events import Events
from streamer.http.metrics import Metrics
from streamer.http.security_headers import security_headers
from streamer.http.shortage import Shortage
from streamer.keeping import Keeping
from streamer.outgoing import Outgoing, telling
from streamer.outlets.news_elsewhere import NewsElsewhere, document_of
from streamer.parts import Parts, state_file
from streamer.remote import Remote, news_of
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import Clock, monotonic
from streamer.values.detections import Detections
from streamer.values.ending import ended
from streamer.values.errors import ConfigError
from streamer.values.supervision import PAUSE, supervise
from streamer.view.still import draw

if TYPE_CHECKING:
    from streamer.archive.kept import Kept
    from streamer.clustering import Clustering
    from streamer.http.forwarding.neighbours import Neighbours

log = logging.getLogger(__name__)

NEWS_INTERVAL = 1.0
"""Seconds from one word about a stream to the replica that tells the broker to the next."""
LAG_INTERVAL = 0.5
"""Seconds from one look at the event loop to the next."""


class Service:
    """One service."""

    def __init__(self, config: Config, clock: Clock = monotonic, *, path: Path | None = None) -> None:
        """Join it.

        Args:
            config: what to run.
            clock: monotonic seconds.
            path: the file it stands in, to be followed; None: it does not change.
        """
        self.clock = clock
        self.events = Events()
        state = state_file(config, path)
        self.clustering = _clustering(config, state, clock)
        """None: we are no replica."""
        self.neighbours = None if self.clustering is None else _neighbours(self.clustering)
        """The other replicas; None: there is no cluster."""
        me = None if self.clustering is None else self.clustering.me
        clustering = self.clustering
        self._news_elsewhere = None if clustering is None else NewsElsewhere(clustering.streams, clock)
        self.keeping = Keeping(config, path, clock=clock, replica=me)
        self._errands: set[asyncio.Task[None]] = set()
        self._parts = Parts(
            config,
            clock=clock,
            on_call=self._called,
            on_error=self._failed,
            on_model_restart=lambda: self.metrics.restarted("model"),
            on_sub_restart=lambda: self.metrics.restarted("sub-stream"),
            on_detections=self._publish,
            kept_of=self.keeping.kept_of,
        )
        self.models = self._parts.models
        self.streams = Streams(
            seats=Seats(self._parts.seat_limits()),
            publishing_rights=self._parts.publishing_rights(),
            make_publisher=self._parts.publisher,
            on_restart=lambda: self.metrics.restarted("stream"),
            clock=clock,
        )
        self.connections = Connections(self._parts.connection_limits(), clock, trusted=self._parts.proxies())
        self.shortage = Shortage(clock)
        self.entrance = Entrance(config, path, clock=clock)
        self.admissions = Admissions(self.entrance.gate, clock)
        self.entrance.store.on_change.append(self.admissions.look)
        self.metrics = Metrics(self.streams, self.models.values(), self.events, self.connections, self.entrance.parts)
        self.metrics.archive = self.keeping.archive
        self.metrics.cluster = self.clustering
        self._reconciler = Reconciler(
            self.streams,
            make=self._parts.stream,
            target_of=self._parts.target,
            sub_of=self._parts.sub,
            model_of=self._parts.model_of,
            is_hasty=self.clustering is not None,
            on_done=lambda: self._see_to(ended("a model", self._keep_models())),
        )
        self.stream_changes = StreamChanges(config, state, judge=judge, apply=self._apply, shared=self.clustering)
        self.outgoing = Outgoing(
            config,
            self.keeping.outbox,
            clock=clock,
            wall=time.time,
            links_of=self.entrance.picture_links,
            on_restart=lambda _: self.metrics.restarted("outlet"),
            remote=self._remote(),
            runs=self.keeping.tells,
        )
        self.keeping.on_outlets(self.outgoing.look)
        self.metrics.outlets = self.outgoing
        self.keeping.tell(telling(config), names(config.webhooks, config.mqtt))
        self.metrics.config_read_at = time.time()
        self.models.on_removed.append(self.metrics.forget_model)
        self.streams.on_removed += [self.metrics.forget, self.events.forget]
        if self.clustering is not None:
            self._join(self.clustering)
        self.reload = None if path is None else Reload(path, config, self._reconfigure)
        self.edits = None if path is None else Edits(path)
        self._warn()

    @property
    def config(self) -> Config:
        """In force."""
        return self._parts.config

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[web.Application]:
        """Start models, then streams; stop them in reverse order, whatever of them was started."""
        tasks: list[asyncio.Task[None]] = []
        # Each stream has threads of its own, and a picture of 320 pixels is done before others have woken.
        cv2.setNumThreads(1)
        try:
            await self.keeping.open()
            self.models.start()
            await self._apply(self.stream_changes.roster.entries())
            tasks.append(self._own("event-loop-lag", self._measure_lag))
            tasks.append(self._own("admissions", self.admissions.watch))
            tasks.append(self._own("accounts", self.entrance.store.watch))
            tasks.append(self._own("audit", self.entrance.audit.run))
            tasks.append(self._own("token-uses", self.entrance.parts.token_uses.run))
            for room in (self.keeping, self.outgoing):
                tasks += [self._own(name, task) for name, task in room.tasks().items()]
            tasks += [self._own(name, task) for name, task in self._replica().items()]
            if self.edits is not None:
                tasks.append(self._own("configuration", functools.partial(self.edits.run, self._reload)))
            yield self._application()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*(ended(task.get_name(), task) for task in tasks))
            await ended("a change of the streams", self.stream_changes.settle())
            await ended("a stream that was to come", self._reconciler.close())
            await ended("the streams", self.streams.close())
            await ended("what was not allowed any more", self.admissions.settle())
            await ended("the models", self.models.close(), *self._errands)
            await ended("the archive", self.keeping.close())
            await ended("the audit", self.entrance.audit.close())

    async def hand_over(self) -> None:
        """Before a planned stop: the other replicas take our streams."""
        if self.clustering is not None:
            await self.clustering.hand_over()

    def _join(self, clustering: "Clustering") -> None:
        clustering.on_change = self.stream_changes.follow
        clustering.on_lost.append(self._reconciler.drop)
        clustering.on_published_elsewhere = self._send_away
        self.streams.names = clustering
        self.streams.on_removed.append(self._let_go)

    def _let_go(self, stream: str) -> None:
        """Of a name whose stream has ended, unless the next one who publishes under it has asked for it by then."""
        if self.clustering is not None and not self.streams.is_asked_for(stream):
            self.clustering.let_go(stream)

    def _send_away(self, stream: str) -> None:
        """A publisher, whose stream another replica has."""
        self._see_to(ended(f"stream {stream}", self.streams.remove(stream)))

    def _see_to(self, what: Coroutine[Any, Any, None]) -> None:
        """Have something done that nobody waits for."""
        errand = asyncio.create_task(what)
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    def _replica(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        if self.clustering is None:
            return {}
        self.clustering.say(self.config.streams_said)
        self._tell_others(self.clustering)
        return {**self.clustering.tasks(), "cluster-news": functools.partial(self._tell_news, self.clustering)}

    def _tell_others(self, clustering: "Clustering") -> None:
        """Of what is found and kept here; and listeners here of what is elsewhere."""
        subjects = clustering.subjects

        def kept(some: "Sequence[Kept]") -> None:
            for each in some:
                subjects.tell("events", each.event.stream, functools.partial(_told_of, each))

        def found(stream: str, replica: str, event: Mapping[str, Any]) -> None:
            owner = clustering.of(stream)
            if owner is not None and owner.name == replica:  # of two that run it for a moment, one counts
                self.events.publish_heard(stream, event)

        elsewhere = self._news_elsewhere
        if elsewhere is not None:
            subjects.hear("streams", lambda: self.keeping.tells(MQTT), lambda *said: elsewhere.heard(said[2]))
        clustering.on_gained.append(self.keeping.gained)
        clustering.on_unclaimed.append(self.keeping.unclaimed)
        clustering.on_lost.append(self.keeping.lost)
        self.keeping.on_kept.append(kept)
        subjects.hear("detections", self.events.wants_all, found)
        subjects.hear("events", lambda: self.keeping.is_heard, lambda *_: self.keeping.look_now())

    def _remote(self) -> Remote:
        alerts = None if self.keeping.archive is None else self.keeping.archive.alerts
        return Remote(
            MQTT,
            self.streams,
            self.stream_changes,
            alerts,
            self.entrance.audit,
            wall=time.time,
            elsewhere=self._news_elsewhere,
            picture_of=None if self.neighbours is None else self.neighbours.still,
        )

    async def _tell_news(self, clustering: "Clustering") -> None:
        """Every second, of our streams, to the replica that tells the broker."""
        while True:
            if self.config.mqtt is not None and not self.keeping.tells(MQTT):
                for pipeline in self.streams:
                    clustering.subjects.tell("streams", pipeline.name, functools.partial(_news_of, pipeline))
            await asyncio.sleep(NEWS_INTERVAL)

    def read_again(self) -> None:
        """Have the configuration file read now."""
        if self.edits is not None:
            self.edits.ask()

    def _own(self, name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run something for as long as the service lives."""
        running = supervise(name, run, pause=PAUSE, on_restart=lambda: self.metrics.restarted(name))
        return asyncio.create_task(running, name=name)

    def _application(self) -> web.Application:
        return application.build(
            streams=self.streams,
            events=self.events,
            metrics=self.metrics,
            models=self.models,
            signalling=self._parts.signalling(),
            stream_changes=self.stream_changes,
            practice=Practice(self.stream_changes.examinee, self.clock),
            reload=self.reload,
            shortage=self.shortage,
            proxies=self._parts.proxies(),
            gate=self.entrance.gate,
            access=self.entrance.parts,
            admissions=self.admissions,
            sign_on=self.entrance.sign_on,
            security_headers=security_headers(self.config.server.frame_ancestors),
            draw=draw,
            kept=self.keeping.kept,
            outlets=self.outgoing,
            neighbours=self.neighbours,
        )

    # ---- what changes

    async def _apply(self, entries: Mapping[str, Entry]) -> None:
        if self.clustering is not None and (known := self.clustering.recordings()) is not None:
            self.keeping.know(known)  # some of what others run now lies here
        await self._reconciler.apply(entries if self.clustering is None else self.clustering.of_ours(entries))
        if self.clustering is None:
            await self._keep_models()

    async def _keep_models(self) -> None:
        await self.models.keep(self.models.required | {pipeline.model.name for pipeline in self.streams})

    async def _reconfigure(self, config: Config) -> None:
        before, self._parts.config = self.config, config
        self.entrance.reconfigure(config)
        self.admissions.look()
        if before.api_streams != config.api_streams:
            self._warn()
        self.streams.seats.limits = self._parts.seat_limits()
        self.connections.limits = self._parts.connection_limits()
        self.streams.publishing_rights = self._parts.publishing_rights()
        self._parts.require_models()
        self.keeping.tell(telling(config), names(config.webhooks, config.mqtt))
        await self.outgoing.reconfigure(config)
        if self.clustering is not None:
            self.clustering.say(config.streams_said)
        await self.stream_changes.reconfigure(config)

    def _warn(self) -> None:
        """Say what stands open to whoever reaches the port."""
        policy = self.config.api_streams
        if self.entrance.gate.is_open and policy.allowed and policy.token is None:
            log.warning("whoever reaches the API may add streams: api_streams.allowed is true, and there is no token")

    async def _reload(self, said: bytes | OSError) -> None:
        if self.reload is not None:
            await self.reload.run_once(said)
            self.metrics.config_ok = self.reload.error is None
            self.metrics.config_read_at = self.reload.read_at
            self.metrics.restart_needed = len(self.reload.restart_needed)

    # ---- what is told

    def _called(self, model: str, frames: int, seconds: float) -> None:
        self.metrics.called(model, frames, seconds)

    def _failed(self, model: str, code: str) -> None:
        self.metrics.failed(model, code)

    def _publish(self, pipeline: Pipeline, detections: Detections) -> None:
        if self.streams.get(pipeline.name) is not pipeline:
            return  # it was asked about before its stream's end, and another may have the name now
        self.metrics.answered(detections)
        self.events.publish(detections)
        if self.clustering is not None:
            self.clustering.subjects.tell("detections", detections.stream, detections.event)

    async def _measure_lag(self) -> None:
        """How late the event loop wakes, which viewers feel first on too small a machine, and how many tasks it has."""
        while True:
            asleep_at = self.clock()
            await asyncio.sleep(LAG_INTERVAL)
            self.metrics.loop_lag = max(0.0, self.clock() - asleep_at - LAG_INTERVAL)
            self.metrics.loop_tasks = len(asyncio.all_tasks())


def _clustering(config: Config, state: StateFile | None, clock: Clock) -> "Clustering | None":
    """What makes us a replica, of which nothing is loaded where we are none.

    Raises:
        ConfigError: it needs a package that is not there.
    """
    if config.cluster is None:
        return None
    try:
        from streamer.clustering import Clustering
    except ImportError:
        raise ConfigError(
            "cluster: NATS needs a package that is not installed: pip install 'sightline[cluster]'"
        ) from None
    return Clustering(config.cluster, state, clock=clock)


def _news_of(pipeline: Pipeline) -> Mapping[str, Any]:
    return document_of(news_of(pipeline))


def _told_of(kept: "Kept") -> Mapping[str, Any]:
    """An event as subjects have it."""
    return {"news": kept.news, **kept.document()}


def _neighbours(clustering: "Clustering") -> "Neighbours":
    """What asks the other replicas, of which nothing is loaded where there are none."""
    from streamer.http.forwarding.authorities import authorities
    from streamer.http.forwarding.neighbours import Neighbours

    return Neighbours(clustering, clustering.key, trust=authorities(clustering.authority))
