"""Tensors of a source by name, and which of them is what: the options --inputs and --outputs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sightline_export.errors import Unusable

Shape = tuple[int | None, ...]
"""The sides of a tensor; None where a side is free."""

ROLES = ("boxes", "scores", "classes", "count")
"""What an output can be: see `sightline_export.decoder`."""

Value = bool | float


@dataclass(frozen=True)
class Tensor:
    """A tensor as the source declares it."""

    name: str
    dtype: str
    """As TensorFlow names it: uint8, float32, string."""
    shape: Shape | None
    """None where not even the number of sides is known."""

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.name} {self.dtype}"
        return f"{self.name} {self.dtype} [{', '.join('?' if side is None else str(side) for side in self.shape)}]"

    @property
    def is_picture(self) -> bool:
        """Whether pictures [N, H, W, 3] may be given here."""
        return self.dtype != "string" and (self.shape is None or (len(self.shape) == 4 and self.shape[3] in (3, None)))


def listing(tensors: Iterable[Tensor], most: int = 6) -> str:
    """Tensors for a sentence, the first few of them."""
    found = [str(tensor) for tensor in tensors]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more or "none"


def takes_encoded(inputs: Iterable[Tensor]) -> str:
    """Why inputs cannot be given pixels, where they take strings in their place; empty otherwise.

    A string may be an encoded picture or a record with one in it (encoded_image_string_tensor and tf_example of the
    Object Detection API); which, a signature does not say.
    """
    found = sorted(inputs, key=lambda tensor: tensor.name)
    strings = [tensor for tensor in found if tensor.dtype == "string"]
    if not strings or any(tensor.is_picture for tensor in found):
        return ""
    return (
        f"it takes strings, as encoded pictures are ({listing(strings)}), and is to take pixels: write it again with "
        "--input_type image_tensor, as the Object Detection API and Model Garden call that, or, of a graph, name the "
        "tensor behind its decoder with --inputs"
    )


@dataclass(frozen=True)
class TensorNames:
    """What the command line says of the source's tensors."""

    picture: str | None = None
    """The tensor that takes the pictures."""
    fixed: dict[str, Value] = field(default_factory=dict)
    """Other inputs, and the value each is given once and for all: is_training, keep_prob."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Role to tensor; empty where they are to be recognised."""

    @classmethod
    def read(cls, inputs: Iterable[str], outputs: Iterable[str]) -> "TensorNames":
        """Read the words after --inputs and --outputs.

        Raises:
            Unusable: a word is of another form, a role is unknown or given twice, or boxes or scores are missing.
        """
        picture, fixed = None, dict[str, Value]()
        for word in inputs:
            name, equals, value = word.partition("=")
            if equals:
                fixed[name] = _value(word, value)
            elif picture is None:
                picture = word
            else:
                raise Unusable(
                    f"--inputs takes one tensor for pictures, not {picture} and {word}; others are given a value, "
                    "NAME=VALUE, and SOURCE stands before the options"
                )
        return cls(picture, fixed, _outputs(outputs))


def _outputs(words: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        role, equals, name = word.partition("=")
        if not (equals and name):
            raise Unusable(f"--outputs takes boxes=NAME scores=NAME …, not {word!r}; SOURCE stands before the options")
        if role not in ROLES:
            raise Unusable(f"--outputs {word}: no such role; allowed are {', '.join(ROLES)}")
        if role in found:
            raise Unusable(f"--outputs gives {role} twice, {found[role]} and {name}")
        found[role] = name
    if found and (missing := [role for role in ("boxes", "scores") if role not in found]):
        raise Unusable(f"--outputs lacks {' and '.join(missing)}: boxes=NAME and scores=NAME belong together")
    return found


def _value(word: str, text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        raise Unusable(f"--inputs {word}: the value must be a number, true or false") from None
