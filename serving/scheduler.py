"""Batches of many callers' requests, by TensorFlow's own scheduler.

`BatchFunction` is the op under tf.nondifferentiable_batch_function, and its SharedBatchScheduler is the one TensorFlow
Serving runs. The decorator itself cannot be used here: it names the scheduler after the op ("batch/"), so two batched
functions of one process share one queue, and a caller of one version gets rows of the other. Here all queues share one
scheduler with its threads, as in TensorFlow Serving, and each has a name of its own.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from serving.batching import BatchingParameters

TensorFunction = Callable[..., Sequence[tf.Tensor]]

_numbers = itertools.count()


class BatchScheduler:
    """One scheduler: `num_batch_threads` threads that serve any number of queues in turn."""

    def __init__(self, parameters: BatchingParameters) -> None:
        self.parameters = parameters
        self._name = f"sightline-{next(_numbers)}"

    def batched(self, function: TensorFunction, inputs: Sequence[tf.TensorSpec], *, queue: str) -> TensorFunction:
        """`function` with its calls gathered into batches along dimension 0.

        Args:
            function: takes a tensor for each of `inputs`, returns tensors; dimension 0 of all of them is the batch.
            inputs: dimension 0 open, every other one fixed: tensors of different shapes make no batch.
            queue: what is served together, such as "insulators/3/serving_default".

        Returns:
            The same function to be called from many threads; each caller gets the rows of its own input.
            Raises tf.errors.UnavailableError where the queue is full and InvalidArgumentError where one call has more
            rows than a batch. A failing batch fails every call in it.
        """
        computation = tf.function(function, autograph=False).get_concrete_function(*inputs)
        parameters = self.parameters
        queue = f"{queue}#{next(_numbers)}"  # a version that is loaded again must not meet its former self

        def enqueue(*tensors: tf.Tensor) -> Any:
            return tf.raw_ops.BatchFunction(
                in_tensors=list(tensors),
                captured_tensors=computation.captured_inputs,
                f=computation,
                num_batch_threads=parameters.num_batch_threads,
                max_batch_size=parameters.max_batch_size,
                batch_timeout_micros=round(parameters.batch_timeout * 1e6),
                Tout=[output.dtype for output in computation.outputs],
                max_enqueued_batches=parameters.max_enqueued_batches,
                allowed_batch_sizes=list(parameters.allowed_batch_sizes),
                shared_name=self._name,
                batching_queue=queue,
                enable_large_batch_splitting=False,
            )

        run: TensorFunction = tf.function(enqueue, autograph=False).get_concrete_function(*inputs)
        return run
