"""The doctor of the API: few at a time, and only what the API may add as a stream."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streamer.source.target import Target
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import Overloaded

if TYPE_CHECKING:
    from streamer.doctor.examination import Examination
    from streamer.doctor.report import Report

AT_ONCE = 2
"""Cameras that are decoded at a time, beside the streams."""
MOST = 6
"""Examinations at a time: those of cameras that say nothing cost a thread that waits, and keep nobody else away."""

CaseOf = Callable[[dict[str, Any]], tuple[Target, float]]
"""Of a stream's settings, as the API is given them: the camera, with the limits of such streams, and the pictures a
second that the model is to see. Raises ConfigError or Refused."""


class Practice:
    """Who examines for the API."""

    def __init__(self, case_of: CaseOf, clock: Clock = monotonic) -> None:
        self.case_of = case_of
        self._clock = clock
        self._examined: set[Examination] = set()

    async def examine(self, target: Target, sample_fps: float) -> "Report":
        """Examine one camera.

        Args:
            target: the camera.
            sample_fps: pictures a second that the model is to see.

        Raises:
            Overloaded: AT_ONCE others deliver, or MOST are being examined; one whose caller has gone counts until its
                socket is closed.
        """
        await asyncio.to_thread(_load)
        from streamer.doctor.examination import LIMIT, Examination
        from streamer.doctor.report import report

        delivering = sum(each.observation.opened_at is not None for each in self._examined)
        if delivering >= AT_ONCE or len(self._examined) >= MOST:
            raise Overloaded(f"{len(self._examined)} cameras are being examined already", retry_after=round(LIMIT))
        examination = Examination(target, self._clock)
        ended = examination.start()
        self._examined.add(examination)
        ended.add_done_callback(lambda _: self._examined.discard(examination))
        return report(target, await examination.wait(ended), sample_fps=sample_fps)


def _load() -> None:
    """Import what examines: with the first camera, since most services are asked about none. Takes milliseconds."""
    import streamer.doctor.examination
    import streamer.doctor.report  # noqa: F401
