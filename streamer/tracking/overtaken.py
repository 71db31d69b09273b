"""An answer that came after that to a later frame: which of its rows are things that are followed already. Pure.

It begins nothing and moves nothing. What both it and the later answer show is a track by then, and is found where that
was; what it alone shows was seen once, and is gone. So it only adds to what is known of a thing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.tracking.matching import Pairs, Rows, match
from streamer.tracking.moment import Moment
from streamer.tracking.similarity import Similarity
from streamer.tracking.track import Track


def matched(
    later: Moment, camera: Similarity, pts: float, tracks: Sequence[Track], strong: Rows, faint: Rows
) -> tuple[Pairs, Pairs]:
    """Which of an overtaken answer's rows show which of `tracks`, by their numbers.

    Args:
        later: the first sample after it.
        camera: the way back from there to the answer's picture.
        pts: of the answer.
        tracks: those that go on.
        strong: the answer's rows from the stream's score on.
        faint: those below it.
    """
    ids: NDArray[np.int64] = np.array([track.tracker_id for track in tracks], np.int64)
    rows, there = later.rows_of(ids)
    numbers: list[int] = np.nonzero(there)[0].tolist()  # what began after that sample was not there before it
    boxes = camera.boxes(later.states.ahead(pts - later.pts))[rows[numbers]]
    expected = Rows(boxes, [tracks[number].votes.label for number in numbers])
    hits = np.array([tracks[number].hits for number in numbers], np.int64)
    pairs, faintly = match(expected, hits, strong, faint)
    return _numbered(pairs, numbers), _numbered(faintly, numbers)


def _numbered(pairs: Pairs, numbers: Sequence[int]) -> Pairs:
    return {row: numbers[place] for row, place in pairs.items()}
