"""serving.batching_session merges requests and splits answers as TensorFlow Serving's BatchingSession does.

The scheduler is TensorFlow's own; only the session behind it is a fake, to see what reaches it.
"""

import random
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from serving.batching import BatchingParameters
from serving.batching_session import BatchingSession
from serving.errors import ServingError
from serving.metrics import Metrics
from serving.scheduler import BatchScheduler

FULL = 30.0
"""Seconds a batch waits for more. No test waits that long: its batches are full at once."""


class FakeSession:
    """Doubles what it is fed, and remembers it. A `serving.session.Session` as far as batching knows one."""

    def __init__(self) -> None:
        self.batches: list[NDArray[Any]] = []
        self.timeouts: list[float | None] = []
        self.answer: Any = lambda x: 2 * x

    def check_dtypes(self, feeds: Mapping[str, NDArray[Any]]) -> None:
        """Float32 is wanted."""
        if feeds["x"].dtype != np.float32:
            raise ServingError(grpc.StatusCode.INVALID_ARGUMENT, "wrong dtype")

    def run(
        self, feeds: Mapping[str, NDArray[Any]], fetches: Sequence[str], timeout: float | None = None
    ) -> list[NDArray[Any]]:
        """Answer each fetch with the double of x, but `minus` with its negative."""
        self.batches.append(feeds["x"])
        self.timeouts.append(timeout)
        return [-feeds["x"] if name == "minus" else self.answer(feeds["x"]) for name in fetches]


class FakeClock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


class Bench:
    """A batching session to be called from several threads."""

    def __init__(self, parameters: BatchingParameters, threads: ThreadPoolExecutor) -> None:
        self.session = FakeSession()
        self.metrics = Metrics()
        self.clock = FakeClock()
        self.scheduler = BatchScheduler(parameters)
        fake: Any = self.session
        self.batching = BatchingSession(fake, self.scheduler, self.metrics, self.clock)
        self._threads = threads

    def call(self, value: Any, *fetches: str, timeout: float | None = None) -> "Future[list[NDArray[Any]]]":
        """Put a request in, and return when it is on its way into the queue, or done."""
        before = self.scheduler.taken
        rows = value if isinstance(value, np.ndarray) else np.asarray(value, np.float32)
        call = self._threads.submit(self.batching.run, {"x": rows}, fetches or ("double",), timeout)
        while self.scheduler.taken == before and not call.done():
            threading.Event().wait(0.001)
        return call


@contextmanager
def bench(**parameters: Any) -> Iterator[Bench]:
    """A batching session on a scheduler with these parameters."""
    defaults = {"num_batch_threads": 1, "batch_timeout": FULL, "max_batch_size": 2}
    with ThreadPoolExecutor(40) as threads:
        made = Bench(BatchingParameters(**(defaults | parameters)), threads)
        yield made
        threads.shutdown()
        made.scheduler.close()


def refused(call: "Future[Any]") -> tuple[grpc.StatusCode, str]:
    """The code and words a call failed with."""
    error = call.exception(30)
    assert isinstance(error, ServingError)
    return error.code, str(error)


def test_requests_meet_in_one_batch() -> None:
    """Rows of requests that arrive together run at once, and each gets its own."""
    with bench(max_batch_size=4) as made:
        calls = [made.call(value) for value in ([[1]], [[2], [3]], [[4]])]
        assert [call.result(30)[0].tolist() for call in calls] == [[[2]], [[4], [6]], [[8]]]
        assert [len(batch) for batch in made.session.batches] == [4]
        assert sorted(made.session.batches[0].ravel()) == [1, 2, 3, 4]


def test_every_set_of_outputs_has_its_queue() -> None:
    """Requests for other outputs never share a batch; the order of an output_filter makes no difference."""
    with bench() as made:
        calls = [made.call([[1]], "double", "minus"), made.call([[9]]), made.call([[2]], "minus", "double")]
        assert [array.tolist() for array in calls[0].result(30)] == [[[2]], [[-1]]]
        assert [array.tolist() for array in calls[2].result(30)] == [[[-2]], [[4]]]
        assert not calls[1].done()
        made.call([[8]]).result(30)
        assert [sorted(batch.ravel().tolist()) for batch in made.session.batches] == [[1, 2], [8, 9]]


def test_sessions_of_one_scheduler_keep_to_themselves() -> None:
    """Two versions on one scheduler, called at once from many threads, never answer for each other.

    tf.nondifferentiable_batch_function fails this: all its functions in a process share one queue.
    """
    with bench(max_batch_size=8, batch_timeout=0.002, num_batch_threads=2, max_enqueued_batches=100) as made:
        other: Any = FakeSession()
        other.answer = lambda x: x + 1000
        sessions = [made.batching, BatchingSession(other, made.scheduler, made.metrics)]

        def call(number: int) -> None:
            rows = np.full((1 + number % 3, 2), number, np.float32)
            (got,) = sessions[number % 2].run({"x": rows}, ["double"])
            np.testing.assert_array_equal(got, rows + 1000 if number % 2 else 2 * rows)

        with ThreadPoolExecutor(32) as threads:
            list(threads.map(call, range(3000)))


