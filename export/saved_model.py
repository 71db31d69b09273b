"""An existing SavedModel with the output names of the Object Detection API ─► a `Detector`.

So the exports of that library itself (exporter_main_v2.py: `input_tensor`, batch fixed at one) and Sightline's own.
"""

from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from export.detector import Detector, Pictures
from export.errors import Unusable
from export.label_map import read_label_map
from export.request import Request
from serving.signature import CONTRACT_FILE, DETECTION_OUTPUTS, SERVING_DEFAULT, Contract, ContractError


def load(request: Request) -> Detector:
    """Load the SavedModel.

    Raises:
        Unusable: it cannot be loaded, is no detector, or its input size or labels are unknown.
    """
    path = request.source.path
    loaded = _loaded(path)
    signature, name, spec = _signature(loaded, path)
    contract = _contract(path)
    if request.labels is not None:
        labels = read_label_map(request.labels)
    elif contract is not None:
        labels = contract.labels
    else:
        raise Unusable(f"{path} carries no class names: give its label map with --labels FILE")
    height, width = spec.shape[1:3]
    if request.input_size is not None:
        width, height = request.input_size
    if not (height and width):
        raise Unusable(f"{path} takes pictures of any size: choose one with --input-size WIDTHxHEIGHT")

    def detect(images: Any) -> dict[str, Any]:
        return dict(signature(**{name: images}))

    def reference(pictures: Pictures) -> dict[str, NDArray[Any]]:
        return {key: value.numpy() for key, value in detect(tf.constant(pictures)).items() if key in DETECTION_OUTPUTS}

    min_score = contract.min_score if contract else 0.4
    return Detector(
        detect=detect,
        reference=reference,
        height=int(height),
        width=int(width),
        labels=labels,
        resize=request.resize or (contract.resize if contract else "stretch"),
        pad_value=contract.pad_value if contract else 114,
        min_score=min_score if request.min_score is None else request.min_score,
        one_at_a_time=spec.shape[0] == 1,
        keep=loaded,
        notes=["labels and resize rule taken from its own contract"] if contract else [],
    )


def _loaded(path: Path) -> Any:
    try:
        return tf.saved_model.load(str(path))
    except Exception as error:  # The loader raises whatever its parts raise: OpError, OSError, KeyError, DecodeError.
        raise Unusable(f"SavedModel {path} cannot be loaded: {type(error).__name__}: {error}") from error


def _signature(loaded: Any, path: Path) -> tuple[Any, str, Any]:
    signatures = dict(loaded.signatures)
    signature = signatures.get(SERVING_DEFAULT)
    if signature is None:
        raise Unusable(f"{path} has no signature {SERVING_DEFAULT}; found {', '.join(signatures) or 'none'}")
    inputs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    if missing := [name for name in DETECTION_OUTPUTS if name not in outputs]:
        raise Unusable(
            f"{path} is no detector of the Object Detection API: it lacks {', '.join(missing)}; "
            f"found inputs {', '.join(inputs)} and outputs {', '.join(sorted(outputs)[:6])}"
        )
    (name, spec), *more = inputs.items()
    if more or spec.dtype != tf.uint8 or spec.shape.rank != 4:
        found = ", ".join(f"{key} {value.dtype.name} {value.shape}" for key, value in inputs.items())
        raise Unusable(f"{path} wants one uint8 input [N, H, W, 3], found {found}")
    return signature, name, spec


def _contract(path: Path) -> Contract | None:
    try:
        return Contract.from_json((path / CONTRACT_FILE).read_text())
    except (OSError, ContractError):
        return None
