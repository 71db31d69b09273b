"""What the service is made of, as the configuration in force has it: made here, run and changed by `service.py`."""

import itertools
import resource
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.config import Config
from streamer.control.publishing_rights import PublishingRights
from streamer.control.roster import Entry
from streamer.control.seats import SeatLimits
from streamer.control.statefile import StateFile
from streamer.control.targets import sub_target_of_entry, target_of_entry
from streamer.http.allowed_origins import AllowedOrigins
from streamer.http.connections import ConnectionLimits
from streamer.http.ice_server import IceServer
from streamer.http.names import Names
from streamer.http.signalling import Signalling
from streamer.http.trusted_proxies import TrustedProxies
from streamer.inference import credentials
from streamer.inference.model import ServedModel
from streamer.inference.served_models import ServedModels
from streamer.source import Openings, Source, Target
from streamer.stream.event_maker import EventMaker
from streamer.stream.pipeline import Pipeline
from streamer.stream.recorder import Recorder
from streamer.values import url
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.host import is_loopback
from streamer.values.recording import Recording
from streamer.values.sampling import Sampling
from streamer.values.watching import Watching
from streamer.view.clean.room import Spare

if TYPE_CHECKING:
    from streamer.webrtc.publisher import Publisher

Kept = tuple[EventMaker | None, Recorder | None]
"""What keeps something of a stream."""


