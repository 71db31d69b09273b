"""A model server asked about batches: again while that may help, and of one version of the model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from streamer.inference.predictor import Predictor
from streamer.inference.tiled import predict_tiled
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.errors import PredictError, SightlineError
from streamer.values.frame import Sample

PATIENCE = 30.0
"""Seconds a call may take, and a server that does not answer may be away, before all is given up."""
PAUSE = 0.2
"""Seconds until a call that failed is made again."""
REFUSED = ("INVALID_ARGUMENT", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED")
"""What a server says that will say it again."""


@dataclass(frozen=True)
class Pace:
    """How a model server is asked."""

    batch: int
    """Pictures a call."""
    in_flight: int
    """Calls at once."""


class Asking:
    """One run's calls."""

    def __init__(
        self, predictor: Predictor, pace: Pace, clock: Clock, require_alive: Callable[[], None] = lambda: None
    ) -> None:
        """Have asked nothing yet.

        Args:
            predictor: runs, and has met the model.
            pace: how many at a time.
            clock: monotonic seconds.
            require_alive: raises where the server was ours, and has ended.
        """
        self.pace = pace
        self.again = 0
        """Calls that were made again."""
        self._predictor, self._version = predictor, predictor.version
        self._clock, self._require_alive = clock, require_alive
        self._answered_at = clock()

    async def ask(self, samples: list[Sample]) -> list[Detections]:
        """What the model finds in each.

        Raises:
            PredictError: it does not say, and will not.
            SightlineError: another version answers than the one that was met; or the server was ours, and has ended.
        """
        since = self._clock()
        answers: list[Detections] = []
        while not answers:
            deadline = self._clock() + PATIENCE
            try:
                answers = await predict_tiled(self._predictor.predict, samples, deadline, self.pace.batch)
            except PredictError as error:
                self._require_alive()
                if error.code in REFUSED or self._clock() - max(since, self._answered_at) > PATIENCE:
                    raise
                self.again += 1
                await asyncio.sleep(PAUSE)
        self._answered_at = self._clock()
        if answers[0].version != self._version:
            raise SightlineError(
                f"the model server has version {answers[0].version} of {self._predictor.model} now, and what is done "
                f"is of version {self._version}"
            )
        return answers
