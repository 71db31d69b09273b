"""serving.metrics is read as TensorFlow Serving's metrics are: same names, same labels, same buckets."""

import asyncio
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tensorflow.core.framework import summary_pb2
from tensorflow.python.eager import monitoring as tensorflow_monitoring

from serving.metrics import LATENCY, MAX_STRANGE_LENGTH, MAX_STRANGE_NAMES, OTHER, QUEUING, ROWS, Histogram, Metrics
from serving.rest import RestServer
from tests.peers.prometheus import run_prometheus
from tests.peers.required import requires

# What tensorflow_model_server exports: name, type and labels, as its source declares them.
EXPORTED = {
    ":tensorflow:serving:request_count": ("counter", ("model_name", "status")),
    ":tensorflow:serving:request_latency": ("histogram", ("model_name", "API", "entrypoint")),
    ":tensorflow:serving:runtime_latency": ("histogram", ("model_name", "API", "runtime")),
    ":tensorflow:serving:model_warmup_latency": ("histogram", ("model_path", "status")),
    ":tensorflow:serving:model_warmup_records_read": ("counter", ("model_path", "status")),
    ":tensorflow:serving:batching_session:queuing_latency": ("histogram", ("thread_pool_name",)),
    ":tensorflow:serving:batching_session:input_batch_size": ("histogram", ()),
    ":tensorflow:serving:batching_session:processed_batch_size": ("histogram", ()),
    ":tensorflow:serving:batching_session:padding_size": ("histogram", ("execution_batch_size",)),
    ":tensorflow:serving:batching_session:wrapped_run_count": ("counter", ()),
    ":tensorflow:cc:saved_model:load_attempt_count": ("counter", ("model_path", "status")),
    ":tensorflow:cc:saved_model:load_latency": ("counter", ("model_path",)),
}


