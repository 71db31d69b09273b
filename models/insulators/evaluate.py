"""How good the detector is: AP50 and COCO's AP a class, precision and recall as shipped, false alarms.

python -m sightline_models.insulators.evaluate --data DIR            val.csv of a data set
python -m sightline_models.insulators.evaluate --data DIR --healthy  false alarms on a pan over its healthy photos
python -m sightline_models.insulators.evaluate --clip FILE.mp4       a clip with FILE.gt.json beside it
python -m sightline_models.insulators.evaluate --demo                the rendered demo flight
python -m sightline_models.insulators.evaluate --speed               pictures a second, decoding and NMS included
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.accuracy import Accuracy, Found, Labelled, measure
from sightline_models.insulators.alarms import count_alarms, pan
from sightline_models.insulators.data import DataError, load_split
from sightline_models.insulators.inference import BATCH, detect_all, load_checkpoint
from sightline_models.insulators.picture import CLASSES, Picture
from sightline_models.insulators.truth import clip_frames, demo_frames

DEMO_FRAMES: Final = 60
ROUNDS: Final = 15
"""Batches timed."""


def judge(truth: Sequence[Picture], found: Sequence[Found], min_score: float) -> dict[str, Accuracy]:
    """Every figure, by class name."""
    labelled = [Labelled(picture.boxes, picture.classes, picture.doubtful) for picture in truth]
    return measure(labelled, found, CLASSES, min_score=min_score)


def judge_split(detector: Any, pictures: Sequence[Picture], min_score: float) -> dict[str, Accuracy]:
    """Every figure of a detector on labelled photos."""
    return judge(pictures, list(detect_all(detector, (picture.image for picture in pictures))), min_score)


def shown(images: Iterable[NDArray[np.uint8]], count: int | None) -> Iterator[NDArray[np.uint8]]:
    """The images, with an updating line about how many there have been where somebody watches."""
    watched = sys.stderr.isatty()
    for number, image in enumerate(images, start=1):
        if watched and number % BATCH == 0:
            print(f"\r{number}{f'/{count}' if count else ''} pictures", end="", file=sys.stderr, flush=True)
        yield image
    if watched:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def speed(detector: Any) -> float:
    """Pictures a second in batches of eight of noise, which keeps the NMS busy: the median of ROUNDS batches."""
    import tensorflow as tf

    frames = np.random.default_rng(0).integers(
        0, 255, (BATCH, detector.input_height, detector.input_width, 3), dtype=np.uint8
    )
    graph = tf.function(detector.detect)
    taken = []
    for number in range(ROUNDS + 3):
        began = time.perf_counter()
        graph(frames)["num_detections"].numpy()
        if number >= 3:  # the first ones trace and lay out memory
            taken.append(time.perf_counter() - began)
    return float(BATCH / np.median(taken))


def report(title: str, figures: dict[str, Accuracy], min_score: float) -> None:
    """Print the figures as a small table."""
    print(title)
    columns = f"  {'class':<10} {'AP50':>6} {'AP':>6} {'precision':>10} {'recall':>7} {'labels':>7}"
    print(f"{columns}   precision and recall at score {min_score}, IoU 0.5")
    for name, row in figures.items():
        print(f"  {name:<10} {row.ap50:6.3f} {row.ap:6.3f} {row.precision:10.3f} {row.recall:7.3f} {row.labelled:7d}")


def _judge_what_was_asked(options: argparse.Namespace) -> None:
    detector = load_checkpoint(options.checkpoint)
    min_score = detector.min_score if options.min_score is None else options.min_score
    if options.speed:
        print(f"{speed(detector):.0f} pictures a second in batches of {BATCH}, decoding and NMS included")
    elif options.healthy:
        photos = [photo for photo in load_split(options.data, "val") if CLASSES.index("defect") not in photo.classes]
        if not photos:
            raise DataError(f"{options.data}: val.csv has no photo without a defect")
        alarms = count_alarms(detect_all(detector, shown(pan(photos), None)), min_score)
        print(f"{options.data}: {alarms.minutes:.1f} minutes over healthy photos of val.csv, at score {min_score}")
        print(f"  {alarms.alarms / alarms.minutes:.2f} false alarms a minute ({alarms.alarms}; {alarms.boxes} boxes)")
    else:
        truth, images = _labelled(options)
        found = list(detect_all(detector, shown(images, len(truth))))
        if len(found) != len(truth):
            raise DataError(f"{options.clip}: {len(found)} frames for {len(truth)} rows of truth")
        title = "demo flight" if options.demo else str(options.data or options.clip)
        report(title, judge(truth, found, min_score), min_score)


def _labelled(options: argparse.Namespace) -> tuple[Sequence[Picture], Iterator[NDArray[np.uint8]]]:
    """What to judge by, and its pictures."""
    if options.clip:
        return clip_frames(options.clip, options.every)
    if options.demo:
        return demo_frames(DEMO_FRAMES)
    photos = load_split(options.data, "val")
    return photos, (photo.image for photo in photos)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sightline_models.insulators.evaluate", description=__doc__.split("\n")[0]
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, metavar="DIR", help="judge by val.csv and val/ in DIR")
    what.add_argument("--clip", type=Path, metavar="FILE", help="judge by a clip with FILE's .gt.json beside it")
    what.add_argument("--demo", action="store_true", help="judge by the rendered demo flight")
    what.add_argument("--speed", action="store_true", help="pictures a second, decoding and NMS included")
    parser.add_argument("--healthy", action="store_true", help="with --data: false alarms a minute on healthy footage")
    parser.add_argument("--checkpoint", metavar="PREFIX", help="weights to judge; default: the shipped ones")
    parser.add_argument(
        "--every",
        type=int,
        choices=range(1, 1001),
        metavar="N",
        default=5,
        help="of a clip, every which frame (default 5)",
    )
    parser.add_argument("--min-score", type=float, help="default: the score the model ships with")
    options = parser.parse_args()
    if options.healthy and not options.data:
        parser.error("--healthy goes with --data")
    if importlib.util.find_spec("pycocotools") is None:
        parser.error("judging needs pycocotools, which is not installed: `pip install 'sightline[evaluate]'`")
    try:
        _judge_what_was_asked(options)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
