"""One disc of an insulator string, shaded as the body of revolution it is: a small picture for each angle.

A string is many of the same disc, so that a few dozen of these pictures draw every string of a flight.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.scenery.light import Light
from sightline_models.insulators.scenery.sprites import Pyramid, pyramid

RADIUS: Final = 28
"""Pixels of the widest shed in a sprite; sprites are drawn smaller than they are, seldom larger."""
SIZE: Final = 88
"""Pixels of a sprite's side; the disc's middle is its middle."""
ANGLE_STEP: Final = np.radians(3)
SUN_STEPS: Final = 5
"""Steps from 0 to 1 in each of the sun's coordinates; finer would draw more sprites than anyone could tell apart."""
FRACTURE: Final = (0.90, 0.86, 0.78)
"""Unglazed porcelain, and crushed glass: nearly white."""
Part = Literal["disc", "small", "cap"]
"""A whole disc, the smaller shed between two of a composite rod, or what is left where a shed broke off."""


@dataclass(frozen=True)
class Ware:
    """What a string's discs are made of. Lengths in metres."""

    name: str
    colour: tuple[float, float, float]
    gloss: float
    """Strength of the mirrored sun."""
    clear: float
    """How much of the light behind shines through: glass."""
    radius: float
    pitch: float
    """From one disc to the next."""
    depth: float
    """Of a shed, along the string."""
    core: float
    """Radius between sheds: cap and pin, or the rod."""
    core_colour: tuple[float, float, float] = (0.42, 0.42, 0.43)
    alternating: bool = False
    """Composite rods: every second shed is smaller."""


BROWN: Final = Ware("porcelain, brown", (0.36, 0.17, 0.11), 0.75, 0.0, 0.160, 0.170, 0.075, 0.055)
RED: Final = Ware("porcelain, red brown", (0.46, 0.25, 0.18), 0.45, 0.0, 0.160, 0.155, 0.080, 0.060)
GREY: Final = Ware("porcelain, grey", (0.62, 0.63, 0.64), 0.6, 0.0, 0.160, 0.165, 0.075, 0.055)
GLASS: Final = Ware("glass, green", (0.34, 0.56, 0.48), 1.0, 0.55, 0.160, 0.170, 0.070, 0.055)
COMPOSITE: Final = Ware(
    "composite, grey white", (0.70, 0.71, 0.74), 0.25, 0.0, 0.110, 0.085, 0.030, 0.030, (0.64, 0.65, 0.68), True
)
WARES: Final = (BROWN, RED, GREY, GLASS, COMPOSITE)


def _profile(ware: Ware, part: Part) -> NDArray[np.float64]:
    """[K, 3]: position along the axis and radius in metres, and what it is: 0 metal, 1 shed, 2 fracture."""
    core, pitch = ware.core, ware.pitch
    if part == "cap":
        stub = core + (ware.radius - core) * 0.46
        return np.array(
            [
                [-0.5 * pitch, core * 0.6, 0],
                [-0.42 * pitch, core * 0.95, 0],
                [-0.35 * ware.depth, core, 0],
                [-0.15 * ware.depth, stub * 0.9, 1],
                [0.05 * ware.depth, stub, 2],
                [0.30 * ware.depth, stub * 0.92, 2],
                [0.34 * ware.depth, core * 0.7, 2],
                [0.40 * ware.depth, core * 0.42, 0],
                [0.5 * pitch, core * 0.42, 0],
            ]
        )
    radius = ware.radius * (0.74 if part == "small" else 1.0)
    flare = np.linspace(0, 1, 9)
    shed = np.stack(
        [-0.35 * ware.depth + ware.depth * 0.62 * flare**1.7, core + (radius - core) * np.sin(flare * np.pi / 2) ** 0.9,
         np.ones(9)], axis=1,
    )  # fmt: skip
    edge = shed[-1, 0]
    under = np.array(
        [
            [edge + 0.16 * ware.depth, radius * 0.985, 1],
            [edge + 0.2 * ware.depth, radius * 0.9, 1],
            [edge - 0.02 * ware.depth, core * 1.5, 1],
            [edge + 0.1 * ware.depth, core * 0.6, 0],
            [0.5 * pitch, core * 0.55, 0],
        ]
    )
    cap = np.array([[-0.5 * pitch, core * 0.6, 0], [-0.42 * pitch, core * 0.95, 0], [shed[0, 0], core, 0]])
    return np.concatenate([cap, shed, under])


def sprite(ware: Ware, part: Part, tilt: float, sun: NDArray[np.float64], light: Light) -> Pyramid:
    """A disc seen at an angle, premultiplied RGBA uint8 [SIZE, SIZE, 4], and its halves.

    The string's axis runs down the sprite, its tower end on top.

    Args:
        ware: what it is made of.
        part: which shape.
        tilt: radians; 0 sees the string from the side, positive looks at the discs from the tower end.
        sun: [3] unit vector towards the sun in the sprite's axes: right, down, towards the viewer.
        light: whose colours.
    """
    steps = tuple(round(value * SUN_STEPS) for value in sun)
    return _sprite(ware, part, round(tilt / ANGLE_STEP), (steps[0], steps[1], steps[2]), _Colours.of(light))


@dataclass(frozen=True)
class _Colours:
    """A light's colours as plain numbers, so that sprites can be remembered by them."""

    sunlight: tuple[float, ...]
    skylight: tuple[float, ...]
    haze: tuple[float, ...]

    @classmethod
    def of(cls, light: Light) -> "_Colours":
        return cls(tuple(light.sunlight), tuple(light.skylight), tuple(light.haze))


