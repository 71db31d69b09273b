"""Lattice towers: four tapering legs, braced faces, cross-arms to both sides."""

import itertools
from dataclasses import dataclass

import numpy as np

from sightline_models.insulators.scenery.camera import Points
from sightline_models.insulators.scenery.draw import Bars
from sightline_models.insulators.scenery.light import Light


@dataclass(frozen=True)
class Tower:
    """Where it stands and how it is made. Lengths in metres."""

    x: float
    y: float
    arms: tuple[float, ...]
    """Heights of its cross-arms."""
    reach: float
    """From the middle to the tip of an arm."""
    foot: float = 3.0
    """Half the distance between two legs at the ground."""
    waist: float = 0.75
    """The same, from the lowest arm up."""
    colour: tuple[float, float, float] = (0.52, 0.55, 0.58)

    @property
    def top(self) -> float:
        return self.arms[-1] + 2.2

    def tip(self, arm: int, side: int) -> Points:
        """[3]: the end of a cross-arm; side -1 is towards the drone."""
        return np.array([self.x, self.y + side * self.reach, self.arms[arm]])

    def half(self, z: float) -> float:
        """Half the body's width at a height."""
        share = min(1.0, z / self.arms[0])
        return float(self.foot + (self.waist - self.foot) * share**0.8)

    def members(self) -> tuple[Points, list[float]]:
        """Every bar, [K, 2, 3], and its width."""
        levels = [0.0]
        while levels[-1] < self.arms[0] - 0.7:
            levels.append(min(self.arms[0], levels[-1] + 2.1 * self.half(levels[-1])))
        levels[-1] = self.arms[0]
        steps = np.linspace(self.arms[0], self.top, max(3, round((self.top - self.arms[0]) / 1.3)))
        levels += steps[1:].tolist()
        bars: list[tuple[Points, Points, float]] = []
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        for low, high in itertools.pairwise(levels):
            below = [self._corner(corner, low) for corner in corners]
            above = [self._corner(corner, high) for corner in corners]
            for one in range(4):
                two = (one + 1) % 4
                bars.append((below[one], above[one], 0.16))
                bars.append((below[one], above[two], 0.075))
                bars.append((below[two], above[one], 0.075))
                bars.append((above[one], above[two], 0.085))
        for arm in range(len(self.arms)):
            for side in (-1, 1):
                bars += self._arm(arm, side)
        return np.array([(start, end) for start, end, _ in bars]), [width for *_, width in bars]

    def _corner(self, corner: tuple[int, int], z: float) -> Points:
        half = self.half(z)
        return np.array([self.x + corner[0] * half, self.y + corner[1] * half, z])

    def _arm(self, arm: int, side: int) -> list[tuple[Points, Points, float]]:
        """A pyramid lying on its side, from the body to the tip."""
        z, half = self.arms[arm], self.half(self.arms[arm])
        tip = self.tip(arm, side)
        roots = [np.array([self.x + end * half, self.y + side * half, z + up]) for end, up in
                 ((-1, 0.0), (1, 0.0), (-1, 1.25), (1, 1.25))]  # fmt: skip
        bars = [(root, tip, 0.11) for root in roots]
        shares = np.linspace(0, 0.86, 5)
        for near, far in itertools.pairwise(shares):
            at = [[root + (tip - root) * share for root in roots] for share in (near, far)]
            for one, two in ((0, 1), (0, 2), (1, 3), (2, 3)):
                bars.append((at[1][one], at[1][two], 0.06))
                bars.append((at[0][one], at[1][two], 0.06))
        return bars


def steelwork(tower: Tower, light: Light, rng: np.random.Generator) -> Bars:
    """A tower's bars in the light they stand in."""
    ends, widths = tower.members()
    along = ends[:, 1] - ends[:, 0]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    # A bar lights up by how squarely the sun meets it.
    square = np.sqrt(np.clip(1 - (along @ light.sun) ** 2, 0, 1))
    level = float(light.skylight.mean()) * 0.9 + square * float(light.sunlight.mean()) * 0.75
    return Bars.steel(ends, np.array(widths), np.array(tower.colour), level * rng.uniform(0.86, 1.1, len(widths)))


def shadows(bars: Bars, light: Light) -> list[Points]:
    """The bars' shadows on the ground, polygons [4, 2] in metres."""
    fall = bars.ends[..., :2] - bars.ends[..., 2:] * (light.sun[:2] / light.sun[2])
    along = fall[:, 1] - fall[:, 0]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    across *= bars.widths[:, None] * 0.9
    return list(np.stack([fall[:, 0] + across, fall[:, 1] + across, fall[:, 1] - across, fall[:, 0] - across], axis=1))