class Parts:
    """Makes models and streams, and says who may watch, publish and come from where."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        on_call: Callable[[str, int, float], None],
        on_error: Callable[[str, str], None],
        on_model_restart: Callable[[], None],
        on_sub_restart: Callable[[], None],
        on_detections: Callable[[Pipeline, Detections], None],
        kept_of: Callable[[str, Watching, Recording], Kept] = lambda *_: (None, None),
    ) -> None:
        """Make nothing yet.

        Args:
            config: in force, until another takes its place.
            clock: monotonic seconds.
            on_call: told of each Predict call answered: model, frames, seconds.
            on_error: told of each that failed: model, gRPC status.
            on_model_restart: told when a model's task ended in a way nobody foresaw.
            on_sub_restart: the same of a sub-stream.
            on_detections: told of each sampled frame's answer.
            kept_of: makes what makes events of a stream's answers, and what records its video; or None.

        Raises:
            ConfigError: a file that `serving.tls` names cannot be used.
        """
        self.config = config
        self._clock = clock
        self._on_call, self._on_error, self._on_model_restart = on_call, on_error, on_model_restart
        self._on_sub_restart, self._on_detections = on_sub_restart, on_detections
        self._kept_of = kept_of
        self._openings, self._sub_openings = Openings(), Openings()
        """Of sub-streams their own: those that hang must not keep a stream waiting for its turn."""
        self._spare = Spare()
        self._tracker_ids = itertools.count(1)
        """Of all streams: a name may come to stand for another camera, and no id is given twice."""
        tls = config.serving.tls
        self._credentials = None if tls is None else credentials.read(**tls.model_dump())
        self.models = ServedModels(self._model)
        self.require_models()

    # ---- who may come

    def seat_limits(self) -> SeatLimits:
        """How many may watch."""
        server = self.config.server
        return SeatLimits(server.max_viewers, server.max_viewers_per_stream, server.max_viewers_per_address)

    def proxies(self) -> TrustedProxies:
        """Which proxies are believed, and the folder browsers find us in."""
        return TrustedProxies(self.config.server.trusted_proxies, self.config.server.base_path)

    def connection_limits(self) -> ConnectionLimits:
        """How many connections there may be. Cameras and models want descriptors too, and come first."""
        server, (descriptors, _) = self.config.server, resource.getrlimit(resource.RLIMIT_NOFILE)
        total = server.max_connections if descriptors < 0 else min(server.max_connections, descriptors // 4)
        return ConnectionLimits(total, server.max_connections_per_address)

    def publishing_rights(self) -> PublishingRights:
        """Who may publish: under the names that are configured, else under any where only this machine can ask."""
        ingress = self.config.ingress
        names = ingress.names
        if names is None:
            names = ["*"] if is_loopback(self.config.server.host) else []
        return PublishingRights(tuple(names), ingress.max_publishers)

    def signalling(self) -> Signalling:
        """The names we go by, what pages of other origins may do, and the ICE servers that browsers are told of."""
        server = self.config.server
        public = () if server.public_url is None else (url.host_of(server.public_url),)
        names = Names((*server.names, *public), server.host)
        return Signalling(
            names,
            AllowedOrigins(server.origins, names),
            tuple(IceServer(each.url, each.username, each.credential, each.secret) for each in server.ice_servers),
        )

    # ---- models

    def require_models(self) -> None:
        """Have the models that the configuration names."""
        named = [stream.sampling for stream in self.config.streams.values()] + [self.config.ingress.sampling]
        self.models.own = self.config.serving.model
        self.models.required = frozenset({self.config.serving.model, *map(self._model_name, named)})
        for name in sorted(self.models.required):
            self.models.use(name)

    def model_of(self, sampling: Sampling) -> ServedModel:
        """The model that a stream asks, which runs from now on if it did not before."""
        return self.models.use(self._model_name(sampling))

    def _model_name(self, sampling: Sampling) -> str:
        return sampling.model or self.config.serving.model

    def _model(self, name: str) -> ServedModel:
        serving = self.config.serving
        return ServedModel(
            serving.address,
            name,
            max_batch_size=serving.max_batch_size,
            in_flight=serving.in_flight,
            deadline=serving.deadline,
            pulls=serving.scheduling == "pull",
            clock=self._clock,
            credentials=self._credentials,
            on_call=self._on_call,
            on_error=self._on_error,
            on_restart=self._on_model_restart,
        )

    # ---- streams

    def target(self, entry: Entry) -> Target:
        """What a stream's source reads, within the limits of where the stream comes from."""
        return target_of_entry(entry, self.config.api_streams)

    def stream(self, name: str, entry: Entry) -> tuple[Source, Pipeline]:
        """A stream of the configuration or the API: its source, and the pipeline it feeds."""
        events, recorder = self._kept_of(name, entry.settings.watching, entry.settings.record.value())
        source = Source(name, self.target(entry), clock=self._clock, redact=url.redact, openings=self._openings)
        pipeline = Pipeline(
            source,
            self.model_of(entry.settings.sampling),
            entry.settings.sampling,
            clock=self._clock,
            on_detections=self._on_detections,
            origin=entry.origin,
            paused=entry.paused,
            tracker_ids=self._tracker_ids,
            events=events,
            recorder=recorder,
            on_restart=self._on_sub_restart,
            spare=self._spare,
        )
        return source, pipeline

    def sub(self, name: str, entry: Entry) -> Source | None:
        """The source of a stream's sub-stream, within the same limits; None: it has none."""
        target = sub_target_of_entry(entry, self.config.api_streams)
        if target is None:
            return None
        called = f"{name}, sub-stream"
        return Source(called, target, clock=self._clock, redact=url.redact, openings=self._sub_openings)

    def publisher(self, name: str, on_close: "Callable[[Publisher], None]") -> "tuple[Publisher, Pipeline]":
        """A publisher, and the pipeline it feeds."""
        from streamer.webrtc.publisher import Publisher

        settings = self.config.ingress
        events, recorder = self._kept_of(name, Watching(), settings.record.value())
        publisher = Publisher(
            name, on_close, clock=self._clock, max_pixels=settings.max_pixels, max_fps=settings.max_fps
        )
        pipeline = Pipeline(
            publisher,
            self.model_of(settings.sampling),
            settings.sampling,
            clock=self._clock,
            on_detections=self._on_detections,
            origin="publisher",
            tracker_ids=self._tracker_ids,
            events=events,
            recorder=recorder,
            spare=self._spare,
        )
        return publisher, pipeline


def state_file(config: Config, path: Path | None) -> StateFile | None:
    """Where what the API changes is kept: where the configuration says, else beside it; None: it is no file."""
    if config.api_streams.state is not None:
        return StateFile(Path(config.api_streams.state))
    return None if path is None else StateFile(path.with_suffix(".streams.json"))
