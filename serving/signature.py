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
from collections.abc import Iterator
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

MAX_CONTRACT = 1 << 20
"""Bytes of a contract: ten thousand labels."""
MAX_PIXELS = 2048 * 2048
"""Height times width of a model's input: 12 MiB a picture. A claim beyond it is a mistake, or hostile."""

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
            ContractError: the text is too long or no JSON object, lacks a field, holds a value that it may not,
                contradicts itself, or is of a newer format.
        """
        if len(text) > MAX_CONTRACT:
            raise ContractError(f"not a usable model contract: it has {len(text)} bytes; allowed are {MAX_CONTRACT}")
        try:
            document = json.loads(text)
            found = document.pop("format")
            if found != CONTRACT_FORMAT:
                raise ContractError(f"contract format {found} is not known here, only {CONTRACT_FORMAT}")
            document["labels"] = {int(class_id): name for class_id, name in document["labels"].items()}
            document["findings"] = tuple(document.get("findings", ()))
            contract = cls(**document)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ContractError(f"not a usable model contract: {error}") from error
        if wrong := next(_wrong(contract), None):
            raise ContractError(f"not a usable model contract: {wrong}")
        if contract.resize not in ("letterbox", "stretch"):
            raise ContractError(f"contract asks for resize rule {contract.resize!r}; known are letterbox and stretch")
        if unknown := [label for label in contract.findings if label not in contract.labels.values()]:
            raise ContractError(f"contract sets {unknown[0]!r} apart, which is none of its labels")
        return contract


def _wrong(contract: Contract) -> Iterator[str]:
    """What stands in its fields and may not, whoever wrote it: JSON has other types than the dataclass says."""
    for key, least, most in (("height", 1, MAX_PIXELS), ("width", 1, MAX_PIXELS), ("pad_value", 0, 255)):
        value = getattr(contract, key)
        if type(value) is not int or not least <= value <= most:
            yield f"{key} is {_shown(value)}, not a whole number from {least} to {most}"
    if contract.height * contract.width > MAX_PIXELS:
        yield f"an input of {contract.width} x {contract.height} is larger than {MAX_PIXELS} pixels"
    if not all(isinstance(text, str) for text in (contract.name, contract.color_order, *contract.labels.values())):
        yield "name, color_order and labels must be texts"
    if contract.max_batch_size is not None and type(contract.max_batch_size) is not int:
        yield f"max_batch_size is {_shown(contract.max_batch_size)}, not a whole number"
    if type(contract.min_score) not in (int, float) or not 0 <= contract.min_score <= 1:
        yield f"min_score is {_shown(contract.min_score)}, not a number from 0 to 1"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
