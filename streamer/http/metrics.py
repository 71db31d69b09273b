"""Prometheus metrics: rooms count in plain integers, and this reads them when Prometheus asks. See docs/monitoring.md.

Two things are observed as they happen, because a histogram cannot be read back: calls to the model, and latencies.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streamer.access.action import Action
from streamer.access.principal import Principal
from streamer.control.streams import Streams
from streamer.http import (
    cluster_metrics,
    event_metrics,
    latency_metrics,
    outlet_metrics,
    recording_metrics,
    storage_metrics,
)
from streamer.http.access_keys import AccessParts
from streamer.http.connections import REASONS, Connections
from streamer.http.events import Events
from streamer.inference.model import ServedModel
from streamer.stream.pipeline import Pipeline
from streamer.values.cluster_view import Cluster
from streamer.values.detections import Detections
from streamer.values.state import STREAM_STATES

if TYPE_CHECKING:
    from streamer.archive.archive import Archive
    from streamer.http.served_certificate import ServedCertificate

LATENCY_BUCKETS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0)

TASKS = (
    "accounts", "admissions", "archive", "archive-follow", "audit", "certificate", "clips", "cluster", "cluster-news",
    "cluster-streams", "cluster-subjects", "cluster-watch", "configuration", "event-loop-lag", "listener", "model",
    "neighbours", "outlet", "outlets", "passed-sessions", "recordings", "recordings-retention", "recovery", "renders",
    "retention", "stream", "sub-stream", "token-uses", "uploads",
)  # fmt: skip
"""What is run again when it ends; all of them are shown from the start, or the first end would not be a rise."""

disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics(Collector):
    """Everything `/metrics` shows."""

    def __init__(
        self,
        streams: Streams,
        models: Iterable[ServedModel],
        events: Events,
        connections: Connections,
        access: AccessParts,
    ) -> None:
        self.registry = CollectorRegistry()
        self.loop_lag = 0.0
        """Seconds the event loop was late, last time it was looked at."""
        self.loop_tasks = 0
        """Tasks it had then."""
        self.config_ok = True
        """Whether the configuration file, as it is now, is what runs."""
        self.config_read_at = 0.0
        """When it last was read without a mistake, in seconds since 1970."""
        self.certificate: ServedCertificate | None = None
        """What HTTPS is served with; None: there is none."""
        self.archive: Archive | None = None
        """What is kept; None: nothing is."""
        self.outlets: outlet_metrics.Outlets | None = None
        """Who is told of it; None: nobody is."""
        self.cluster: Cluster | None = None
        """What we are a replica of; None: we are none."""
        self.restart_needed = 0
        """Keys in it whose new value waits for a restart."""
        self._streams, self._models, self._events, self._connections = streams, models, events, connections
        self._access = access
        self._batch_size = Histogram(
            "sightline_batch_size",
            "Pictures in one Predict call: frames, and their tiles",
            ["model"],
            buckets=(1, 2, 3, 4, 6, 8, 12, 16, 32),
            registry=self.registry,
        )
        self._predict_seconds = Histogram(
            "sightline_predict_seconds",
            "Seconds one Predict call took, answered ones only",
            ["model"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self._predict_errors = Counter(
            "sightline_predict_errors", "Predict calls that failed", ["model", "code"], registry=self.registry
        )
        self._latency = Histogram(
            "sightline_frame_latency_seconds",
            "Seconds from a sampled frame's arrival to its answer",
            ["stream"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self._restarts = Counter(
            "sightline_task_restarts",
            "Unforeseen ends of what is to run for ever, each followed by a new beginning",
            ["task"],
            registry=self.registry,
        )
        for task in TASKS:
            self._restarts.labels(task)
        self.registry.register(self)

    def called(self, model: str, batch_size: int, seconds: float) -> None:
        """A Predict call was answered."""
        self._batch_size.labels(model).observe(batch_size)
        self._predict_seconds.labels(model).observe(seconds)

    def failed(self, model: str, code: str) -> None:
        """A Predict call failed with a gRPC status."""
        self._predict_errors.labels(model, code).inc()

    def answered(self, detections: Detections) -> None:
        """A sampled frame has its answer."""
        self._latency.labels(detections.stream).observe(detections.age)

    def restarted(self, task: str) -> None:
        """One of TASKS ended in a way nobody foresaw, and begins anew."""
        self._restarts.labels(task).inc()

    def forget(self, stream: str) -> None:
        """A stream is no more: names that anybody may publish must not pile up."""
        with contextlib.suppress(KeyError):  # it never had an answer
            self._latency.remove(stream)

    def forget_model(self, model: str) -> None:
        """A model is no more; what its last calls took is forgotten with it."""
        for histogram in (self._batch_size, self._predict_seconds):
            with contextlib.suppress(KeyError):
                histogram.remove(model)
        codes = {
            sample.labels["code"]
            for family in self._predict_errors.collect()
            for sample in family.samples
            if sample.labels["model"] == model
        }
        for code in codes:
            self._predict_errors.remove(model, code)

    def of(self, reader: Principal) -> Collector:
        """What somebody may read: of the streams that are his, and of none in particular."""
        if reader.may_everywhere(Action.METRICS):
            return self.registry
        return _Part(self.registry, partial(reader.may, Action.METRICS))

    def collect(self) -> Iterator[Metric]:
        """Read every room's counters."""
        yield from _frames(self._streams)
        yield from _streams(self._streams)
        yield from event_metrics.of_streams(self._streams)
        yield from recording_metrics.of_streams(self._streams)
        yield from latency_metrics.of_streams(self._streams)
        yield from _viewers(self._streams, self._events)
        yield from _strangers_and_losses(self._streams)
        yield from _models(self._models)
        yield from _connections(self._connections)
        yield from _access(self._access)
        if self.archive is not None:
            yield from event_metrics.of_archive(self.archive)
            yield from self._telling(self.archive)
            yield from recording_metrics.of_recordings(self.archive.recordings)
            if self.archive.uploads is not None:
                yield from storage_metrics.of_uploads(self.archive.uploads)
        if self.cluster is not None:
            yield from cluster_metrics.of_cluster(self.cluster.view())
        if self.certificate is not None:
            yield from _certificate(self.certificate)
        yield GaugeMetricFamily(
            "sightline_config_last_reload_successful",
            "1 while the configuration file is free of mistakes",
            float(self.config_ok),
        )
        yield GaugeMetricFamily(
            "sightline_config_last_reload_success_timestamp_seconds",
            "When the configuration file was last read without a mistake",
            self.config_read_at,
        )
        yield GaugeMetricFamily(
            "sightline_config_restart_needed",
            "Keys of the configuration file that were changed and wait for a restart",
            float(self.restart_needed),
        )
        yield GaugeMetricFamily(
            "sightline_event_loop_lag_seconds", "Seconds the event loop was late at the last look", self.loop_lag
        )
        yield GaugeMetricFamily(
            "sightline_event_loop_tasks", "Tasks the event loop had at the last look", float(self.loop_tasks)
        )

    def _telling(self, archive: "Archive") -> Iterator[Metric]:
        rules = [rule.name for rule in archive.alerts.telling.rules]
        yield from outlet_metrics.of_alerts(rules, archive.alerts.counts)
        states, queues = () if self.outlets is None else self.outlets.states(), archive.outbox.queues
        if self.outlets is not None and archive.leases is not None:  # of several replicas, who tells it counts
            here = self.outlets.running()
            states = [state for state in states if state.name in here]
            queues = {name: queue for name, queue in queues.items() if name in here}
        yield from outlet_metrics.of_outlets(states, queues)


