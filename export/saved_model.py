"""An existing SavedModel ─► a `Detector`.

Sightline's own, those of the Object Detection API (exporter_main_v2.py: batch fixed at one), of Model Garden and of
Ultralytics are recognised; others are described on the command line.
"""

from pathlib import Path
from typing import Any

import tensorflow as tf
import yaml
from numpy.typing import NDArray

from serving.signature import CONTRACT_FILE, SERVING_DEFAULT, Contract, ContractError
from sightline_export.detector import Detector
from sightline_export.errors import Unusable
from sightline_export.label_map import checked
from sightline_export.network import Beside, Wiring, as_detector
from sightline_export.request import Request
from sightline_export.tensors import Tensor, Value

_METADATA = "metadata.yaml"
_DETECT = "detect"
"""Where Ultralytics keeps class names, beside saved_model.pb."""


def load(request: Request) -> Detector:
    """Load the SavedModel.

    Raises:
        Unusable: it cannot be loaded, is no detector, or its input size or labels are unknown.
    """
    path = request.source.path
    loaded = _loaded(path)
    return as_detector(Signature(path, _signature(loaded, path)), request, _beside(path, loaded))


class Signature:
    """A signature of a SavedModel as a network."""

    def __init__(self, path: Path, signature: Any) -> None:
        self.path = path
        self._signature = signature
        self.inputs = [_tensor(name, spec) for name, spec in signature.structured_input_signature[1].items()]
        self.outputs = [_tensor(name, spec) for name, spec in sorted(signature.structured_outputs.items())]

    def tensor(self, name: str) -> Tensor | None:
        """An output by its name."""
        return next((tensor for tensor in self.outputs if tensor.name == name), None)

    def wire(self, picture: Tensor, outputs: dict[str, str], size: tuple[int, int], fixed: dict[str, Value]) -> Wiring:
        """See `sightline_export.network.Network`."""
        if picture.shape and picture.shape[0] not in (1, None):
            raise Unusable(
                f"{self.path} takes {picture.shape[0]} pictures at a time, no more and no less: "
                "save it for batches of 1 or of any size"
            )
        others = {tensor.name: tensor for tensor in self.inputs if tensor.name != picture.name}
        if wrong := set(others) ^ set(fixed):
            raise Unusable(
                f"{self.path}: {', '.join(sorted(wrong))}: every other input of the signature is given a value, "
                f"--inputs {picture.name} NAME=VALUE; others are {', '.join(others) or 'none'}"
            )
        constants = {
            name: tf.fill([side or 1 for side in others[name].shape or ()], tf.cast(value, others[name].dtype))
            for name, value in fixed.items()
        }

        def call(pictures: Any) -> dict[str, Any]:
            found = self._signature(**{picture.name: pictures}, **constants)
            return {role: found[name] for role, name in outputs.items()}

        def reference(pictures: NDArray[Any]) -> dict[str, NDArray[Any]]:
            return {role: value.numpy() for role, value in call(tf.constant(pictures)).items()}

        return Wiring(call, reference)


def _tensor(name: str, spec: Any) -> Tensor:
    return Tensor(name, spec.dtype.name, None if spec.shape.rank is None else tuple(spec.shape.as_list()))


def _loaded(path: Path) -> Any:
    try:
        return tf.saved_model.load(str(path))
    except Exception as error:  # The loader raises whatever its parts raise: OpError, OSError, KeyError, DecodeError.
        raise Unusable(f"SavedModel {path} cannot be loaded: {type(error).__name__}: {error}") from error


def _signature(loaded: Any, path: Path) -> Any:
    """Its `serving_default`, or the only one it has."""
    signatures = {name: found for name, found in loaded.signatures.items() if not name.startswith("__")}
    if SERVING_DEFAULT in signatures:
        return signatures[SERVING_DEFAULT]
    if len(signatures) != 1:
        raise Unusable(f"{path} has no signature {SERVING_DEFAULT}; found {', '.join(signatures) or 'none'}")
    return next(iter(signatures.values()))


def _beside(path: Path, loaded: Any) -> Beside:
    try:
        contract = Contract.from_json((path / CONTRACT_FILE).read_text())
    except (OSError, ContractError):
        if (task := _metadata(path).get("task", _DETECT)) != _DETECT:
            # Its head has columns for other things too, which would pass for classes.
            raise Unusable(f"{path} is an Ultralytics model for the task {task}; only {_DETECT} is exported") from None
        return Beside(labels=metadata_names(path), keep=loaded)
    return Beside(
        labels=contract.labels,
        findings=contract.findings or None,
        resize=contract.resize,
        pad_value=contract.pad_value,
        min_score=contract.min_score,
        keep=loaded,
        notes=["labels and resize rule taken from its own contract"],
    )


def metadata_names(path: Path) -> dict[int, str] | None:
    """Class names as Ultralytics writes them, `names: {0: person, …}`; ids as Sightline counts them, from 1."""
    try:
        names = _metadata(path)["names"].items()
        # YAML may hold anything in place of a name, and a few lines of it become gigabytes of text.
        return checked((int(index) + 1, str(name)) for index, name in names if isinstance(name, str | int | float))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _metadata(path: Path) -> dict[str, Any]:
    """What stands in the file that Ultralytics writes beside a model; nothing where it is not there or no YAML."""
    try:
        document = yaml.safe_load((path / _METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return document if isinstance(document, dict) else {}
