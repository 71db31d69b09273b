"""The doctor of the API: few at a time, and only what the API may add as a stream."""

from collections.abc import Callable
from typing import Any

from streamer.doctor.examination import LIMIT, Examination
from streamer.doctor.report import Report, report
from streamer.source.target import Target
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import Overloaded

AT_ONCE = 2
"""Examinations at a time: each is a thread that decodes, beside those of the streams."""

CaseOf = Callable[[dict[str, Any]], tuple[Target, float]]
"""Of a stream's settings, as the API is given them: the camera, with the limits of such streams, and the pictures a
second that the model is to see. Raises ConfigError or Refused."""


class Practice:
    """Who examines for the API."""

    def __init__(self, case_of: CaseOf, clock: Clock = monotonic) -> None:
        self.case_of = case_of
        self._clock = clock
        self._busy = 0

    async def examine(self, target: Target, sample_fps: float) -> Report:
        """Examine one camera.

        Args:
            target: the camera.
            sample_fps: pictures a second that the model is to see.

        Raises:
            Overloaded: AT_ONCE others are being examined; one whose caller has gone counts until its socket is closed.
        """
        if self._busy >= AT_ONCE:
            raise Overloaded(f"{AT_ONCE} cameras are being examined already", retry_after=round(LIMIT))
        examination = Examination(target, self._clock)
        ended = examination.start()
        self._busy += 1
        ended.add_done_callback(self._leave)
        return report(target, await examination.wait(ended), sample_fps=sample_fps)

    def _leave(self, _: object) -> None:
        self._busy -= 1
