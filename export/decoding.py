"""How a raw head is meant: the small YAML behind --decode. Needs no TensorFlow.

docs/decode.yaml shows every key. A section that is left out is the family's (see `family`), else its default.
"""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    model_validator,
)

from sightline_export.errors import Unusable


class Section(BaseModel):
    """A part of the file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _fraction(value: object) -> object:
    # 1/255 says more than 0.00392156862745098, and is exact.
    if isinstance(value, str):
        try:
            return float(Fraction(value))
        except (ValueError, ZeroDivisionError):
            return value
    return value


def _three(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value, value, value)


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("0 is not allowed; it must be another number")
    return value


Number = Annotated[float, BeforeValidator(_fraction)]
Channels = Annotated[tuple[Number, Number, Number], BeforeValidator(_three)]
"""A number for each colour, in the source's order; one number stands for three."""
Divisor = Annotated[Number, AfterValidator(_not_zero)]
Divisors = Annotated[tuple[Divisor, Divisor, Divisor], BeforeValidator(_three)]
BoxFormat = Literal["yxyx", "xyxy", "cxcywh", "cycxhw"]
BoxScale = Literal["normalised", "pixels"]


class Input(Section):
    """How a picture's levels, 0..255, become the source's input."""

    colors: Literal["RGB", "BGR"] = "RGB"
    scale: Channels = (1.0, 1.0, 1.0)
    """level * scale + offset"""
    offset: Channels = (0.0, 0.0, 0.0)
    mean: Channels | None = None
    """(level - mean) / std, in place of scale and offset"""
    std: Divisors | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.model_fields_set & {"mean", "std"} and self.model_fields_set & {"scale", "offset"}:
            raise ValueError("give scale and offset, or mean and std, not both")
        return self

    @property
    def factors(self) -> tuple[list[float], list[float]]:
        """What a level is multiplied by, and what is then added, for each colour in the source's order."""
        if self.mean is None and self.std is None:
            return list(self.scale), list(self.offset)
        mean, std = self.mean or (0.0,) * 3, self.std or (1.0,) * 3
        return [1 / s for s in std], [-m / s for m, s in zip(mean, std, strict=True)]


class Grid(Section):
    """An anchor for each cell of a [N, rows, columns, 4] head, in pixels of the input."""

    stride: float = Field(gt=0)
    cell: float = Field(gt=0)
    """The side of the square a cell looks at."""
    offset: float = 0.0
    """Where the first cell's square begins; (stride - cell) / 2 centres it on the cell."""


class Ssd(Section):
    """ssd_anchor_generator of a pipeline.config, in its own words, and the head's feature maps."""

    feature_maps: tuple[tuple[int, int], ...] = Field(min_length=1)
    """Rows and columns of each layer."""
    min_scale: float = Field(default=0.2, gt=0)
    max_scale: float = Field(default=0.95, gt=0)
    scales: tuple[float, ...] | None = None
    """One a layer, in place of min_scale and max_scale."""
    aspect_ratios: tuple[Annotated[Number, Field(gt=0)], ...] = (1.0, 2.0, 0.5, 3.0, 1 / 3)
    interpolated_scale_aspect_ratio: float = Field(default=1.0, ge=0)
    reduce_boxes_in_lowest_layer: bool = True

    @model_validator(mode="after")
    def _one_scale_a_layer(self) -> Self:
        if self.scales is not None and len(self.scales) != len(self.feature_maps):
            raise ValueError(f"scales: {len(self.scales)} for {len(self.feature_maps)} feature_maps; give one for each")
        return self


