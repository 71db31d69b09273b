"""The model that a pipeline.config describes, for people. Needs neither TensorFlow nor the Object Detection API.

The file is the text of a TrainEvalPipelineConfig (research/object_detection/protos/pipeline.proto). The fields that are
asked for are described here by name; all others are passed over.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving.text_proto import Fields, message_class
from sightline_export.errors import Unusable

_RESIZER: Fields = {
    "fixed_shape_resizer": {"height": "int32", "width": "int32"},
    "keep_aspect_ratio_resizer": {"min_dimension": "int32", "max_dimension": "int32", "pad_to_max_dimension": "bool"},
}
_EXTRACTOR: Fields = {"type": "string"}
_SUPPRESSION: Fields = {
    "batch_non_max_suppression": {
        "score_threshold": "float",
        "iou_threshold": "float",
        "max_detections_per_class": "int32",
        "max_total_detections": "int32",
    }
}
_COMMON: Fields = {"num_classes": "int32", "image_resizer": _RESIZER, "feature_extractor": _EXTRACTOR}
_ARCHITECTURES: dict[str, Fields] = {
    "ssd": {**_COMMON, "post_processing": _SUPPRESSION},
    "faster_rcnn": {**_COMMON, "second_stage_post_processing": _SUPPRESSION},
    "center_net": _COMMON,
}
_Pipeline = message_class(
    "sightline.Pipeline", {"model": _ARCHITECTURES, "train_input_reader": {"label_map_path": "string"}}
)


@dataclass(frozen=True)
class PipelineModel:
    """What a pipeline.config says of its detector."""

    architecture: str
    """ssd, faster_rcnn or center_net."""
    feature_extractor: str
    num_classes: int
    resizer: str
    """In words."""
    input_size: tuple[int, int] | None
    """Width and height, where the resizer fixes them."""
    suppression: dict[str, float]
    """Settings of its non-maximum suppression, by the names of the file; empty where it has none."""
    label_map: str
    """Where training found its label map."""


def read_pipeline_model(path: Path) -> PipelineModel:
    """Read a pipeline.config.

    Raises:
        Unusable: it cannot be read, is no text of such a message, or of another architecture.
    """
    message = _Pipeline()
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), message, allow_unknown_field=True)
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, text_format.ParseError, RecursionError) as error:
        raise Unusable(f"{path} is no pipeline.config of the Object Detection API: {error}") from error
    found = [name for name in _ARCHITECTURES if message.model.HasField(name)]
    if not found:
        known = " | ".join(_ARCHITECTURES)
        raise Unusable(f"{path} is no pipeline.config of the Object Detection API: it has no model {{ {known} }}")
    model = getattr(message.model, found[0])
    resizer, size = _resizer(model.image_resizer)
    return PipelineModel(
        architecture=found[0],
        feature_extractor=model.feature_extractor.type,
        num_classes=model.num_classes,
        resizer=resizer,
        input_size=size,
        suppression=_suppression(model),
        label_map=message.train_input_reader.label_map_path,
    )


def _resizer(resizer: Any) -> tuple[str, tuple[int, int] | None]:
    fixed, kept = resizer.fixed_shape_resizer, resizer.keep_aspect_ratio_resizer
    if resizer.HasField("fixed_shape_resizer"):
        return f"stretched to {fixed.width}x{fixed.height}", (fixed.width, fixed.height)
    if resizer.HasField("keep_aspect_ratio_resizer"):
        words = f"shorter side to {kept.min_dimension}, longer to at most {kept.max_dimension}, aspect ratio kept"
        size = (kept.max_dimension, kept.max_dimension) if kept.pad_to_max_dimension else None
        return f"{words}, padded" if size else words, size
    return "none", None


def _suppression(model: Any) -> dict[str, float]:
    for name in ("post_processing", "second_stage_post_processing"):
        if name in model.DESCRIPTOR.fields_by_name:
            settings = getattr(model, name).batch_non_max_suppression
            return {field.name: round(value, 6) for field, value in settings.ListFields()}
    return {}
