"""A model's file or directory, read with TensorFlow and never run ─► what was found in it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2, trackable_object_graph_pb2

from serving.signature import SERVING_DEFAULT
from sightline_export import family, keras_model, saved_model
from sightline_export.errors import Unusable
from sightline_export.graph import Graph
from sightline_export.graph_file import read, read_graph, variables_of
from sightline_export.inspection import Inspection
from sightline_export.source import Kind, Source
from sightline_export.suggestion import GRADIENTS, with_family
from sightline_export.tensors import Tensor

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_OPTIMIZER = re.compile(r"\.OPTIMIZER_SLOT|(?:^|/)optimizer/(?!_trainable_variables/)")
"""Keras 3 may call a network's own weights by the optimizer that trained them."""
_SCORE_OPS = ("Softmax", "Sigmoid")


def inspect_model(source: Source, command: str) -> Inspection:
    """Say what `source` holds.

    Args:
        source: a recognised path.
        command: the export's command line as far as the path decides it.

    Raises:
        Unusable: it cannot be read.
    """
    files = {name: path.stat().st_size for name, path in source.files.items()}
    found = Inspection(source.path, str(source.kind), files, command=command)
    readers: dict[Kind, Callable[[Inspection], Inspection]] = {
        Kind.CHECKPOINT: _checkpoint,
        Kind.TF1_CHECKPOINT: _tf1_checkpoint,
        Kind.FROZEN_GRAPH: _frozen_graph,
        Kind.SAVED_MODEL: _saved_model,
        Kind.KERAS: _keras,
    }
    return readers[source.kind](found)


@dataclass(frozen=True)
class Signature:
    """Tensors of a SavedModel's signature, for `sightline_export.family`."""

    inputs: list[Tensor]
    outputs: list[Tensor]

    def tensor(self, name: str) -> Tensor | None:
        """An output by its name."""
        return next((tensor for tensor in self.outputs if tensor.name == name), None)


def _checkpoint(found: Inspection) -> Inspection:
    reader, weights = _variables(found.path)
    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    facts: dict[str, Any] = {}
    if reader.has_tensor(_OBJECT_GRAPH):
        graph.ParseFromString(reader.get_tensor(_OBJECT_GRAPH))
        facts["roots"] = _roots(graph)
    counter = f"save_counter{_VALUE}"
    if reader.has_tensor(counter):
        facts["save counter"] = int(reader.get_tensor(counter))
    weights = [tensor for tensor in weights if tensor.name != "save_counter"]
    plain = [tensor for tensor in weights if not _OPTIMIZER.search(tensor.name)]
    facts |= _left_out(weights, plain)
    box_predictor = any("_box_predictor" in tensor.name for tensor in plain)
    unknown = "not known: a checkpoint holds weights and no graph; its builder decides"
    known = "yes: it has a box predictor, as the TensorFlow Object Detection API names it; see its pipeline.config"
    return replace(found, weights=plain, facts=facts, detector=known if box_predictor else unknown)


def _roots(graph: Any) -> list[str]:
    """The names that tf.train.Checkpoint was given, each with the names below it."""
    nodes = graph.nodes
    roots = [(child.local_name, nodes[child.node_id]) for child in nodes[0].children] if nodes else []
    return [f"{name}: {_few([child.local_name for child in node.children])}" for name, node in roots if node.children]


def _tf1_checkpoint(found: Inspection) -> Inspection:
    _, weights = _variables(found.path)
    meta = read(tf.compat.v1.MetaGraphDef, found.path.with_name(f"{found.path.name}.meta"))
    plain = [tensor for tensor in weights if not _is_slot(tensor.name, {other.name for other in weights})]
    facts = _left_out(weights, plain)
    if meta.meta_info_def.tensorflow_version:
        facts["written by"] = f"TensorFlow {meta.meta_info_def.tensorflow_version}"
    found = _graph(found, meta.graph_def)
    return replace(found, weights=plain, facts=found.facts | facts)


