"""One loaded version of one model: its signatures, the session that runs them, and who is using it."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from serving.batching_session import BatchingSession
from serving.metrics import Metrics
from serving.scheduler import BatchScheduler
from serving.session import Session, SessionOptions


class Servable:
    """One version of a model in memory. Callers hold it with `acquire` so that it is not unloaded under them."""

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
        self._batching = (
            BatchingSession(f"{model}/{version}", self._session, scheduler, metrics or Metrics()) if scheduler else None
        )
        self._idle = threading.Condition()
        self._users = 0
        self._retired = False

    @property
    def signature_defs(self) -> Mapping[str, Any]:
        """Every SignatureDef in the file, by name."""
        return self._session.signature_defs

    def makes_batches(self, definition: Any) -> bool:
        """Whether calls of this signature are gathered.

        Not where an input's first dimension is fixed: a model of one picture that is given two by a batch dies on them,
        or answers for the first alone.
        """
        return self._batching is not None and not any(
            not info.tensor_shape.unknown_rank and info.tensor_shape.dim and info.tensor_shape.dim[0].size >= 0
            for info in definition.inputs.values()
        )

    def run(
        self, definition: Any, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str], timeout: float | None = None
    ) -> list[NDArray[Any]]:
        """Run one signature.

        Args:
            definition: one of `signature_defs`.
            inputs: input alias to value.
            outputs: output aliases, in the order of the answer.
            timeout: seconds; None is as long as it takes.

        Raises:
            ServingError: with TensorFlow's code and words.
        """
        feeds = {definition.inputs[alias].name: array for alias, array in inputs.items()}
        fetches = [definition.outputs[alias].name for alias in outputs]
        if self._batching is not None and self.makes_batches(definition):
            return self._batching.run(feeds, fetches, timeout)
        return self._session.run(feeds, fetches, timeout)

    @contextmanager
    def acquire(self) -> Iterator[bool]:
        """Hold the version for the length of one call; False where it is being unloaded and must not be used."""
        with self._idle:
            held = not self._retired
            self._users += held
        try:
            yield held
        finally:
            with self._idle:
                self._users -= held
                self._idle.notify_all()

    def unload(self, timeout: float) -> bool:
        """Refuse new users, wait for the last at most `timeout` seconds, and free the memory; whether all had gone."""
        with self._idle:
            self._retired = True
            idle = self._idle.wait_for(lambda: not self._users, timeout)
        if idle:
            self._session.close()
        return idle
