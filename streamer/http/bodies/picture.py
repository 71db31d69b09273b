"""Pictures that somebody sends: what is asked of them, and what was found."""

from typing import Annotated

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from streamer.http.bodies.body import Body
from streamer.values.tiles import Tiles


class PictureQuestion(Body):
    """What `POST /api/detect` is asked."""

    model_config = ConfigDict(strict=False)

    model: Annotated[str | None, Field(max_length=200)] = None
    """One that runs; left out: the service's own."""
    min_score: Annotated[float | None, Field(ge=0, le=1)] = None
    """Left out: the model's own."""
    tiles: Tiles = "off"
    """Whether the model looks at parts of each picture too, for what is small in it; auto: where it is large for it."""


class Found(TypedDict):
    """One thing in a picture."""

    label: str
    class_id: int
    """Of the model's label map."""
    score: float
    """0 to 1."""
    box: list[float]
    """[x_min, y_min, x_max, y_max] in pixels of the picture, upright."""


class DetectedPicture(TypedDict):
    """What was found in one picture."""

    name: str | None
    """The file's, where it came with one."""
    width: int
    """Pixels, upright."""
    height: int
    orientation: int
    """By which it was turned upright: EXIF's, 1 to 8."""
    detections: list[Found]


class DetectedPictures(TypedDict):
    """What was found in all that were sent, in that order."""

    model: str
    version: int
    min_score: float
    """The model's own: what is told where none is asked for."""
    pictures: list[DetectedPicture]
