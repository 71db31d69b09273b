"""A whole Keras model, .keras or .h5 ─► a `Detector`. Files of Keras 2 are loaded by `keras_2`.

`--builder path/to/file.py:function` names what such a file does not hold: the function is called without arguments and
returns a dict of name to class or function, as `custom_objects` of keras.models.load_model takes it.
"""

from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from sightline_export import keras_2
from sightline_export.builder import run_builder
from sightline_export.detector import Detector
from sightline_export.errors import Unusable
from sightline_export.network import Beside, Wiring, as_detector
from sightline_export.request import Request
from sightline_export.tensors import Tensor, Value


def load(request: Request) -> Detector:
    """Load the model; code inside the file (Lambda layers) is never run.

    Raises:
        Unusable: it cannot be loaded, is no detector, or its input size, levels or labels are unknown.
    """
    path = request.source.path
    return as_detector(KerasModel(path, read(path, request.builder)), request, Beside())


class KerasModel:
    """A Keras model as a network: tensors are named by its inputs, and by its output layers or its dict's keys."""

    def __init__(self, path: Path, model: Any) -> None:
        self.path = path
        self._model = model
        # A model that was never called, or defines `call` of its own, has none.
        self.inputs = [_tensor(tensor.name, tensor) for tensor in getattr(model, "inputs", None) or []]
        outputs = _named(model, model.output) if self.inputs else {}
        self.outputs = [_tensor(name, tensor) for name, tensor in outputs.items()]

    def tensor(self, name: str) -> Tensor | None:
        """An output by its name."""
        return next((tensor for tensor in self.outputs if tensor.name == name), None)

    def wire(self, picture: Tensor, outputs: dict[str, str], size: tuple[int, int], fixed: dict[str, Value]) -> Wiring:
        """See `sightline_export.network.Network`."""
        if len(self.inputs) > 1 or fixed:
            raise Unusable(f"{self.path} must have pictures for its one input, and has {len(self.inputs)} inputs")

        def call(pictures: Any) -> dict[str, Any]:
            found = _named(self._model, self._model(pictures, training=False))
            return {role: found[name] for role, name in outputs.items()}

        def reference(pictures: NDArray[Any]) -> dict[str, NDArray[Any]]:
            return {role: value.numpy() for role, value in call(tf.constant(pictures)).items()}

        return Wiring(call, reference)


def _named(model: Any, outputs: Any) -> dict[str, Any]:
    if isinstance(outputs, dict):
        return dict(outputs)
    listed = outputs if isinstance(outputs, list | tuple) else [outputs]
    return dict(zip(model.output_names, listed, strict=True))


def _tensor(name: str, tensor: Any) -> Tensor:
    dtype = tensor.dtype if isinstance(tensor.dtype, str) else tensor.dtype.name
    return Tensor(name, dtype, tuple(tensor.shape))


def read(path: Path, builder: str | None) -> Any:
    """The model in a .keras or .h5 file.

    Raises:
        Unusable: the builder fails, or the file cannot be loaded.
    """
    custom = _custom_objects(builder) if builder else {}
    found = keras_2.written(path)
    if found.by_keras_2:
        return keras_2.load(path, found, custom)
    try:
        return tf.keras.models.load_model(path, custom_objects=custom, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises ValueError, TypeError, OSError, BadZipFile and what layers raise.
        reason = keras_2.first_line(error)
        hint = "" if builder else "; classes of your own are named with --builder package.module:function"
        raise Unusable(f"Keras model {path} cannot be loaded: {reason}{hint}") from error


def _custom_objects(builder: str) -> dict[str, Any]:
    found = run_builder(builder)
    if not isinstance(found, dict):
        raise Unusable(f"builder {builder} returned a {type(found).__name__}; a Keras file wants a dict of names")
    return found