def _left_out(weights: list[Tensor], plain: list[Tensor]) -> dict[str, Any]:
    more = len(weights) - len(plain)
    return {"optimizer": f"{more} variables more, which an export leaves out"} if more else {}


def _is_slot(name: str, names: set[str]) -> bool:
    # What an optimizer remembers of a variable is called after it: conv1/weights/Momentum.
    return name.rpartition("/")[0] in names


def _frozen_graph(found: Inspection) -> Inspection:
    definition = read_graph(found.path)
    found = _graph(found, definition)
    facts: dict[str, Any] = {"graph": f"{len(definition.node)} nodes, producer {definition.versions.producer}"}
    if variables := variables_of(definition):
        facts["not frozen"] = f"its weights are variables ({_few(variables)}) kept in another file"
    return replace(found, facts=found.facts | facts)


def _graph(found: Inspection, definition: Any) -> Inspection:
    graph = Graph(found.path, definition)
    pictures = [tensor for tensor in graph.inputs if tensor.is_picture]
    height, width = (graph.first_resize(pictures[0]) if pictures else None) or (None, None)
    size = (width, height) if width and height else None
    names = [node.name for node in definition.node if node.op in _SCORE_OPS and not node.name.startswith(GRADIENTS)]
    scores = [str(tensor) for name in names if (tensor := graph.tensor(name))]
    facts = {"like scores": scores} if scores and family.recognise(graph) is None else {}
    found = replace(found, input_size=size, facts=facts)
    return with_family(found, graph)


def _saved_model(found: Inspection) -> Inspection:
    document = read(saved_model_pb2.SavedModel, found.path / "saved_model.pb")
    if not document.meta_graphs:
        raise Unusable(f"{found.path / 'saved_model.pb'} holds no graph")
    meta = document.meta_graphs[0]
    signatures = {name: one for name, one in meta.signature_def.items() if not name.startswith("__")}
    facts: dict[str, Any] = {"tags": ", ".join(meta.meta_info_def.tags)}
    if meta.meta_info_def.tensorflow_version:
        facts["written by"] = f"TensorFlow {meta.meta_info_def.tensorflow_version}"
    if not any(name.startswith("variables/") for name in found.files):
        facts["variables"] = "none beside it"
    if not signatures:
        return replace(found, facts=facts, command="", detector="no: it has no signature that could be called")
    chosen = SERVING_DEFAULT if SERVING_DEFAULT in signatures else min(signatures)
    if others := sorted(set(signatures) - {chosen}):
        facts["signatures"] = f"{chosen}, shown here, and {_few(others)}"
    one = signatures[chosen]
    names = saved_model.metadata_names(found.path)
    signature = Signature(_infos(one.inputs), _infos(one.outputs))
    return with_family(replace(found, facts=facts, classes=names or {}), signature)


def _infos(infos: Any) -> list[Tensor]:
    return [
        Tensor(
            name,
            tf.as_dtype(info.dtype).name,
            None
            if info.tensor_shape.unknown_rank
            else tuple(None if dim.size < 0 else int(dim.size) for dim in info.tensor_shape.dim),
        )
        for name, info in sorted(infos.items())
    ]


def _keras(found: Inspection) -> Inspection:
    model = keras_model.read(found.path, None)
    # A variable of Keras 2 has no path, and its dtype is an object.
    weights = [
        Tensor(str(getattr(one, "path", one.name)), tf.as_dtype(one.dtype).name, tuple(one.shape))
        for one in model.weights
    ]
    return with_family(replace(found, weights=weights), keras_model.KerasModel(found.path, model))


def _variables(prefix: Path) -> tuple[Any, list[Tensor]]:
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    except Exception as error:  # The reader raises OpError, ValueError, IndexError and others.
        raise Unusable(f"checkpoint {prefix} cannot be read: {error}") from error
    weights = [
        Tensor(name.removesuffix(_VALUE), dtypes[name].name, tuple(shape))
        for name, shape in sorted(shapes.items())
        if name != _OBJECT_GRAPH
    ]
    return reader, weights


def _few(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
