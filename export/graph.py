"""A GraphDef of TensorFlow 1 as a network: its tensors, the part that inference needs, and how it is run.

Training graphs hold far more than the detector: queues that read records, labels, losses, optimizers. What is kept is
what the outputs need, backwards to the pictures; anything else that has to be fed is named and must be given a value.
"""

from collections import deque
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sightline_export.errors import Unusable
from sightline_export.network import Wiring
from sightline_export.tensors import Shape, Tensor, Value, listing

PICTURES = "sightline_pictures"
"""The placeholder that takes the place of the graph's own input, whatever that was."""

_PLACEHOLDERS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")
_RESIZE_OPS = ("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea")

Freeze = Callable[[Any, list[str]], Any]
"""A pruned GraphDef and its outputs' names ─► the same with constants for variables."""


class Graph:
    """A GraphDef and what is asked of it. `freeze` fills its variables, where it has some."""

    def __init__(self, path: Path, definition: Any, freeze: Freeze | None = None) -> None:
        self.path = path
        self._definition = definition
        self._freeze = freeze
        self._nodes = {node.name: node for node in definition.node}
        self._readers: dict[str, list[str]] = {}
        for node in definition.node:
            for source in node.input:
                self._readers.setdefault(_node(source), []).append(node.name)

    @cached_property
    def inputs(self) -> list[Tensor]:
        """What can be fed."""
        fed = [node.name for node in self._definition.node if node.op in _PLACEHOLDERS]
        return [tensor for name in fed if (tensor := self.tensor(name))]

    @cached_property
    def outputs(self) -> list[Tensor]:
        """The numbers that follow from the pictures alone, as far as that goes: not from labels, and no losses."""
        pictures = [tensor for tensor in self.inputs if tensor.is_picture] or self.inputs
        own = self._ahead(tensor.name for tensor in pictures[:1])
        own -= self._ahead(name for name in self._fed() if name not in {tensor.name for tensor in pictures[:1]})
        own = {name for name in own if not name.startswith("gradients")}
        ends = [name for name in self._nodes if name in own and not own & set(self._readers.get(name, ()))]
        found = [tensor for name in ends for tensor in self._all_of(name)]
        return [tensor for tensor in found if tensor.dtype.startswith(("float", "int"))]

    def tensor(self, name: str) -> Tensor | None:
        """A tensor by its name, `node` or `node:1`."""
        node, _, index = name.partition(":")
        if node not in self._nodes or not (index or "0").isdecimal():
            return None
        found = [tensor for tensor in self._all_of(node) if tensor.name == name.removesuffix(":0")]
        return found[0] if found else None

    def first_resize(self, picture: Tensor) -> tuple[int, int] | None:
        """Height and width to which the graph first resizes its pictures; None where it does not, or computes them."""
        ahead, seen = deque([_node(picture.name)]), {_node(picture.name)}
        while ahead:
            for name in self._readers.get(ahead.popleft(), []):
                if self._nodes[name].op in _RESIZE_OPS:
                    return self._constant_size(self._nodes[name].input[1])
                if name not in seen:
                    seen.add(name)
                    ahead.append(name)
        return None

    def wire(self, picture: Tensor, outputs: dict[str, str], size: tuple[int, int], fixed: dict[str, Value]) -> Wiring:
        """See `sightline_export.network.Network`."""
        names = sorted(set(outputs.values()))
        batch = 1 if picture.shape and picture.shape[0] == 1 else None
        definition = self._cut(picture, names, (batch, *size, 3), fixed)
        if self._freeze:
            definition = self._freeze(definition, names)
        fetches = {role: _full(name) for role, name in outputs.items()}
        function, session = _function(self.path, definition, fetches), _session(definition, fetches)
        built_for = picture.shape[0] if picture.shape else None

        def reference(pictures: NDArray[Any]) -> dict[str, NDArray[Any]]:
            try:
                return session(pictures)
            except tf.errors.InvalidArgumentError as error:
                if built_for in (None, 1):
                    raise
                # TensorFlow 1 folds the shapes it knows into constants: zeros_like, tile, reshape.
                reason = str(error.message).splitlines()[0]
                raise Unusable(
                    f"{self.path} is built for batches of {built_for} and does not run on one picture ({reason}): "
                    "name outputs before that, or save a graph for inference"
                ) from error

        return Wiring(function, reference)

    def closure(self, names: Iterable[str]) -> Any:
        """The part of the graph that these nodes need, as a GraphDef of its own."""
        needed, ahead = set[str](), [_node(name) for name in names]
        while ahead:
            if (name := ahead.pop()) not in needed:
                needed.add(name)
                ahead += [_node(source) for source in self._nodes[name].input]
        return self._only(needed)

    def _cut(self, picture: Tensor, outputs: list[str], shape: Shape, fixed: dict[str, Value]) -> Any:
        """The part between pictures and outputs, with a placeholder of `shape` for the pictures."""
        if unknown := [name for name in fixed if self.tensor(name) is None]:
            raise Unusable(f"{self.path} has no tensor {unknown[0]} for --inputs; found {listing(self.inputs)}")
        stops = {_full(picture.name), *map(_full, fixed)}
        waits = {f"^{_node(name)}" for name in stops}
        needed, ahead, reached = set[str](), [_full(name) for name in outputs], False
        while ahead:
            source = ahead.pop()
            reached |= source == _full(picture.name)
            # To wait for what is replaced is to wait for nothing.
            if source in stops or source in waits or (name := _node(source)) in needed:
                continue
            needed.add(name)
            self._refuse_fed(name, picture)
            ahead += [source if source.startswith("^") else _full(source) for source in self._nodes[name].input]
        if not reached:
            raise Unusable(f"{self.path}: {', '.join(outputs)} do not depend on {picture.name}: see --inputs")
        definition = self._only(needed)
        _add_placeholder(definition, picture.dtype, shape)
        replaced = {_full(picture.name): PICTURES}
        for number, (name, value) in enumerate(fixed.items()):
            replaced[_full(name)] = f"sightline_fixed_{number}"
            _add_constant(definition, replaced[_full(name)], self.tensor(name), value)
        for node in definition.node:
            # The shapes of training are those of its batches.
            node.attr.pop("_output_shapes", None)
            node.input[:] = [replaced.get(_full(source), source) for source in node.input if source not in waits]
        return definition

    def _refuse_fed(self, name: str, picture: Tensor) -> None:
        node = self._nodes[name]
        if node.op in ("Placeholder", "PlaceholderV2"):
            raise Unusable(
                f"{self.path}: the outputs also need {self.tensor(name)}: give it a value, "
                f"--inputs {picture.name} {name}=VALUE, or name outputs before it"
            )
        if _feeds(node.op):
            raise Unusable(
                f"{self.path}: the outputs also need {name}, a {node.op} that feeds training: "
                "name the tensor that takes pictures with --inputs"
            )

    def _only(self, names: set[str]) -> Any:
        definition = tf.compat.v1.GraphDef(versions=self._definition.versions, library=self._definition.library)
        for name, node in self._nodes.items():
            if name in names:
                copy = definition.node.add()
                copy.CopyFrom(node)
                # Of another machine, and of nodes that are left out.
                copy.device = ""
                copy.attr.pop("_class", None)
        return definition

    def _fed(self) -> Iterable[str]:
        return (name for name, node in self._nodes.items() if node.op in _PLACEHOLDERS[:2] or _feeds(node.op))

    def _ahead(self, names: Iterable[str]) -> set[str]:
        """The nodes that depend on these, and these."""
        found, ahead = set[str](), list(names)
        while ahead:
            if (name := ahead.pop()) not in found:
                found.add(name)
                ahead += self._readers.get(name, ())
        return found

    def _all_of(self, node: str) -> list[Tensor]:
        return [
            Tensor(
                tensor.name.removesuffix(":0"),
                tensor.dtype.base_dtype.name,
                None if tensor.shape.rank is None else tuple(tensor.shape.as_list()),
            )
            for tensor in self._imported.get_operation_by_name(node).outputs
        ]

    @cached_property
    def _imported(self) -> Any:
        graph = tf.Graph()
        try:
            with graph.as_default():
                tf.compat.v1.import_graph_def(self._only(set(self._nodes)), name="")
        except (ValueError, KeyError, tf.errors.OpError) as error:
            raise Unusable(f"{self.path} cannot be imported: {error}") from error
        return graph

    def _constant_size(self, name: str) -> tuple[int, int] | None:
        node = self._nodes[_node(name)]
        while node.op in ("Identity", "Enter"):
            node = self._nodes[_node(node.input[0])]
        if node.op != "Const":
            return None
        height, width = (int(side) for side in tf.make_ndarray(node.attr["value"].tensor))
        return height, width


