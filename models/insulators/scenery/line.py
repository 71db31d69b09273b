"""A power line: towers, the strings that hang from them, and the wires between."""

import itertools
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sightline_models.insulators.scenery.camera import Points
from sightline_models.insulators.scenery.discs import BROWN, GLASS, GREY, WARES, Ware
from sightline_models.insulators.scenery.draw import Bars
from sightline_models.insulators.scenery.light import Light
from sightline_models.insulators.scenery.strings import String
from sightline_models.insulators.scenery.towers import Tower

Hanging = Literal["strain", "suspension", "vee"]
"""Strings pulled out along the line, hanging down, or two in a V."""
WIRE: Final = np.array([0.30, 0.31, 0.33])
WIRE_WIDTH: Final = 0.034
"""Metres: thicker than most, to be seen."""
SAG: Final = 0.03
"""Of a span's length."""


@dataclass(frozen=True)
class Line:
    """Everything of steel, porcelain and wire."""

    towers: list[Tower]
    strings: list[String]
    wires: list[Points]
    """Curves [K, 3] in metres."""

    @staticmethod
    def wire(points: Points, light: Light) -> Bars:
        """One of them, to draw."""
        return Bars.wire(points, WIRE_WIDTH, WIRE * float(light.skylight.mean()) * 2, WIRE + 0.3 * light.sunlight)

    @classmethod
    def at_random(cls, rng: np.random.Generator) -> "Line":
        """Three towers, strings of one or two kinds, a broken disc here and there."""
        spacing = rng.uniform(17, 30)
        low, step = rng.uniform(15, 22), rng.uniform(3.6, 5.2)
        arms = tuple(low + step * level for level in range(3))
        paint = rng.uniform(0.42, 0.62) * np.array([1.0, 1.03, 1.06]) * rng.uniform(0.93, 1.07, 3)
        towers = [
            Tower(x, rng.normal(0, 0.8), arms, rng.uniform(3.4, 5.0), foot=rng.uniform(2.4, 3.6), colour=tuple(paint))
            for x in (-spacing, 0.0, spacing)
        ]
        kinds: list[Hanging] = [("strain", "suspension", "vee")[rng.choice(3, p=(0.45, 0.4, 0.15))] for _ in towers]
        wares = [WARES[index] for index in rng.choice(len(WARES), 2, p=(0.3, 0.14, 0.12, 0.28, 0.16))]
        return _strung(towers, kinds, wares, rng, chance=0.65)

    @classmethod
    def for_demo(cls, rng: np.random.Generator) -> "Line":
        """Two towers side by side and a third far off: the strings people see first."""
        arms = (16.4, 20.6, 24.8)
        towers = [
            Tower(-8.0, 0.0, arms, 4.4),
            Tower(8.0, 0.0, arms, 4.2),
            Tower(-52.0, 1.5, arms, 4.4),
            Tower(58.0, -1.0, arms, 4.4),
        ]
        return _strung(towers, ["strain", "suspension", "strain", "suspension"], [BROWN, GLASS, GREY], rng, chance=0.45)


def _strung(
    towers: list[Tower], kinds: list[Hanging], wares: list[Ware], rng: np.random.Generator, *, chance: float
) -> Line:
    """Hang strings on every arm and wires between what they hold; `chance` is a string's of a broken disc."""
    strings: list[String] = []
    clamps: dict[tuple[int, int, int], tuple[Points, Points]] = {}
    wires: list[Points] = []
    for number, (tower, kind) in enumerate(zip(towers, kinds, strict=True)):
        for arm in range(len(tower.arms)):
            for side in (-1, 1):
                ware = wares[number % len(wares)] if rng.random() < 0.8 else wares[int(rng.integers(len(wares)))]
                hung, left, right = _hung(tower, kind, arm, side, ware, rng, chance)
                strings += hung
                clamps[number, arm, side] = left, right
                if kind == "strain":
                    wires.append(_sagging(left, right, rng.uniform(1.0, 1.7)))
    order = sorted(range(len(towers)), key=lambda index: towers[index].x)
    for one, two in itertools.pairwise(order):
        wires += [_span(clamps[one, arm, side][1], clamps[two, arm, side][0])
                  for arm in range(len(towers[one].arms)) for side in (-1, 1)]  # fmt: skip
    for end, direction in ((order[0], -1), (order[-1], 1)):
        for arm in range(len(towers[end].arms)):
            for side in (-1, 1):
                clamp = clamps[end, arm, side][0 if direction < 0 else 1]
                wires.append(_span(clamp, clamp + np.array([direction * 60.0, 0.0, 0.5])))
    tops = [np.array([towers[index].x, towers[index].y, towers[index].top]) for index in order]
    wires += [_span(one, two) for one, two in itertools.pairwise(tops)]
    return Line(towers, strings, wires)


def _hung(
    tower: Tower, kind: Hanging, arm: int, side: int, ware: Ware, rng: np.random.Generator, chance: float
) -> tuple[list[String], Points, Points]:
    """The strings at one arm's tip, and where the wires to the left and to the right are clamped."""
    tip = tower.tip(arm, side)
    length = rng.uniform(2.1, 3.0)
    discs = max(8, round(length / ware.pitch))
    pair = rng.random() < (0.65 if kind == "strain" else 0.25)
    if kind == "strain":
        droop = rng.uniform(0.08, 0.28)
        hung = []
        for direction in (-1, 1):
            axis = np.array([direction, rng.normal(0, 0.05), -droop])
            hung.append(
                _string(ware, tip, axis, discs, np.array([0.0, 0.45, 0.0]) if pair else np.zeros(3), rng, chance)
            )
        return hung, hung[0].end, hung[1].end
    if kind == "suspension":
        axis = np.array([rng.normal(0, 0.04), rng.normal(0, 0.05), -1.0])
        one = _string(ware, tip, axis, discs, np.array([0.45, 0.0, 0.0]) if pair else np.zeros(3), rng, chance)
        return [one], one.end, one.end
    lean = rng.uniform(0.45, 0.8)
    span = discs * ware.pitch + 0.7
    hung = []
    for side_of_tip in (-1.0, 1.0):
        start = tip + np.array([side_of_tip * (0.12 + lean * span * 0.8), 0.0, 0.0])
        axis = np.array([-side_of_tip * lean, 0.0, -1.0])
        hung.append(_string(ware, start, axis, discs, np.zeros(3), rng, chance))
    clamp = (hung[0].end + hung[1].end) / 2
    return hung, clamp, clamp


def _string(
    ware: Ware, start: Points, axis: Points, discs: int, beside: Points, rng: np.random.Generator, chance: float
) -> String:
    missing: tuple[tuple[int, int], ...] = ()
    if not ware.alternating and rng.random() < chance:
        missing = ((int(rng.integers(2 if beside.any() else 1)), int(rng.integers(2, discs - 2))),)
    return String(ware, start, axis / np.linalg.norm(axis), discs, beside, missing)


def _span(start: Points, end: Points) -> Points:
    return _sagging(start, end, SAG * float(np.linalg.norm(end - start)))


def _sagging(start: Points, end: Points, sag: float) -> Points:
    """A parabola, which is what a wire's catenary looks like at these lengths."""
    share = np.linspace(0, 1, 25)[:, None]
    curve = start + (end - start) * share
    curve[:, 2:] -= 4 * sag * share * (1 - share)
    return np.asarray(curve)
