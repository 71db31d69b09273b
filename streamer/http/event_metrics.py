"""Numbers of what becomes events and of what is kept of them, for `/metrics`; docs/monitoring.md says what each is."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from streamer.stream.pipeline import Pipeline

if TYPE_CHECKING:
    from streamer.archive.archive import Archive


def of_streams(streams: Iterable[Pipeline]) -> Iterator[Metric]:
    """Events, crossings and who is where; nothing of a stream whose events nobody keeps."""
    events = CounterMetricFamily("sightline_events", "Events that began and ended", labels=["stream", "label", "what"])
    crossings = CounterMetricFamily(
        "sightline_line_crossings", "Things that went over a line", labels=["stream", "line", "direction", "label"]
    )
    occupancy = GaugeMetricFamily(
        "sightline_zone_occupancy",
        "Things in a zone; each zone has a 0 without a label",
        labels=["stream", "zone", "label"],
    )
    dropped = CounterMetricFamily(
        "sightline_event_pictures_dropped",
        "Frames that were to be pictures of events and were not drawn",
        labels=["stream", "reason"],
    )
    for stream in streams:
        if stream.events is None:
            continue
        for what, counts in (("begun", stream.events.begun), ("ended", stream.events.ended)):
            for label, count in sorted(counts.items()):
                events.add_metric([stream.name, label, what], count)
        for (line, direction, label), count in sorted(stream.events.crossings.items()):
            crossings.add_metric([stream.name, line, direction, label], count)
        for (zone, label), count in sorted(stream.events.occupancy().items()):
            occupancy.add_metric([stream.name, zone, label], count)
        for reason, count in stream.events.pictures_dropped.items():
            dropped.add_metric([stream.name, reason], count)
    yield from (events, crossings, occupancy, dropped)


def of_archive(archive: "Archive") -> Iterator[Metric]:
    """What it keeps, and what it cannot."""
    writer = archive.writer
    yield GaugeMetricFamily("sightline_archive_ok", "1 while events can be kept", float(archive.is_ok))
    yield GaugeMetricFamily("sightline_archive_waiting", "Events that are to be kept", float(len(writer.waiting)))
    yield CounterMetricFamily("sightline_archive_written", "Events written, each as often as it changed", writer.kept)
    yield CounterMetricFamily("sightline_archive_failures", "Attempts to write that failed", writer.failures)
    lost = CounterMetricFamily("sightline_archive_lost", "What could not be kept, and never will be", labels=["what"])
    lost.add_metric(["event"], writer.lost)
    lost.add_metric(["picture"], writer.pictures_lost)
    yield lost
    yield CounterMetricFamily(
        "sightline_archive_outrun", "Events that began after another replica had claimed their stream", writer.outrun
    )
    yield CounterMetricFamily(
        "sightline_archive_removed", "Events that were let go by the rules of retention", archive.retention.removed
    )
    yield GaugeMetricFamily(
        "sightline_archive_picture_bytes", "Bytes of all pictures at the last look", float(archive.upkeep.picture_bytes)
    )
    oldest = GaugeMetricFamily(
        "sightline_archive_oldest_timestamp_seconds", "When the oldest event began, as of the last look", labels=[]
    )
    if archive.upkeep.oldest_at is not None:
        oldest.add_metric([], archive.upkeep.oldest_at)
    yield oldest
