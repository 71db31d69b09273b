"""What follows from tensors: whether a model looks like a detector, and how to export it. Needs no TensorFlow."""

from dataclasses import replace
from pathlib import Path

from sightline_export import family
from sightline_export.errors import Unusable
from sightline_export.inspection import Inspection
from sightline_export.label_map import read_label_map
from sightline_export.report import labels_in_words
from sightline_export.tensors import Tensor, takes_encoded

GRADIENTS = ("gradients/", "gradients_")
"""Where tf.gradients puts its own, much of which follows from the pictures alone."""


def with_family(found: Inspection, tensors: family.Tensors) -> Inspection:
    """What follows from the tensors: family, size, label map, and the rest of the command line."""
    kind = family.recognise(tensors)
    pictures = [tensor for tensor in tensors.inputs if tensor.is_picture]
    outputs = [tensor for tensor in tensors.outputs if not tensor.name.startswith(GRADIENTS)]
    if kind is not None:
        known = (tensors.tensor(name) for name in dict.fromkeys(kind.outputs.values()))
        outputs = [tensor for tensor in known if tensor is not None]
    size = _size(pictures) or found.input_size
    if why_not := takes_encoded(tensors.inputs):
        return replace(found, inputs=tensors.inputs, outputs=outputs, detector=f"no: {why_not}", command="")
    return replace(
        found,
        inputs=tensors.inputs,
        outputs=outputs,
        input_size=size,
        detector=_verdict(kind, pictures, outputs),
        command=found.command + _options(found, kind, size, pictures, outputs),
        facts=found.facts | _label_map_beside(found.path),
    )


def _verdict(kind: family.Family | None, pictures: list[Tensor], outputs: list[Tensor]) -> str:
    if kind is not None:
        return f"yes: {kind.name}" + (f", {kind.classes} classes" if kind.classes else "")
    if not pictures:
        return "no: none of its inputs takes pictures [N, H, W, 3]"
    if any(_like_boxes(tensor) for tensor in outputs):
        return "perhaps: of no known family, but with an output of four columns, which may be boxes"
    return "not by its tensors: of no known family, and no output has the four columns of boxes"


def _options(
    found: Inspection,
    kind: family.Family | None,
    size: tuple[int, int] | None,
    pictures: list[Tensor],
    outputs: list[Tensor],
) -> str:
    options = ""
    if kind is None and pictures:
        boxes = [tensor.name for tensor in outputs if _like_boxes(tensor)]
        scores = [tensor.name for tensor in outputs if tensor.name not in boxes]
        options += (
            f" --inputs {pictures[0].name} --outputs boxes={_one(boxes)} scores={_one(scores)} --decode FILE.yaml"
        )
    if not found.classes:
        beside = _label_maps(found.path)
        options += f" --labels {beside[0] if beside else 'LABELS.pbtxt'}"
    return options + ("" if size else " --input-size WIDTHxHEIGHT")


def _like_boxes(tensor: Tensor) -> bool:
    shape = tensor.shape or ()
    return tensor.dtype.startswith("float") and len(shape) > 1 and shape[-1] == 4


def _one(names: list[str]) -> str:
    return names[0] if len(names) == 1 else "NAME"


def _size(pictures: list[Tensor]) -> tuple[int, int] | None:
    """Width and height, where the one input for pictures fixes them."""
    if len(pictures) != 1 or pictures[0].shape is None:
        return None
    height, width = pictures[0].shape[1:3]
    return (width, height) if width and height else None


def _label_maps(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*label_map*.pbtxt"))


def _label_map_beside(path: Path) -> dict[str, str]:
    found = {}
    for file in _label_maps(path):
        try:
            found["label map"] = f"{file.name} beside it, {labels_in_words(read_label_map(file))}"
        except Unusable as error:
            found["label map"] = str(error)
    return found
