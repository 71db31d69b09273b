"""Metrics of what is kept of streams' video. See docs/monitoring.md."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from streamer.stream.pipeline import Pipeline
from streamer.values.recording import RECORD_WORDS


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