class _Part(Collector):
    """Without the series of some streams."""

    def __init__(self, whole: Collector, covers: Callable[[str], bool]) -> None:
        self._whole, self._covers = whole, covers

    def collect(self) -> Iterator[Metric]:
        """Every family, of each what is of a stream that is covered, or of none."""
        for family in self._whole.collect():
            seen = Metric(family.name, family.documentation, family.type, family.unit)
            seen.samples = [each for each in family.samples if self._is_his(each.labels.get("stream"))]
            yield seen

    def _is_his(self, stream: str | None) -> bool:
        return stream is None or (stream != "*" and self._covers(stream))


def _frames(streams: Iterable[Pipeline]) -> Iterator[Metric]:
    frames = CounterMetricFamily("sightline_frames", "Frames that passed a stage", labels=["stream", "stage"])
    skipped = CounterMetricFamily("sightline_frames_skipped", "Frames not sampled, on purpose", labels=["stream"])
    dropped = CounterMetricFamily(
        "sightline_frames_dropped",
        "Frames lost because of what was late, full or in error",
        labels=["stream", "stage", "reason"],
    )
    overtaken = CounterMetricFamily(
        "sightline_results_overtaken", "Results that came after that of a later frame", labels=["stream"]
    )
    detections = CounterMetricFamily("sightline_detections", "Detections by label", labels=["stream", "label"])
    keyframes = CounterMetricFamily("sightline_keyframes", "H.264 and VP8 keyframes encoded", labels=["stream"])
    pictures = CounterMetricFamily(
        "sightline_predict_pictures",
        "Pictures the model looked at for frames that it answered: each is one, and each of its tiles",
        labels=["stream"],
    )
    for stream in streams:
        name, counts = stream.name, stream.counts
        pictures.add_metric([name], counts.pictures)
        frames.add_metric([name, "source"], counts.decoded)
        frames.add_metric([name, "sampler"], counts.sampled)
        frames.add_metric([name, "predictor"], counts.results)
        frames.add_metric([name, "annotator"], stream.view.annotated)
        frames.add_metric([name, "encoder"], stream.view.encoded)
        skipped.add_metric([name], counts.skipped)
        for (stage, reason), count in sorted(stream.drops().items()):
            dropped.add_metric([name, stage, reason], count)
        overtaken.add_metric([name], stream.overtaken)
        for label, count in sorted(counts.detections.items()):
            detections.add_metric([name, label], count)
        keyframes.add_metric([name], stream.view.h264.keyframes + stream.view.vp8.keyframes)
    yield from (frames, skipped, dropped, overtaken, pictures, detections, keyframes)


