"""The doctor of the API: few at a time, and only what the API may add as a stream."""

from collections.abc import Callable
from typing import Any

from streamer.clock import Clock, monotonic
from streamer.doctor.examination import LIMIT, Examination
from streamer.doctor.report import Report, report
from streamer.errors import Overloaded
from streamer.source.target import Target

AT_ONCE = 2
"""Examinations at a time: each is a thread that decodes, beside those of the streams."""

TargetOf = Callable[[dict[str, Any]], Target]
"""A stream's settings, as the API is given them, with the limits of such streams. Raises ConfigError or ChangeError."""


class Practice:
    """Who examines for the API."""

    def __init__(self, target_of: TargetOf, clock: Clock = monotonic) -> None:
        self.target_of = target_of
        self._clock = clock
        self._busy = 0

    async def examine(self, target: Target) -> Report:
        """Examine one camera.

        Raises:
            Overloaded: AT_ONCE others are being examined; one whose caller has gone counts until its socket is closed.
        """
        if self._busy >= AT_ONCE:
            raise Overloaded(f"{AT_ONCE} cameras are being examined already", retry_after=round(LIMIT))
        examination = Examination(target, self._clock)
        self._busy += 1
        ended = examination.start()
        ended.add_done_callback(self._leave)
        return report(target, await examination.wait(ended))

    def _leave(self, _: object) -> None:
        self._busy -= 1
