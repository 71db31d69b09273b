"""Many callers' requests in batches, by TensorFlow's own scheduler.

`BatchFunction` is the op under tf.nondifferentiable_batch_function, and its SharedBatchScheduler is the one that
TensorFlow Serving's batching runs on: the same queues, the same refusals, the same words. The decorator cannot be used
as it is: it names the scheduler after the op, so that all decorated functions of a process share one queue and answer
each other's callers. And its own merging and splitting is not TensorFlow Serving's: it knows neither deadlines nor
padding, and says otherwise what does not fit together.

So here only *tickets* go through the op, one row of (task, row) for each row of a request. When a batch is due the op
calls back with the tickets that are in it, and `process` makes of them what it likes:

    caller ──tickets──► BatchFunction ──(a batch of tickets)──► process ──► results, into the tasks
       ◄───────────────────── the op returns ──────────────────────┘
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.batching import BatchingParameters
from serving.errors import ServingError, status_code

_numbers = itertools.count()


class Task(Protocol):
    """One request that waits to be processed, with `rows` rows."""

    rows: int

    def fail(self, error: Exception) -> None:
        """Remember why there is no result."""


@dataclass(frozen=True)
class Part:
    """Some rows of a task that are in one batch: all of them, unless large requests are split."""

    task: Any
    start: int
    stop: int


Process = Callable[[list[Part]], None]
"""Makes the results of one batch and puts them into its tasks. Called from a batch thread."""


class BatchScheduler:
    """`num_batch_threads` threads that serve any number of queues in turn."""

    def __init__(self, parameters: BatchingParameters) -> None:
        self.parameters = parameters
        self._name = f"sightline-{next(_numbers)}"
        self._tickets = itertools.count()
        self._waiting: dict[int, tuple[Task, Process]] = {}
        self._graph = tf.Graph()
        with self._graph.as_default():

            @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.int64)], autograph=False)  # type: ignore[untyped-decorator]
            def due(tickets: Any) -> Any:
                return tf.numpy_function(self._on_batch, [tickets], tf.int64)

            self._due = due.get_concrete_function()
        # Threads of its own: while a batch is processed one of them waits for the model's session, whose threads must
        # not be these.
        threads = tf.compat.v1.ConfigProto(
            use_per_session_threads=True,
            inter_op_parallelism_threads=parameters.num_batch_threads + 1,
            intra_op_parallelism_threads=1,
            device_count={"GPU": 0},
        )
        self._session = tf.compat.v1.Session(graph=self._graph, config=threads)

    def queue(self, name: str, process: Process) -> Callable[[Task], None]:
        """A queue of its own: what is put into it is batched with nothing else.

        Args:
            name: for the log; made unique here.
            process: takes each batch.

        Returns:
            A function that puts a task in and returns when every row of it has been processed. It raises ServingError
            with the scheduler's own words: UNAVAILABLE where the queue is full, INVALID_ARGUMENT where a task has more
            rows than a batch.
        """
        given = self.parameters
        # The op learns the size at which it must split from here, and from nowhere else; it pads up to it as well.
        sizes = [given.execution_size] if given.enable_large_batch_splitting else []
        with self._graph.as_default():
            tickets = tf.compat.v1.placeholder(tf.int64, [None, 2])
            (done,) = tf.raw_ops.BatchFunction(
                in_tensors=[tickets],
                captured_tensors=[],
                f=self._due,
                num_batch_threads=given.num_batch_threads,
                max_batch_size=given.max_batch_size,
                batch_timeout_micros=round(given.batch_timeout * 1e6),
                Tout=[tf.int64],
                max_enqueued_batches=given.max_enqueued_batches,
                allowed_batch_sizes=sizes,
                shared_name=self._name,
                batching_queue=f"{name}#{next(_numbers)}",
                enable_large_batch_splitting=given.enable_large_batch_splitting,
            )
        fed, fetched = tickets._as_tf_output(), done._as_tf_output()  # noqa: SLF001  see serving.session

        def run(task: Task) -> None:
            ticket = next(self._tickets)
            self._waiting[ticket] = (task, process)
            try:
                rows = np.column_stack([np.full(task.rows, ticket), np.arange(task.rows)])
                self._session._call_tf_sessionrun(None, {fed: rows}, [fetched], [], None)  # noqa: SLF001
            except tf.errors.OpError as error:
                raise ServingError(status_code(error.error_code), error.message.partition("\n\t [[")[0]) from None
            finally:
                del self._waiting[ticket]

        return run

    @property
    def waiting(self) -> int:
        """Tasks that wait or are being processed."""
        return len(self._waiting)

    def close(self) -> None:
        """End the threads; nothing may be waiting."""
        self._session.close()

    def _on_batch(self, tickets: NDArray[np.int64]) -> NDArray[np.int64]:
        parts, process = self._parts(tickets)
        try:
            process(parts)
        except Exception as error:  # noqa: BLE001  raised here it would reach the callers as a trace of this thread
            for part in parts:
                part.task.fail(error)
        return tickets

    def _parts(self, tickets: NDArray[np.int64]) -> tuple[list[Part], Process]:
        rows: dict[int, list[int]] = {}
        for ticket, row in tickets.tolist():
            rows.setdefault(ticket, []).append(row)
        # What the op pads a batch with repeats the first of its last task's rows.
        parts = [Part(self._waiting[ticket][0], numbers[0], max(numbers) + 1) for ticket, numbers in rows.items()]
        _, process = self._waiting[next(iter(rows))]  # the same of all: a queue has one
        return parts, process


def whole(parts: Sequence[Part]) -> int:
    """Rows of a batch."""
    return sum(part.stop - part.start for part in parts)
