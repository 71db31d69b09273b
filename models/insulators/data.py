"""Labelled pictures ─► training tensors: the csv reader, the augmentations that matter from a drone, the targets.

numpy and OpenCV only. Boxes are float32 [B, 4], x_min, y_min, x_max, y_max in pixels; class indices are int64 [B], 0
for `insulator` and 1 for `defect` (label-map id minus one).
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.augment import augment
from sightline_models.insulators.composer import Composer
from sightline_models.insulators.picture import CLASSES, Picture
from sightline_models.insulators.targets import Targets

COLUMNS: Final = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")


class DataError(ValueError):
    """A data set that cannot be used; the message says which file, where, and what is allowed."""


def read_labels(path: Path) -> dict[str, list[tuple[str, tuple[float, float, float, float]]]]:
    """Read a csv of boxes, `filename,width,height,class,xmin,ymin,xmax,ymax`, one box a row.

    Returns:
        File name to its (class name, box) rows, in the order of the file.

    Raises:
        DataError: no such file, a missing column, an unknown class, or a box that is no box.
    """
    labels: dict[str, list[tuple[str, tuple[float, float, float, float]]]] = defaultdict(list)
    try:
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: no column {missing[0]!r}; the columns are {','.join(COLUMNS)}")
            for line, row in enumerate(reader, start=2):
                labels[row["filename"]].append(_read_row(row, f"{path}:{line}"))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    return dict(labels)


def _read_row(row: dict[str, str], where: str) -> tuple[str, tuple[float, float, float, float]]:
    if row["class"] not in CLASSES:
        raise DataError(f"{where}: class {row['class']!r}; known are {' and '.join(CLASSES)}")
    try:
        x_min, y_min, x_max, y_max = (float(row[name]) for name in ("xmin", "ymin", "xmax", "ymax"))
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: a box needs four numbers ({error})") from error
    if not (x_min < x_max and y_min < y_max):
        raise DataError(f"{where}: box {x_min:g},{y_min:g},{x_max:g},{y_max:g} is empty")
    return row["class"], (x_min, y_min, x_max, y_max)


def load_split(folder: Path, split: str) -> list[Picture]:
    """Decode every picture of `folder`/`split`.csv, found in `folder`/`split`/.

    Raises:
        DataError: the csv is unusable or a picture cannot be decoded.
    """
    pictures = []
    for name, rows in read_labels(folder / f"{split}.csv").items():
        bgr = cv2.imread(str(folder / split / name), cv2.IMREAD_COLOR)
        if bgr is None:
            raise DataError(f"{folder / split / name}: not a picture that OpenCV can read")
        pictures.append(
            Picture(
                name=name,
                image=cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False),
                boxes=np.array([box for _, box in rows], np.float32).reshape(-1, 4),
                classes=np.array([CLASSES.index(label) for label, _ in rows], np.int64),
            )
        )
    return pictures


def load_families(folder: Path) -> dict[str, list[str]]:
    """Which pictures show the same broken insulator: `folder`/defect_families.json, family to file names.

    Raises:
        DataError: no such file, or it says something else.
    """
    path = folder / "defect_families.json"
    try:
        families = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no usable families ({error})") from error
    if not isinstance(families, dict) or not all(isinstance(names, list) for names in families.values()):
        raise DataError(f"{path}: must map a family to a list of file names")
    return families


def batches(
    photos: Composer,
    rendered: list[Picture],
    *,
    batch_size: int,
    rendered_share: float,
    input_size: tuple[int, int],
    rng: np.random.Generator,
) -> Iterator[tuple[NDArray[np.uint8], Targets]]:
    """One epoch: the photos in random order, each composed anew, and in each batch a share of rendered pictures.

    Yields:
        Images uint8 [batch_size, height, width, 3] and their stacked targets; the last, incomplete batch is left out.
    """
    rendered_count = round(batch_size * rendered_share) if rendered else 0
    photo_count = batch_size - rendered_count
    order = rng.permutation(len(photos))
    for start in range(0, len(order) - photo_count + 1, photo_count):
        chosen = [photos.compose(index, rng) for index in order[start : start + photo_count]]
        chosen += [rendered[index] for index in rng.integers(0, max(1, len(rendered)), rendered_count)]
        images, targets = [], []
        for picture in chosen:
            image, boxes, kept = augment(picture, input_size, rng)
            asked = kept & ~picture.doubtful
            images.append(image)
            ignored = (boxes[~asked], picture.classes[~asked])
            targets.append(Targets.of(boxes[asked], picture.classes[asked], input_size, len(CLASSES), ignored))
        yield np.stack(images), Targets.stack(targets)
