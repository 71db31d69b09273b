"""One loaded version of one model: its signatures, the session that runs them, and who is using it."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from serving.batching_session import BatchingSession
from serving.metrics import Metrics
from serving.scheduler import BatchScheduler
from serving.session import Session, SessionOptions


class Servable:
    """One version of a model in memory. Callers `hold` it so that it is not unloaded under them."""

    def __init__(
        self,
        model: str,
        version: int,
        path: Path,
        *,
        options: SessionOptions | None = None,
        scheduler: BatchScheduler | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Load the SavedModel at `path`.

        Args:
            model: the name it is served under.
            version: its number.
            path: the version directory.
            options: threads and the like; TensorFlow's defaults where left out.
            scheduler: gathers calls into batches; without it each runs by itself.
            metrics: what is counted.

        Raises:
            Exception: whatever TensorFlow finds wrong with it.
        """
        self.model = model
        self.version = version
        self.path = path
        self._session = Session(path, options or SessionOptions())
        self._batching = BatchingSession(self._session, scheduler, metrics or Metrics()) if scheduler else None
        self._fixed = {name for name, definition in self.signature_defs.items() if _is_fixed(definition)}
        self._idle = threading.Condition()
        self._users = 0
        self._retired = False

    @property
    def signature_defs(self) -> Mapping[str, Any]:
        """Every SignatureDef in the file, by name."""
        return self._session.signature_defs

    def makes_batches(self, signature: str) -> bool:
        """Whether calls of this signature are gathered.

        Not where an input's first dimension is fixed: a model of one picture that is given two by a batch dies on them,
        or answers for the first alone.
        """
        return self._batching is not None and signature not in self._fixed

    def run(
        self, signature: str, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str], timeout: float | None = None
    ) -> list[NDArray[Any]]:
        """Run one signature.

        Args:
            signature: a key of `signature_defs`.
            inputs: input alias to value.
            outputs: output aliases, in the order of the answer.
            timeout: seconds; None is as long as it takes.

        Raises:
            ServingError: with TensorFlow's code and words.
        """
        definition = self.signature_defs[signature]
        feeds = {definition.inputs[alias].name: array for alias, array in inputs.items()}
        fetches = [definition.outputs[alias].name for alias in outputs]
        if self._batching is not None and signature not in self._fixed:
            return self._batching.run(feeds, fetches, timeout)
        return self._session.run(feeds, fetches, timeout)

    def hold(self) -> bool:
        """Keep the version for one call, until `release`; False where it is being unloaded and must not be used."""
        with self._idle:
            self._users += not self._retired
            return not self._retired

    def release(self) -> None:
        """The call that held it is over."""
        with self._idle:
            self._users -= 1
            self._idle.notify_all()

    def unload(self, timeout: float | None) -> bool:
        """Refuse new users, wait for the last at most `timeout` seconds, and free the memory; whether all had gone.

        May be called again where they had not.
        """
        with self._idle:
            self._retired = True
            idle = self._idle.wait_for(lambda: not self._users, timeout)
        if idle:
            if self._batching:
                self._batching.close()
            self._session.close()
        return idle


def _is_fixed(definition: Any) -> bool:
    """Whether an input's first dimension is a number."""
    shapes = [info.tensor_shape for info in definition.inputs.values()]
    return any(not shape.unknown_rank and shape.dim and shape.dim[0].size >= 0 for shape in shapes)
