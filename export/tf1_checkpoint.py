"""A TF1 checkpoint, model.ckpt-N.data-…, .index and .meta ─► a `Detector`.

The graph is the one in the .meta, and its own saver restores the variables, so that partitioned and renamed ones are
found as they were saved (tensorflow/core/protobuf/saver.proto).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from sightline_export.detector import Detector
from sightline_export.errors import Unusable
from sightline_export.frozen_graph import beside_graph
from sightline_export.graph import Graph
from sightline_export.graph_file import read
from sightline_export.network import as_detector
from sightline_export.request import Request

_NORMS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")


def load(request: Request) -> Detector:
    """Read graph and weights, and freeze the part that inference needs.

    Raises:
        Unusable: the graph cannot be read or is no detector, or the weights do not fit it.
    """
    prefix = request.source.path
    path = prefix.with_name(f"{prefix.name}.meta")
    meta = read(tf.compat.v1.MetaGraphDef, path)
    if not meta.graph_def.node:
        raise Unusable(f"{path} is no TensorFlow graph: it holds no node")
    saver = meta.saver_def
    if not saver.restore_op_name:
        raise Unusable(f"{prefix}.meta holds no saver: write it with tf.compat.v1.train.Saver.save")
    whole = Graph(prefix, meta.graph_def)
    restore = whole.closure([saver.restore_op_name, saver.filename_tensor_name])
    notes: list[str] = []

    def freeze(definition: Any, outputs: list[str]) -> Any:
        if _trains(definition):
            notes.append(
                "its batch normalisation runs as in training, on each batch's own mean: "
                "take the .meta of an evaluation or inference graph if there is one"
            )
        return _frozen(prefix, definition, outputs, restore, saver)

    beside = beside_graph(whole, request)
    detector = as_detector(Graph(prefix, meta.graph_def, freeze), request, beside)
    detector.notes.extend(notes)
    return detector


def _trains(definition: Any) -> bool:
    # The attribute's default is true.
    norms = [node for node in definition.node if node.op in _NORMS]
    return any("is_training" not in node.attr or node.attr["is_training"].b for node in norms)


def _frozen(prefix: Path, definition: Any, outputs: list[str], restore: Any, saver: Any) -> Any:
    """`definition` with the checkpoint's weights for its variables."""
    both = tf.compat.v1.GraphDef()
    both.CopyFrom(definition)
    there = {node.name for node in definition.node}
    both.node.extend(node for node in restore.node if node.name not in there)
    _add_reads(both)
    graph = tf.Graph()
    try:
        with graph.as_default():
            tf.compat.v1.import_graph_def(both, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            session.run(saver.restore_op_name, {saver.filename_tensor_name: str(prefix)})
            names = sorted({name.split(":")[0] for name in outputs})
            with _no_advice():
                return tf.compat.v1.graph_util.convert_variables_to_constants(session, definition, names)
    except Exception as error:  # A cut or foreign file raises OpError, ValueError, IndexError and others.
        said = str(getattr(error, "message", error)).strip().splitlines()
        raise Unusable(f"checkpoint {prefix} does not fit the graph in its .meta: {said[0] if said else ''}") from error


def _add_reads(definition: Any) -> None:
    """Add the node by which TensorFlow's freezing reads a resource variable; inference often reads it elsewhere."""
    names = {node.name for node in definition.node}
    for node in [node for node in definition.node if node.op == "VarHandleOp"]:
        if (name := f"{node.name}/Read/ReadVariableOp") not in names:
            read = definition.node.add(name=name, op="ReadVariableOp", input=[node.name])
            read.attr["dtype"].CopyFrom(node.attr["dtype"])


@contextmanager
def _no_advice() -> Iterator[None]:
    """Without TensorFlow's advice to use its version 2, which has nothing for graphs of version 1."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
