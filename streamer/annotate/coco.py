"""Labels as one document in COCO's format, https://cocodataset.org/#format-data."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from streamer.annotate.answer import Answer, Found
from streamer.annotate.form import Answers
from streamer.annotate.yolo import classes_of


class Coco:
    """The form `coco`: `file_name` is the picture's name, `category_id` the model's own class id."""

    suffix = None
    trains = True

    def label(self, _: Answer, _labels: Mapping[int, str]) -> bytes:
        """No picture has its own."""
        return b""

    def whole(self, answers: Answers, labels: Mapping[int, str]) -> Iterable[tuple[str, bytes]]:
        """coco.json, and classes.txt."""
        yield "coco.json", b"".join(_parts(answers, labels))
        yield "classes.txt", classes_of(labels)


def _parts(answers: Answers, labels: Mapping[int, str]) -> Iterator[bytes]:
    yield b'{"info": {"description": "Sightline"}, "images": [\n'
    yield from _listed(_image(number, answer) for number, answer in enumerate(answers(), 1))
    yield b'],\n"annotations": [\n'
    boxes = ((image, each) for image, answer in enumerate(answers(), 1) for each in answer.found)
    yield from _listed(_annotation(number, image, each) for number, (image, each) in enumerate(boxes, 1))
    categories = [{"id": class_id, "name": labels[class_id]} for class_id in sorted(labels)]
    yield f'],\n"categories": {json.dumps(categories)}}}\n'.encode()


def _listed(documents: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    comma = ""
    for document in documents:
        yield f"{comma}{json.dumps(document)}".encode()
        comma = ",\n"
    yield b"\n"


def _image(number: int, answer: Answer) -> dict[str, Any]:
    return {"id": number, "file_name": answer.name, "width": answer.width, "height": answer.height}


def _annotation(number: int, image: int, each: Found) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = each.box
    width, height = x_max - x_min, y_max - y_min
    return {
        "id": number,
        "image_id": image,
        "category_id": each.class_id,
        "bbox": [round(edge, 2) for edge in (x_min, y_min, width, height)],
        "area": round(width * height, 2),
        "iscrowd": 0,
        "score": each.score,
    }
