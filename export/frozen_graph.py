"""A TF1 frozen graph of the TensorFlow Object Detection API ─► a `Detector`.

Its names are those of models/research/object_detection/exporter.py: `image_tensor` in, `detection_boxes`,
`detection_scores`, `detection_classes` and `num_detections` out, class ids counted from 1. A `producer` of 0 in the
graph's version is normal: tools that rewrite graphs (freezing, optimizing for inference) leave it so.
"""

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from export.detector import Detector, Pictures
from export.errors import Unusable
from export.label_map import read_label_map
from export.request import Request
from serving.signature import DETECTION_OUTPUTS

IMAGE_TENSOR = "image_tensor"
_VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")
_RESIZE_OPS = ("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea")


def load(request: Request) -> Detector:
    """Read the graph.

    Raises:
        Unusable: no graph, not frozen, no detector, or its input size or labels are unknown.
    """
    path = request.source.path
    graph = _parse(path)
    image = _image_placeholder(graph, path)
    notes: list[str] = []
    if request.labels is None:
        beside = sorted(path.parent.glob("*label_map*.pbtxt"))
        hint = f" (there is {beside[0]})" if beside else ""
        raise Unusable(f"{path} carries no class names: give its label map with --labels FILE{hint}")
    if (found := request.input_size or _input_size(graph, image)) is None:
        raise Unusable(f"{path} takes pictures of any size: choose one with --input-size WIDTHxHEIGHT")
    if request.input_size is None:
        notes.append(f"input size {found[0]}x{found[1]} read from the graph's own resizer")
    width, height = found
    shape = image.attr["shape"].shape
    return Detector(
        detect=_detect(graph, path),
        reference=_session(graph),
        height=height,
        width=width,
        labels=read_label_map(request.labels),
        # The API's usual fixed_shape_resizer scales both axes on their own.
        resize=request.resize or "stretch",
        min_score=0.4 if request.min_score is None else request.min_score,
        one_at_a_time=len(shape.dim) == 4 and shape.dim[0].size == 1,
        notes=notes,
    )


def _parse(path: Path) -> Any:
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise Unusable(f"{path} is no TensorFlow graph: it does not parse as a GraphDef") from error
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    if not any(node.op for node in graph.node):
        raise Unusable(f"{path} is no TensorFlow graph: it holds no node")
    if variables := [node.name for node in graph.node if node.op in _VARIABLE_OPS]:
        raise Unusable(f"{path} is not frozen: its weights are variables ({variables[0]}, …) kept in another file")
    return graph


def _image_placeholder(graph: Any, path: Path) -> Any:
    nodes = {node.name: node for node in graph.node}
    missing = [name for name in (IMAGE_TENSOR, *DETECTION_OUTPUTS) if name not in nodes]
    if missing:
        inputs = [node.name for node in graph.node if node.op == "Placeholder"]
        used = {name.lstrip("^").split(":")[0] for node in graph.node for name in node.input}
        outputs = [node.name for node in graph.node if node.name not in used and node.op not in ("Const", "NoOp")]
        raise Unusable(
            f"{path} is no detector of the Object Detection API: it lacks {', '.join(missing)}; "
            f"found inputs {', '.join(inputs[:4]) or 'none'} and outputs {', '.join(outputs[:6]) or 'none'}"
        )
    image = nodes[IMAGE_TENSOR]
    if image.op != "Placeholder" or image.attr["dtype"].type != tf.uint8.as_datatype_enum:
        kind = tf.dtypes.as_dtype(image.attr["dtype"].type).name if image.op == "Placeholder" else image.op
        raise Unusable(f"{path} wants a uint8 placeholder {IMAGE_TENSOR}, found {kind}")
    return image


def _input_size(graph: Any, image: Any) -> tuple[int, int] | None:
    """Width and height: fixed by the placeholder, else those to which the graph first resizes the picture."""
    dims = [dim.size for dim in image.attr["shape"].shape.dim]
    if len(dims) == 4 and dims[1] > 0 and dims[2] > 0:
        return dims[2], dims[1]
    nodes = {node.name: node for node in graph.node}
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name.split(":")[0], []).append(node)
    ahead, seen = deque([image.name]), {image.name}
    while ahead:
        for node in readers.get(ahead.popleft(), []):
            if node.op in _RESIZE_OPS:
                return _constant_size(nodes, node.input[1])
            if node.name not in seen:
                seen.add(node.name)
                ahead.append(node.name)
    return None


def _constant_size(nodes: dict[str, Any], name: str) -> tuple[int, int] | None:
    node = nodes[name.split(":")[0]]
    while node.op in ("Identity", "Enter"):
        node = nodes[node.input[0].split(":")[0]]
    if node.op != "Const":
        return None
    height, width = (int(size) for size in tf.make_ndarray(node.attr["value"].tensor))
    return width, height


def _detect(graph: Any, path: Path) -> Any:
    def imported() -> None:
        tf.compat.v1.import_graph_def(graph, name="")

    try:
        # wrap_function keeps the loops of TF1 (Enter, Exit) as they are, which a plain tf.function would not accept.
        wrapped = tf.compat.v1.wrap_function(imported, [])
        outputs = {name: wrapped.graph.get_tensor_by_name(f"{name}:0") for name in DETECTION_OUTPUTS}
        pruned = wrapped.prune(wrapped.graph.get_tensor_by_name(f"{IMAGE_TENSOR}:0"), outputs)
    except (ValueError, KeyError, tf.errors.OpError) as error:
        raise Unusable(f"{path} cannot be imported: {error}") from error
    return lambda images: pruned(images)


def _session(graph: Any) -> Any:
    plain = tf.Graph()
    with plain.as_default():
        tf.compat.v1.import_graph_def(graph, name="")
    session = tf.compat.v1.Session(graph=plain)
    fetches = {name: f"{name}:0" for name in DETECTION_OUTPUTS}

    def reference(pictures: Pictures) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = session.run(fetches, {f"{IMAGE_TENSOR}:0": pictures})
        return {name: np.asarray(value) for name, value in found.items()}

    return reference