def test_batches_are_padded_with_the_last_requests_first_row() -> None:
    """Up to an allowed size, and nobody sees the padding."""
    with bench(max_batch_size=4, batch_timeout=0.0, allowed_batch_sizes=(1, 4)) as made:
        assert made.call([[5], [6]]).result(30)[0].tolist() == [[10], [12]]
        assert made.session.batches[0].ravel().tolist() == [5, 6, 5, 5]
        page = made.metrics.text()
    assert ':tensorflow:serving:batching_session:padding_size_sum{execution_batch_size="4"} 2' in page
    assert ":tensorflow:serving:batching_session:processed_batch_size_sum{} 4" in page
    assert ":tensorflow:serving:batching_session:wrapped_run_count{} 1" in page


@pytest.mark.parametrize("allowed", [(), (2, 4, 16)])
def test_large_requests_are_split(allowed: tuple[int, ...]) -> None:
    """With splitting on, a request of ten rows runs in batches of at most four, and its rows come back in order."""
    with bench(
        max_batch_size=16,
        enable_large_batch_splitting=True,
        max_execution_batch_size=4,
        allowed_batch_sizes=allowed,
        batch_timeout=0.0,
        num_batch_threads=2,
    ) as made:
        rows = np.arange(10, dtype=np.float32).reshape(10, 1)
        np.testing.assert_array_equal(made.call(rows).result(30)[0], 2 * rows)
        assert sorted(len(batch) for batch in made.session.batches) == [2, 4, 4]
        assert refused(made.call([[0]] * 17)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "Task size 17 is larger than maximum input batch size 16",
        )


def test_a_failure_fails_the_batch_and_no_other() -> None:
    """Every request of a batch gets its error; those before and after are answered."""
    with bench() as made:

        def picky(x: NDArray[Any]) -> NDArray[Any]:
            if (x == 13).any():
                raise ServingError(grpc.StatusCode.INVALID_ARGUMENT, "unlucky")
            return x

        made.session.answer = picky
        for pair in ((1, 2), (4, 5)):
            calls = [made.call([[value]]) for value in pair]
            assert [call.result(30)[0].item() for call in calls] == list(pair)
            unlucky = [made.call([[3]]), made.call([[13]])]
            assert {refused(call) for call in unlucky} == {(grpc.StatusCode.INVALID_ARGUMENT, "unlucky")}


def test_shapes_that_differ_fail_the_batch() -> None:
    """Without padding, requests of other dimensions fail whoever they meet."""
    with bench() as made:
        calls = [made.call([[0, 0]]), made.call([[0, 0, 0]])]
        code, words = refused(calls[0])
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert words.startswith("Tensors with name 'x' from different tasks have different shapes and padding is")
        assert refused(calls[1]) == (code, words)
        assert made.session.batches == []


def test_variable_length_inputs_are_padded() -> None:
    """With padding on, each tensor grows to the largest with its own first element; ranks must agree."""
    with bench(pad_variable_length_inputs=True) as made:
        calls = [made.call([[1, 2]]), made.call([[3, 4, 5]])]
        assert [call.result(30)[0].tolist() for call in calls] == [[[2, 4, 2]], [[6, 8, 10]]]
        assert refused([made.call([[1]]), made.call([[[1]]])][1]) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "Only tensors with rank from 1 to 6 can be padded.",
        )


def test_deadlines_count_when_the_batch_is_taken() -> None:
    """A batch in which every deadline has passed is not run; one request in time takes the others with it."""
    with bench() as made:
        late = [made.call([[1]], timeout=1.0)]
        made.clock.now = 5.0
        late.append(made.call([[2]], timeout=0.0))
        words = "Run() timeout exceeded while waiting in batching queue"
        assert {refused(call) for call in late} == {(grpc.StatusCode.RESOURCE_EXHAUSTED, words)}
        assert made.session.batches == []
        mixed = [made.call([[3]], timeout=0.5)]
        made.clock.now = 6.0
        mixed.append(made.call([[4]], timeout=2.0))
        assert [call.result(30)[0].tolist() for call in mixed] == [[[6]], [[8]]]
        assert made.session.timeouts == [2.0]
        page = made.metrics.text()
    assert 'queuing_latency_sum{thread_pool_name="batch_threads"} 6000000' in page


