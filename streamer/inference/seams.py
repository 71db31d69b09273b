"""Which boxes of overlapping pictures show the same thing, and the one box of each. Pure.

A box that touches the inner edge of its tile is *cut*: beyond that edge the thing may go on, and the box says nothing.
Two boxes are compared where both say something: what a tile shows of a long string is the same string as that part of
the long box, and two halves are one thing where their tiles overlap and both show it. A box that is not cut is
preferred to one that is; halves that nobody saw whole are joined.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.values.tiles import Region

ALIKE: Final = 0.3
"""Intersection over union from which on two boxes of different pictures are of one thing. Within one picture models
take 0.5; of a small thing, or a part of a long one, two pictures agree less: measured at 0.5, many were doubled."""
WITHIN: Final = 0.7
"""Of a cut box: if so much of it lies in another it is a part of that thing, of which it need not show all there is."""
TOUCHES: Final = 0.04
"""Of a tile's side: a box that ends so near an inner edge is cut by it, as no model's boxes are exact."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Views:
    """Boxes of one class, from several pictures of one frame. Row k of each array belongs to box k."""

    boxes: Floats
    """[K, 4]: x_min, y_min, x_max, y_max in pixels of the frame."""
    limits: Floats
    """[K, 4], in the same order: up to where the box says what there is; infinite but on the sides where it is cut."""
    scores: Floats
    """[K]"""
    pictures: NDArray[np.intp]
    """[K]: the number of the picture it is of; of two boxes of one picture the model says that they are two things."""

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def cut(self) -> NDArray[np.bool_]:
        """[K]: whether an inner edge cuts it."""
        return np.asarray(np.isfinite(self.limits).any(axis=1))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | list[int]) -> "Views":
        """These of them, in that order."""
        return Views(self.boxes[rows], self.limits[rows], self.scores[rows], self.pictures[rows])


def limits_of(boxes: NDArray[np.floating], region: Region | None, frame_size: tuple[int, int]) -> Floats:
    """Up to where boxes [K, 4] of a region of a frame of (width, height) say what there is: [K, 4]."""
    limits = np.tile([-np.inf, -np.inf, np.inf, np.inf], (len(boxes), 1))
    if region is None:
        return limits
    edges = np.array([region.left, region.top, region.right, region.bottom], float)
    is_inner = edges != (0, 0, *frame_size)
    near = TOUCHES * np.array([region.width, region.height] * 2)
    return np.where(is_inner & (np.abs(boxes - edges) <= near), edges, limits)


def one_of_each(views: Views) -> tuple[Views, NDArray[np.intp]]:
    """One box for each thing, with the best score that any of its boxes has.

    Returns:
        the boxes; and which row each was, of those that were joined the best.
    """
    rows = np.lexsort((-views.scores, views.cut))
    views = views.take(rows)
    alike, cut, scores = _likest_of_each_picture(_alike(views, views), views), views.cut, views.scores.copy()
    kept, whole = np.zeros(len(views), bool), np.zeros(len(views), bool)
    for row in range(len(views)):
        likest = np.argmax(alike[row] * whole)
        if alike[row, likest] * whole[likest] > 0:
            scores[likest] = max(scores[likest], scores[row])
        else:
            kept[row], whole[row] = True, not cut[row]
    return _joined(replace(views, scores=scores).take(kept), rows[kept])


def _likest_of_each_picture(alike: Floats, views: Views) -> Floats:
    """How alike boxes are [K, K], but 0 where another whole box of the same picture is more like that other one.

    What a picture shows whole it shows once: of two neighbours in a tile one is the thing that the frame shows, and the
    other is none of it, however much they overlap. Of what is cut there may be several parts.
    """
    claims = alike.copy()
    for picture in np.unique(views.pictures):
        rows = np.flatnonzero((views.pictures == picture) & ~views.cut)
        if len(rows) > 1:
            claims[rows] *= alike[rows] == alike[rows].max(axis=0)
    return claims


def _joined(views: Views, rows: NDArray[np.intp]) -> tuple[Views, NDArray[np.intp]]:
    """The same with halves of one thing made one, the two most alike first, until none are left."""
    halves = np.flatnonzero(views.cut)
    parts, left = views.take(halves), np.ones(len(views), bool)
    alike = _alike(parts, parts)
    while alike.size:
        one, other = np.unravel_index(np.argmax(alike), alike.shape)
        if not alike[one, other]:
            break
        best, less = (one, other) if parts.scores[one] >= parts.scores[other] else (other, one)
        for each in (parts.boxes, parts.limits):
            each[best] = [*np.minimum(each[one, :2], each[other, :2]), *np.maximum(each[one, 2:], each[other, 2:])]
        left[halves[less]] = False
        alike[best] = alike[:, best] = _alike(parts.take([int(best)]), parts)[0] * left[halves]
        alike[less] = alike[:, less] = 0
    views.boxes[halves], views.limits[halves] = parts.boxes, parts.limits
    return views.take(left), rows[left]


def _alike(some: Views, others: Views) -> Floats:
    """[K, L]: intersection over union of each of K with each of L, where both say something; 0: they are two things."""
    areas = [np.ones((len(some), len(others))) for _ in range(3)]
    for low, high in ((0, 2), (1, 3)):  # columns, then rows
        start = np.maximum(some.limits[:, None, low], others.limits[:, low])
        end = np.minimum(some.limits[:, None, high], others.limits[:, high])
        first = np.maximum(some.boxes[:, None, low], start), np.minimum(some.boxes[:, None, high], end)
        second = np.maximum(others.boxes[:, low], start), np.minimum(others.boxes[:, high], end)
        both = np.maximum(first[0], second[0]), np.minimum(first[1], second[1])
        for area, (left, right) in zip(areas, (first, second, both), strict=True):
            area *= np.maximum(right - left, 0)
    first_area, second_area, shared = areas
    union = first_area + second_area - shared
    is_part = (shared >= WITHIN * first_area) & some.cut[:, None] | (shared >= WITHIN * second_area) & others.cut
    overlap = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    is_alike = (some.pictures[:, None] != others.pictures) & (is_part | (overlap >= ALIKE))
    return np.where(is_alike, overlap, 0)
