"""Keras files that Keras 2 wrote: read by tf_keras where that is installed, else by Keras 3 as far as the two agree.

Keras 3 refuses what Keras 2 writes of some layers, keys of their configuration that mean nothing where they have their
usual value. Layers that it does not know (TFOpLambda, SlicingOpLambda: operators between tensors) and the layout of
weights in a .keras file are another matter, and need Keras 2 itself.
"""

import importlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import tensorflow as tf

from sightline_export.errors import Unusable

_MOST_BYTES = 64_000_000
"""Of a configuration: a packed one may claim any size."""
_ANY = object()
_RNN = {"time_major": False}
_TRANSPOSE = {"groups": 1}
_SEPARABLE = {"groups": 1, "kernel_initializer": _ANY, "kernel_regularizer": _ANY, "kernel_constraint": _ANY}
_DROPOUT = {"noise_shape": None, "trainable": _ANY}
_RANDOM = {"rng_type": _ANY}
_ATTENTION = {"softmax_robust_masking": False, "query_shape": _ANY, "key_shape": _ANY, "value_shape": _ANY}

HARMLESS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), _TRANSPOSE),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _TRANSPOSE),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _SEPARABLE),
    **dict.fromkeys(("SimpleRNN", "RNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), _RNN),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), _DROPOUT),
    **dict.fromkeys(("RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip"), _RANDOM),
    **dict.fromkeys(("RandomRotation", "RandomTranslation", "RandomZoom"), _RANDOM),
    "MultiHeadAttention": _ATTENTION,
}
"""Layer to keys that tf_keras 2.21 writes and Keras 3.15 refuses, and the value with which they change nothing."""


@dataclass(frozen=True)
class Written:
    """What a Keras file says of itself."""

    version: str
    """Of the Keras that wrote it; empty where the file does not say."""
    config: Any
    """Layers and how they are joined, as parsed JSON."""

    @property
    def by_keras_2(self) -> bool:
        """Whether Keras 2 wrote it."""
        return self.version.startswith("2.")


def written(path: Path) -> Written:
    """What the file says of itself; nothing where it cannot be read, which its loader will say better."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                version = json.loads(_member(archive, "metadata.json"))["keras_version"]
                return Written(str(version), json.loads(_member(archive, "config.json")))
        with h5py.File(path) as file:
            return Written(_attribute(file, "keras_version"), json.loads(_attribute(file, "model_config")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile):
        return Written("", None)


def load(path: Path, found: Written, custom: Mapping[str, Any]) -> Any:
    """Load a model that Keras 2 wrote.

    Args:
        path: the .keras or .h5 file.
        found: what it says of itself.
        custom: classes and functions by name, of Keras 2 or 3.

    Raises:
        Unusable: it needs tf_keras, which is not installed, or it holds code, or neither Keras can load it.
    """
    name = f"Keras model {path} was written by Keras {found.version}"
    legacy, refused = _tf_keras(), ""
    if legacy is not None:
        _refuse_code(name, found.config, custom)
        try:
            return legacy.models.load_model(path, custom_objects=dict(custom), compile=False, safe_mode=True)
        except Exception as error:  # noqa: BLE001  It raises whatever layers raise; Keras 3 may still load it.
            refused = f"{name} and tf_keras cannot load it: {first_line(error)}"
    advice = "install tf_keras, which is Keras 2, or let Keras 2 save it as a SavedModel and export that"
    if path.suffix == ".keras":
        raise Unusable(refused or f"{name}, and Keras 3 cannot load a .keras file of that: {advice}")
    # What the caller names wins: a DepthwiseConv2D of theirs is theirs.
    known = {**_tolerant(), **custom}
    try:
        return tf.keras.models.load_model(path, custom_objects=known, compile=False, safe_mode=True)
    except Exception as error:
        said = first_line(error)
        raise Unusable(refused or f"{name}, and Keras 3 cannot load it: {advice}; it said: {said}") from error


def first_line(error: Exception) -> str:
    """What an error of Keras says in its first line, which may be followed by whole configurations."""
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__


def _tf_keras() -> Any:
    try:
        return importlib.import_module("tf_keras")
    except ImportError:
        return None


def _refuse_code(name: str, config: Any, custom: Mapping[str, Any]) -> None:
    """Refuse what tf_keras would run: it unpacks the code in a Lambda layer, and imports whatever module is named."""
    for one in _objects(config):
        kind, module = one["class_name"], one.get("module")
        if kind in custom:
            continue
        if kind == "Lambda":
            raise Unusable(f"{name} and has a Lambda layer, whose code is never run: put operators in its place")
        if isinstance(module, str) and module.partition(".")[0] not in ("keras", "tf_keras", "builtins"):
            raise Unusable(f"{name} and wants {kind} of {module}: name it with --builder package.module:function")


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object that a configuration describes, however deep."""
    ahead = [config]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict):
            if "class_name" in one:
                yield one
            ahead += one.values()
        elif isinstance(one, list):
            ahead += one


def _tolerant() -> dict[str, Any]:
    """Keras 3's layers by name, each made from a configuration of Keras 2."""
    return {name: _without(getattr(tf.keras.layers, name), keys) for name, keys in HARMLESS.items()}


def _without(layer: Any, keys: dict[str, Any]) -> Any:
    class FromKeras2(layer):  # type: ignore[misc]
        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            def is_harmless(key: str) -> bool:
                return key in keys and (keys[key] is _ANY or config[key] == keys[key])

            return layer.from_config({key: value for key, value in config.items() if not is_harmless(key)})

    return FromKeras2


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        content = member.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"{name} is too large")
    return content


def _attribute(file: Any, name: str) -> str:
    value = file.attrs.get(name, "")
    return value.decode() if isinstance(value, bytes) else str(value)
