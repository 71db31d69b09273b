"""One loaded version of one model: its signatures as functions from arrays to arrays."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from serving.errors import ServingError, status_code
from serving.scheduler import BatchScheduler, TensorFunction
from serving.versions import SAVED_MODEL

SERVE_TAG = "serve"


class Signature:
    """One signature of a loaded SavedModel."""

    def __init__(self, definition: Any, function: Any, *, scheduler: BatchScheduler | None, queue: str) -> None:
        self.definition = definition
        """The SignatureDef as the SavedModel has it."""
        self.inputs = {name: _spec(name, info) for name, info in sorted(definition.inputs.items())}
        self.outputs = sorted(definition.outputs)
        self.batched = scheduler is not None and self._makes_batches()
        """Whether calls are gathered: every tensor has an open dimension 0 and the inputs nothing else open."""

        self._function = function
        self._run: TensorFunction = self._direct
        if scheduler is not None and self.batched:
            self._run = scheduler.batched(self._direct, list(self.inputs.values()), queue=queue)

    def call(self, tensors: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
        """Run on tensors as they are, past the batching; outputs in the order of `self.outputs`."""
        return self._direct(*tensors)

    def run(self, inputs: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run on one array for each of `self.inputs`, in that order; returns every output by name.

        All outputs are computed whatever the caller wants: one queue for each set of outputs would split the batches.

        Raises:
            ServingError: as TensorFlow says it, without the trace.
        """
        # Rows are what the scheduler counts; without any it would answer without the other dimensions.
        run = self._run if all(array.ndim and len(array) for array in inputs) else self._direct
        specs = self.inputs.values()
        try:
            tensors = [tf.constant(array, spec.dtype) for array, spec in zip(inputs, specs, strict=True)]
            found = run(*tensors)
        except tf.errors.OpError as error:
            raise ServingError(status_code(error.error_code), _words(error.message)) from error
        return {name: tensor.numpy() for name, tensor in zip(self.outputs, found, strict=True)}

    def _direct(self, *tensors: tf.Tensor) -> Sequence[tf.Tensor]:
        outputs = self._function(**dict(zip(self.inputs, tensors, strict=True)))
        return [outputs[name] for name in self.outputs]

    def _makes_batches(self) -> bool:
        specs = [*self.inputs.values(), *(_spec(name, info) for name, info in self.definition.outputs.items())]
        if not self.inputs or not all(spec.shape.rank and spec.shape[0] is None for spec in specs):
            return False
        return all(spec.shape[1:].is_fully_defined() for spec in self.inputs.values())


class Servable:
    """One version of a model in memory. Callers hold it with `in_use` so that it is not unloaded under them."""

    def __init__(self, model: str, version: int, path: Path, scheduler: BatchScheduler | None) -> None:
        """Load the SavedModel at `path`, signatures traced.

        Raises:
            Exception: whatever TensorFlow finds wrong with it.
        """
        self.model = model
        self.version = version
        self.path = path
        definitions = _signature_defs(path)
        self._loaded = tf.saved_model.load(str(path), tags=[SERVE_TAG])
        self.signatures: Mapping[str, Signature] = {
            name: Signature(definition, function, scheduler=scheduler, queue=f"{model}/{version}/{name}")
            for name, definition in definitions.items()
            if (function := self._loaded.signatures.get(name)) is not None
        }
        self.signature_defs: Mapping[str, Any] = definitions
        """Every SignatureDef in the file, also those that are not for callers."""
        self._idle = threading.Condition()
        self._users = 0

    @contextmanager
    def in_use(self) -> Iterator["Servable"]:
        """Hold the version for the length of one call."""
        with self._idle:
            self._users += 1
        try:
            yield self
        finally:
            with self._idle:
                self._users -= 1
                self._idle.notify_all()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until nobody holds it, at most `timeout` seconds; whether that was reached."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._users, timeout)


def _signature_defs(path: Path) -> dict[str, Any]:
    content = (path / SAVED_MODEL).read_bytes()
    graphs = [graph for graph in SavedModel.FromString(content).meta_graphs if SERVE_TAG in graph.meta_info_def.tags]
    if not graphs:
        raise ValueError(f"{path / SAVED_MODEL} has no graph with the tag {SERVE_TAG!r}")
    return dict(graphs[0].signature_def)


def _spec(name: str, info: Any) -> tf.TensorSpec:
    shape = tf.TensorShape(None if info.tensor_shape.unknown_rank else [_open(d.size) for d in info.tensor_shape.dim])
    return tf.TensorSpec(shape, tf.as_dtype(info.dtype), name=name)


def _open(size: int) -> int | None:
    return None if size < 0 else size


def _words(message: str) -> str:
    """The C++ sentence of an error: without the Python trace before it and the node names after it."""
    words = message.split("\n\t [[")[0].split(" [Op:")[0]
    if words.startswith("Graph execution error"):
        words = words.rpartition("<stack traces unavailable>\n")[2].rpartition("\n\n")[2]
    return words.strip()
