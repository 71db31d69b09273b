"""How good the detector is: AP50 a class through pycocotools, precision and recall at the score it ships with.

python -m models.insulators.evaluate --data DIR            val.csv of a data set
python -m models.insulators.evaluate --clip FILE.mp4       a clip with FILE.gt.json beside it
python -m models.insulators.evaluate --demo                the rendered demo flight
"""

import argparse
import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.insulators.data import CLASSES, DataError, Picture, load_split
from serving.resize import Resize

BATCH: Final = 8
CHECKPOINTS: Final = Path(__file__).parent / "checkpoint"


@dataclass(frozen=True)
class Detected:
    """What was found in one picture: boxes float32 [K, 4] x_min, y_min, x_max, y_max in its pixels."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    """Class indices, 0 for the first label."""


@dataclass(frozen=True)
class Figures:
    """One class: `ap50` is nan where nothing is labelled."""

    ap50: float
    precision: float
    recall: float
    labelled: int


def detect_all(detector: Any, images: Iterable[NDArray[np.uint8]]) -> Iterator[Detected]:
    """Run an `InsulatorDetector` over pictures of any size, as the service does: resized, in batches."""
    import tensorflow as tf

    size = (detector.input_width, detector.input_height)
    graph = tf.function(detector.detect, input_signature=[tf.TensorSpec([None, size[1], size[0], 3], tf.uint8)])
    waiting: list[tuple[Resize, NDArray[np.uint8]]] = []

    def flush() -> Iterator[Detected]:
        outputs = {key: value.numpy() for key, value in graph(np.stack([ready for _, ready in waiting])).items()}
        for row, (resize, _) in enumerate(waiting):
            count = int(outputs["num_detections"][row])
            yield Detected(
                boxes=resize.to_frame(outputs["detection_boxes"][row, :count]),
                scores=outputs["detection_scores"][row, :count],
                classes=outputs["detection_classes"][row, :count].astype(np.int64) - 1,
            )
        waiting.clear()

    for image in images:
        plan = Resize.fit((image.shape[1], image.shape[0]), size, detector.resize_rule, detector.pad_value)
        waiting.append((plan, plan.apply(image)))
        if len(waiting) == BATCH:
            yield from flush()
    if waiting:
        yield from flush()


def average_precision(truth: Sequence[Picture], found: Sequence[Detected]) -> list[float]:
    """AP at IoU 0.5 of each class over whole pictures, by pycocotools; nan where a class has no label."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    labels = [
        {
            "image_id": index,
            "category_id": int(label) + 1,
            "bbox": _xywh(box),
            "area": float(np.prod(box[2:] - box[:2])),
            "iscrowd": int(ignored),  # COCO's word for: whatever is found here counts neither way
        }
        for index, picture in enumerate(truth)
        for box, label, ignored in zip(picture.boxes, picture.classes, picture.doubtful, strict=True)
    ]
    results = [
        {"image_id": index, "category_id": int(label) + 1, "bbox": _xywh(box), "score": float(score)}
        for index, detected in enumerate(found)
        for box, score, label in zip(detected.boxes, detected.scores, detected.classes, strict=True)
    ]
    if not results:
        return [0.0 if any(item["category_id"] == c + 1 for item in labels) else np.nan for c in range(len(CLASSES))]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": index} for index in range(len(truth))],
            "annotations": [{"id": number, **item} for number, item in enumerate(labels, start=1)],
            "categories": [{"id": index + 1, "name": name} for index, name in enumerate(CLASSES)],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(results), "bbox")
        judge.params.iouThrs = np.array([0.5])
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][0, :, :, 0, -1]  # [recall step, class], all areas, 100 detections a picture
    return [float(column.mean()) if column.max() >= 0 else np.nan for column in precision.T]


def _xywh(box: NDArray[np.float32]) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


