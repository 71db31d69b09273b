"""Rendered pictures for training, made once and kept in one file, so that rendering never starves a training step."""

import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from sightline_models.insulators.data import DataError
from sightline_models.insulators.picture import CLASSES, Picture
from sightline_models.insulators.scenes import WIDTH, Scene

A_SCENE: Final = 10
"""Pictures of one world: building it costs as much as a few pictures."""
SCALE: Final = 0.75
"""Of a frame: sharp enough to be looked at 1.9 times nearer than the model sees it."""
FIRST_SEED: Final = 1000
"""Training worlds start here; the demo flight's own world is none of them."""


def load_pool(path: Path, count: int, seed: int) -> list[Picture]:
    """`count` pictures from the pool at `path`, rendered first where the file is not there or too small.

    The pictures are of worlds FIRST_SEED and up, moved by 10000 for every `seed`.
    """
    if not path.exists() or len(np.load(path)["offsets"]) - 1 < count:
        _render_pool(path, count, seed)
    with np.load(path) as file:
        packed, offsets, boxes, classes, owners, ignored = (
            file[key] for key in ("packed", "offsets", "boxes", "classes", "owners", "ignored")
        )
    pictures = []
    for index in range(count):
        bgr = cv2.imdecode(packed[offsets[index] : offsets[index + 1]], cv2.IMREAD_COLOR)
        if bgr is None:
            raise DataError(f"{path}: picture {index} is broken; delete the file to have it made again")
        mine = owners == index
        image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
        pictures.append(Picture(f"rendered {index}", image, boxes[mine], classes[mine], ignored[mine]))
    return pictures


def _render_pool(path: Path, count: int, seed: int) -> None:
    worlds = range(FIRST_SEED + 10000 * seed, FIRST_SEED + 10000 * seed + -(-count // A_SCENE))
    rendered: list[tuple[bytes, list[Any]]] = []
    # spawn, not fork: TensorFlow's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as processes:
        for pictures in processes.imap(_render_world, worlds):
            rendered += pictures
            before, after = ("\r", "") if sys.stdout.isatty() else ("", "\n")
            print(f"{before}rendering scenes: {len(rendered)}/{count}", end=after, flush=True)
    sizes = [len(packed) for packed, _ in rendered]
    labels = [(index, label) for index, (_, boxes) in enumerate(rendered) for label in boxes]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.npz")
    np.savez(
        unfinished,
        packed=np.frombuffer(b"".join(packed for packed, _ in rendered), np.uint8),
        offsets=np.append(0, np.cumsum(sizes)),
        boxes=np.array([label[1:5] for _, label in labels], np.float32).reshape(-1, 4) * SCALE,
        classes=np.array([CLASSES.index(label[0]) for _, label in labels], np.int64),
        owners=np.array([index for index, _ in labels], np.int64),
        ignored=np.array([label[5] for _, label in labels], np.bool_),
    )
    unfinished.replace(path)


def _render_world(seed: int) -> list[tuple[bytes, list[Any]]]:
    """Every picture of one world, as JPEG, with its labels."""
    cv2.setNumThreads(1)
    scene, rng = Scene(seed), np.random.default_rng(seed)
    pictures = []
    for number in range(A_SCENE):
        along = rng.uniform(0, scene.flight.period)
        frame = scene.frame(along) if number % 5 == 0 else scene.render(scene.inspection(rng))
        size = (round(WIDTH * SCALE), round(frame.image.shape[0] * SCALE))
        small = cv2.cvtColor(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
        pictures.append((packed, [(*box, False) for box in frame.boxes] + [(*box, True) for box in frame.doubtful]))
    return pictures