def test_a_batch_is_limited_by_the_longest_deadline() -> None:
    """Whoever waits for ever lets the whole batch run as long as it takes."""
    with bench() as made:
        for call in [made.call([[1]], timeout=1.0), made.call([[2]])]:
            call.result(30)
        assert made.session.timeouts == [None]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: np.float32(x.sum()), "Batched output tensor has 0 dimensions"),
        (
            lambda x: x[:1],
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input "
            "tensors",
        ),
    ],
)
def test_outputs_that_cannot_be_split_fail_the_batch(answer: Any, words: str) -> None:
    """An output without a row for each row fed is nobody's."""
    with bench() as made:
        made.session.answer = answer
        calls = [made.call([[1]]), made.call([[2]])]
        assert {refused(call) for call in calls} == {(grpc.StatusCode.FAILED_PRECONDITION, words)}


def test_a_wrong_dtype_fails_alone() -> None:
    """Where the runtime would refuse the whole batch, whoever sent the dtype is refused; the others are answered."""
    with bench(max_batch_size=3) as made:
        calls = [made.call([[1]]), made.call(np.array([[2]], np.int32)), made.call([[3]])]
        assert [calls[0].result(30)[0].tolist(), calls[2].result(30)[0].tolist()] == [[[2]], [[6]]]
        assert refused(calls[1]) == (grpc.StatusCode.INVALID_ARGUMENT, "wrong dtype")


def test_queues_are_used_again() -> None:
    """Versions that come and go take the queues of those before them: TensorFlow keeps every queue for good."""
    with bench(batch_timeout=0.0) as made:
        for version in range(50):
            session: Any = FakeSession()
            batching = BatchingSession(session, made.scheduler, made.metrics)
            x = np.full((1, 1), version, np.float32)
            assert batching.run({"x": x}, ["double"])[0].item() == 2 * version
            assert batching.run({"x": x}, ["minus"])[0].item() == -version
            batching.close()
        operations = [operation.type for operation in made.scheduler.session.graph.get_operations()]
        assert operations.count("BatchFunction") == 2


def test_queues_are_made_by_many_at_once() -> None:
    """Sessions that need their first queue in the same moment each get one of their own."""
    with bench(batch_timeout=0.0, max_enqueued_batches=100) as made:

        def first_call(number: int) -> float:
            session: Any = FakeSession()
            rows = np.full((1, 1), number, np.float32)
            return float(BatchingSession(session, made.scheduler, made.metrics).run({"x": rows}, ["double"])[0].item())

        with ThreadPoolExecutor(16) as threads:
            assert list(threads.map(first_call, range(64))) == [2.0 * number for number in range(64)]


def test_a_refused_request_is_not_kept() -> None:
    """The error a caller gets holds neither its tensors nor its batch."""
    with bench(max_batch_size=1) as made:
        made.session.answer = lambda _x: np.float32(1)
        rows = np.zeros((1, 1000), np.float32)
        kept = weakref.ref(rows)
        call = made.call(rows)
        del rows
        assert refused(call)[0] is grpc.StatusCode.FAILED_PRECONDITION
        made.session.batches.clear()
        del call
        assert kept() is None


def test_no_rows_run_by_themselves() -> None:
    """A request without rows waits for nobody: there is nothing to count."""
    with bench() as made:
        assert made.call(np.zeros((0, 3), np.float32)).result(30)[0].shape == (0, 3)


def test_a_full_queue_refuses_in_the_schedulers_words() -> None:
    """What exceeds max_enqueued_batches is UNAVAILABLE at once; what is in the queue is answered."""
    with bench(max_batch_size=1, max_enqueued_batches=2) as made:
        go = threading.Event()
        made.session.answer = lambda x: [go.wait(30), x][1]
        calls = [made.call([[number]]) for number in range(12)]
        while made.scheduler.waiting > 3:  # one in work and two in the queue; the others are being told
            threading.Event().wait(0.001)
        go.set()
        refusals = {call for call in calls if call.exception(30)}
        assert 9 <= len(refusals) < 12
        assert {refused(call) for call in refusals} == {
            (
                grpc.StatusCode.UNAVAILABLE,
                "The batch scheduling queue to which this task was submitted is full; "
                "currently 2 batches enqueued and max_enqueued_batches is 2",
            )
        }


def test_thousands_of_callers_get_their_own_rows() -> None:
    """Whatever the sizes, the splits and the failures, every row is made of its own."""
    with bench(
        max_batch_size=16,
        batch_timeout=0.0005,
        num_batch_threads=3,
        max_enqueued_batches=1000,
        enable_large_batch_splitting=True,
        max_execution_batch_size=8,
    ) as made:

        def call(number: int) -> None:
            rows = np.full((random.Random(number).randint(1, 16), 3), number, np.float32)
            (got,) = made.batching.run({"x": rows}, ["double"])
            np.testing.assert_array_equal(got, 2 * rows)

        with ThreadPoolExecutor(32) as threads:
            list(threads.map(call, range(4000)))
        assert any(len(set(batch[:, 0])) > 1 for batch in made.session.batches)
