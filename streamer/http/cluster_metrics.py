"""Numbers of the cluster that a service is a replica of, for `/metrics`; docs/monitoring.md says what each is."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from streamer.values.cluster_view import ClusterView


def of_cluster(view: ClusterView) -> Iterator[Metric]:
    """As this replica sees it."""
    yield GaugeMetricFamily(
        "sightline_cluster_members", "Replicas that live, this one among them", float(len(view.replicas))
    )
    yield GaugeMetricFamily("sightline_cluster_nats_up", "1 while NATS answers", float(view.standing != "away"))
    streams = GaugeMetricFamily("sightline_cluster_streams", "Streams that a replica runs", labels=["owned"])
    streams.add_metric(["here"], view.owned)
    streams.add_metric(["elsewhere"], sum(each.replica not in (None, view.me) for each in view.streams))
    yield streams
    yield GaugeMetricFamily("sightline_cluster_streams_unowned", "Streams that no replica runs", float(view.unowned))
    yield GaugeMetricFamily(
        "sightline_cluster_streams_owned_twice",
        "Streams that more than one replica says it runs",
        float(view.owned_twice),
    )
    yield CounterMetricFamily(
        "sightline_cluster_claims_lost", "Streams that another replica has instead of this one", view.claims_lost
    )
    yield CounterMetricFamily(
        "sightline_cluster_failovers", "Streams taken over from a replica that died", view.failovers.count
    )
    yield HistogramMetricFamily(
        "sightline_cluster_failover_seconds",
        "Seconds from a dead replica's last word until its stream was this one's",
        buckets=list(view.failovers.buckets()),
        sum_value=view.failovers.sum,
    )
    yield CounterMetricFamily(
        "sightline_cluster_messages_sent", "Detections and events told on subjects of NATS", view.sent
    )
    yield CounterMetricFamily(
        "sightline_cluster_messages_dropped", "Those that were not told, as NATS was away or slow", view.dropped
    )
    yield CounterMetricFamily(
        "sightline_cluster_unreadable", "Records and messages in NATS that were no replica's", view.unreadable
    )
