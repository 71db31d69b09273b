"""A file that holds a graph of TensorFlow as a protocol buffer: a GraphDef, or what one is part of."""

from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from sightline_export.errors import Unusable

VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")


def read(kind: Any, path: Path) -> Any:
    """A message of that kind.

    Raises:
        Unusable: the file cannot be read, or holds something else.
    """
    message = kind()
    try:
        message.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise Unusable(f"{path} is no TensorFlow graph: it does not parse as a {kind.__name__}") from error
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    return message


def read_graph(path: Path) -> Any:
    """A GraphDef with nodes in it.

    Raises:
        Unusable: as `read`, or it is empty.
    """
    graph = read(tf.compat.v1.GraphDef, path)
    if not any(node.op for node in graph.node):
        raise Unusable(f"{path} is no TensorFlow graph: it holds no node")
    return graph


def variables_of(graph: Any) -> list[str]:
    """The variables of a GraphDef, by name; a frozen one has none."""
    return [node.name for node in graph.node if node.op in VARIABLE_OPS]