@lru_cache(maxsize=4096)
def _sprite(ware: Ware, part: Part, tilt_steps: int, sun_steps: tuple[int, int, int], colours: _Colours) -> Pyramid:
    tilt = tilt_steps * ANGLE_STEP
    sun = np.array(sun_steps, float)
    sun /= max(1e-6, float(np.linalg.norm(sun)))
    scale = RADIUS / ware.radius
    profile = _profile(ware, part)
    # One slice a third of a pixel, wherever the outline runs.
    run = np.hypot(*np.diff(profile[:, :2], axis=0).T) * scale
    fine = np.interp(
        np.linspace(0, 1, 2 + int(run.sum() * 0.5)), np.append(0, run.cumsum()) / run.sum(), np.arange(len(profile))
    )
    along, radius, shed = (np.interp(fine, np.arange(len(profile)), column) for column in profile.T)
    slope_along, slope_radius = np.gradient(along), np.gradient(radius)
    length = np.hypot(slope_along, slope_radius) + 1e-9
    outward, forward = slope_along / length, -slope_radius / length  # the surface normal: radial part, axial part
    order = np.argsort(along if tilt < 0 else -along, kind="stable")  # farthest slices first
    ys, xs = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) - (SIZE - 1) / 2
    picture = np.zeros((SIZE, SIZE, 4), np.float32)
    open_, side = abs(np.sin(tilt)), np.cos(tilt)
    for index in order:
        reach = radius[index] * scale
        if reach < 0.5:
            continue
        middle = along[index] * scale * side
        flat = max(open_ * reach, 1.1)
        first, last = (int(np.clip(middle + sign * (flat + 2) + SIZE / 2, 0, SIZE)) for sign in (-1, 1))
        start, stop = (int(np.clip(sign * (reach + 2) + SIZE / 2, 0, SIZE)) for sign in (-1, 1))
        window = np.s_[first:last, start:stop]
        u, v = xs[window] / np.float32(reach), (ys[window] - np.float32(middle)) / np.float32(flat)
        distance = np.sqrt(u * u + v * v) + 1e-6
        cover = np.clip((1 - distance) * min(reach, max(flat, 1.5)) + 0.5, 0, 1)[..., None]
        right, up = _rim(u, v, distance, tilt)
        colour = _shade(right, up, tilt, outward[index], forward[index], shed[index], ware, sun, colours)
        if 0.5 < shed[index] <= 1.5 and ware.clear:
            cover = cover * (1 - 0.35 * ware.clear)
        band = picture[window]
        band[..., :3] = band[..., :3] * (1 - cover) + colour * cover
        band[..., 3:] = band[..., 3:] * (1 - cover) + cover
    return pyramid(np.clip(picture * 255, 0, 255).astype(np.uint8))


def _rim(
    u: NDArray[np.float32], v: NDArray[np.float32], distance: NDArray[np.float32], tilt: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The direction on a slice's circle that shows at (u, v): its front from the side, all round when open."""
    sign = 1.0 if tilt >= 0 else -1.0
    side_right = np.clip(u, -1, 1)
    side_up = sign * np.sqrt(1 - side_right**2)
    opened = float(np.clip((abs(np.sin(tilt)) - 0.12) / 0.3, 0, 1))
    right = u / distance * opened + side_right * (1 - opened)
    up = v / distance * opened + side_up * (1 - opened)
    length = np.sqrt(right**2 + up**2) + 1e-6
    return right / length, up / length


def _shade(
    right: NDArray[Any], up: NDArray[Any], tilt: float, outward: float, forward: float, shed: float,
    ware: Ware, sun: NDArray[np.float64], colours: _Colours,
) -> NDArray[np.float32]:  # fmt: skip
    """RGB of one slice's rim, where (`right`, `up`) is the direction from its axis, as seen by the viewer."""
    sin, cos = np.sin(tilt), np.cos(tilt)
    turn = 1.0 if tilt >= 0 else -1.0
    # The circle's second axis, and the string's own axis, in (right, down, towards the viewer).
    across_down, across_near = abs(sin), cos * turn
    axis_down, axis_near = cos, -sin
    lateral = right * outward
    down = up * outward * across_down + forward * axis_down
    near = up * outward * across_near + forward * axis_near
    facing = np.clip(lateral * sun[0] + down * sun[1] + near * sun[2], 0, 1)
    dome = 0.62 - 0.36 * down  # light from the fields below keeps undersides from going black
    half = sun + np.array([0.0, 0.0, 1.0])
    half /= np.linalg.norm(half) + 1e-9
    mirror = np.clip(lateral * half[0] + down * half[1] + near * half[2], 0, 1) ** 38
    rim = (1 - np.clip(near, 0, 1)) ** 3
    base = np.array(FRACTURE if shed > 1.5 else ware.colour if shed > 0.5 else ware.core_colour)
    sunlight, skylight, haze = np.array(colours.sunlight), np.array(colours.skylight), np.array(colours.haze)
    lit = base * (facing[..., None] * sunlight + dome[..., None] * skylight)
    if 0.5 < shed <= 1.5:
        lit = lit + (ware.gloss * 0.75 * mirror[..., None]) * sunlight + (0.16 * ware.gloss * rim[..., None]) * haze
        lit = lit + ware.clear * 0.25 * base * haze
    return np.asarray(lit, np.float32)
