"""Where the time of a picture goes, for `/metrics`, read from the streams' ledgers; docs/latency.md."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from streamer.stream.pipeline import Pipeline


def of_streams(streams: Iterable[Pipeline]) -> Iterator[Metric]:
    """Seconds of each stage on each way that was gone, to the glass, and from the camera; and who says so."""
    stages = HistogramMetricFamily(
        "sightline_stage_seconds",
        "Seconds a sampled frame spent in a stage of its way; those of one way add up to all of it",
        labels=["stream", "way", "stage"],
    )
    glass = HistogramMetricFamily(
        "sightline_glass_seconds", "Seconds from a sampled frame's arrival to a viewer's screen", labels=["stream"]
    )
    camera = HistogramMetricFamily(
        "sightline_camera_seconds",
        "Seconds from when the camera took a frame to its arrival, by a clock of the camera's that can be believed",
        labels=["stream"],
    )
    painted = CounterMetricFamily(
        "sightline_painted",
        "Frames a viewer's page said to have shown: taken, or why not believed",
        labels=["stream", "outcome"],
    )
    for stream in streams:
        ledger = stream.ledger
        for (way, stage), seconds in ledger.stages.items():
            buckets = list(seconds.buckets())
            # Of the way between the others its sums do: the lines of all of them would be half as many again.
            stages.add_metric([stream.name, way, stage], buckets[-1:] if way == "viewer" else buckets, seconds.sum)
        if ledger.glass.count:
            glass.add_metric([stream.name], list(ledger.glass.buckets()), ledger.glass.sum)
        if ledger.camera.count:
            camera.add_metric([stream.name], list(ledger.camera.buckets()), ledger.camera.sum)
        for outcome, count in ledger.receipts.items():
            painted.add_metric([stream.name, outcome], count)
    yield from (stages, glass, camera, painted)
