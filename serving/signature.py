"""The one signature every Sightline model carries, and the contract that travels with it.

`export` writes it, `streamer.inference` reads it, TensorFlow Serving only carries it. Imports nothing but the standard
library, so both sides can use it without TensorFlow.

    serving_default   input_tensor       uint8   [N, H, W, 3]  RGB; H and W static
                      detection_boxes    float32 [N, K, 4]     ymin, xmin, ymax, xmax in 0..1 of the model's input
                      detection_scores   float32 [N, K]        sorted, descending
                      detection_classes  float32 [N, K]        label-map ids
                      num_detections     float32 [N]           how many of the K rows count
    labels            index              int64   [N]           any numbers; so that batching servers accept the call
                      class_ids          int64   [N, C]        label-map ids, the same in every row
                      class_names        string  [N, C]
                      contract           string  [N]           the contract below, as JSON

The output names are those of the TensorFlow Object Detection API (models/research/object_detection/exporter.py), so
that its own exports are close to canonical as they are.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SERVING_DEFAULT = "serving_default"
INPUT_TENSOR = "input_tensor"
DETECTION_BOXES = "detection_boxes"
DETECTION_SCORES = "detection_scores"
DETECTION_CLASSES = "detection_classes"
NUM_DETECTIONS = "num_detections"
DETECTION_OUTPUTS = (DETECTION_BOXES, DETECTION_SCORES, DETECTION_CLASSES, NUM_DETECTIONS)

LABELS = "labels"
LABELS_INDEX = "index"
CLASS_IDS = "class_ids"
CLASS_NAMES = "class_names"
CONTRACT = "contract"
LABELS_OUTPUTS = (CLASS_IDS, CLASS_NAMES, CONTRACT)

CONTRACT_FILE = "assets.extra/contract.json"
"""Where `export` keeps a readable copy, inside the version directory."""

CONTRACT_FORMAT = 1

ResizeRule = Literal["letterbox", "stretch"]


class ContractError(ValueError):
    """A contract that cannot be read, or that this version of Sightline does not understand."""


@dataclass(frozen=True)
class Contract:
    """What a caller must know about a model that its signature alone does not say."""

    name: str
    """The model's name, as TensorFlow Serving serves it."""
    height: int
    """Rows of the model's input, in pixels."""
    width: int
    """Columns of the model's input, in pixels."""
    labels: dict[int, str]
    """Label-map id to class name."""
    resize: ResizeRule = "letterbox"
    """How a frame becomes the model's input: see `serving.resize`."""
    pad_value: int = 114
    """Grey level of letterbox bars, 0..255."""
    color_order: str = "RGB"
    max_batch_size: int | None = None
    """The most frames a call may carry; None where the graph takes any number."""
    min_score: float = 0.4
    """The score above which the model's author would believe a detection."""
    findings: tuple[str, ...] = ()
    """The labels that call for a person, to be set apart from those that are always there; in the order of `labels`."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Where the model came from: source checkpoint and its sha256, tool versions, NMS settings. For people."""

    def to_json(self) -> str:
        """The contract as JSON, keys sorted, so that equal contracts are equal text."""
        document = {"format": CONTRACT_FORMAT, **asdict(self)}
        document["labels"] = {str(class_id): name for class_id, name in self.labels.items()}
        return json.dumps(document, indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Contract":
        """Read a contract.

        Raises:
            ContractError: the text is no JSON object, lacks a field, contradicts itself, or is of a newer format.
        """
        try:
            document = json.loads(text)
            found = document.pop("format")
            if found != CONTRACT_FORMAT:
                raise ContractError(f"contract format {found} is not known here, only {CONTRACT_FORMAT}")
            document["labels"] = {int(class_id): name for class_id, name in document["labels"].items()}
            document["findings"] = tuple(document.get("findings", ()))
            contract = cls(**document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ContractError(f"not a usable model contract: {error}") from error
        if contract.resize not in ("letterbox", "stretch"):
            raise ContractError(f"contract asks for resize rule {contract.resize!r}; known are letterbox and stretch")
        if unknown := [label for label in contract.findings if label not in contract.labels.values()]:
            raise ContractError(f"contract sets {unknown[0]!r} apart, which is none of its labels")
        return contract