class Anchors(Section):
    """The boxes that the head's numbers are offsets to."""

    grid: Grid | None = None
    ssd: Ssd | None = None
    file: Path | None = None
    """.npy, or .csv with four numbers a line; beside the YAML."""
    values: tuple[tuple[float, float, float, float], ...] | None = Field(default=None, min_length=1)
    format: BoxFormat = "yxyx"
    """Of file and values."""
    scale: BoxScale = "normalised"
    """Of file and values."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = ("grid", "ssd", "file", "values")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"give one of {', '.join(kinds)}")
        return self

    @field_serializer("file")
    def _digest(self, file: Path | None) -> str | None:
        # For provenance and fingerprint: no directory, and another file of the same name is another model.
        return None if file is None else f"{file.name} sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


class Boxes(Section):
    """The four numbers of a box. With anchors, centres and sizes are SSD's offsets, and corners are MTCNN's."""

    format: BoxFormat
    scale: BoxScale = "normalised"
    anchors: Anchors | None = None
    variances: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    """What each of the four is multiplied by; 1 / y_scale … of an Object Detection API box coder."""

    @model_validator(mode="after")
    def _with_anchors(self) -> Self:
        if self.anchors is None and "variances" in self.model_fields_set:
            raise ValueError("variances belong to anchors, and there are none")
        if self.anchors is not None and "scale" in self.model_fields_set:
            raise ValueError("scale belongs to boxes without anchors; the anchors have their own")
        return self


class Scores(Section):
    """The numbers of the classes."""

    activation: Literal["none", "sigmoid", "softmax"] = "none"
    background: int | None = Field(default=None, ge=0)
    """The index of the class that means nothing is there."""
    objectness: bool = False
    """The first number says whether there is anything, and multiplies the others (YOLOv5)."""


class Nms(Section):
    """Non-maximum suppression."""

    iou: float = Field(default=0.5, ge=0, le=1)
    """Of two boxes that overlap more, the better stays; 1 suppresses nothing."""
    score: float = Field(default=0.05, ge=0, le=1)
    """Rows that score no more are dropped."""
    max_detections: int = Field(default=100, ge=1, le=10_000)
    per_class: bool = True
    """Boxes of different classes do not suppress each other."""


class Decoding(Section):
    """How the source takes pictures, and what its outputs mean."""

    input: Input | None = None
    layout: Literal["channels_last", "channels_first"] = "channels_last"
    """[N, A, C], or [N, C, A] as Ultralytics has it."""
    boxes: Boxes = Boxes(format="yxyx")
    scores: Scores = Scores()
    class_offset: int | None = Field(default=None, ge=0)
    """The label-map id of the first class, background not counted."""
    nms: Nms | None = None

    def over(self, family: "Decoding") -> "Decoding":
        """The sections of this file, and the family's where it has none."""
        return family.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


def read_decoding(path: Path) -> Decoding:
    """Read the file behind --decode.

    Raises:
        Unusable: it cannot be read, or a key or value is not allowed; the first problem, in one sentence.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise Unusable(f"{path}: line {mark.line + 1 if mark else 1} is not YAML") from error
    if not isinstance(document, dict):
        raise Unusable(f"{path}: must be a mapping with the keys {', '.join(Decoding.model_fields)}")
    try:
        decoding = Decoding.model_validate(document)
    except ValidationError as error:
        raise Unusable(f"{path}: {_explain(error, document)}") from error
    return _found_anchors(decoding, path)


def _found_anchors(decoding: Decoding, path: Path) -> Decoding:
    anchors = decoding.boxes.anchors
    if anchors is None or anchors.file is None:
        return decoding
    file = path.parent / anchors.file
    if not file.is_file() or file.suffix not in (".npy", ".csv"):
        raise Unusable(f"{path}: boxes.anchors.file: {file} is no .npy or .csv file")
    boxes = decoding.boxes.model_copy(update={"anchors": anchors.model_copy(update={"file": file})})
    return decoding.model_copy(update={"boxes": boxes})


_SECTIONS: dict[tuple[str, ...], type[Section]] = {
    (): Decoding,
    ("input",): Input,
    ("boxes",): Boxes,
    ("boxes", "anchors"): Anchors,
    ("boxes", "anchors", "grid"): Grid,
    ("boxes", "anchors", "ssd"): Ssd,
    ("scores",): Scores,
    ("nms",): Nms,
}


def _explain(error: ValidationError, document: dict[Any, Any]) -> str:
    """The first problem in one line: the key, the value, and what is allowed."""
    first = error.errors(include_url=False)[0]
    where = first["loc"]
    dotted = ".".join(str(part) for part in where)
    if first["type"] == "extra_forbidden":
        section = _SECTIONS[tuple(str(part) for part in where[:-1])]
        return f"{dotted}: unknown key; allowed here are {', '.join(section.model_fields)}"
    if first["type"] == "missing":
        return f"{dotted}: is missing; it is required"
    if first["type"] == "value_error":
        return ": ".join(filter(None, [dotted, str(first["ctx"]["error"])]))
    value: Any = document
    for part in where:
        value = _item(value, part)
    return f"{dotted}: {value!r} is not allowed; it must be {first['msg'].removeprefix('Input should be ')}"


def _item(value: Any, key: Any) -> Any:
    """What lies at `key`, where it is a mapping or a list; a number that stands for three is itself."""
    return value[key] if isinstance(value, dict | list) else value
