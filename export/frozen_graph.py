"""A TF1 frozen graph, a single .pb ─► a `Detector`.

A `producer` of 0 in the graph's version is normal: tools that rewrite graphs (freezing, optimizing for inference) leave
it so.
"""

from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from sightline_export.detector import Detector
from sightline_export.errors import Unusable
from sightline_export.graph import Graph
from sightline_export.network import Beside, as_detector
from sightline_export.request import Request

VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")


def load(request: Request) -> Detector:
    """Read the graph.

    Raises:
        Unusable: no graph, not frozen, no detector, or its input size or labels are unknown.
    """
    path = request.source.path
    graph = Graph(path, _parse(path))
    return as_detector(graph, request, beside_graph(graph, request))


def beside_graph(graph: Graph, request: Request) -> Beside:
    """What a graph says besides its tensors: the size it resizes to, and a label map in the same directory."""
    beside = sorted(graph.path.parent.glob("*label_map*.pbtxt"))
    pictures = [tensor for tensor in graph.inputs if tensor.is_picture]
    size = graph.first_resize(pictures[0]) if pictures else None
    fixed = pictures and pictures[0].shape is not None and None not in pictures[0].shape[1:]
    notes = []
    if size and request.input_size is None and not fixed:
        notes.append(f"input size {size[1]}x{size[0]} read from the graph's own resizer")
    return Beside(size=size, label_map=beside[0] if beside else None, notes=notes)


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
    if variables := [node.name for node in graph.node if node.op in VARIABLE_OPS]:
        raise Unusable(f"{path} is not frozen: its weights are variables ({variables[0]}, …) kept in another file")
    return graph
