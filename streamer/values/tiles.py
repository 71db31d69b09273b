"""Parts of a frame that the model looks at beside the whole of it. Values."""

from dataclasses import dataclass
from typing import Literal

Tiles = Literal["off", "2x2", "3x2", "auto"]
"""How a frame is cut: not at all, into four, into six with three along its longer side, or as its size and the model's
rate have it."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a frame, in its pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column that is not in it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row that is not in it."""
        return self.top + self.height
