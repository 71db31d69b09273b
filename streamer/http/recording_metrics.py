"""Metrics of what is kept of streams' video. See docs/monitoring.md."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from streamer.stream.pipeline import Pipeline
from streamer.values.recording import RECORD_WORDS

if TYPE_CHECKING:
    from streamer.archive.recordings.recordings import Recordings


def of_streams(streams: Iterable[Pipeline]) -> Iterator[Metric]:
    """Of each stream that there is an archive for."""
    state = GaugeMetricFamily(
        "sightline_recording_state", "1 for what becomes of a stream's video", labels=["stream", "state"]
    )
    pictures = CounterMetricFamily(
        "sightline_recording_pictures", "Encoded pictures that came, and those written", labels=["stream", "what"]
    )
    dropped = CounterMetricFamily(
        "sightline_recording_pictures_dropped",
        "Encoded pictures that were to be kept and were not",
        labels=["stream", "reason"],
    )
    written = CounterMetricFamily("sightline_recording_bytes", "Bytes of recordings written", labels=["stream"])
    segments = CounterMetricFamily("sightline_recording_segments", "Files of recordings begun", labels=["stream"])
    for stream in streams:
        recorder = stream.recorder
        if recorder is None:
            continue
        current = recorder.state.word
        for known in RECORD_WORDS:
            state.add_metric([stream.name, known], float(current == known))
        pictures.add_metric([stream.name, "taken"], recorder.taken)
        pictures.add_metric([stream.name, "written"], recorder.written)
        for reason, count in sorted(recorder.dropped.items()):
            dropped.add_metric([stream.name, reason], count)
        written.add_metric([stream.name], recorder.written_bytes)
        segments.add_metric([stream.name], recorder.segments)
    yield from (state, pictures, dropped, written, segments)


def of_recordings(recordings: "Recordings") -> Iterator[Metric]:
    """What of it is there, what had to go, and what the index could not take."""
    held = GaugeMetricFamily("sightline_recordings_bytes", "Bytes of recordings that are there", labels=["stream"])
    for stream, size in sorted(recordings.held.sizes.items()):
        held.add_metric([stream], size)
    fit = GaugeMetricFamily(
        "sightline_recordings_days_fit",
        "Days of recordings there is room for at the last day's rate",
        labels=["stream"],
    )
    for stream, days in sorted(recordings.upkeep.days_fit.items()):
        fit.add_metric([stream], days)
    removed = recordings.retention.removed
    gone = CounterMetricFamily(
        "sightline_recordings_removed", "Files of recordings that were let go, or their bytes", labels=["what"]
    )
    gone.add_metric(["segment"], removed.segments)
    gone.add_metric(["byte"], removed.bytes)
    ok = GaugeMetricFamily(
        "sightline_recordings_index_ok", "1 while recordings can be written down", float(recordings.failing is None)
    )
    lost = CounterMetricFamily(
        "sightline_recordings_index_lost", "Segments and boxes that were not written down", recordings.writer.lost
    )
    yield from (held, fit, gone, ok, lost)
