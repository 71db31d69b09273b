"""What the server counts, under TensorFlow Serving's own Prometheus names, so that one dashboard reads either server.

Names, labels, units (microseconds) and buckets are those of servables/tensorflow/util.cc, saved_model_warmup_util.cc,
batching/batching_session.cc and batching_util.h in tensorflow/serving and of cc/saved_model/loader.cc in TensorFlow;
the page is that of util/prometheus_exporter.cc. It is written by hand because prometheus-client cannot: it names every
counter `..._total`, and its buckets take a value that lies on a bound into the lower one, TensorFlow's into the upper.
"""

import threading
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

MAX_STRANGE_NAMES = 100
MAX_STRANGE_LENGTH = 100
OTHER = "(other)"
"""TensorFlow Serving keeps a counter for every model name that a caller ever invents. Here names that never had an
answer are kept up to these limits, the rest counted as one, so that a stranger cannot fill the memory."""

Labels = tuple[str, ...]


class Counter:
    """A number that only grows, one for each combination of label values."""

    kind = "counter"

    def __init__(self, name: str, *labels: str) -> None:
        self.name = name
        self._labels = labels
        self._lock = threading.Lock()
        self._cells: dict[Labels, int] = {}

    def add(self, amount: int, *values: str) -> None:
        """Grow by `amount`; `values` are those of the labels, in their order."""
        with self._lock:
            self._cells[values] = self._cells.get(values, 0) + amount

    def lines(self) -> Iterator[str]:
        """The samples, ordered by label values."""
        with self._lock:
            cells = sorted(self._cells.items())
        for values, number in cells:
            yield f"{self.name}{{{_pairs(self._labels, values)}}} {number}"


class Histogram:
    """How often which values came, one for each combination of label values; buckets are [bound, next bound)."""

    kind = "histogram"

    def __init__(self, name: str, bounds: tuple[float, ...], *labels: str) -> None:
        self.name = name
        self._bounds = bounds
        self._labels = labels
        self._lock = threading.Lock()
        self._cells: dict[Labels, tuple[list[int], float]] = {}

    def add(self, value: float, *values: str) -> None:
        """Take in one value; `values` are those of the labels, in their order."""
        with self._lock:
            counts, total = self._cells.get(values) or ([0] * (len(self._bounds) + 1), 0.0)
            counts[bisect_right(self._bounds, value)] += 1
            self._cells[values] = counts, total + value

    def lines(self) -> Iterator[str]:
        """The samples, ordered by label values."""
        with self._lock:
            cells = [(values, list(counts), total) for values, (counts, total) in sorted(self._cells.items())]
        limits = [f"{bound:g}" for bound in self._bounds] + ["+Inf"]
        for values, counts, total in cells:
            pairs = _pairs(self._labels, values)
            for limit, count in zip(limits, accumulate(counts), strict=True):
                yield f'{self.name}_bucket{{{pairs}{"," if pairs else ""}le="{limit}"}} {count}'
            # TensorFlow Serving prints six digits, and a rate over its sums moves in steps; here nothing is lost.
            yield f"{self.name}_sum{{{pairs}}} {total:.16g}"
            yield f"{self.name}_count{{{pairs}}} {sum(counts)}"


def exponential(scale: float, growth: float, count: int) -> tuple[float, ...]:
    """Bounds as tsl::monitoring::Buckets::Exponential makes them; above the last there is one more bucket."""
    bounds = [scale]
    while len(bounds) < count:
        bounds.append(bounds[-1] * growth)
    return tuple(bounds)


LATENCY = exponential(10, 1.8, 33)
"""Microseconds up to 25 minutes."""
QUEUING = exponential(100, 1.2, 52)
"""Microseconds up to 1.1 seconds."""
ROWS = exponential(1, 2, 14)


