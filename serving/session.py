"""A SavedModel in the session TensorFlow Serving itself runs it in.

tf.compat.v1.Session is a thin shell over C++'s DirectSession, which every servable of TensorFlow Serving holds. Run
through it a model answers with the codes and in the very words of the real server: which dtype was expected, which op
failed on which shape, that time is over. A tf.function checks the same things itself and says them otherwise; it also
costs 0.12 ms a call where this costs 0.02.

Session.run, the public way in, checks shapes and converts dtypes before the runtime sees them, and the real server does
neither. So this file, and no other, calls what lies beneath it; tests/test_serving_contract.py holds what comes back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
            Exception: whatever TensorFlow finds wrong with it.
        """
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph, config=options.config())
        try:
            with self._graph.as_default():
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
            found: list[NDArray[Any]] = self._session._call_tf_sessionrun(  # noqa: SLF001
                _run_options(timeout), fed, fetched, [], None
            )
        except tf.errors.OpError as error:
            raise ServingError(status_code(error.error_code), error.message) from None
        return found

    def _output(self, name: str) -> Any:
        """The runtime's handle of a tensor."""
        if name not in self._outputs:
            try:
                self._outputs[name] = self._graph.get_tensor_by_name(name)._as_tf_output()  # noqa: SLF001
            except (
                ValueError,
                KeyError,
            ) as error:  # an op's name, as __saved_model_init_op has it; one that is not there
                raise invalid_argument(str(error)) from None
        return self._outputs[name]

    def close(self) -> None:
        """Let go of the variables; what is running is cancelled."""
        self._session.close()


def _run_options(timeout: float | None) -> Any:
    if timeout is None:
        return None
    # In RunOptions 0 is no limit; what is left of a deadline is never that.
    options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, round(timeout * 1000)))
    return pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())


def _readable(array: NDArray[Any]) -> NDArray[Any]:
    # The runtime reads memory in order, and takes an array's own bytes where they are so.
    return np.ascontiguousarray(array) if array.ndim else array