def _streams(streams: Iterable[Pipeline]) -> Iterator[Metric]:
    state = GaugeMetricFamily("sightline_stream_state", "1 for the state a stream is in", labels=["stream", "state"])
    fps = GaugeMetricFamily("sightline_stream_fps", "Frames a second from the source", labels=["stream"])
    asked = GaugeMetricFamily("sightline_sample_fps", "Samples a second that a stream asks for", labels=["stream"])
    granted = GaugeMetricFamily(
        "sightline_effective_sample_fps", "Samples a second that its model has the time for", labels=["stream"]
    )
    age = GaugeMetricFamily(
        "sightline_frame_age_seconds", "Age of the last answered frame when its answer came", labels=["stream"]
    )
    hold = GaugeMetricFamily("sightline_hold_seconds", "Seconds a frame waits for its boxes", labels=["stream"])
    answers = CounterMetricFamily(
        "sightline_watched_answers",
        "Answers by whether their own frame was still to be drawn; while somebody watched",
        labels=["stream", "came"],
    )
    reconnects = CounterMetricFamily(
        "sightline_source_reconnects", "Connections that ended, by reason", labels=["stream", "reason"]
    )
    for stream in streams:
        current = stream.state().word
        for known in STREAM_STATES:
            state.add_metric([stream.name, known], float(current == known))
        fps.add_metric([stream.name], stream.fps or 0.0)
        asked.add_metric([stream.name], stream.sampling.fps)
        granted.add_metric([stream.name], stream.inquiry.granted or stream.sampling.fps)
        if stream.last is not None:
            age.add_metric([stream.name], stream.last.age)
        hold.add_metric([stream.name], stream.view.aligner.held)
        answers.add_metric([stream.name, "in_time"], stream.view.in_time)
        answers.add_metric([stream.name, "late"], stream.view.late)
        for reason, count in sorted(stream.source.reconnects.items()):
            reconnects.add_metric([stream.name, reason], count)
    yield from (state, fps, asked, granted, age, hold, answers, reconnects)


