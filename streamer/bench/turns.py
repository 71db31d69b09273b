"""One part measured again with another checkout's service, in turn with this one's: a slow moment meets both."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
Measure = Callable[[Path | None], Figures]
"""Measures one block, with the service of a checkout; None: this one's."""


def in_turn(measure: Measure, other: Path | None, blocks: int = 2) -> Figures:
    """Measure with this checkout's service; where there is another, with both.

    Args:
        measure: one block.
        other: the other checkout.
        blocks: of each, in the order this, other, other, this.

    Returns:
        This one's figures. With another they are medians, `other` has the other's, and `ratio` the medians of each
        block's figure divided by its neighbour's.
    """
    if other is None:
        return measure(None)
    mine: list[Figures] = []
    others: list[Figures] = []
    for number in range(blocks):
        for checkout in (None, other) if number % 2 == 0 else (other, None):
            (mine if checkout is None else others).append(measure(checkout))
    pairs = [_ratios(one, two) for one, two in zip(mine, others, strict=True)]
    return medians(mine) | {"other": medians(others), "ratio": medians(pairs)}


def medians(blocks: Sequence[Figures]) -> Figures:
    """Of each figure that every block has; what is no number is the first block's."""
    shared = [key for key in blocks[0] if all(key in block for block in blocks)]
    return {key: _median([block[key] for block in blocks]) for key in shared}


def _median(values: Sequence[Any]) -> Any:
    return round(statistics.median(values), 4) if all(map(_is_number, values)) else values[0]


def _ratios(one: Figures, two: Figures) -> Figures:
    return {
        key: round(one[key] / two[key], 3)
        for key in one
        if _is_number(one[key]) and _is_number(two.get(key)) and two[key]
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
