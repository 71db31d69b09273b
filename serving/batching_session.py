"""Requests merged into batches for one session, and its answers split again, as TensorFlow Serving does it.

Follows tensorflow_serving/batching/batching_session.cc: what is merged with what, when a deadline counts, what is
padded, and each refusal's code and words.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from serving.errors import ServingError, failed_precondition, invalid_argument
from serving.metrics import Metrics
from serving.padding import pad_rows, pad_to_largest
from serving.scheduler import BatchScheduler, Part, Queue, whole
from serving.session import Session

Arrays = list[NDArray[Any]]
Clock = Callable[[], float]


@dataclass
class Request:
    """One caller's tensors on their way through a queue. A `serving.scheduler.Task`."""

    inputs: dict[str, NDArray[Any]]
    """Tensor name to value, all of the same length."""
    rows: int
    enqueued_at: float
    deadline: float
    """Monotonic; infinite where the caller waits for ever."""
    failure: tuple[grpc.StatusCode, str] | None = None
    pieces: list[tuple[int, Arrays]] = field(default_factory=list)
    """First row and outputs of each part that is done; parts may be processed at the same time."""

    def fail(self, error: Exception) -> None:
        """Remember the first error: its words, and not what its traceback holds, which is the whole batch."""
        code = error.code if isinstance(error, ServingError) else grpc.StatusCode.INTERNAL
        self.failure = self.failure or (code, str(error))

    def outputs(self) -> Arrays:
        """The outputs of all rows.

        Raises:
            ServingError: the batch that one of them was in failed.
        """
        if self.failure:
            raise ServingError(*self.failure)
        pieces = [arrays for _, arrays in sorted(self.pieces, key=lambda piece: piece[0])]
        return pieces[0] if len(pieces) == 1 else [np.concatenate(same) for same in zip(*pieces, strict=True)]


class BatchingSession:
    """A session whose calls are gathered, one queue for each set of tensors fed and fetched."""

    def __init__(
        self, session: Session, scheduler: BatchScheduler, metrics: Metrics, clock: Clock = time.monotonic
    ) -> None:
        self._session = session
        self._scheduler = scheduler
        self._metrics = metrics
        self._clock = clock
        self._queues: dict[tuple[str, ...], Queue] = {}
        self._adding = threading.Lock()

    def run(self, feeds: Mapping[str, NDArray[Any]], fetches: Sequence[str], timeout: float | None = None) -> Arrays:
        """As `serving.session.Session.run`; each caller gets the rows of its own input.

        A failing batch fails every call in it. A call with no rows runs by itself: there is nothing to count.

        Raises:
            ServingError: the inputs make no batch, the queue is full, the deadline passed in it, or the model failed.
        """
        rows = _rows(feeds)
        for _ in feeds:  # counted by tensor there, so here too
            self._metrics.input_batch_size(rows)
        if not rows:
            return self._session.run(feeds, fetches, timeout)
        now = self._clock()
        request = Request(dict(feeds), rows, now, math.inf if timeout is None else now + timeout)
        # Tensors are merged by name, so that the order of a caller's output_filter makes no queue of its own.
        wanted = sorted(set(fetches))
        self._queue((*sorted(feeds), "→", *wanted)).run(request, lambda parts: self._process(wanted, parts))
        outputs = dict(zip(wanted, request.outputs(), strict=True))
        return [outputs[name] for name in fetches]

    def close(self) -> None:
        """Give the queues back; nobody may be using them."""
        with self._adding:
            for queue in self._queues.values():
                self._scheduler.give_back(queue)
            self._queues.clear()

    def _queue(self, key: tuple[str, ...]) -> Queue:
        if (queue := self._queues.get(key)) is None:
            with self._adding:
                if (queue := self._queues.get(key)) is None:
                    queue = self._queues[key] = self._scheduler.queue()
        return queue

    def _process(self, fetches: list[str], parts: list[Part]) -> None:
        now = self._clock()
        for part in parts:
            self._metrics.queuing_latency(self._scheduler.parameters.thread_pool_name, now - part.task.enqueued_at)
        latest = max(part.task.deadline for part in parts)
        if latest <= now:
            raise ServingError(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "Run() timeout exceeded while waiting in batching queue"
            )
        if parts := self._of_the_right_dtype(parts):
            rows = whole(parts)
            size = self._scheduler.parameters.allowed_size(rows)
            self._metrics.batch(rows, size - rows)
            merged = self._merge(parts, size - rows)
            try:
                outputs = self._session.run(merged, fetches, None if math.isinf(latest) else latest - now)
            finally:
                self._metrics.wrapped_run()
            _split(outputs, parts, size)

    def _of_the_right_dtype(self, parts: list[Part]) -> list[Part]:
        """Those the runtime will take. Of the others it would say the same to the whole batch; here they fail alone."""
        right = []
        for part in parts:
            try:
                self._session.check_dtypes(part.task.inputs)
                right.append(part)
            except ServingError as error:
                part.task.fail(error)
        return right

    def _merge(self, parts: list[Part], padding: int) -> dict[str, NDArray[Any]]:
        merged = {}
        for name in parts[0].task.inputs:
            arrays = [part.task.inputs[name][part.start : part.stop] for part in parts]
            if self._scheduler.parameters.pad_variable_length_inputs:
                arrays = pad_to_largest(arrays)
            elif any(array.shape[1:] != arrays[0].shape[1:] for array in arrays):
                raise failed_precondition(
                    f"Tensors with name '{name}' from different tasks have different shapes and padding is turned off. "
                    "Set pad_variable_length_inputs to true, or ensure that all tensors with the same name have equal "
                    "dimensions starting with the first dim."
                )
            merged[name] = pad_rows(arrays, padding)
        return merged


def _rows(feeds: Mapping[str, NDArray[Any]]) -> int:
    """The length all inputs have in common (tensorflow_serving/batching/batching_util.h)."""
    if not feeds:
        raise invalid_argument("Batching Run() must have at least one input tensor")
    if any(array.ndim == 0 for array in feeds.values()):
        raise invalid_argument("Batching Run() input tensors must have at least one dimension")
    lengths = {len(array) for array in feeds.values()}
    if len(lengths) > 1:
        raise invalid_argument("Batching Run() input tensors must have equal 0th-dimension size")
    return lengths.pop()


def _split(outputs: Arrays, parts: list[Part], size: int) -> None:
    for array in outputs:
        if array.ndim == 0:
            raise failed_precondition("Batched output tensor has 0 dimensions")
        if len(array) != size:
            raise failed_precondition(
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input "
                "tensors"
            )
    at = 0
    for part in parts:
        part.task.pieces.append((part.start, [array[at : at + part.rows] for array in outputs]))
        at += part.rows
