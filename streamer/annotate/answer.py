"""What was found in one picture, as it is kept and written. A value."""

from dataclasses import dataclass
from typing import Any

from streamer.values.detections import Detections
from streamer.values.errors import SightlineError

Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in pixels of the picture as one sees it."""


class Unreadable(SightlineError):
    """A file that is no picture or video, or a broken one; its text says why, and the others go on."""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing."""

    label: str
    class_id: int
    """Of the model's label map."""
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Answer:
    """About one picture."""

    name: str
    """The picture's path below what was given, with slashes; a frame's is its video's and its number."""
    width: int
    """As one sees it, in pixels."""
    height: int
    found: tuple[Found, ...]
    seconds: float | None = None
    """Of a frame: from its video's beginning."""

    def document(self) -> dict[str, Any]:
        """For JSON: the form of `POST /api/detect`, and `seconds` of a frame."""
        moment = {} if self.seconds is None else {"seconds": self.seconds}
        return {
            "name": self.name,
            "width": self.width,
            "height": self.height,
            **moment,
            "detections": [
                {"label": each.label, "class_id": each.class_id, "score": each.score, "box": list(each.box)}
                for each in self.found
            ],
        }

    @classmethod
    def of_document(cls, said: dict[str, Any]) -> "Answer":
        """What `document` gave.

        Raises:
            KeyError, TypeError, ValueError: something else did.
        """
        found = []
        for each in said["detections"]:
            x_min, y_min, x_max, y_max = map(float, each["box"])
            box = (x_min, y_min, x_max, y_max)
            found.append(Found(str(each["label"]), int(each["class_id"]), float(each["score"]), box))
        moment = said.get("seconds")
        seconds = None if moment is None else float(moment)
        return cls(str(said["name"]), int(said["width"]), int(said["height"]), tuple(found), seconds)

    @property
    def stem(self) -> str:
        """The name without what comes behind its last dot: by that its labels are found."""
        return stem_of(self.name)


def stem_of(name: str) -> str:
    """A picture's name without what comes behind its last dot."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.rpartition('.')[0] or last}"


def found_of(detections: Detections) -> tuple[Found, ...]:
    """What the model said, its numbers as short as they are of use."""
    return tuple(
        Found(each["label"], each["class_id"], each["score"], (box[0], box[1], box[2], box[3]))
        for each in detections.event()["detections"]
        for box in [each["box"]]
    )


def pixels_of(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """A box in whole pixels, as the Pascal VOC devkit counts them: from 1, and the last is the box's own.

    The training repository's csv counts so too. No box is empty, and none leaves the picture.
    """
    x_min, x_max = _span(box[0], box[2], width)
    y_min, y_max = _span(box[1], box[3], height)
    return x_min, y_min, x_max, y_max


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    last = min(max(round(high), 2), max(size, 2))
    return min(max(round(low) + 1, 1), last - 1), last
