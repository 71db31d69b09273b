"""Insulator strings: rows of discs between a tower and a conductor, some with a disc broken off."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.scenery.camera import Camera, Points
from sightline_models.insulators.scenery.discs import RADIUS, SIZE, Part, Ware, sprite
from sightline_models.insulators.scenery.draw import NEAREST, Bars, Stroke
from sightline_models.insulators.scenery.light import Light
from sightline_models.insulators.scenery.sight import Sight
from sightline_models.insulators.scenery.sprites import lay

FITTING: Final = np.array([0.46, 0.47, 0.48])
Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in pixels, not yet cut to the picture."""


@dataclass(frozen=True)
class String:
    """One insulator: a single string of discs, or two side by side that hold the same conductor."""

    ware: Ware
    start: Points
    """[3] metres: the tower's end."""
    axis: Points
    """[3] unit vector towards the conductor."""
    discs: int
    beside: Points
    """[3] metres from one string of a pair to the other; zero for a single string."""
    missing: tuple[tuple[int, int], ...] = ()
    """(string of the pair, disc) of every broken disc."""
    links: float = 0.35
    """Metres of fittings at either end."""

    @property
    def rows(self) -> list[Points]:
        """The start of each string."""
        if not self.beside.any():
            return [self.start]
        return [self.start - self.beside / 2, self.start + self.beside / 2]

    @property
    def end(self) -> Points:
        """[3] metres: where the conductor is clamped."""
        return self.start + self.axis * (2 * self.links + self.discs * self.ware.pitch)

    def place(self, disc: float) -> Points:
        """[3] metres from a row's start to the middle of a disc."""
        return np.asarray(self.axis * (self.links + (disc + 0.5) * self.ware.pitch))

    def depth(self, camera: Camera) -> float:
        """Metres, of its middle."""
        return float(camera.project((self.start + self.end) / 2)[1])

    def fittings(self, light: Light) -> Bars:
        """Links, yoke plates and the ring at the conductor's end."""
        grey = FITTING * float(light.on(np.array([0, -0.6, 0.8])).mean())
        near, far = self.links * 0.55, self.links * 1.45 + self.discs * self.ware.pitch
        ends, widths = [], []
        for row in self.rows:
            for one, two, meet in ((near, self.links + 0.05, self.start), (far, far - self.links + 0.05, self.end)):
                ends += [(row + self.axis * one, row + self.axis * two), (row + self.axis * one, meet)]
                widths += [0.05, 0.055]
        if self.beside.any():
            for share in (near, far):
                ends.append((self.rows[0] + self.axis * share, self.rows[1] + self.axis * share))
                widths.append(0.10)
        turn = np.linspace(0, 2 * np.pi, 25)
        apart = float(np.linalg.norm(self.beside))
        side = self.beside / apart if apart else _perpendicular(self.axis)
        other = np.cross(self.axis, side)
        ring = self.end - self.axis * (self.links * 0.6)
        ring = ring + np.outer(np.cos(turn), side) * (apart / 2 + 0.30) + np.outer(np.sin(turn), other) * 0.26
        steel = Bars.steel(np.array(ends), np.array(widths), grey, np.ones(len(ends)))
        return Bars.joined([steel, Bars.wire(ring, 0.035, grey * 0.8, grey * 1.2)])

    def strokes(self, camera: Camera, light: Light, number: int) -> list[Stroke]:
        """Its rows of discs, ready to paint; `number` is the string's own in its scene."""
        rows = [_Row(self, row, number, camera, light) for row in range(len(self.rows))]
        return [row for row in rows if row.shows]

    def box(self, camera: Camera) -> Box | None:
        """Around its discs; None where any of it is behind the camera."""
        return _around(camera, self.hulls.reshape(-1, 3))

    def gaps(self, camera: Camera) -> list[Box | None]:
        """Around each broken disc: the room it leaves, up to the discs beside it."""
        found = []
        for number, disc in self.missing:
            row = self.rows[number]
            found.append(_around(camera, np.concatenate([self.rim(row, disc - 0.75), self.rim(row, disc + 0.75)])))
        return found

    def rim(self, row: Points, disc: float) -> Points:
        """[12, 3] metres: the circle a shed's edge runs on."""
        return np.asarray(row + self.place(disc) + self._circle)

    @cached_property
    def places(self) -> Points:
        """[rows, discs, 3] metres: the middle of every disc."""
        along = np.stack([self.place(disc) for disc in range(self.discs)])
        return np.stack([row + along for row in self.rows])

    @cached_property
    def hulls(self) -> Points:
        """[rows, 24, 3] metres: the first and the last shed's edge of each row, whose hull holds all its discs."""
        return np.stack(
            [np.concatenate([self.rim(row, disc) for disc in (-0.3, self.discs - 0.7)]) for row in self.rows]
        )

    @cached_property
    def _circle(self) -> Points:
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        one = _perpendicular(self.axis)
        two = np.cross(self.axis, one)
        return np.asarray(self.ware.radius * (np.outer(np.cos(turn), one) + np.outer(np.sin(turn), two)))


