"""Frames to judge by: a clip with its truth beside it, and the demo flight."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.data import DataError
from sightline_models.insulators.picture import CLASSES, Picture


def clip_frames(clip: Path, every: int) -> tuple[list[Picture], Iterator[NDArray[np.uint8]]]:
    """Every `every`-th frame of a clip: its truth from the .gt.json beside it (images left empty), and its pictures.

    Raises:
        DataError: no clip, no truth, or one that does not go with the other.
    """
    import av

    path = clip.with_suffix(".gt.json")
    try:
        rows = {int(row["frame"]): row for row in json.loads(path.read_text(encoding="utf-8"))}
        labelled = [
            _labelled(f"{clip.name} {number}", row) for number, row in sorted(rows.items()) if number % every == 0
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: no usable truth for {clip.name} ({type(error).__name__}: {error})") from error
    if not labelled:
        raise DataError(f"{path}: labels no frame of {clip.name}")

    def pictures() -> Iterator[NDArray[np.uint8]]:
        try:
            with av.open(str(clip)) as container:
                if not container.streams.video:
                    raise DataError(f"{clip}: no video in it")
                for number, frame in enumerate(container.decode(video=0)):
                    if number in rows and number % every == 0:
                        yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        except (av.FFmpegError, OSError) as error:
            raise DataError(f"{clip}: {error}") from error

    return labelled, pictures()


def _labelled(name: str, row: dict[str, Any]) -> Picture:
    """One frame's row of a .gt.json."""
    every = [*row["boxes"], *row.get("ignored", ())]
    return Picture(
        name,
        np.empty((0, 0, 3), np.uint8),
        np.array([box[1:5] for box in every], np.float32).reshape(-1, 4),  # behind them the thing's id may stand
        np.array([CLASSES.index(box[0]) for box in every], np.int64),
        np.arange(len(every)) >= len(row["boxes"]),
    )


def demo_frames(count: int) -> tuple[list[Picture], Iterator[NDArray[np.uint8]]]:
    """`count` frames, evenly spread over the demo flight."""
    from sightline_models.insulators.footage import demo_scene

    scene = demo_scene()
    frames = [scene.frame(scene.flight.period * number / count) for number in range(count)]
    labelled = []
    for number, frame in enumerate(frames):
        every = [*frame.boxes, *frame.doubtful]
        boxes = np.array([box[1:] for box in every], np.float32).reshape(-1, 4)
        classes = np.array([CLASSES.index(box[0]) for box in every], np.int64)
        ignored = np.arange(len(every)) >= len(frame.boxes)
        labelled.append(Picture(f"demo {number}", frame.image, boxes, classes, ignored))
    return labelled, (frame.image for frame in frames)
