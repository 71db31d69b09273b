"""Labels as Ultralytics reads them: one text a picture, and beside them the names of the classes."""

import json
from collections.abc import Iterable, Mapping

from streamer.annotate.answer import Answer, Found
from streamer.annotate.form import Answers


class Yolo:
    """The form `yolo`."""

    suffix = ".txt"
    trains = True

    def label(self, answer: Answer, labels: Mapping[int, str]) -> bytes:
        """A line a box: class, and middle, width and height in 0..1 of the picture; none where nothing is."""
        numbers = {class_id: number for number, class_id in enumerate(sorted(labels))}
        return "".join(_line(numbers[each.class_id], each, answer) for each in answer.found).encode()

    def whole(self, _: Answers, labels: Mapping[int, str]) -> Iterable[tuple[str, bytes]]:
        """classes.txt, and the data.yaml that training begins with."""
        names = [labels[class_id] for class_id in sorted(labels)]
        listed = "".join(f"  {number}: {json.dumps(name)}\n" for number, name in enumerate(names))
        yield "classes.txt", classes_of(labels)
        yield "data.yaml", f"path: .\ntrain: images\nval: images\nnames:\n{listed}".encode()


def classes_of(labels: Mapping[int, str]) -> bytes:
    """A name a line, by class id."""
    return "".join(f"{labels[class_id]}\n" for class_id in sorted(labels)).encode()


def _line(number: int, each: Found, answer: Answer) -> str:
    x_min, y_min, x_max, y_max = each.box
    left, right = (min(max(x / answer.width, 0.0), 1.0) for x in (x_min, x_max))
    top, bottom = (min(max(y / answer.height, 0.0), 1.0) for y in (y_min, y_max))
    return f"{number} {(left + right) / 2:.6f} {(top + bottom) / 2:.6f} {right - left:.6f} {bottom - top:.6f}\n"
