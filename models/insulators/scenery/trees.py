"""Trees as upright pictures that face the camera: a few drawn once, set out in hedgerows and copses."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.scenery.camera import Camera, Points
from sightline_models.insulators.scenery.light import Light
from sightline_models.insulators.scenery.sprites import Pyramid, lay, pyramid

SIDE: Final = 192
"""Pixels of a tree's picture; its foot is at the bottom's middle."""
KINDS: Final = 6
VEILS: Final = 16
"""Steps from clear air to none."""


class Trees:
    """Every tree of a scene."""

    def __init__(self, light: Light, rng: np.random.Generator, clear_of: Points) -> None:
        """`clear_of` [K, 2] metres: places where no tree stands within 14 m (towers)."""
        self._light = light
        trees = [_tree(light, rng) for _ in range(KINDS)]
        self._veiled = [[_behind(tree, step / VEILS, light) for step in range(VEILS + 1)] for tree in trees]
        spots = []
        for _ in range(int(rng.integers(3, 8))):
            start = np.array([rng.uniform(-160, 160), np.exp(rng.uniform(np.log(36), np.log(330)))])
            run = np.array([rng.choice((-1, 1)) * rng.uniform(60, 200), rng.normal(0, 25)])
            count = int(rng.integers(8, 26))
            spots.append(start + np.linspace(0, 1, count)[:, None] * run + rng.normal(0, 1.6, (count, 2)))
        places = np.concatenate(spots)
        apart = np.linalg.norm(places[:, None] - clear_of[None], axis=-1).min(axis=1)
        self._places = places[(apart > 14) & (places[:, 1] > 25)]
        count = len(self._places)
        self._heights = rng.uniform(4.0, 9.5, count)
        self._kinds = rng.integers(0, KINDS, count)

    def shadows(self) -> list[Points]:
        """Ellipses on the ground, as polygons [16, 2] in metres."""
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        sun = self._light.sun
        reach = np.minimum(2.2, np.linalg.norm(sun[:2]) / sun[2])
        away = -sun[:2] / (np.linalg.norm(sun[:2]) + 1e-9)
        shadows = []
        for place, height in zip(self._places, self._heights, strict=True):
            half = height * 0.33
            stretched = circle * half + np.outer(np.clip(circle @ away, 0, 1), away) * height * 0.75 * reach
            shadows.append(place + stretched)
        return shadows

    def draw(self, frame: NDArray[np.uint8], camera: Camera) -> None:
        """Paint the trees that show, the far ones first."""
        feet = np.column_stack([self._places, np.zeros(len(self._places))])
        pixels, depths = camera.project(feet)
        for index in np.argsort(-depths):
            depth = depths[index]
            tall = self._heights[index] * camera.focal / depth
            if depth < 12 or tall < 3 or abs(pixels[index, 0] - camera.width / 2) > camera.width / 2 + tall:
                continue
            clear = float(np.exp(-depth / self._light.visibility))
            picture = self._veiled[self._kinds[index]][round((1 - clear) * VEILS)]
            x, y = pixels[index].tolist()
            lay(frame, picture, (x, y), (SIDE / 2, SIDE * 0.97), float(tall) / SIDE)


def _behind(picture: Pyramid, veil: float, light: Light) -> Pyramid:
    """`picture` behind air that lets 1 - `veil` of it through."""
    texels = picture[0].astype(np.float32)
    texels[..., :3] = texels[..., :3] * (1 - veil) + texels[..., 3:] * light.haze.astype(np.float32) * veil
    return pyramid(np.clip(texels, 0, 255).astype(np.uint8))


def _tree(light: Light, rng: np.random.Generator) -> Pyramid:
    """A crown of many leaf clumps, lit from where the sun is, on a short trunk."""
    picture = np.zeros((SIDE, SIDE, 4), np.uint8)
    leaf = np.array([0.26, 0.36, 0.14]) * rng.uniform(0.75, 1.15, 3)
    cv2.line(picture, (SIDE // 2, int(SIDE * 0.97)), (SIDE // 2, SIDE // 2), (52, 44, 34, 255), 7, cv2.LINE_AA)
    middle, radii = (
        np.array([SIDE / 2, SIDE * 0.46]),
        np.array([rng.uniform(0.28, 0.4), rng.uniform(0.34, 0.42)]) * SIDE,
    )
    side = np.array([light.sun[0], -max(0.3, light.sun[2])])
    side /= np.linalg.norm(side)
    clumps = rng.normal(0, 0.5, (420, 2))
    clumps = clumps[np.linalg.norm(clumps, axis=1) < 1]
    for number, clump in enumerate(clumps):
        lit = 0.5 + 0.5 * float(clump @ side)
        forward = number / len(clumps)
        level = light.skylight * (0.35 + 0.4 * forward) + light.sunlight * max(0.0, lit * 1.3 - 0.25) * (
            0.3 + 0.7 * forward
        )
        colour = np.clip(leaf * level * rng.uniform(0.8, 1.2) * 255 * 1.25, 0, 255)
        spot = np.round((middle + clump * radii) * 16).astype(int)
        cv2.circle(
            picture,
            (int(spot[0]), int(spot[1])),
            int(rng.uniform(4, 10) * 16),
            (*colour.tolist(), 255),
            -1,
            cv2.LINE_AA,
            4,
        )
    # Anti-aliased drawing mixes colours towards black and alpha towards 0 alike: that is premultiplied as it stands.
    return pyramid(picture)
