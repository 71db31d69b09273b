"""The pictures a proof is made on: a directory's, or ones drawn here, the same every time."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.resize import Resize
from serving.signature import ResizeRule
from sightline_export.errors import Unusable
from sightline_models.insulators.scenes import Scene

COUNT = 8
"""How many: as many as the largest batch that is proven."""

Picture = NDArray[np.uint8]
"""uint8 [H, W, 3], RGB."""


def read_pictures(directory: Path) -> list[Picture]:
    """Up to COUNT pictures of a directory, in the order of their names.

    Raises:
        Unusable: the directory cannot be read, or holds no picture.
    """
    try:
        files = sorted(p for p in directory.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp"))
    except OSError as error:
        raise Unusable(f"cannot read pictures from {directory}: {error.strerror}") from error
    read = [cv2.imread(str(file)) for file in files[:COUNT]]
    pictures = [np.asarray(cv2.cvtColor(p, cv2.COLOR_BGR2RGB), dtype=np.uint8) for p in read if p is not None]
    if not pictures:
        raise Unusable(f"{directory} holds no picture that can be read (.jpg, .png or .bmp)")
    return pictures


@cache
def drawn_pictures() -> list[Picture]:
    """Two frames of the rendered power line, the rest coloured shapes: the same COUNT pictures every time.

    A detector of insulators has something to find in the frames; shapes are enough to tell answers apart, and are
    drawn in no time.
    """
    scene = Scene(seed=2)
    frames = [scene.frame(scene.flight.period * part).image for part in (0.0, 0.4)]
    return [*frames, *_shapes(COUNT - len(frames))]


def _shapes(count: int, width: int = 640, height: int = 360) -> list[Picture]:
    rng = np.random.default_rng(2)
    pictures = []
    for _ in range(count):
        sky = np.linspace(rng.integers(90, 200, 3), rng.integers(30, 140, 3), height)[:, np.newaxis]
        # Blocks of noise, not pixels: texture for the network, and a third of the bytes where the pictures are kept.
        noise = rng.normal(0, 12, (height // 8, width // 8, 3)).repeat(8, axis=0).repeat(8, axis=1)
        picture = np.clip(sky + noise, 0, 255).astype(np.uint8)
        for _ in range(6):
            corner = (int(rng.integers(0, width - 40)), int(rng.integers(0, height - 40)))
            size = rng.integers(30, height // 2, 2)
            colour = [int(level) for level in rng.integers(0, 255, 3)]
            if rng.random() < 0.5:
                cv2.rectangle(picture, corner, (corner[0] + int(size[0]), corner[1] + int(size[1])), colour, -1)
            else:
                axes = (int(size[0]) // 2, int(size[1]) // 2)
                cv2.ellipse(picture, corner, axes, float(rng.integers(0, 180)), 0, 360, colour, -1)
        pictures.append(picture)
    return pictures


def as_batch(pictures: list[Picture], size: tuple[int, int], rule: ResizeRule, pad_value: int) -> Picture:
    """COUNT pictures as the model sees them: uint8 [COUNT, H, W, 3]; `size` is (width, height)."""
    batch = []
    for index in range(COUNT):
        picture = pictures[index % len(pictures)]
        # A repeated picture is turned over, so that answers that belong to another picture are still seen.
        turned = np.ascontiguousarray(np.rot90(picture, 2 * (index // len(pictures) % 2)))
        plan = Resize.fit((turned.shape[1], turned.shape[0]), size, rule, pad_value)
        batch.append(plan.apply(turned))
    return np.stack(batch)
