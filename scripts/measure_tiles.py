"""What tiles find that the whole frame does not: `.venv/bin/python scripts/measure_tiles.py MODELS/insulators DATA`.

Labelled photos shrunk to 40 % are laid side by side into frames of 1280×720, as a drone from farther away would see
them, and go through the service's own steps to an embedded model server, with tiles and without. Judged are strings of
at most 24 pixels across; what else is labelled is neither asked for nor held against the model. docs/models.md has the
table this prints.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from serving.accuracy import Found, Labelled, measure
from serving.signature import Contract
from sightline_models.insulators.data import load_split
from sightline_models.insulators.picture import CLASSES, Picture
from streamer.inference.pixels import Pixels
from streamer.inference.predictor import Predictor
from streamer.inference.tiled import predict_tiled
from streamer.inference.tiling import sample_of_pixels
from streamer.tools.child import Child, await_until
from streamer.tools.demo import serving_command
from streamer.tools.processes import free_port, listens, running
from streamer.values.clock import monotonic
from streamer.values.detections import Detections
from streamer.values.frame import Frame
from streamer.values.tiles import Tiles

WIDTH, HEIGHT = 1280, 720
SHRUNK: Final = 0.4
NARROW: Final = 24.0
"""Pixels across, of the strings that are asked for."""
ORDERS: Final = 5
"""Times that every photo is laid somewhere."""
MOST: Final = 8
"""Pictures of a call, as `serving.max_batch_size` has it."""
INSULATOR: Final = CLASSES.index("insulator")

Scene = tuple[NDArray[np.uint8], Labelled]


def across(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The shorter side of each box [B, 4]."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).min(axis=1), np.float32)


def shrunk(photo: Picture) -> Scene:
    """A photo at SHRUNK of its size, and what is to be found in it."""
    small = cv2.resize(photo.image, None, fx=SHRUNK, fy=SHRUNK, interpolation=cv2.INTER_AREA)
    boxes = photo.boxes * np.float32(SHRUNK)
    other = (photo.classes != INSULATOR) | (across(boxes) > NARROW)
    return np.asarray(small, np.uint8), Labelled(boxes, photo.classes, other)


def laid(photos: Sequence[Scene], rng: np.random.Generator) -> Iterator[Scene]:
    """Frames of WIDTH x HEIGHT with all the photos in them, in some order."""
    height, width = photos[0][0].shape[:2]
    columns, rows = WIDTH // width, HEIGHT // height
    order = rng.permutation(len(photos))
    for start in range(0, len(order), columns * rows):
        frame, found = np.full((HEIGHT, WIDTH, 3), 114, np.uint8), list[Labelled]()
        for place, number in enumerate(order[start : start + columns * rows]):
            image, labelled = photos[number]
            left, top = place % columns * width, place // columns * height
            frame[top : top + height, left : left + width] = image
            moved = labelled.boxes + np.array([left, top, left, top], np.float32)
            found.append(Labelled(moved, labelled.classes, labelled.ignored))
        boxes, classes, ignored = (
            np.concatenate([getattr(each, name) for each in found]) for name in ("boxes", "classes", "ignored")
        )
        yield frame, Labelled(boxes, classes, ignored)


async def looked_at(
    predictor: Predictor, contract: Contract, scenes: Sequence[Scene], tiles: Tiles
) -> tuple[list[Detections], float]:
    """What is found in each, and seconds of the calls, cutting and merging included."""
    answers, began = list[Detections](), time.perf_counter()
    for image, _ in scenes:
        frame = Frame("", 0, 0.0, monotonic(), av.VideoFrame(image.shape[1], image.shape[0], "monow"))
        sample = sample_of_pixels(frame, Pixels((image,)), contract, contract.min_score, tiles)
        answers += await predict_tiled(predictor.predict, [sample], monotonic() + 60, MOST)
    return answers, time.perf_counter() - began


def found(answer: Detections) -> Found:
    """All that the model said, what it half saw too."""
    every = [answer] if answer.faint is None else [answer, answer.faint]
    return Found(
        np.concatenate([each.boxes for each in every]),
        np.concatenate([each.scores for each in every]),
        np.concatenate([each.class_ids for each in every]) - 1,
    )


async def compare(address: str, name: str, scenes: dict[str, list[Scene]]) -> None:
    """Print a row for each kind of scene and tiling."""
    predictor = Predictor(address, name, clock=monotonic)
    watch = asyncio.create_task(predictor.run())
    while predictor.contract is None:  # noqa: ASYNC110  it tells nobody that it is there
        await asyncio.sleep(0.1)
    contract = predictor.contract
    print(f"strings of at most {NARROW:.0f} px across, score {contract.min_score}, IoU 0.5")
    print("| frames | tiles | labelled | found | recall | precision | AP50 | frames/s |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for kind, each in scenes.items():
        for tiles in ("off", "2x2", "3x2"):
            await looked_at(predictor, contract, each[:2], tiles)  # the first call of a size is slower
            answers, seconds = await looked_at(predictor, contract, each, tiles)
            truth = [labelled for _, labelled in each]
            row = measure(truth, [found(answer) for answer in answers], CLASSES, min_score=contract.min_score)
            of = row[CLASSES[INSULATOR]]
            said = f"{of.labelled} | {of.found} | {of.recall:.3f} | {of.precision:.3f} | {of.ap50:.3f}"
            print(f"| {kind} | {tiles} | {said} | {len(each) / seconds:.2f} |", flush=True)
    watch.cancel()
    await predictor.close()


def main() -> None:
    """Read, lay, start a server and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("models", type=Path, help="a model as `sightline export` writes it: MODELS/insulators")
    parser.add_argument("data", type=Path, help="a folder with val.csv and val/")
    options = parser.parse_args()
    photos = [shrunk(photo) for photo in load_split(options.data, "val")]
    rng = np.random.default_rng(0)
    scenes = {
        "12 photos in 1280×720": [scene for _ in range(ORDERS) for scene in laid(photos, rng)],
        "one photo, 307×230": photos,
    }
    port, name = free_port(), options.models.name
    with running(Child("model server", *serving_command(options.models.absolute(), port, name), quiet=True)) as server:
        await_until(lambda: listens(port), "the model server", [server], print)
        asyncio.run(compare(f"127.0.0.1:{port}", name, scenes))


if __name__ == "__main__":
    main()
