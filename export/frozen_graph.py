"""A TF1 frozen graph, a single .pb ─► a `Detector`.

A `producer` of 0 in the graph's version is normal: tools that rewrite graphs (freezing, optimizing for inference) leave
it so.
"""

from pathlib import Path
from typing import Any

from sightline_export.detector import Detector
from sightline_export.errors import Unusable
from sightline_export.graph import Graph
from sightline_export.graph_file import read_graph, variables_of
from sightline_export.network import Beside, as_detector
from sightline_export.request import Request


def load(request: Request) -> Detector:
    """Read the graph.

    Raises:
        Unusable: no graph, not frozen, no detector, or its input size or labels are unknown.
    """
    path = request.source.path
    graph = Graph(path, _frozen(path))
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


def _frozen(path: Path) -> Any:
    graph = read_graph(path)
    if variables := variables_of(graph):
        raise Unusable(f"{path} is not frozen: its weights are variables ({variables[0]}, …) kept in another file")
    return graph
