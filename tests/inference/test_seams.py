"""streamer.inference.seams: which boxes of overlapping pictures show the same thing."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.inference.seams import ALIKE, WITHIN, Views, limits_of, one_of_each
from streamer.inference.tiling import Cut, regions
from streamer.values.tiles import Region

Box = tuple[float, float, float, float]


def inside(box: Box, other: Sequence[float]) -> Box:
    """What of a box lies in another."""
    return max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])


def area(box: Sequence[float]) -> float:
    """0 where it is none."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def iou(box: Box, other: Sequence[float]) -> float:
    """Intersection over union."""
    shared = area(inside(box, other))
    union = area(box) + area(other) - shared
    return shared / union if union else 0.0


def edges(region: Region) -> Box:
    """A region as a box."""
    return region.left, region.top, region.right, region.bottom


def views_of(size: tuple[int, int], *pictures: tuple[Region | None, list[tuple[Box, float]]]) -> Views:
    """The boxes and scores of each picture."""
    boxes = [np.array([box for box, _ in found], float).reshape(-1, 4) for _, found in pictures]
    return Views(
        np.concatenate(boxes),
        np.concatenate([limits_of(each, region, size) for each, (region, _) in zip(boxes, pictures, strict=True)]),
        np.array([score for _, found in pictures for _, score in found]),
        np.repeat(np.arange(len(pictures)), [len(found) for _, found in pictures]),
    )


def merged(views: Views) -> list[tuple[Sequence[float], float]]:
    """One box of each thing, and its score, from left to right."""
    things, _ = one_of_each(views)
    return sorted(
        (tuple(map(float, box)), float(score)) for box, score in zip(things.boxes, things.scores, strict=True)
    )


def parts_of(size: tuple[int, int], tiles: list[Region]) -> list[Box]:
    """Every part of a frame that edges of its tiles bound."""
    columns = combinations(sorted({0, size[0], *(line for tile in tiles for line in (tile.left, tile.right))}), 2)
    rows = list(combinations(sorted({0, size[1], *(line for tile in tiles for line in (tile.top, tile.bottom))}), 2))
    return [(left, top, right, bottom) for left, right in columns for top, bottom in rows]


def clear(thing: Box, tile: Region, size: tuple[int, int]) -> bool:
    """Whether a thing ends well before the inner edges of a tile."""
    return bool(np.isinf(limits_of(np.array([thing], float), tile, size)).all())


def lies_in(thing: Box, others: list[Box], parts: list[Box]) -> bool:
    """Whether some part of it is as good as within a part of another, or around it."""
    pairs = [(inside(thing, part), inside(other, part)) for other in others if other != thing for part in parts]
    return any(area(inside(one, two)) >= WITHIN * min(area(one), area(two)) > 0 for one, two in pairs)


def told_apart(things: list[Box], parts: list[Box]) -> list[Box]:
    """Those of the things that are not like an earlier one in any of these parts."""
    kept = list[Box]()
    for thing in things:
        if all(iou(inside(thing, part), inside(other, part)) < ALIKE for other in kept for part in parts):
            kept.append(thing)
    return kept


@st.composite
def scenes(draw: st.DrawFn) -> tuple[tuple[int, int], Cut, list[Box], list[frozenset[int]]]:
    """A frame's size and tiling, what is in it, and in which of its pictures each thing is found; 0 is the whole."""
    size = draw(st.integers(100, 2000)), draw(st.integers(100, 2000))
    cut: Cut = draw(st.sampled_from(["2x2", "3x2"]))
    tiles = regions(size, cut)
    spans = [
        st.tuples(*[st.integers(0, side)] * 2).filter(lambda ends: ends[0] != ends[1]).map(sorted) for side in size
    ]
    drawn = draw(st.lists(st.tuples(*spans), min_size=1, max_size=5))
    parts = parts_of(size, tiles)
    things = told_apart([(x[0], y[0], x[1], y[1]) for x, y in drawn], parts)
    found = list[frozenset[int]]()
    for thing in things:
        shown = {number for number, tile in enumerate(tiles, 1) if area(inside(thing, edges(tile)))}
        whole = [number for number in sorted(shown) if inside(thing, edges(tiles[number - 1])) == thing]
        if lies_in(thing, things, parts):
            well = [0, *(number for number in whole if clear(thing, tiles[number - 1], size))]
            at_least = {draw(st.sampled_from(well))}
        else:
            at_least = {draw(st.sampled_from([0, *whole]))} if draw(st.booleans()) else shown
        found.append(frozenset(at_least | draw(st.sets(st.sampled_from([0, *sorted(shown)])))))
    return size, cut, things, found


@given(scenes())
def test_each_thing_that_was_found_has_one_box(
    scene: tuple[tuple[int, int], Cut, list[Box], list[frozenset[int]]],
) -> None:
    """Whatever is in a frame, however it is cut: what one picture shows whole, or all its tiles in parts, is one box.

    The detector is exact: it tells of each picture where in it a thing is, as far as it lies in it. Of things that look
    alike nothing is asked: no picture tells them apart; and what lies in another must be seen whole somewhere.
    """
    size, cut, things, found = scene
    pictures = [None, *regions(size, cut)]
    views = views_of(
        size,
        *(
            (
                region,
                [
                    (thing if region is None else inside(thing, edges(region)), 0.5 + (number * 7 + row * 3) % 10 / 20)
                    for row, (thing, where) in enumerate(zip(things, found, strict=True))
                    if number in where
                ],
            )
            for number, region in enumerate(pictures)
        ),
    )
    boxes = [box for box, _ in merged(views)]
    assert len(boxes) == len(things), (boxes, things)
    for thing in things:
        assert max(iou(thing, box) for box in boxes) >= 0.9


def test_a_cut_box_need_not_show_all_that_its_tile_has_of_a_thing() -> None:
    """What a tile shows of a long string may begin anywhere: a cut box that lies in another's is the same thing."""
    tile = regions((900, 900), "2x2")[0]
    whole: Box = (100, 100, 800, 140)
    cut, apart = (350, 105, 499, 135), (350, 105, 450, 135)
    assert merged(views_of((900, 900), (None, [(whole, 0.6)]), (tile, [(cut, 0.9)]))) == [(whole, 0.9)]
    assert len(merged(views_of((900, 900), (None, [(whole, 0.6)]), (tile, [(apart, 0.9)])))) == 2


@pytest.mark.parametrize("score", [0.8, 0.95])
def test_a_neighbour_that_a_tile_tells_from_a_thing_is_none_of_it(score: float) -> None:
    """Of two that overlap the frame shows one: a tile that shows both has two things, whichever it is surer of."""
    size, thing, neighbour = (1000, 600), (100.0, 100.0, 200.0, 300.0), (150.0, 100.0, 250.0, 300.0)
    assert iou(thing, neighbour) > ALIKE
    tile = regions(size, "2x2")[0]
    found = merged(views_of(size, (None, [(thing, 0.9)]), (tile, [(thing, 0.85), (neighbour, score)])))
    assert [tuple(box) for box, _ in found] == [thing, neighbour]
