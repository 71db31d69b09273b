"""Pictures that people have judged, for the next training: as COCO's JSON, and as YOLO's folders in a zip.

A confirmed event is a picture with its boxes; a false one is a picture without the box of what was no such thing. The
other boxes in a picture are the model's own, and nobody has judged them by it.
"""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from streamer.archive.export import Pages, joined
from streamer.archive.kept import Kept
from streamer.values.event import Box, Boxed, Event

PictureOf = Callable[[Kept], bytes]
"""Reads an event's picture; raises OSError where there is none."""


class Classes:
    """Numbers of labels, in the order they are met: two models may give one number to two things."""

    def __init__(self) -> None:
        """Have met none."""
        self._numbers: dict[str, int] = {}

    def __getitem__(self, label: str) -> int:
        return self._numbers.setdefault(label, len(self._numbers))

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)


def boxes_of(kept: Kept) -> list[Boxed]:
    """What is to be found in its picture, as far as it is known: the judged one by the event's label, or not at all."""
    event = kept.event
    others = [each for each in kept.boxes if each.tracker_id != event.tracker_id]
    if kept.review.verdict != "confirmed":
        return others
    judged = next((each.box for each in kept.boxes if each.tracker_id == event.tracker_id), event.box)
    return [Boxed(event.label, event.class_id, event.score, judged, event.tracker_id), *others]


async def coco_of(pages: Callable[[], Pages]) -> AsyncIterator[bytes]:
    """One document by COCO's format, https://cocodataset.org/#format-data; `file_name` is the picture's path here.

    Args:
        pages: gives all events anew: they are gone through twice, since images stand before what is in them. Between
            the two some 200 bytes are held for each.
    """
    classes, numbers = Classes(), dict[str, int]()
    head = '{"info": {"description": "Sightline"}, "images": [\n'
    async for page in pages():
        some = [kept for kept in page if _has_picture(kept)]
        numbers |= {kept.event.id: len(numbers) + at for at, kept in enumerate(some, 1)}
        if some:
            yield head.encode() + await asyncio.to_thread(joined, [_coco_image(kept, numbers) for kept in some])
            head = ",\n"
    yield (head if not numbers else "").encode() + b'],\n"annotations": [\n'
    count = 0
    async for page in pages():
        boxes = [(kept, each) for kept in page if kept.event.id in numbers for each in boxes_of(kept)]
        annotations = [
            _coco_annotation(kept, each, count + at, numbers[kept.event.id], classes[each.label] + 1)
            for at, (kept, each) in enumerate(boxes, 1)
        ]
        if annotations:
            yield (",\n" if count else "").encode() + await asyncio.to_thread(joined, annotations)
        count += len(annotations)
    categories = [{"id": number, "name": label} for number, label in enumerate(classes, 1)]
    yield f'],\n"categories": {json.dumps(categories)}}}\n'.encode()


async def yolo_of(pages: Pages, picture: PictureOf) -> AsyncIterator[bytes]:
    """A zip of images/, labels/ and data.yaml, as Ultralytics reads them; an empty label file is a negative.

    It is made while it is sent: the standard library writes a zip to what cannot be gone back in.
    """
    sink, classes = _Sink(), Classes()
    with zipfile.ZipFile(sink, "w") as archive:
        async for page in pages:
            for kept in filter(_has_picture, page):
                await asyncio.to_thread(_add, archive, kept, classes, picture)
                yield sink.drained()
        names = "".join(f"  {number}: {json.dumps(label)}\n" for number, label in enumerate(classes))
        archive.writestr(
            "data.yaml", f"path: .\ntrain: images\nval: images\nnames:\n{names}" if names else "names: {}\n"
        )
    yield sink.drained()


def _add(archive: zipfile.ZipFile, kept: Kept, classes: Classes, picture: PictureOf) -> None:
    event = kept.event
    try:
        image = picture(kept)
    except OSError:
        return  # it was let go meanwhile
    made = datetime.fromtimestamp(event.began_at, UTC).timetuple()[:6]
    lines = (_yolo_line(classes[each.label], each.box, event) for each in boxes_of(kept))
    archive.writestr(zipfile.ZipInfo(f"images/{event.id}.jpg", made), image)
    archive.writestr(zipfile.ZipInfo(f"labels/{event.id}.txt", made), "".join(lines))


def _has_picture(kept: Kept) -> bool:
    return kept.picture_bytes > 0


def _coco_image(kept: Kept, numbers: Mapping[str, int]) -> dict[str, Any]:
    event = kept.event
    return {
        "id": numbers[event.id],
        "file_name": f"api/events/{event.id}/picture",
        "width": event.width,
        "height": event.height,
        "date_captured": datetime.fromtimestamp(event.began_at, UTC).isoformat(timespec="milliseconds"),
        "event": event.id,
        "stream": event.stream,
        "reviewed": kept.review.verdict,
    }


def _coco_annotation(kept: Kept, each: Boxed, number: int, image: int, category: int) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = each.box
    width, height = x_max - x_min, y_max - y_min
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [round(edge, 2) for edge in (x_min, y_min, width, height)],
        "area": round(width * height, 2),
        "iscrowd": 0,
        "score": each.score,
        "confirmed": each.tracker_id == kept.event.tracker_id,
    }


def _yolo_line(number: int, box: Box, event: Event) -> str:
    """Class, and middle, width and height in 0..1 of the picture."""
    x_min, y_min, x_max, y_max = box
    left, right = (min(max(x / event.width, 0.0), 1.0) for x in (x_min, x_max))
    top, bottom = (min(max(y / event.height, 0.0), 1.0) for y in (y_min, y_max))
    return f"{number} {(left + right) / 2:.6f} {(top + bottom) / 2:.6f} {right - left:.6f} {bottom - top:.6f}\n"


class _Sink(io.RawIOBase):
    """What is written and not sent yet."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def drained(self) -> bytes:
        """Take it."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