def matches(truth: Picture, detected: Detected, label: int, min_score: float) -> tuple[int, int, int]:
    """Of one class in one picture: (right, false, missed) at `min_score`, best score first, IoU 0.5."""
    mine = truth.classes == label
    wanted, ignored = truth.boxes[mine & ~truth.doubtful], truth.boxes[mine & truth.doubtful]
    chosen = detected.boxes[(detected.classes == label) & (detected.scores >= min_score)]
    free = np.ones(len(wanted), bool)
    right = false = 0
    for box in chosen:
        shared = _shared(box, wanted)
        areas = (wanted[:, 2:] - wanted[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod() - shared
        ious = np.where(free, shared / areas, -1)
        if len(ious) and ious.max() >= 0.5:
            free[ious.argmax()] = False
            right += 1
        elif not (_shared(box, ignored) >= 0.5 * (box[2:] - box[:2]).prod()).any():
            false += 1
    return right, false, int(free.sum())


def _shared(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Area that `box` has in common with each of `others` [B, 4]."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    return np.asarray(np.clip(sides, 0, None).prod(axis=1), np.float32)


def judge(truth: Sequence[Picture], found: Sequence[Detected], min_score: float) -> dict[str, Figures]:
    """Every figure, by class name."""
    figures = {}
    for label, (name, ap50) in enumerate(zip(CLASSES, average_precision(truth, found), strict=True)):
        counts = np.array([matches(*pair, label, min_score) for pair in zip(truth, found, strict=True)])
        right, false, missed = counts.sum(axis=0) if len(counts) else (0, 0, 0)
        figures[name] = Figures(
            ap50=ap50,
            precision=right / max(1, right + false),
            recall=right / max(1, right + missed),
            labelled=int(right + missed),
        )
    return figures


def load_checkpoint(prefix: str | None) -> Any:
    """An `InsulatorDetector` with the weights at `prefix`, or with the shipped ones.

    Raises:
        DataError: there is no such checkpoint, or it is of another network.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    from models.insulators.network import build

    chosen = prefix or tf.train.latest_checkpoint(str(CHECKPOINTS))
    detector = build()
    try:
        status = tf.train.Checkpoint(model=detector).restore(chosen)
        status.expect_partial().assert_existing_objects_matched()
    except (tf.errors.OpError, AssertionError, ValueError) as error:
        raise DataError(f"{chosen}: not a checkpoint of this network ({str(error).splitlines()[0]})") from error
    return detector


def clip_frames(clip: Path, every: int) -> tuple[list[Picture], Iterator[NDArray[np.uint8]]]:
    """Every `every`-th frame of a clip: its truth from the .gt.json beside it (images left empty), and its pictures.

    Raises:
        DataError: no clip, no truth, or one that does not go with the other.
    """
    import av

    try:
        truth = {item["frame"]: item["boxes"] for item in json.loads(clip.with_suffix(".gt.json").read_text())}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{clip.with_suffix('.gt.json')}: no usable truth for {clip.name} ({error})") from error
    nothing = np.empty((0, 0, 3), np.uint8)
    labelled = [
        Picture(
            f"{clip.name} {number}",
            nothing,
            np.array([box[1:] for box in boxes], np.float32).reshape(-1, 4),
            np.array([CLASSES.index(box[0]) for box in boxes], np.int64),
        )
        for number, boxes in sorted(truth.items())
        if number % every == 0
    ]

    def pictures() -> Iterator[NDArray[np.uint8]]:
        try:
            with av.open(str(clip)) as container:
                for number, frame in enumerate(container.decode(video=0)):
                    if number in truth and number % every == 0:
                        yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        except av.FFmpegError as error:
            raise DataError(f"{clip}: {error}") from error

    return labelled, pictures()


def demo_frames(count: int) -> tuple[list[Picture], Iterator[NDArray[np.uint8]]]:
    """`count` frames, evenly spread over the demo flight."""
    from models.insulators.footage import demo_scene

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


def report(title: str, figures: dict[str, Figures], min_score: float, rate: float) -> None:
    """Print the figures as a small table."""
    print(f"{title}: {rate:.0f} pictures a second, resized, decoded and all")
    print(f"  {'class':<10} {'AP50':>6} {'precision':>10} {'recall':>7} {'labels':>7}   at score {min_score}, IoU 0.5")
    for name, row in figures.items():
        print(f"  {name:<10} {row.ap50:6.3f} {row.precision:10.3f} {row.recall:7.3f} {row.labelled:7d}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m models.insulators.evaluate", description=__doc__.split("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, metavar="DIR", help="judge by val.csv and val/ in DIR")
    what.add_argument("--clip", type=Path, metavar="FILE", help="judge by a clip with FILE's .gt.json beside it")
    what.add_argument("--demo", action="store_true", help="judge by the rendered demo flight")
    parser.add_argument("--checkpoint", metavar="PREFIX", help="weights to judge; default: the shipped ones")
    parser.add_argument("--every", type=int, default=5, help="of a clip, every which frame (default 5)")
    parser.add_argument("--min-score", type=float, help="default: the score the model ships with")
    options = parser.parse_args()
    try:
        if options.data:
            truth = load_split(options.data, "val")
            images: Iterator[NDArray[np.uint8]] = (picture.image for picture in truth)
        elif options.clip:
            truth, images = clip_frames(options.clip, options.every)
        else:
            truth, images = demo_frames(60)
        detector = load_checkpoint(options.checkpoint)
        began = time.monotonic()
        found = list(detect_all(detector, images))
        rate = len(found) / (time.monotonic() - began)
        if len(found) != len(truth):
            raise DataError(f"{options.clip}: {len(found)} frames for {len(truth)} rows of truth")
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    min_score = detector.min_score if options.min_score is None else options.min_score
    title = "demo flight" if options.demo else str(options.data or options.clip)
    report(title, judge(truth, found, min_score), min_score, rate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
