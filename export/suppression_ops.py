"""The ops of a traced graph that suppress overlapping boxes: what is really done there, whoever wrote it."""

import math
from collections import Counter
from typing import Any

import tensorflow as tf

_SETTINGS = {
    "NonMaxSuppression": {2: "max_boxes"},
    "NonMaxSuppressionV2": {2: "max_boxes", 3: "iou"},
    "NonMaxSuppressionV3": {2: "max_boxes", 3: "iou", 4: "min_score"},
    "NonMaxSuppressionV4": {2: "max_boxes", 3: "iou", 4: "min_score"},
    "NonMaxSuppressionV5": {2: "max_boxes", 3: "iou", 4: "min_score", 5: "soft_nms_sigma"},
    "NonMaxSuppressionWithOverlaps": {2: "max_boxes", 3: "overlap", 4: "min_score"},
    "CombinedNonMaxSuppression": {2: "max_boxes_per_class", 3: "max_boxes", 4: "iou", 5: "min_score"},
}
"""Op name to the inputs that hold its settings (tensorflow/core/ops/image_ops.cc)."""


def suppression_ops(graph: Any) -> list[dict[str, Any]]:
    """The suppressions of a GraphDef and its functions, equal ones once.

    Returns:
        One dict each of `op`, `count`, and those settings that are constants; empty where the graph has none.
    """
    found: Counter[tuple[tuple[str, Any], ...]] = Counter()
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        by_name = {node.name: node for node in nodes}
        for node in nodes:
            if node.op in _SETTINGS:
                settings = {name: _constant(by_name, node.input[i]) for i, name in _SETTINGS[node.op].items()}
                known = {name: value for name, value in settings.items() if value is not None}
                found[tuple({"op": node.op, **known}.items())] += 1
    return [{**dict(one), "count": count} for one, count in found.items()]


def _constant(nodes: dict[str, Any], name: str) -> float | int | None:
    node = nodes.get(name.split(":")[0])
    while node is not None and node.op in ("Identity", "Enter"):
        node = nodes.get(node.input[0].split(":")[0])
    if node is None or node.op != "Const":
        return None
    value = tf.make_ndarray(node.attr["value"].tensor).item()
    if isinstance(value, int):
        return value
    # Minus infinity is how a graph says that it has no such limit; JSON has no word for it.
    # And a float32 0.6 is 0.6000000238418579 when it becomes Python's float.
    return round(value, 6) if math.isfinite(value) else None
