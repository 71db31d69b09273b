"""A source whose tensors are known by name, before anybody knows that it is a detector ─► a `Detector`.

Frozen graphs, TF1 checkpoints, SavedModels and Keras models are networks; only how they are loaded and run differs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.signature import ResizeRule
from sightline_export import family
from sightline_export.box_scale import Seen, settle
from sightline_export.decoder import Decoder, prepare
from sightline_export.decoding import Decoding, Input
from sightline_export.detector import Detector, Pictures
from sightline_export.errors import Unusable
from sightline_export.label_map import fit_labels, read_label_map
from sightline_export.pictures import as_batch, drawn_pictures, read_pictures
from sightline_export.request import Request
from sightline_export.tensors import Tensor, Value, listing, takes_encoded

Given = Any
"""Pictures [N, H, W, 3] in the dtype and levels of the source's own input."""


@dataclass(frozen=True)
class Wiring:
    """A network with its input and outputs chosen: pictures in, tensors by role out."""

    call: Callable[[Given], dict[str, Any]]
    """In TensorFlow 2, for the graph that is written."""
    reference: Callable[[NDArray[Any]], dict[str, NDArray[Any]]]
    """The source's own way, on one picture."""


class Network(family.Tensors, Protocol):
    """A loaded source."""

    path: Path

    def wire(self, picture: Tensor, outputs: dict[str, str], size: tuple[int, int], fixed: dict[str, Value]) -> Wiring:
        """Choose input and outputs.

        Args:
            picture: the input for pictures.
            outputs: role to tensor name, all of them known to `tensor`.
            size: height and width of the pictures.
            fixed: other inputs and what they are given.

        Raises:
            Unusable: the outputs cannot be had from these inputs.
        """


@dataclass(frozen=True)
class Beside:
    """What lies beside a network's tensors: in its contract, its metadata, its graph's first resizer."""

    size: tuple[int, int] | None = None
    """Height and width."""
    labels: dict[int, str] | None = None
    findings: tuple[str, ...] | None = None
    """Those of `labels` that its contract sets apart."""
    label_map: Path | None = None
    """A label map that may be the one."""
    resize: ResizeRule | None = None
    pad_value: int = 114
    min_score: float | None = None
    keep: Any = None
    notes: list[str] = field(default_factory=list)


def as_detector(network: Network, request: Request, beside: Beside) -> Detector:
    """The detector that the request makes of a network; what it says wins over what is found.

    Raises:
        Unusable: no detector is recognised and none described, or its size, labels or levels are unknown.
    """
    kind = None if request.tensors.outputs else family.recognise(network)
    picture = _picture(network, request)
    outputs = kind.outputs if kind else _outputs(network, request)
    decoding = _decoding(network, request, kind, picture, outputs)
    size = _size(network, request, beside, picture)
    wiring = network.wire(picture, outputs, size, request.tensors.fixed)
    decoder = Decoder(decoding, outputs, size)
    classes = kind.classes if kind and kind.classes else decoder.class_count(_columns(network, decoder))
    first_class = 1 if kind and kind.classes else int(decoder.class_offset)
    labels = _labels(network, request, beside, (first_class, classes))
    resize = request.resize or beside.resize or (kind.resize if kind else "stretch")
    answers = _answers(network, request, wiring, decoder, picture, (resize, beside.pad_value))
    said = request.decoding is not None and "boxes" in request.decoding.model_fields_set
    try:
        decoding, notes = settle(decoding, answers, size, kind, said=said)
    except ValueError as error:
        raise Unusable(f"{network.path} {error}") from error
    decoder = replace(decoder, decoding=decoding)
    given = decoding.input or Input()

    def detect(images: Any) -> dict[str, Any]:
        return decoder(wiring.call(prepare(images, given, picture.dtype)))

    def reference(pictures: Pictures) -> dict[str, NDArray[Any]]:
        found = wiring.reference(prepare(tf.constant(pictures), given, picture.dtype).numpy())
        decoded = decoder({role: tf.constant(value) for role, value in found.items()})
        return {name: np.asarray(value) for name, value in decoded.items()}

    min_score = request.min_score if request.min_score is not None else beside.min_score
    raw = kind is None or kind.decoded or decoding != kind.decoding
    return Detector(
        detect=detect,
        reference=reference,
        height=size[0],
        width=size[1],
        labels=labels,
        resize=resize,
        pad_value=beside.pad_value,
        findings=beside.findings if request.labels is None else None,
        min_score=min_score if min_score is not None else (kind.min_score if kind else 0.4),
        one_at_a_time=picture.shape is not None and picture.shape[0] == 1,
        keep=beside.keep,
        provenance=_provenance(picture, request, decoder) if raw else {},
        changes=_changes(picture, decoder) if raw else [],
        notes=[*([f"its outputs are those of {kind.name}"] if kind and raw else []), *notes, *beside.notes],
    )


def _picture(network: Network, request: Request) -> Tensor:
    name = request.tensors.picture
    found = [tensor for tensor in network.inputs if tensor.is_picture]
    if name is not None:
        tensor = network.tensor(name) or next((tensor for tensor in network.inputs if tensor.name == name), None)
        if tensor is None:
            raise Unusable(f"{network.path} has no tensor {name} for --inputs; found {listing(network.inputs)}")
    elif len(found) == 1:
        tensor = found[0]
    elif why_not := takes_encoded(network.inputs):
        raise Unusable(f"{network.path} cannot be exported: {why_not}")
    elif not network.inputs or not found:
        raise _no_detector(network)
    else:
        raise Unusable(f"{network.path} has several inputs for pictures, choose with --inputs: {listing(found)}")
    if why_not := takes_encoded([tensor]):
        raise Unusable(f"{network.path} cannot be exported: {why_not}")
    if tensor.dtype not in ("uint8", "float32", "float16", "float64", "int32") or not tensor.is_picture:
        raise Unusable(f"{network.path} wants pictures as numbers [N, H, W, 3], and takes {tensor}")
    return tensor


