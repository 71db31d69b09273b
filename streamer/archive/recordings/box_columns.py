"""The boxes of one segment's samples, column by column: what a row keeps and what a page paints. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.values.track import TrackedBox


@dataclass(frozen=True, slots=True)
class BoxSample:
    """What was drawn on one sampled frame."""

    time: int
    """Media time in the segment, microseconds: of exactly the picture that was sampled."""
    boxes: Sequence[TrackedBox]


@dataclass(frozen=True, slots=True, eq=False)
class BoxColumns:
    """All samples of a segment, in time order; those that found nothing too, for what was there is gone then."""

    width: int
    """Of the frames, in pixels, turned upright."""
    height: int
    times: NDArray[np.int64]
    """[N]: media time in microseconds, rising."""
    counts: NDArray[np.uint16]
    """[N]: how many of the rows below are each sample's, in order."""
    classes: tuple[tuple[str, int], ...]
    """(label, class id) of each class there is."""
    class_index: NDArray[np.uint16]
    """[M]: places in `classes`."""
    edges: NDArray[np.uint16]
    """[M, 4]: x_min, y_min, x_max, y_max as shares of the frame."""
    scores: NDArray[np.uint16]
    """[M], of which 65535 is 1."""
    tracker_ids: NDArray[np.int64]
    """[M]; 0: nobody's."""

    @classmethod
    def of(cls, samples: Iterable[BoxSample], width: int, height: int) -> "BoxColumns":
        """Those of these samples, whatever order they come in; of two at one time the later given counts."""
        raise NotImplementedError

    @classmethod
    def unpacked(cls, data: bytes) -> "BoxColumns":
        """The reverse of `packed`.

        Raises:
            ValueError: that is no such thing.
        """
        raise NotImplementedError

    def packed(self) -> bytes:
        """As a row keeps them."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.times)

    def between(self, began: int, ended: int) -> Iterator[tuple[int, Sequence[TrackedBox]]]:
        """(media time, its boxes) of each sample at began <= media time < ended, in microseconds, in order."""
        raise NotImplementedError

    def document(self) -> dict[str, Any]:
        """Ready for JSON: flat lists, boxes in pixels, scores 0..1."""
        raise NotImplementedError
