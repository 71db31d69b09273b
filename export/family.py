"""Detectors that are known by their tensors, so that nobody needs to describe them. Needs no TensorFlow.

Object Detection API   detection_boxes, detection_scores, detection_classes, num_detections: boxes in 0..1, yxyx
                       (research/object_detection/exporter.py and exporter_lib_v2.py)
Model Garden           the same names and image_info [N, 4, 2]: boxes in pixels of the resized picture, or in 0..1
                       (official/vision/serving/detection.py, output_normalized_coordinates)
Ultralytics            float32 0..1 [N, H, W, 3] to one tensor [N, 4 + C, A], boxes cxcywh in pixels of the input;
                       with nms=True to [N, K, 6], rows of x1, y1, x2, y2, score, class; of format=tflite, in 0..1
                       (docs.ultralytics.com/integrations/tf-savedmodel)

Names and shapes do not tell pixels from fractions: see `box_scale`.
"""

from dataclasses import dataclass
from typing import Protocol

from serving.signature import (
    DETECTION_BOXES,
    DETECTION_CLASSES,
    DETECTION_OUTPUTS,
    DETECTION_SCORES,
    NUM_DETECTIONS,
    ResizeRule,
)
from sightline_export.decoding import Boxes, Decoding, Input
from sightline_export.tensors import Tensor

_MULTICLASS = "detection_multiclass_scores"
_IMAGE_INFO = "image_info"


class Tensors(Protocol):
    """What a source says of its tensors."""

    @property
    def inputs(self) -> list[Tensor]:
        """What can be given to it."""

    @property
    def outputs(self) -> list[Tensor]:
        """What it ends in."""

    def tensor(self, name: str) -> Tensor | None:
        """Any tensor by its name."""


@dataclass(frozen=True)
class Family:
    """A kind of detector, and how its outputs are read."""

    name: str
    outputs: dict[str, str]
    """Role to tensor."""
    decoding: Decoding
    resize: ResizeRule = "stretch"
    min_score: float = 0.4
    classes: int | None = None
    """How many classes it tells apart, where a tensor says so."""
    decoded: bool = False
    """Its outputs are not the canonical ones: what is written does more than the source."""
    either_scale: bool = False
    """Its makers write boxes in pixels or in 0..1 under the same names: which, only pictures show."""


def recognise(source: Tensors) -> Family | None:
    """The family a source belongs to, by names and shapes alone."""
    if all(source.tensor(name) for name in DETECTION_OUTPUTS):
        return _named(source)
    outputs, pictures = source.outputs, [tensor for tensor in source.inputs if tensor.is_picture]
    if len(outputs) == 1 and len(pictures) == 1 and pictures[0].dtype == "float32":
        return _ultralytics(outputs[0], pictures[0])
    return None


def _named(source: Tensors) -> Family:
    names = (DETECTION_BOXES, DETECTION_SCORES, DETECTION_CLASSES, NUM_DETECTIONS)
    outputs = dict(zip(("boxes", "scores", "classes", "count"), names, strict=True))
    # Inputs of float32 are levels as they come from the picture in both: the API's `float_image_tensor`.
    if source.tensor(_IMAGE_INFO):
        decoding = Decoding(input=Input(), boxes=Boxes(format="yxyx", scale="pixels"))
        return Family("Model Garden", outputs | {"image_info": _IMAGE_INFO}, decoding, decoded=True, either_scale=True)
    multiclass = source.tensor(_MULTICLASS)
    columns = multiclass.shape[-1] if multiclass and multiclass.shape else None
    # Its first column is the background.
    classes = columns - 1 if columns else None
    return Family("Object Detection API", outputs, Decoding(input=Input()), classes=classes)


def _ultralytics(output: Tensor, picture: Tensor) -> Family | None:
    if output.shape is None or len(output.shape) != 3 or picture.shape is None or None in picture.shape[1:]:
        return None
    _, columns, rows = output.shape
    given = Input(scale=(1 / 255,) * 3)
    if rows == 6:
        outputs = dict.fromkeys(("boxes", "scores", "classes"), output.name)
        decoding = Decoding(input=given, boxes=Boxes(format="xyxy", scale="pixels"), class_offset=1)
    elif columns is not None and rows is not None and 4 < columns < rows:
        outputs = dict.fromkeys(("boxes", "scores"), output.name)
        decoding = Decoding(input=given, layout="channels_first", boxes=Boxes(format="cxcywh", scale="pixels"))
    else:
        return None
    return Family("Ultralytics", outputs, decoding, resize="letterbox", min_score=0.25, decoded=True, either_scale=True)