def _outputs(network: Network, request: Request) -> dict[str, str]:
    outputs = request.tensors.outputs
    if not outputs:
        raise _no_detector(network)
    for role, name in outputs.items():
        if network.tensor(name) is None:
            raise Unusable(f"{network.path} has no tensor {name} for {role}; found {listing(network.outputs)}")
    return outputs


def _no_detector(network: Network) -> Unusable:
    return Unusable(
        f"{network.path} is no detector that is known by its tensors: name them with --inputs NAME --outputs "
        "boxes=NAME scores=NAME, and describe them with --decode FILE.yaml; "
        f"found inputs {listing(network.inputs, 4)} and outputs {listing(network.outputs)}"
    )


def _decoding(
    network: Network, request: Request, kind: family.Family | None, picture: Tensor, outputs: dict[str, str]
) -> Decoding:
    found = kind.decoding if kind else Decoding()
    if request.decoding is not None:
        found = request.decoding.over(found)
    elif kind is None and "classes" not in request.tensors.outputs:
        raise Unusable(
            "--outputs without classes=NAME is a raw head: say how its boxes and scores are meant, --decode FILE.yaml"
        )
    if "classes" in outputs and found.nms is not None and found.nms.model_fields_set - {"score"}:
        raise Unusable(
            f"{request.decode}: nms: a source with classes={outputs['classes']} has suppressed overlaps itself; "
            "only score is allowed"
        )
    if found.input is None and picture.dtype.startswith("float"):
        raise Unusable(
            f"{network.path} takes {picture}: say how levels of 0..255 become its input, `input:` in --decode FILE.yaml"
        )
    return found


def _size(network: Network, request: Request, beside: Beside, picture: Tensor) -> tuple[int, int]:
    """Height and width."""
    if request.input_size is not None:
        return request.input_size[1], request.input_size[0]
    sides = picture.shape[1:3] if picture.shape else (None, None)
    if sides[0] and sides[1]:
        return sides[0], sides[1]
    if beside.size is None:
        raise Unusable(f"{network.path} takes pictures of any size: choose one with --input-size WIDTHxHEIGHT")
    return beside.size


def _answers(
    network: Network,
    request: Request,
    wiring: Wiring,
    decoder: Decoder,
    picture: Tensor,
    fit: tuple[ResizeRule, int],
) -> Iterator[Seen]:
    """What the source answers on the pictures of the proof, one after the other as they are asked for."""
    height, width = decoder.size
    given = decoder.decoding.input or Input()
    found = drawn_pictures() if request.pictures is None else read_pictures(request.pictures)
    for one in as_batch(found, (width, height), *fit):
        try:
            answer = wiring.reference(prepare(tf.constant(one[np.newaxis]), given, picture.dtype).numpy())
            seen = decoder.seen({role: tf.constant(value) for role, value in answer.items()})
        except (tf.errors.OpError, ValueError, TypeError, KeyError, IndexError) as error:
            raise Unusable(f"{network.path} does not run on a {width}x{height} picture: {error}") from error
        yield seen


def _columns(network: Network, decoder: Decoder) -> int | None:
    """How many columns the scores have, where their tensor says so."""
    tensor = network.tensor(decoder.outputs["scores"])
    if tensor is None or tensor.shape is None or len(tensor.shape) != 3:
        return None
    return tensor.shape[1 if decoder.decoding.layout == "channels_first" else 2]


def _labels(network: Network, request: Request, beside: Beside, classes: tuple[int, int | None]) -> dict[int, str]:
    if request.labels is not None:
        return fit_labels(read_label_map(request.labels), request.labels, *classes)
    if beside.labels is not None:
        count = classes[1]
        if count is not None and len(beside.labels) != count:
            raise Unusable(
                f"{network.path} comes with {len(beside.labels)} class names, and its tensors tell {count} apart: "
                "give its label map with --labels FILE"
            )
        return beside.labels
    hint = f" (there is {beside.label_map})" if beside.label_map else ""
    raise Unusable(f"{network.path} carries no class names: give its label map with --labels FILE{hint}")


def _provenance(picture: Tensor, request: Request, decoder: Decoder) -> dict[str, Any]:
    return {
        "tensors": {"input": picture.name, "fixed": request.tensors.fixed, **decoder.outputs},
        "decode": decoder.decoding.model_dump(mode="json"),
    }


def _changes(picture: Tensor, decoder: Decoder) -> list[str]:
    """What the written model does that the source does not, in words."""
    how, given = decoder.decoding, decoder.decoding.input or Input()
    changes = []
    if given.colors == "BGR":
        changes.append("its pictures are RGB, and the source's BGR")
    if given != Input(colors=given.colors):
        changes.append(f"its pictures are uint8, and become the source's {picture.dtype} inside the graph")
    if how.boxes.anchors is not None:
        changes.append(f"its boxes are decoded from {how.boxes.format} offsets to anchors")
    elif how.boxes.format != "yxyx" or how.boxes.scale != "normalised":
        changes.append(f"its boxes are yxyx in 0..1, and the source's {how.boxes.format} in {how.boxes.scale}")
    if "classes" not in decoder.outputs:
        changes.append("its boxes are suppressed inside the graph (non-maximum suppression)")
    return changes
