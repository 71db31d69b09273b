"""A SavedModel in the session TensorFlow Serving itself runs it in.

tf.compat.v1.Session is a thin shell over C++'s DirectSession, which every servable of TensorFlow Serving holds. Run
through it a model answers with the codes and in the very words of the real server: which dtype was expected, which op
failed on which shape, that time is over. A tf.function checks the same things itself and says them otherwise; it also
costs 0.12 ms a call where this costs 0.02.

Session.run, the public way in, checks shapes and converts dtypes before the runtime sees them, and the real server does
neither. So this file, and no other, calls what lies beneath it; tests/serving/test_contract.py holds what comes back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.client import pywrap_tf_session

from serving.errors import ServingError, invalid_argument, status_code

SERVE_TAG = "serve"


@dataclass(frozen=True)
class SessionOptions:
    """What all sessions of a server have in common."""

    intra_op_threads: int = 0
    """Threads one op may use; 0 lets TensorFlow choose. The first session of a process decides for all."""
    inter_op_threads: int = 0
    """Ops run at once, over all sessions; 0 lets TensorFlow choose."""
    gpu_memory_fraction: float = 0.0
    """Share of a GPU's memory, 0..1; 0 lets TensorFlow take what it wants."""
    tags: tuple[str, ...] = (SERVE_TAG,)
    """Which of a SavedModel's graphs."""

    def config(self) -> Any:
        """As a ConfigProto."""
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=self.intra_op_threads, inter_op_parallelism_threads=self.inter_op_threads
        )
        config.gpu_options.per_process_gpu_memory_fraction = self.gpu_memory_fraction
        return config


class Session:
    """One loaded SavedModel: arrays in by tensor name, arrays out."""

    def __init__(self, path: Path, options: SessionOptions) -> None:
        """Load the SavedModel at `path`, its variables and tables.

        Raises:
            Exception: whatever TensorFlow finds wrong with it; ServingError where the C++ loader has a code of its own.
        """
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph, config=options.config())
        try:
            with self._graph.as_default(), _loading():
                meta_graph = tf.compat.v1.saved_model.load(self._session, list(options.tags), str(path))
        except BaseException:
            self._session.close()
            raise
        self.signature_defs: dict[str, Any] = dict(meta_graph.signature_def)
        """Every SignatureDef in the file by name."""
        self._outputs: dict[str, Any] = {}

    def run(
        self, feeds: Mapping[str, NDArray[Any]], fetches: Sequence[str], timeout: float | None = None
    ) -> list[NDArray[Any]]:
        """Run the graph once.

        Args:
            feeds: tensor name to value; strings as an object array of bytes.
            fetches: names of the tensors wanted.
            timeout: seconds; None is as long as it takes.

        Raises:
            ServingError: with TensorFlow's own code and words.
        """
        fed = {self._output(name): _readable(array) for name, array in feeds.items()}
        fetched = [self._output(name) for name in fetches]
        try:
            with _run_options(timeout) as options:
                found: list[NDArray[Any]] = self._session._call_tf_sessionrun(options, fed, fetched, [], None)  # noqa: SLF001
        except tf.errors.OpError as error:
            raise ServingError(status_code(error.error_code), error.message) from None
        except UnicodeDecodeError as error:
            # An op quoted a value that is no text, so its error could not be made; the code is lost with it.
            raise invalid_argument(error.object.decode(errors="replace")) from None
        return found

    def check_dtypes(self, feeds: Mapping[str, NDArray[Any]]) -> None:
        """Say of a wrong dtype what `run` would, without running.

        Raises:
            ServingError: INVALID_ARGUMENT, in the runtime's words and its numbering.
        """
        for number, name in enumerate(sorted(feeds)):
            expected, found = self._graph.get_tensor_by_name(name).dtype, tf.as_dtype(feeds[name].dtype)
            if found != expected:
                raise invalid_argument(f"Expects arg[{number}] to be {_name(expected)} but {_name(found)} is provided")

    def _output(self, name: str) -> Any:
        """The runtime's handle of a tensor."""
        if name not in self._outputs:
            try:
                self._outputs[name] = self._graph.get_tensor_by_name(name)._as_tf_output()  # noqa: SLF001
            except (ValueError, KeyError) as error:
                # What stands as an output in __saved_model_init_op is the name of an op.
                raise invalid_argument(str(error)) from None
        return self._outputs[name]

    def close(self) -> None:
        """Let go of the variables; what is running is cancelled."""
        self._session.close()


@contextmanager
def _loading() -> Iterator[None]:
    """Python's loader raises Python's errors; the C++ one, which is TensorFlow Serving's, has codes for the same."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        for words, code in _LOAD_CODES.items():
            if words in str(error):
                raise ServingError(code, str(error)) from None
        raise


_LOAD_CODES = {
    "SavedModel file does not exist": grpc.StatusCode.NOT_FOUND,
    "could not be found in SavedModel": grpc.StatusCode.NOT_FOUND,
    "not a valid checkpoint": grpc.StatusCode.NOT_FOUND,
    "Cannot parse file": grpc.StatusCode.DATA_LOSS,
}


@contextmanager
def _run_options(timeout: float | None) -> Iterator[Any]:
    if timeout is None:
        yield None
        return
    # In RunOptions 0 is no limit; what is left of a deadline is never that.
    options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, round(timeout * 1000)))
    buffer = pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())
    try:
        yield buffer
    finally:
        pywrap_tf_session.TF_DeleteBuffer(buffer)


def _name(dtype: tf.DType) -> str:
    """As DataTypeString of tensorflow/core/framework/types.cc."""
    return {"float32": "float", "float64": "double", "float16": "half"}.get(dtype.name, str(dtype.name))


def _readable(array: NDArray[Any]) -> NDArray[Any]:
    # The runtime reads memory in order, and takes an array's own bytes where they are so.
    return np.ascontiguousarray(array) if array.ndim else array
