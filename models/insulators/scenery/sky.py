"""Sky, clouds and far hills: a panorama at infinity that only turns with the camera."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.scenery.camera import Camera
from sightline_models.insulators.scenery.light import Light
from sightline_models.insulators.scenery.noise import fractal

PIXELS_PER_RADIAN: Final = 1000
ABOVE: Final = 560
"""Rows of panorama above the horizon."""
BELOW: Final = 12
"""Rows below it, so that no seam shows where the ground begins."""


class Sky:
    """A full turn of panorama; mirrored at its ends so that it closes."""

    def __init__(self, light: Light, rng: np.random.Generator) -> None:
        width = int(np.pi * PIXELS_PER_RADIAN)
        height = np.linspace(1, 0, ABOVE)[:, None, None]
        rise = np.clip(height, 0, 1) ** 0.55
        sky = light.haze * (1 - rise) + light.zenith * rise
        sky = np.broadcast_to(sky, (ABOVE, width, 3)).astype(np.float32)
        cover = fractal((ABOVE, width), 9, rng, octaves=6, fade=0.6)
        cover = np.clip((cover - rng.uniform(-0.1, 0.5)) * 1.8, 0, 1)[..., None] * np.clip(height * 3, 0.1, 1)
        shade = 0.93 + 0.10 * fractal((ABOVE, width), 30, rng, octaves=4)[..., None]
        white = np.minimum(1.0, light.haze * 0.35 + 0.62 * light.sunlight + 0.28)
        sky = sky * (1 - 0.75 * cover) + 0.75 * cover * white * shade
        panorama = np.concatenate([sky, np.broadcast_to(light.haze, (BELOW, width, 3))]).astype(np.float32)
        for number in range(3):
            _ridge(panorama, light, rng, number)
        both = np.concatenate([panorama, panorama[:, ::-1]], axis=1)
        self._panorama = np.clip(both * 255, 0, 255).astype(np.uint8)

    def paint(self, frame: NDArray[np.uint8], camera: Camera) -> None:
        """Fill everything above the horizon of `frame` (uint8 [H, W, 3] RGB)."""
        bottom = min(camera.height, int(np.ceil(camera.horizon)) + 2)
        if bottom <= 0:
            return
        scale = PIXELS_PER_RADIAN / camera.focal
        left = (camera.yaw % (2 * np.pi)) * PIXELS_PER_RADIAN - scale * camera.width / 2
        top = ABOVE - scale * camera.horizon
        # Only the part that shows, cut out here: warping with a wrapped border is ten times as slow.
        columns = np.arange(int(left) - 2, int(left + scale * camera.width) + 3) % self._panorama.shape[1]
        rows = slice(max(0, int(top) - 2), min(self._panorama.shape[0], int(top + scale * bottom) + 3))
        matrix = np.array([[scale, 0, left - int(left) + 2], [0, scale, top - rows.start]])
        frame[:bottom] = cv2.warpAffine(
            self._panorama[rows, columns], matrix, (camera.width, bottom),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip


def _ridge(panorama: NDArray[np.float32], light: Light, rng: np.random.Generator, number: int) -> None:
    """One line of hills; `number` 0 is the farthest."""
    width = panorama.shape[1]
    tall = (34, 22, 11)[number] * rng.uniform(0.4, 1.2)
    crest = tall * (1 + 0.8 * fractal((8, width), (7, 13, 60)[number], rng, octaves=6, fade=0.45)[0])
    rows = np.arange(panorama.shape[0], dtype=np.float32)[:, None]
    cover = np.clip(rows - (ABOVE - crest)[None], 0, 1)[..., None]
    green = light.on(np.array([0.0, -0.5, 0.85])) * (0.25, 0.36, 0.22)
    clear = (0.16, 0.32, 0.5)[number] * np.clip(light.visibility / 900, 0.15, 1)
    panorama[:] = panorama * (1 - cover) + cover * (light.haze * (1 - clear) + green * clear)
