"""Whether things keep their ids: IDF1, switches, and how many ids one thing was given. Pure.

IDF1 is that of E. Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking" (2016):
of a pairing of true things and ids that holds for the whole clip, the best, the share of boxes that it explains. A
switch, as in CLEAR MOT (K. Bernardin and R. Stiefelhagen, 2008), is a thing found under another id than the last time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.evaluate.assignment import best_pairs
from streamer.evaluate.truth import Box
from streamer.values.track import TrackedBox

RIGHT = 0.5
"""Intersection over union from which on a box is one of a thing."""
DOUBTFUL = 0.4
"""From which on a box that is none of anything is one of an ignored thing, and counts neither way."""

Thing = tuple[str, int | str]
"""Label and id: ids are one label's own."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The figures of one clip."""

    idf1: float | None
    """0..1; None where there is neither a thing nor a box."""
    switches: int
    things: int
    """Found at least once."""
    ids: int
    """Given to them, in all."""

    @property
    def ids_per_thing(self) -> float | None:
        """How many ids a thing had, on average; who counts ids counts each thing so often."""
        return self.ids / self.things if self.things else None


def follow(truth: Mapping[int, Sequence[Box]], shown: Mapping[int, Sequence[TrackedBox]]) -> Identity:
    """Judge the ids of what was shown.

    Args:
        truth: the boxes of each frame that is judged, by its number; all that are not ignored with ids.
        shown: what was drawn on it.
    """
    together: Counter[tuple[Thing, int]] = Counter()
    boxes, switches = 0, 0
    last_id: dict[Thing, int] = {}
    before: dict[Thing, int] = {}
    given: set[tuple[Thing, int]] = set()
    for number in sorted(shown):
        if number not in truth:
            continue
        things, kept, overlaps = _compare(truth[number], shown[number])
        boxes += len(things) + len(kept)
        for row, column in zip(*np.nonzero(overlaps >= RIGHT), strict=True):
            together[things[row], kept[column]] += 1
        found = _found(things, kept, overlaps, before)
        switches += sum(last_id.get(thing, tracker_id) != tracker_id for thing, tracker_id in found.items())
        given |= found.items()
        last_id |= found
        before = found
    return Identity(_idf1(together, boxes), switches, len(last_id), len(given))


def _compare(truth: Sequence[Box], shown: Sequence[TrackedBox]) -> tuple[list[Thing], list[int], NDArray[np.float64]]:
    """The things of a frame, the ids shown on it, and how far they overlap: [N, M], 0 where labels differ."""
    sure = [box for box in truth if not box.ignored]
    overlaps = _overlaps(sure, shown)
    doubts = _overlaps([box for box in truth if box.ignored], shown)
    doubtful = (doubts.max(axis=0, initial=0) >= DOUBTFUL) & (overlaps.max(axis=0, initial=0) < RIGHT)
    kept = [box.tracker_id for box, left_out in zip(shown, doubtful, strict=True) if not left_out]
    return [(box.label, box.id or 0) for box in sure], kept, overlaps[:, ~doubtful]


def _found(
    things: Sequence[Thing], ids: Sequence[int], overlaps: NDArray[np.float64], before: Mapping[Thing, int]
) -> dict[Thing, int]:
    """Which thing goes by which id in this frame; who had an id in the frame before keeps it while it fits."""
    worth = np.where(overlaps >= RIGHT, overlaps, 0.0)
    kept = np.array([[before.get(thing) == each for each in ids] for thing in things], bool).reshape(worth.shape)
    pairs = best_pairs(np.where((worth > 0) & kept, worth + len(things) + len(ids), worth))
    return {things[row]: ids[column] for row, column in pairs}


def _idf1(together: Counter[tuple[Thing, int]], boxes: int) -> float | None:
    if not boxes:
        return None
    things = {thing: number for number, thing in enumerate(dict.fromkeys(thing for thing, _ in together))}
    ids = {each: number for number, each in enumerate(dict.fromkeys(each for _, each in together))}
    worth = np.zeros((len(things), len(ids)))
    for (thing, each), count in together.items():
        worth[things[thing], ids[each]] = count
    return float(2 * sum(worth[pair] for pair in best_pairs(worth)) / boxes)


def _overlaps(truth: Sequence[Box], shown: Sequence[TrackedBox]) -> NDArray[np.float64]:
    """[N, M]: intersection over union, 0 where labels differ."""
    one = np.array([box.edges for box in truth], np.float64).reshape(-1, 1, 4)
    two = np.array([box.box for box in shown], np.float64).reshape(1, -1, 4)
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    shared = np.prod(np.maximum(sides, 0.0), axis=2)
    areas = np.prod(one[..., 2:] - one[..., :2], axis=2) + np.prod(two[..., 2:] - two[..., :2], axis=2)
    same = np.array([[a.label == b.label for b in shown] for a in truth], bool).reshape(shared.shape)
    return np.where(same, shared / np.maximum(areas - shared, 1e-9), 0.0)