class _Row:
    """One row of discs, ready to paint."""

    def __init__(self, string: String, row: int, number: int, camera: Camera, light: Light) -> None:
        self._string, self._row, self._number, self._camera, self._light = string, row, number, camera, light
        self._hull, depths = camera.project(string.hulls[row])
        self.depth = float(depths.mean())
        low, high = self._hull.min(axis=0), self._hull.max(axis=0)
        self.shows = bool(depths.min() > NEAREST and (high > 0).all() and (low < (camera.width, camera.height)).all())

    def paint(self, frame: NDArray[np.uint8], sight: Sight) -> None:
        string, camera, ware = self._string, self._camera, self._string.ware
        places = string.places[self._row]
        pixels, depths = camera.project(places)
        reach = ware.radius * camera.focal / depths
        ahead = camera.project(places + string.axis * 0.02)[0] - pixels
        rays = places - camera.position
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        tilts = np.arcsin(np.clip(rays @ string.axis, -1, 1))
        sun = _in_sprite(self._light.sun, string.axis, rays[string.discs // 2])
        angles = np.arctan2(-ahead[:, 0], ahead[:, 1])
        shown = (pixels > -reach[:, None]).all(axis=1)
        shown &= (pixels < (camera.width, camera.height) + reach[:, None]).all(axis=1)
        order = np.flatnonzero(shown)
        gone = {disc for number, disc in string.missing if number == self._row}
        middle = ((SIZE - 1) / 2, (SIZE - 1) / 2)
        for disc in order if tilts.mean() < 0 else order[::-1]:  # the farthest disc first
            part: Part = "cap" if disc in gone else "small" if ware.alternating and disc % 2 else "disc"
            picture = sprite(ware, part, float(tilts[disc]), sun, self._light)
            x, y = pixels[disc].tolist()
            lay(frame, picture, (x, y), middle, float(reach[disc]) / RADIUS, float(angles[disc]))
        sight.show(self._number, self._hull)


def _perpendicular(axis: Points) -> Points:
    helper = np.array([0.0, 0.0, 1.0]) if abs(axis[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    normal = np.cross(axis, helper)
    return np.asarray(normal / np.linalg.norm(normal))


def _in_sprite(direction: Points, axis: Points, ray: Points) -> Points:
    """`direction` in a sprite's axes: right, down along the string, towards the viewer."""
    near = -ray
    down = axis - ray * float(axis @ ray)
    down = down / (np.linalg.norm(down) + 1e-9)
    right = np.cross(near, down)
    return np.array([direction @ right, direction @ down, direction @ near])


def _around(camera: Camera, points: Points) -> Box | None:
    pixels, depth = camera.project(points)
    if depth.min() < NEAREST:
        return None
    (x_min, y_min), (x_max, y_max) = pixels.min(axis=0), pixels.max(axis=0)
    return float(x_min), float(y_min), float(x_max), float(y_max)
