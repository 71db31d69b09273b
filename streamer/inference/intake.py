"""What a model server sends, checked before anything is made of it: how much it is, of which type, and which words.

Whoever answers at that address may be another program, a careless model, or hostile. What passes here is bounded, and
what does not is a PredictError whose sentence says what is wrong, for the page, the API and the log.
"""

import unicodedata
from dataclasses import replace
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from serving import wire
from serving.signature import MAX_CONTRACT, Contract
from streamer.values.errors import PredictError

MAX_ANSWER = 4 << 20
"""Bytes of a message: 128 frames with 1300 detections each. One of many small parts takes twenty times its size."""
MAX_SENTENCE = 300
"""Characters of what a server says, where it is told on."""
MAX_LABEL = 64
"""Characters of a label, which is drawn beside its box."""

_JOINERS = "\u200c\u200d"
"""Format characters without which some languages cannot be written; the others turn a line's direction around."""


def message(kind: Any, raw: bytes) -> Any:
    """Read a protobuf message of the class `kind`. Raises PredictError: it is none."""
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        raise PredictError("INTERNAL", f"the model's answer is no {kind.DESCRIPTOR.name}") from error


def floats(response: Any, name: str) -> NDArray[np.float32]:
    """An output of a PredictResponse that must be of float32.

    Raises:
        PredictError: it is missing, of another dtype, or its shape claims more than a message can carry.
    """
    return _array(response, name, wire.DT_FLOAT, MAX_ANSWER // 4)


def text(response: Any, name: str) -> bytes:
    """The first string of an output of a PredictResponse.

    Raises:
        PredictError: it is missing, not of strings, empty, or too long.
    """
    strings = _array(response, name, wire.DT_STRING, 1).reshape(-1)
    if not strings.size:
        raise PredictError("INTERNAL", f"the model's {name} is empty")
    found: bytes = strings[0]
    if len(found) > MAX_CONTRACT:
        raise PredictError("INTERNAL", f"the model's {name} has {len(found)} bytes; allowed are {MAX_CONTRACT}")
    return found


def _array(response: Any, name: str, dtype: int, most: int) -> NDArray[Any]:
    if name not in response.outputs:
        raise PredictError("INTERNAL", f"the model's answer lacks {name}")
    tensor = response.outputs[name]
    if tensor.dtype != dtype:
        found, wanted = wire.name_of(tensor.dtype), wire.name_of(dtype)
        raise PredictError("INTERNAL", f"the model's {name} is of {found}, not {wanted}")
    try:
        return wire.to_array(tensor, most=most)
    except ValueError as error:
        raise PredictError("INTERNAL", f"the model's {name} cannot be read: {sentence(str(error))}") from error


def contract(said: bytes) -> Contract:
    """A model's contract, its labels fit to be shown.

    Raises:
        ContractError: it is none, or a field is not what it may be.
    """
    found = Contract.from_json(said)
    labels = {class_id: label(name) or f"class {class_id}" for class_id, name in found.labels.items()}
    return replace(found, labels=labels, findings=tuple(label(name) for name in found.findings))


def label(said: str) -> str:
    """A label in one line and not too long."""
    return _line(said, MAX_LABEL)


def sentence(said: str) -> str:
    """What a server says in one line and not too long."""
    return _line(said, MAX_SENTENCE)


def _line(said: str, most: int) -> str:
    """A text without control characters, and cut where it is too long."""
    begun = said[: 4 * most]  # of megabytes no more is looked at
    visible = "".join(" " if _is_control(character) else character for character in begun)
    line = " ".join(visible.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS
