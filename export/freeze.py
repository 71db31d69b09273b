"""A traced detector ─► one file with graph and weights, as TensorFlow 1 froze them.

The names are those of the Object Detection API (models/research/object_detection/exporter.py): `image_tensor:0` in,
`detection_boxes:0`, `detection_scores:0`, `detection_classes:0` and `num_detections:0` out. So whoever reads that
library's frozen graphs reads this one: its tutorials, and `export` itself.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import EncodeError
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2_as_graph

from serving.signature import DETECTION_OUTPUTS
from sightline_export.errors import Unusable
from sightline_export.versions import FROZEN_FILE

IMAGE_TENSOR = "image_tensor"


def write_frozen(version: Path, detect: Any) -> None:
    """Write FROZEN_FILE into the version directory.

    Args:
        version: the directory; its assets.extra exists.
        detect: the concrete function behind `serving_default`.

    Raises:
        Unusable: the graph holds what no constant can stand for (lookup tables), or is larger than a .pb may be.
    """
    try:
        # Loops as Enter and Exit: TensorFlow 1 knows no other, and its readers are who wants a frozen graph.
        function, graph = convert_variables_to_constants_v2_as_graph(detect, lower_control_flow=True)
        # The outputs of a function lie in the order of their sorted names.
        outputs = {name: found.name for name, found in zip(sorted(DETECTION_OUTPUTS), function.outputs, strict=True)}
        _rename(graph, function.inputs[0].op.name, outputs)
        _prune(graph)
        if handles := [node.name for node in graph.node if node.op == "Placeholder" and node.name != IMAGE_TENSOR]:
            raise ValueError(f"it looks things up in a table, which is no constant ({handles[0]})")
        (version / FROZEN_FILE).write_bytes(graph.SerializeToString())
    except (tf.errors.OpError, EncodeError, ValueError, TypeError, KeyError) as error:
        raise Unusable(f"the graph cannot be frozen, leave out --frozen: {error}") from error


class FrozenGraph:
    """A frozen graph, run as TensorFlow 1 runs it."""

    def __init__(self, path: Path) -> None:
        definition = tf.compat.v1.GraphDef.FromString(path.read_bytes())
        graph = tf.Graph()
        with graph.as_default():
            tf.compat.v1.import_graph_def(definition, name="")
        # Without optimizers, each of which would copy the weights; what is run once need not be fast.
        config = tf.compat.v1.ConfigProto()
        config.graph_options.optimizer_options.opt_level = tf.compat.v1.OptimizerOptions.L0
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        self._outputs = {name: f"{name}:0" for name in DETECTION_OUTPUTS}

    def __call__(self, pictures: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """The four outputs for uint8 [N, H, W, 3]."""
        found: dict[str, NDArray[Any]] = self._session.run(self._outputs, {f"{IMAGE_TENSOR}:0": pictures})
        return found


def _rename(graph: Any, image: str, outputs: dict[str, str]) -> None:
    """Give the input its name, and each output (name to tensor) a node of its name."""
    for node in graph.node:
        if node.name == image:
            node.name = IMAGE_TENSOR
        for position, name in enumerate(node.input):
            if name.removesuffix(":0") == image:
                node.input[position] = IMAGE_TENSOR
            elif name == f"^{image}":
                node.input[position] = f"^{IMAGE_TENSOR}"
    for name, tensor in outputs.items():
        node = graph.node.add(name=name, op="Identity", input=[tensor])
        node.attr["T"].type = tf.float32.as_datatype_enum


def _prune(graph: Any) -> None:
    """Leave out what no output needs: lowered loops leave placeholders behind, which would pass for inputs."""
    nodes = {node.name: node for node in graph.node}
    needed, ahead = set[str](), list(DETECTION_OUTPUTS)
    while ahead:
        if (name := ahead.pop()) not in needed:
            needed.add(name)
            ahead += [source.lstrip("^").split(":")[0] for source in nodes[name].input]
    for position in reversed(range(len(graph.node))):
        if graph.node[position].name not in needed:
            del graph.node[position]
