"""Where things really are in each frame of a clip, read from a JSON list with one object a frame.

    {"frame": 7, "boxes": [["insulator", 122.6, 612.2, 1031.5, 720], …], "ignored": [["defect", 10, 10, 24, 18], …]}

Frames count from 0 in the order they are shown in; edges are x_min, y_min, x_max, y_max in pixels. Behind them may
stand, as a number or a text, which thing of its class a box is: of every box of `boxes`, or of none. `boxes` may be
empty: nothing is there. `ignored` may be left out: whatever is found on those counts neither way. A frame that has no
object is not judged.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.accuracy import Labelled
from streamer.values.errors import ConfigError

FORM = '{"frame": number, "boxes": [[class, x_min, y_min, x_max, y_max], ...]}'
BOX = "[class, x_min, y_min, x_max, y_max], a text and four numbers, with an id behind them or not"
KEYS = {"frame", "boxes", "ignored"}


@dataclass(frozen=True, slots=True)
class Box:
    """One labelled thing."""

    label: str
    edges: tuple[float, float, float, float]
    """x_min, y_min, x_max, y_max in pixels."""
    ignored: bool
    id: int | str | None = None
    """Which thing of its label it is, the same in every frame; None: nobody says."""


Truth = Mapping[int, tuple[Box, ...]]
"""What is in each frame that is labelled, by its number."""


def read(path: Path, *, frames: int, width: int, height: int) -> Truth:
    """Read what is known of a clip.

    Args:
        path: the JSON file.
        frames: that the clip has.
        width: of its pictures, in pixels; boxes are cut off there.
        height: likewise.

    Raises:
        ConfigError: it is not of the form above, or does not go with the clip; says what, where, and what is allowed.
    """
    rows = _load(path)
    truth: dict[int, tuple[Box, ...]] = {}
    for position, row in enumerate(rows):
        number = _frame(path, position, row, frames)
        if number in truth:
            raise ConfigError(f"{path}: frame {number} stands twice; each frame has one object")
        truth[number] = tuple(
            _box(f"{path}: frame {number}, {key}[{index}]", item, (width, height), ignored=key == "ignored")
            for key in ("boxes", "ignored")
            for index, item in enumerate(_list(path, number, row, key))
        )
    if not truth:
        raise ConfigError(f"{path}: labels no frame; it must be a list of {FORM}")
    if has_ids(truth):
        _require_ids(path, truth)
    return truth


def has_ids(truth: Truth) -> bool:
    """Whether it says which thing each box is."""
    return any(box.id is not None for boxes in truth.values() for box in boxes if not box.ignored)


def labelled(path: Path, truth: Truth, classes: tuple[str, ...]) -> dict[int, Labelled]:
    """The truth in a model's classes, by frame.

    Raises:
        ConfigError: it names a class that the model does not know.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    for frame, boxes in truth.items():
        for box in boxes:
            if box.label not in numbers:
                raise ConfigError(
                    f"{path}: frame {frame}: the model knows no {box.label!r}; its classes are {', '.join(classes)}"
                )
    return {
        frame: Labelled(
            boxes=np.array([box.edges for box in boxes], np.float32).reshape(-1, 4),
            classes=np.array([numbers[box.label] for box in boxes], np.int64),
            ignored=np.array([box.ignored for box in boxes], np.bool_),
        )
        for frame, boxes in truth.items()
    }


def _require_ids(path: Path, truth: Truth) -> None:
    """Refuse ids that say too little: of some boxes only, or of two in a frame the same."""
    for frame, boxes in truth.items():
        things = [(box.label, box.id) for box in boxes if not box.ignored]
        for index, (label, thing) in enumerate(things):
            where = f"{path}: frame {frame}, boxes[{index}]"
            if thing is None:
                raise ConfigError(f"{where}: has no id, and others have; every box of boxes has one, or none has")
            if (label, thing) in things[:index]:
                raise ConfigError(f"{where}: the {label} {json.dumps(thing)} stands in the frame twice")


def _load(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: cannot be read: not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: line {error.lineno}, column {error.colno} is not JSON: {error.msg}") from None
    if not isinstance(rows, list):
        raise ConfigError(f"{path}: must be a list of {FORM}")
    return rows


def _frame(path: Path, position: int, row: Any, frames: int) -> int:
    """The number of the frame an object is about, its keys checked."""
    if not isinstance(row, dict) or not KEYS - {"ignored"} <= row.keys() <= KEYS:
        found = ", ".join(map(str, row)) if isinstance(row, dict) else json.dumps(row)[:40]
        raise ConfigError(f"{path}: [{position}] must be {FORM}, and may have ignored; it has {found or 'nothing'}")
    number = row["frame"]
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < frames:
        shown = json.dumps(number)[:40]
        raise ConfigError(f"{path}: [{position}].frame: the clip has no frame {shown}; it has 0 to {frames - 1}")
    return number


def _list(path: Path, number: int, row: dict[str, Any], key: str) -> list[Any]:
    found = row.get(key, [])
    if not isinstance(found, list):
        raise ConfigError(f"{path}: frame {number}, {key}: must be a list of [class, x_min, y_min, x_max, y_max]")
    return found


def _box(where: str, item: Any, size: tuple[int, int], *, ignored: bool) -> Box:
    match item:
        case [str(label), *edges] if len(edges) in (4, 5) and all(map(_is_number, edges[:4])) and _is_id(edges[4:]):
            x_min, y_min, x_max, y_max = map(float, edges[:4])
        case _:
            raise ConfigError(f"{where}: {json.dumps(item)[:60]} is not {BOX}")
    if not (x_min < x_max and y_min < y_max):
        raise ConfigError(f"{where}: has no area; x_min must be less than x_max, and y_min less than y_max")
    width, height = size
    cut = (max(x_min, 0.0), max(y_min, 0.0), min(x_max, float(width)), min(y_max, float(height)))
    if not (cut[0] < cut[2] and cut[1] < cut[3]):
        raise ConfigError(f"{where}: lies outside the clip's pictures of {width} x {height} pixels")
    return Box(label, cut, ignored, *edges[4:])


def _is_id(behind: list[Any]) -> bool:
    """Whether what stands behind the edges is an id, or nothing."""
    return all(isinstance(thing, int | str) and not isinstance(thing, bool) for thing in behind)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
