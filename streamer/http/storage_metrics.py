"""Numbers of what goes to object storage, for `/metrics`; docs/monitoring.md says what each is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from streamer.archive.uploads import Uploads


def of_uploads(uploads: "Uploads") -> Iterator[Metric]:
    """What is there, and what is not yet."""
    waiting = GaugeMetricFamily("sightline_storage_waiting", "What object storage was not told of", labels=["what"])
    backlog = uploads.backlog
    for what, count in (
        ("segment", backlog.segments),
        ("pictures", backlog.pictures),
        ("removal", backlog.removals),
    ):
        waiting.add_metric([what], count)
    uploaded = CounterMetricFamily("sightline_storage_uploaded", "What was uploaded", labels=["what"])
    for what, count in uploads.uploaded.items():
        uploaded.add_metric([what], count)
    oldest = GaugeMetricFamily(
        "sightline_storage_oldest_waiting_timestamp_seconds", "When the oldest segment that waits began", labels=[]
    )
    if backlog.oldest_at is not None:
        oldest.add_metric([], backlog.oldest_at)
    yield GaugeMetricFamily("sightline_storage_ok", "1 while files can be uploaded", float(uploads.failing is None))
    yield waiting
    yield GaugeMetricFamily("sightline_storage_waiting_bytes", "Bytes of what waits", float(backlog.bytes))
    yield oldest
    yield uploaded
    yield CounterMetricFamily("sightline_storage_uploaded_bytes", "Bytes that were uploaded", uploads.uploaded_bytes)
    yield CounterMetricFamily("sightline_storage_failures", "Tries that failed", uploads.failures)