def full() -> Metrics:
    """Metrics with something in each of them."""
    metrics = Metrics()
    metrics.request("tiny", "OK")
    metrics.request("tiny", "UNAVAILABLE")
    metrics.request_latency("tiny", "Predict", "GRPC", 0.0125)
    metrics.runtime_latency("tiny", "Predict", "TF1", 0.012)
    metrics.queuing_latency("batch_threads", 0.001)
    metrics.batch(rows=3, padding=1)
    metrics.input_batch_size(3)
    metrics.wrapped_run()
    metrics.warm_up("/models/tiny/1", "OK", 1.5, records=4)
    metrics.load("/models/tiny/1", True, 2.25)
    metrics.load("/models/tiny/2", False, 0.5)
    return metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The page as Prometheus' own client library reads it, but for the `_total` it adds: name and labels to value."""
    families = text_string_to_metric_families(metrics.text())
    return {
        (sample.name.removesuffix("_total"), tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_names_types_and_labels_are_tensorflow_servings() -> None:
    """Each metric has the name, the type and the labels that a dashboard of TensorFlow Serving asks for."""
    text = full().text()
    assert re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE) == [
        (name, kind) for name, (kind, _) in sorted(EXPORTED.items())
    ]
    for name, (kind, labels) in EXPORTED.items():
        suffix, le = ("_bucket", ("le",)) if kind == "histogram" else ("", ())
        found = re.findall(rf"^{name}{suffix}{{(.*)}} \d+$", text, re.MULTILINE)
        assert found
        for pairs in found:
            assert tuple(re.findall(r'(\w+)="', pairs)) == labels + le


def test_the_page_is_written_as_tensorflow_serving_writes_it() -> None:
    """Braces stay where there are no labels, the last bucket is +Inf, sums are whole, metrics and labels are sorted."""
    metrics = Metrics()
    metrics.wrapped_run()
    metrics.input_batch_size(5)
    metrics.request("b", "OK")
    metrics.request("a", "OK")
    lines = metrics.text().split("\n")
    assert lines[-1] == ""
    assert ":tensorflow:serving:batching_session:wrapped_run_count{} 1" in lines
    assert [line for line in lines if "input_batch_size" in line] == [
        "# TYPE :tensorflow:serving:batching_session:input_batch_size histogram",
        *(
            f':tensorflow:serving:batching_session:input_batch_size_bucket{{le="{le}"}} {int(le > 5)}'
            for le in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
        ),
        ':tensorflow:serving:batching_session:input_batch_size_bucket{le="+Inf"} 1',
        ":tensorflow:serving:batching_session:input_batch_size_sum{} 5",
        ":tensorflow:serving:batching_session:input_batch_size_count{} 1",
    ]
    assert [line for line in lines if "request_count{" in line] == [
        ':tensorflow:serving:request_count{model_name="a",status="OK"} 1',
        ':tensorflow:serving:request_count{model_name="b",status="OK"} 1',
    ]


@pytest.mark.parametrize(
    ("bounds", "scheme"),
    [(LATENCY, (10, 1.8, 33)), (QUEUING, (100, 1.2, 52)), (ROWS, (1, 2, 14))],
    ids=["latency", "queuing", "rows"],
)
def test_buckets_are_tensorflows(bounds: tuple[float, ...], scheme: tuple[float, float, int]) -> None:
    """A value falls into the bucket where TensorFlow's own Sampler puts it; on a bound that is the one above."""
    name = f"/sightline/test/{scheme[2]}"
    sampler = tensorflow_monitoring.Sampler(name, tensorflow_monitoring.ExponentialBuckets(*scheme), "for this test")
    ours = Histogram("ours", bounds)
    for value in (0.0, *bounds[:9], bounds[0] / 2, bounds[5] + 0.5, bounds[-1], bounds[-1] * 10):
        sampler.get_cell().add(value)
        ours.add(value)
    theirs = summary_pb2.HistogramProto.FromString(serialized(sampler.get_cell()))
    [(counts, total)] = ours._cells.values()
    assert (*bounds, pytest.approx(1.7976931348623157e308)) == tuple(theirs.bucket_limit)
    assert counts == list(theirs.bucket)
    assert total == theirs.sum


def serialized(cell: Any) -> bytes:
    """The histogram of a cell; `value()` hands out the message of TensorFlow's Python."""
    return bytes(cell.value().SerializeToString())


def test_prometheus_client_reads_the_page() -> None:
    """Prometheus' Python parser finds every value under its labels, in microseconds."""
    found = samples(full())
    by_model = (("API", "Predict"), ("entrypoint", "GRPC"), ("model_name", "tiny"))
    assert found[":tensorflow:serving:request_count", (("model_name", "tiny"), ("status", "UNAVAILABLE"))] == 1
    assert found[":tensorflow:serving:request_latency_sum", by_model] == 12500
    assert found[":tensorflow:serving:batching_session:processed_batch_size_sum", ()] == 4
    assert found[":tensorflow:serving:batching_session:padding_size_sum", (("execution_batch_size", "4"),)] == 1
    path = ("model_path", "/models/tiny/2")
    assert found[":tensorflow:cc:saved_model:load_attempt_count", (path, ("status", "fail"))] == 1
    assert found[":tensorflow:cc:saved_model:load_latency", (path,)] == 500000
    warm = (("model_path", "/models/tiny/1"), ("status", "OK"))
    assert found[":tensorflow:serving:model_warmup_records_read", warm] == 4


def test_nothing_counted_is_a_page_too() -> None:
    """Before the first request there are types and no samples, as there."""
    assert samples(Metrics()) == {}
    assert len(Metrics().text().splitlines()) == len(EXPORTED)


@pytest.mark.parametrize("name", ['a"b', "a\\", "a\nb", 'le="1"} 5', "é", "\\n", ""])
def test_names_cannot_break_the_page(name: str) -> None:
    """Whatever a caller calls a model is one label's value, and comes back as it was."""
    metrics = Metrics()
    metrics.request(name, "NOT_FOUND")
    pairs = (("model_name", name), ("status", "NOT_FOUND"))
    assert samples(metrics) == {(":tensorflow:serving:request_count", pairs): 1}


def test_strangers_cannot_fill_the_memory() -> None:
    """Invented names are kept up to a limit and then counted as one; a model that answers keeps its own name."""
    metrics = Metrics()
    for number in range(10 * MAX_STRANGE_NAMES):
        metrics.request(f"who{number}", "NOT_FOUND")
    metrics.request("x" * (MAX_STRANGE_LENGTH + 1), "NOT_FOUND")
    metrics.request("late", "OK")
    metrics.request("late", "UNAVAILABLE")
    found = samples(metrics)
    counted = {dict(labels)["model_name"]: value for (_, labels), value in found.items()}
    assert len(counted) == MAX_STRANGE_NAMES + 2
    assert counted[OTHER] == 9 * MAX_STRANGE_NAMES + 1
    for status in ("OK", "UNAVAILABLE"):
        assert found[":tensorflow:serving:request_count", (("model_name", "late"), ("status", status))] == 1


def test_no_count_is_lost_between_threads() -> None:
    """Many threads may count, and read, at once."""
    metrics = Metrics()

    def count(_number: int) -> None:
        for _ in range(500):
            metrics.request("tiny", "OK")
            metrics.batch(2, 2)
        metrics.text()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    found = samples(metrics)
    assert found[":tensorflow:serving:request_count", (("model_name", "tiny"), ("status", "OK"))] == 4000
    assert found[":tensorflow:serving:batching_session:processed_batch_size_count", ()] == 4000


def test_promtool_reads_the_page() -> None:
    """Prometheus' own tool parses the page; all it minds is style: names it would not have chosen, and no help."""
    requires("promtool")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=full().text(), capture_output=True, text=True, check=False
    )
    style = ("no help text", "should not contain ':'", 'should have "_total" suffix', 'should not have "_count" suffix')
    complaints = [line for line in done.stderr.splitlines() if not any(words in line for words in style)]
    assert complaints == []
    assert done.returncode == 3, "it has found nothing to say about style, so it has read nothing"


async def test_prometheus_scrapes_the_rest_port(tmp_path: Path) -> None:
    """A real Prometheus finds every metric on the REST port, under the names the dashboard asks for."""
    server = await asyncio.to_thread(RestServer, "127.0.0.1", 0, print, print, full(), "/monitoring/prometheus/metrics")
    job = {
        "job_name": "tensorflow-serving",
        "metrics_path": "/monitoring/prometheus/metrics",
        "scrape_interval": "1s",
        "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}],
    }
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [job]}))
    try:
        async with run_prometheus(tmp_path / "prometheus.yml") as prometheus:
            assert await prometheus.wait_for('up{job="tensorflow-serving"} == 1')
            for name, (kind, labels) in EXPORTED.items():
                series = name + ("_count" if kind == "histogram" else "")
                found = await prometheus.wait_for(f'{{__name__="{series}"}}')
                for matched, value in found:
                    assert value > 0
                    assert matched.keys() - {"__name__", "job", "instance"} == set(labels)
    finally:
        await asyncio.to_thread(server.close)