def _node(source: str) -> str:
    return source.removeprefix("^").split(":")[0]


def _full(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _feeds(op: str) -> bool:
    return "Queue" in op or "Reader" in op or "Iterator" in op or op == "PyFunc"


def _add_placeholder(definition: Any, dtype: str, shape: Shape) -> None:
    node = definition.node.add(name=PICTURES, op="Placeholder")
    node.attr["dtype"].type = tf.as_dtype(dtype).as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())


def _add_constant(definition: Any, name: str, tensor: Tensor | None, value: Value) -> None:
    sides = [side for side in (tensor.shape or () if tensor else ()) if side is not None]
    if tensor is None or len(sides) != len(tensor.shape or ()):
        raise Unusable(f"--inputs: {tensor} has no fixed shape, and so cannot be given one value")
    node = definition.node.add(name=name, op="Const")
    node.attr["dtype"].type = tf.as_dtype(tensor.dtype).as_datatype_enum
    filled = np.full(sides, value, tf.as_dtype(tensor.dtype).as_numpy_dtype)
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(filled))


def _function(path: Path, definition: Any, fetches: dict[str, str]) -> Any:
    def imported() -> None:
        tf.compat.v1.import_graph_def(definition, name="")

    try:
        # wrap_function keeps the loops of TF1 (Enter, Exit) as they are, which a plain tf.function would not accept.
        wrapped = tf.compat.v1.wrap_function(imported, [])
        outputs = {role: wrapped.graph.get_tensor_by_name(name) for role, name in fetches.items()}
        pruned = wrapped.prune(wrapped.graph.get_tensor_by_name(f"{PICTURES}:0"), outputs)
    except (ValueError, KeyError, tf.errors.OpError) as error:
        raise Unusable(f"{path} cannot be imported: {error}") from error
    return lambda pictures: pruned(pictures)


def _session(definition: Any, fetches: dict[str, str]) -> Callable[[NDArray[Any]], dict[str, NDArray[Any]]]:
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.import_graph_def(definition, name="")
    session = tf.compat.v1.Session(graph=graph)

    def reference(pictures: NDArray[Any]) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = session.run(fetches, {f"{PICTURES}:0": pictures})
        return found

    return reference
