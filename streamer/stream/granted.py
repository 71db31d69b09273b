"""How often a stream is looked at where its model cannot do so as often as it asks. Pure.

Said with hysteresis: a rate that is there one second and not the next tells nobody anything.
"""

from collections import deque
from typing import Final

SECONDS: Final = 5.0
"""Over which is counted, and no fewer than TURNS of the stream's turns."""
TURNS: Final = 10
SHORT: Final = 0.9
"""Of what was asked: below it is said what is granted."""
ENOUGH: Final = 0.97
"""From it on that is over."""


class Granted:
    """One stream's turns of late: those it had, and those that its model left out."""

    def __init__(self, fps: float) -> None:
        """Of a stream that asks for so many samples a second; none is over yet."""
        self._fps = fps
        self._turns: deque[bool] = deque(maxlen=max(TURNS, round(SECONDS * fps)))
        self._is_short = False

    def turn(self, *, was_had: bool) -> None:
        """A turn is over."""
        self._turns.append(was_had)
        if len(self._turns) >= TURNS:
            self._is_short = self._share < (ENOUGH if self._is_short else SHORT)

    @property
    def fps(self) -> float | None:
        """Samples a second that it gets; None: as many as it asks for."""
        return self._fps * self._share if self._is_short else None

    @property
    def _share(self) -> float:
        return sum(self._turns) / len(self._turns)
