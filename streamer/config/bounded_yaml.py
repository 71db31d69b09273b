"""YAML that stays as small as it looks.

An alias costs two characters and stands for all that its anchor names; aliases of aliases make gigabytes of a line,
and every step that walks or tells a document pays for them. So a document is measured as if each alias were written
out, before anything is made of it.
"""

from typing import Any

import yaml

MAX_BYTES = 1 << 20
"""Of a file: a thousand cameras are a quarter of it."""
MAX_DEPTH = 32
"""Mappings and lists within each other; no setting goes deeper than five."""
MAX_NODES = 100_000
"""Keys, values, mappings and lists as they stand there: each takes some 40 µs, in a thread beside all others."""
MAX_WRITTEN_OUT = 4 << 20
"""Characters and nodes of a document whose aliases are written out."""
MAX_NUMBER = 100
"""Characters of what is no text: 1:1:1:… is a number to base sixty, and takes minutes to work out."""

_TEXT = "tag:yaml.org,2002:str"
_ENDLESS = (0, 0)
"""Of a node that is being measured."""


class Unbounded(ValueError):
    """A document that is more than it looks; the text says in which way."""


class BoundedYaml(yaml.SafeLoader):
    """Refuses with Unbounded what goes too deep or grows too large, and with yaml.YAMLError what is none."""

    _depth = _nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Read a node, unless it lies too deep, or is one too many."""
        self._depth, self._nodes = self._depth + 1, self._nodes + 1
        if self._depth > MAX_DEPTH:
            raise Unbounded("it is nested too deeply")
        if self._nodes > MAX_NODES:
            raise Unbounded(f"it has more than {MAX_NODES} keys and values")
        try:
            node = super().compose_node(parent, index)
        finally:
            self._depth -= 1
        if isinstance(node, yaml.ScalarNode) and node.tag != _TEXT and len(node.value) > MAX_NUMBER:
            raise Unbounded(f"line {node.start_mark.line + 1} holds a number of {len(node.value)} characters")
        return node

    def get_single_node(self) -> yaml.Node | None:
        """Read the document, and measure it."""
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            _measure(node, 1, {})
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Make the value of a node. A tag that its text does not fit breaks SafeLoader in many ways."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError):
            problem = f"this is no {node.tag.rpartition(':')[2]}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


def _measure(node: yaml.Node, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Its size written out, and how deep it goes; `known` are the nodes measured before, by id.

    Raises:
        Unbounded: it is too large or goes too deep.
        yaml.YAMLError: it stands within itself.
    """
    if id(node) not in known:
        if depth > MAX_DEPTH:
            raise Unbounded("it is nested too deeply")
        known[id(node)] = _ENDLESS
        parts = [_measure(part, depth + 1, known) for part in _parts(node)]
        size = 1 + sum(size for size, _ in parts) + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
        if size > MAX_WRITTEN_OUT:
            raise Unbounded(f"its aliases, written out, make it larger than {MAX_WRITTEN_OUT >> 20} MiB")
        known[id(node)] = size, 1 + max((height for _, height in parts), default=0)
    if known[id(node)] is _ENDLESS:
        raise yaml.MarkedYAMLError(problem="an alias in it stands for all of it", problem_mark=node.start_mark)
    size, height = known[id(node)]
    if depth + height - 1 > MAX_DEPTH:
        raise Unbounded("it is nested too deeply")
    return size, height


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