def _viewers(streams: Streams, events: Events) -> Iterator[Metric]:
    sessions = GaugeMetricFamily(
        "sightline_sessions", "Viewers; stream '*' takes the events of all streams", labels=["stream", "transport"]
    )
    encoders = GaugeMetricFamily("sightline_encoders", "Encoders at work", labels=["stream", "codec"])
    ceilings = GaugeMetricFamily(
        "sightline_encoder_ceiling_bits_per_second",
        "What an encoder at work keeps to: less than the picture is worth where viewers' lines are thin",
        labels=["stream", "codec"],
    )
    never_came = CounterMetricFamily(
        "sightline_viewers_never_connected", "WHEP sessions that ended before they were connected", labels=["stream"]
    )
    refused = CounterMetricFamily(
        "sightline_viewers_refused", "Viewers that found no place, by the limit they met", labels=["limit"]
    )
    events_dropped = CounterMetricFamily(
        "sightline_events_dropped", "Events their reader was too slow for; stream '*' as above", labels=["stream"]
    )
    for stream in streams:
        sessions.add_metric([stream.name, "whep"], len(stream.view.h264) + len(stream.view.vp8))
        sessions.add_metric([stream.name, "mjpeg"], len(stream.view.jpeg))
        sessions.add_metric([stream.name, "clean"], stream.sizes.viewers)
        sessions.add_metric([stream.name, "events"], events.count(stream.name))
        for codec in ("h264", "vp8", "jpeg"):
            encoders.add_metric([stream.name, codec], float(codec in stream.view.codecs))
        for codec, bits in sorted(stream.view.ceilings.items()):
            ceilings.add_metric([stream.name, codec], bits)
        events_dropped.add_metric([stream.name], events.dropped(stream.name))
        never_came.add_metric([stream.name], streams.never_came(stream.name))
    sessions.add_metric(["*", "events"], events.count(None))
    events_dropped.add_metric(["*"], events.dropped(None))
    for limit, count in sorted(streams.seats.refused.items()):
        refused.add_metric([limit], count)
    yield from (sessions, encoders, ceilings, events_dropped, never_came, refused)


def _strangers_and_losses(streams: Streams) -> Iterator[Metric]:
    strange = CounterMetricFamily(
        "sightline_datagrams_dropped",
        "Datagrams of strangers at the media ports of sessions, and others that no peer would send",
        labels=["stream", "transport"],
    )
    reports = CounterMetricFamily(
        "sightline_reports_dropped",
        "Datagrams of RTCP that were not read: too long, or too much in a second",
        labels=["stream", "transport"],
    )
    again = CounterMetricFamily(
        "sightline_retransmissions", "Packets that a viewer lost and that were sent again", labels=["stream"]
    )
    not_again = CounterMetricFamily(
        "sightline_retransmissions_refused",
        "Packets that a viewer asked for too often, or too many of",
        labels=["stream"],
    )
    losses = CounterMetricFamily(
        "sightline_publisher_losses", "Times a publisher's packets were given up for lost", labels=["stream"]
    )
    for stream in streams:
        for transport, traffic in streams.traffic(stream.name).items():
            strange.add_metric([stream.name, transport], traffic.datagrams_dropped)
            reports.add_metric([stream.name, transport], traffic.reports_dropped)
            if transport == "whep":
                again.add_metric([stream.name], traffic.sent_again)
                not_again.add_metric([stream.name], traffic.not_sent_again)
        lost = streams.losses(stream.name)
        if lost is not None:
            losses.add_metric([stream.name], lost)
    yield from (strange, reports, again, not_again, losses)


def _models(models: Iterable[ServedModel]) -> Iterator[Metric]:
    up = GaugeMetricFamily("sightline_model_up", "1 while the model server answers", labels=["model"])
    version = GaugeMetricFamily("sightline_model_version", "Newest version met, 0 before", labels=["model"])
    for model in models:
        up.add_metric([model.name], float(model.up))
        version.add_metric([model.name], model.version)
    yield from (up, version)


def _connections(connections: Connections) -> Iterator[Metric]:
    yield GaugeMetricFamily("sightline_connections", "HTTP connections that are open", float(len(connections)))
    ended = CounterMetricFamily(
        "sightline_connections_ended", "HTTP connections ended by us, or not let in", labels=["reason"]
    )
    for reason in REASONS:
        ended.add_metric([reason], connections.ended[reason])
    yield ended


def _access(access: AccessParts) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "sightline_accounts_ok",
        "1 while the file of users, tokens and sessions is what is in force",
        float(access.store.error is None),
    )
    tries = CounterMetricFamily("sightline_sign_ins", "Tries to sign in by password", labels=["outcome"])
    for outcome, count in access.attempts.counts.items():
        tries.add_metric([outcome], count)
    yield tries
    yield CounterMetricFamily(
        "sightline_audit_dropped", "Deeds that the audit does not have: its disk was full or slow", access.audit.dropped
    )


def _certificate(certificate: "ServedCertificate") -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "sightline_certificate_expiry_timestamp_seconds",
        "When the certificate that is served ends, or the first of those it is signed by",
        certificate.expires_at,
    )
    yield GaugeMetricFamily(
        "sightline_certificate_last_reload_successful",
        "1 while the certificate's files are what is served",
        float(certificate.is_newest),
    )