class Metrics:
    """One server's counters; every method may be called from any thread. Times are taken in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: set[str] = set()
        self._strange: set[str] = set()
        serving, batching, loader = ":tensorflow:serving:", ":tensorflow:serving:batching_session:", ":tensorflow:cc:"
        self._requests = Counter(f"{serving}request_count", "model_name", "status")
        self._request_latency = Histogram(f"{serving}request_latency", LATENCY, "model_name", "API", "entrypoint")
        self._runtime_latency = Histogram(f"{serving}runtime_latency", LATENCY, "model_name", "API", "runtime")
        self._warm_up_latency = Histogram(f"{serving}model_warmup_latency", LATENCY, "model_path", "status")
        self._warm_up_records = Counter(f"{serving}model_warmup_records_read", "model_path", "status")
        self._queuing_latency = Histogram(f"{batching}queuing_latency", QUEUING, "thread_pool_name")
        self._input_batch_size = Histogram(f"{batching}input_batch_size", ROWS)
        self._processed_batch_size = Histogram(f"{batching}processed_batch_size", ROWS)
        self._padding_size = Histogram(f"{batching}padding_size", ROWS, "execution_batch_size")
        self._wrapped_runs = Counter(f"{batching}wrapped_run_count")
        self._loads = Counter(f"{loader}saved_model:load_attempt_count", "model_path", "status")
        self._load_latency = Counter(f"{loader}saved_model:load_latency", "model_path")

    def request(self, model: str, status: str) -> None:
        """One request was answered with a status by its canonical name: OK, NOT_FOUND, ..."""
        self._requests.add(1, self._known(model, status), status)

    def request_latency(self, model: str, api: str, entrypoint: str, seconds: float) -> None:
        """One request succeeded; `api` is Predict, `entrypoint` GRPC or REST."""
        self._request_latency.add(_micros(seconds), model, api, entrypoint)

    def runtime_latency(self, model: str, api: str, runtime: str, seconds: float) -> None:
        """The model's part of one request, the wait for its batch included; TensorFlow Serving's `runtime` is TF1."""
        self._runtime_latency.add(_micros(seconds), model, api, runtime)

    def queuing_latency(self, thread_pool_name: str, seconds: float) -> None:
        """One request left the batch queue."""
        self._queuing_latency.add(_micros(seconds), thread_pool_name)

    def batch(self, rows: int, padding: int) -> None:
        """One batch was made of `rows` rows of requests and `padding` rows more."""
        self._padding_size.add(padding, str(rows + padding))
        self._processed_batch_size.add(rows + padding)

    def input_batch_size(self, rows: int) -> None:
        """One input of one request came to be batched. TensorFlow Serving counts each input tensor of a request."""
        self._input_batch_size.add(rows)

    def wrapped_run(self) -> None:
        """One batch was run."""
        self._wrapped_runs.add(1)

    def warm_up(self, model_path: str, status: str, seconds: float, records: int) -> None:
        """One version's warm-up records were read to the end; `status` is OK or `CODE: message`."""
        self._warm_up_latency.add(_micros(seconds), model_path, status)
        self._warm_up_records.add(records, model_path, status)

    def load(self, model_path: str, succeeded: bool, seconds: float) -> None:
        """One attempt to load a SavedModel ended."""
        self._loads.add(1, model_path, "success" if succeeded else "fail")
        self._load_latency.add(_micros(seconds), model_path)

    def text(self) -> str:
        """The page: Prometheus' text format, metrics by name; one that has counted nothing has its type line alone."""
        families = (found for found in vars(self).values() if isinstance(found, Counter | Histogram))
        lines: list[str] = []
        for family in sorted(families, key=lambda family: family.name):
            lines += [f"# TYPE {family.name} {family.kind}", *family.lines()]
        return "\n".join(lines) + "\n"

    def _known(self, model: str, status: str) -> str:
        with self._lock:
            if status == "OK":
                self._answered.add(model)
            elif model not in self._answered and model not in self._strange:
                if len(model) > MAX_STRANGE_LENGTH or len(self._strange) >= MAX_STRANGE_NAMES:
                    return OTHER
                self._strange.add(model)
        return model


def _micros(seconds: float) -> int:
    return max(0, round(seconds * 1e6))  # TensorFlow Serving's clock is also read twice, and never gives less than 0


def _pairs(labels: Labels, values: Labels) -> str:
    return ",".join(f'{label}="{_escape(value)}"' for label, value in zip(labels, values, strict=True))


def _escape(value: str) -> str:
    """As the format asks for; TensorFlow Serving leaves a line break in, which ends its page for any reader."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
