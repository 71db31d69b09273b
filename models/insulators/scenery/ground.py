"""Fields, tracks, ponds and tree shadows: a map seen from above, laid under the camera by a homography a row band.

The map exists in several sharpnesses. A band of rows takes the one whose texels are about as large as its pixels, and
neighbouring bands are blended, so that nothing far away glitters when the drone moves.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.scenery.camera import Camera
from sightline_models.insulators.scenery.light import Light
from sightline_models.insulators.scenery.noise import fractal

WIDE: Final = (-384.0, -40.0, 768.0, 512.0)
"""Left, near, width and depth in metres of the whole map."""
NEAR: Final = (-64.0, -24.0, 128.0, 96.0)
"""The part of it that is also kept sharp."""
WIDE_DENSITY: Final = 4
NEAR_DENSITY: Final = 20
"""Texels a metre."""
CROPS: Final = (
    (0.34, 0.45, 0.17), (0.46, 0.52, 0.22), (0.62, 0.58, 0.32), (0.50, 0.40, 0.27), (0.27, 0.40, 0.16),
    (0.70, 0.64, 0.36), (0.40, 0.47, 0.25), (0.57, 0.49, 0.34),
)  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """The map, or a part of it, at one sharpness."""

    texels: NDArray[np.uint8]
    left: float
    near: float
    across: float
    """Texels a metre along x."""
    along: float
    """Texels a metre along y."""
    until: float
    """Metres of distance up to which this sheet is used."""


class Ground:
    """The painted map and its sheets; `shadows` are polygons [K, 2] in metres that lie dark on it."""

    def __init__(self, light: Light, rng: np.random.Generator, shadows: list[NDArray[np.float64]]) -> None:
        fields, stripes = _fields(rng)
        wide = _lit(fields, light)
        near = _sharpened(wide, stripes, rng)
        wide = _shaded(wide, shadows, WIDE, WIDE_DENSITY, light)
        near = _shaded(near, shadows, NEAR, NEAR_DENSITY, light)
        self._light = light
        self._sheets = [
            _sheet(near, NEAR, NEAR_DENSITY, 20, 12, until=34),
            _sheet(near, NEAR, NEAR_DENSITY, 16, 5, until=62),
            _sheet(wide, WIDE, WIDE_DENSITY, 4, 2, until=120),
            _sheet(wide, WIDE, WIDE_DENSITY, 3, 0.8, until=220),
            _sheet(wide, WIDE, WIDE_DENSITY, 1.5, 0.25, until=np.inf),
        ]

    def paint(self, frame: NDArray[np.uint8], camera: Camera) -> None:
        """Fill everything below the horizon of `frame` (uint8 [H, W, 3] RGB), faded by distance."""
        first = max(0, int(np.ceil(camera.horizon)))
        if first >= camera.height:
            return
        depths = camera.row_depth(np.arange(first, camera.height) + 0.5)
        for number in reversed(range(len(self._sheets))):  # far bands first, nearer ones blend over their edge
            sheet = self._sheets[number]
            nearest = self._sheets[number - 1].until if number else 0.0
            rows = np.flatnonzero((depths <= sheet.until * 1.12) & (depths >= nearest * 0.88))
            if len(rows):
                self._paint_band(frame, camera, sheet, first + int(rows[0]), first + int(rows[-1]) + 1)
        clear = np.exp(-depths / self._light.visibility)[:, None]
        veil = self._light.haze * 255 * (1 - clear)
        below = frame[first:]
        shape = below.shape[:2]
        scale = cv2.resize(
            (clear * np.ones(3)).astype(np.float32)[:, None], shape[::-1], interpolation=cv2.INTER_NEAREST
        )
        cv2.multiply(below, scale, dst=below, dtype=cv2.CV_8U)
        cv2.add(below, cv2.resize(veil.astype(np.uint8)[:, None], shape[::-1]), dst=below)

    def _paint_band(self, frame: NDArray[np.uint8], camera: Camera, sheet: Sheet, top: int, bottom: int) -> None:
        to_texels = np.array(
            [[sheet.across, 0, -sheet.left * sheet.across], [0, sheet.along, -sheet.near * sheet.along], [0, 0, 1]]
        )
        band = cv2.warpPerspective(
            sheet.texels, to_texels @ camera.ground_homography(top + 0.5), (camera.width, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT_101,
        )  # fmt: skip
        depths = camera.row_depth(np.arange(top, bottom) + 0.5)
        if np.isfinite(sheet.until):
            share = np.clip((sheet.until * 1.12 - depths) / (sheet.until * 0.24), 0, 1)
            for row in np.flatnonzero(share < 1):
                cv2.addWeighted(band[row], share[row], frame[top + row], 1 - share[row], 0, dst=band[row])
        frame[top:bottom] = band


def _sheet(
    texels: NDArray[np.uint8], part: tuple[float, float, float, float], density: int, across: float, along: float,
    *, until: float,
) -> Sheet:  # fmt: skip
    left, near, width, depth = part
    size = (round(width * across), round(depth * along))
    if (across, along) != (density, density):
        texels = cv2.resize(texels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return Sheet(texels, left, near, size[0] / width, size[1] / depth, until)


def _fields(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reflectance float32 [H, W, 3] of the whole map, and how strongly rows of crops show, float32 [H, W] in -1..1."""
    height, width = int(WIDE[3] * WIDE_DENSITY), int(WIDE[2] * WIDE_DENSITY)
    colour = np.empty((height, width, 3), np.float32)
    stripes = np.zeros((height, width), np.float32)
    wild = np.array(CROPS[rng.integers(len(CROPS))]) * 0.92
    colour[:] = wild
    for _ in range(70):
        _plough(colour, stripes, rng)
    for _ in range(int(rng.integers(1, 5))):
        _track(colour, rng)
    if rng.random() < 0.5:
        _pond(colour, rng)
    patches = fractal((height // 2, width // 2), 14, rng, octaves=6)
    spread = cv2.resize(patches, (width, height))[..., None]
    colour *= 1 + 0.16 * spread
    colour[..., 0:1] *= 1 + 0.05 * spread
    return colour, stripes


def _plough(colour: NDArray[np.float32], stripes: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Lay one four-cornered field over the map."""
    height, width = stripes.shape
    middle = rng.uniform((0, 0), (width, height))
    angle = rng.normal(0.15, 0.12)
    half = np.exp(rng.uniform(np.log((50, 30)), np.log((260, 130))))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half * rng.uniform(0.85, 1.0, (4, 2))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shape = np.round(corners @ turn + middle).astype(np.int32)
    crop = np.array(CROPS[rng.integers(len(CROPS))]) * rng.uniform(0.85, 1.15)
    cv2.fillPoly(colour, [shape], crop.tolist(), cv2.LINE_AA)
    cv2.polylines(colour, [shape], True, (crop * (0.62, 0.72, 0.6)).tolist(), int(rng.integers(2, 7)), cv2.LINE_AA)
    cv2.fillPoly(stripes, [shape], float(rng.choice((-1.0, 0.0, 0.6, 1.0))))


def _track(colour: NDArray[np.float32], rng: np.random.Generator) -> None:
    """A farm track across the whole map."""
    height, width = colour.shape[:2]
    x = np.linspace(0, width, 40)
    y = rng.uniform(0.1, 0.8) * height + rng.normal(0, 0.2) * (x - width / 2) + 40 * np.sin(x / rng.uniform(300, 700))
    points = np.stack([x, y], axis=1)
    points = points[:, ::-1] * (width / height, height / width) if rng.random() < 0.4 else points
    line = [np.round(points * 16).astype(np.int32)]
    wide = int(rng.integers(10, 18))
    for thickness, shade in ((wide + 8, 0.72), (wide, 1.25), (wide // 3, 1.05)):
        sand = (np.array([0.62, 0.56, 0.45]) if shade != 0.72 else np.array([0.40, 0.44, 0.24])) * shade
        cv2.polylines(colour, line, False, sand.tolist(), thickness, cv2.LINE_AA, 4)


def _pond(colour: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Still water with a reed edge."""
    height, width = colour.shape[:2]
    middle = rng.uniform((0.25, 0.2), (0.75, 0.5)) * (width, height)
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    reach = 150 + 40 * np.sin(turn * 2 + rng.uniform(0, 6)) + 22 * np.sin(turn * 5 + rng.uniform(0, 6))
    shape = np.round(middle + np.stack([1.6 * reach * np.cos(turn), reach * np.sin(turn)], axis=1)).astype(np.int32)
    cv2.polylines(colour, [shape], True, (0.26, 0.33, 0.14), 22, cv2.LINE_AA)
    cv2.fillPoly(colour, [shape], (0.48, 0.56, 0.60), cv2.LINE_AA)


def _lit(colour: NDArray[np.float32], light: Light) -> NDArray[np.uint8]:
    flat = light.on(np.array([0.0, 0.0, 1.0]))
    return np.clip(colour * (flat * 255).astype(np.float32), 0, 255).astype(np.uint8)


def _sharpened(wide: NDArray[np.uint8], stripes: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The near part, with the grain of grass and the rows of crops that the wide map is too coarse for."""
    left, near, width, depth = NEAR
    column, row = int((left - WIDE[0]) * WIDE_DENSITY), int((near - WIDE[1]) * WIDE_DENSITY)
    part = np.s_[row : row + int(depth * WIDE_DENSITY), column : column + int(width * WIDE_DENSITY)]
    size = (int(width * NEAR_DENSITY), int(depth * NEAR_DENSITY))
    fine = cv2.resize(wide[part], size, interpolation=cv2.INTER_CUBIC)
    grain = 0.20 * fractal(size[::-1], 220, rng, octaves=4, fade=0.75) + 0.10 * fractal(size[::-1], 30, rng, octaves=3)
    strength = cv2.resize(stripes[part], size, interpolation=cv2.INTER_LINEAR)
    # Rows of plants 1.1 m apart, along x or along y as the field's sign says, wandering a little.
    wander = 0.5 * fractal(size[::-1], 12, rng, octaves=3)
    x = np.arange(size[0], dtype=np.float32)[None] / NEAR_DENSITY + wander
    y = np.arange(size[1], dtype=np.float32)[:, None] / NEAR_DENSITY + wander
    rows = np.where(strength < 0, np.sin(2 * np.pi * x / 1.1), np.sin(2 * np.pi * (y + 0.15 * x) / 1.1))
    grain += 0.13 * np.abs(strength) * rows
    return np.asarray(np.clip(fine * (1 + grain[..., None]), 0, 255), np.uint8)


def _shaded(
    texels: NDArray[np.uint8], shadows: list[NDArray[np.float64]], part: tuple[float, float, float, float],
    density: int, light: Light,
) -> NDArray[np.uint8]:  # fmt: skip
    """Soft shadows: what is left is the sky's light."""
    lit = np.full(texels.shape[:2], 255, np.uint8)
    for polygon in shadows:
        pixels = (polygon - np.array(part[:2])) * density
        cv2.fillPoly(lit, [np.round(pixels * 16).astype(np.int32)], 0, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(lit, (0, 0), 0.12 * density)
    up = np.array([0.0, 0.0, 1.0])
    left_over = light.skylight / light.on(up) * 0.9 + 0.06
    share = soft[..., None].astype(np.float32) / 255
    return (texels * (share + (1 - share) * left_over.astype(np.float32))).astype(np.uint8)
