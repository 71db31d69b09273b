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
import threading
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

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start


Process = Callable[[list[Part]], None]
"""Makes the results of one batch and puts them into its tasks. Called from a batch thread."""


class Queue:
    """A queue of its own: what is put into it is batched with nothing else. Made by `BatchScheduler.queue`."""

    def __init__(self, scheduler: "BatchScheduler", fed: Any, fetched: Any) -> None:
        self._scheduler, self._fed, self._fetched = scheduler, fed, fetched

    def run(self, task: Task, process: Process) -> None:
        """Put a task in, and return when every row of it has been processed.

        Raises:
            ServingError: in the scheduler's own words: UNAVAILABLE where the queue is full, INVALID_ARGUMENT where the
                task has more rows than a batch.
        """
        with self._scheduler.ticket(task, process) as ticket:
            rows = np.column_stack([np.full(task.rows, ticket), np.arange(task.rows)])
            try:
                self._scheduler.session._call_tf_sessionrun(None, {self._fed: rows}, [self._fetched], [], None)  # noqa: SLF001
            except tf.errors.OpError as error:
                raise ServingError(status_code(error.error_code), error.message.partition("\n\t [[")[0]) from None


class _Ticket:
    """A task's place among those that wait."""

    def __init__(self, waiting: dict[int, tuple[Task, Process]], number: int, task: Task, process: Process) -> None:
        self._waiting, self._number = waiting, number
        waiting[number] = (task, process)

    def __enter__(self) -> int:
        return self._number

    def __exit__(self, *_error: object) -> None:
        del self._waiting[self._number]


class BatchScheduler:
    """`num_batch_threads` threads that serve any number of queues in turn."""

    def __init__(self, parameters: BatchingParameters) -> None:
        self.parameters = parameters
        self.taken = 0
        """Tasks that were ever put into a queue."""
        self._name = f"sightline-{next(_numbers)}"
        self._waiting: dict[int, tuple[Task, Process]] = {}
        self._free: list[Queue] = []
        self._changing = threading.Lock()
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
        self.session = tf.compat.v1.Session(graph=self._graph, config=threads)

    @property
    def waiting(self) -> int:
        """Tasks that wait or are being processed."""
        return len(self._waiting)

    def queue(self) -> Queue:
        """A queue nobody else has, until it is given back.

        One that was given back, if there is one: TensorFlow never forgets a queue, and each makes the next one dearer.
        """
        with self._changing:
            return self._free.pop() if self._free else self._new_queue()

    def give_back(self, queue: Queue) -> None:
        """Let somebody else have a queue in which nothing waits."""
        with self._changing:
            self._free.append(queue)

    def ticket(self, task: Task, process: Process) -> _Ticket:
        """A context in which `process` is called with `task`; its value is the ticket's number."""
        with self._changing:
            self.taken += 1
            return _Ticket(self._waiting, self.taken, task, process)

    def close(self) -> None:
        """End the threads; nothing may be waiting."""
        self.session.close()

    def _new_queue(self) -> Queue:
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
                batching_queue=f"{self._name}/{next(_numbers)}",
                enable_large_batch_splitting=given.enable_large_batch_splitting,
            )
        return Queue(self, tickets._as_tf_output(), done._as_tf_output())  # noqa: SLF001  see serving.session

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
    return sum(part.rows for part in parts)
