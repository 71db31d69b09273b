"""The contract says which suppression a graph really does, wherever in the graph it stands."""

from typing import Any

import tensorflow as tf

from sightline_export.suppression_ops import suppression_ops


def test_equal_suppressions_are_counted_with_their_thresholds() -> None:
    """Constants are read through functions; equal ops are one entry, and a threshold of minus infinity is none."""

    def one(boxes: Any) -> Any:
        scores = boxes[:, 0]
        kept = tf.raw_ops.NonMaxSuppressionV3(
            boxes=boxes, scores=scores, max_output_size=7, iou_threshold=0.6, score_threshold=float("-inf")
        )
        return tf.reduce_sum(kept)

    @tf.function(input_signature=[tf.TensorSpec([None, 9, 4]), tf.TensorSpec([])], autograph=False)  # type: ignore[untyped-decorator]
    def detect(batch: Any, iou: Any) -> Any:
        walked = tf.map_fn(one, batch, fn_output_signature=tf.int32)
        twice = [one(batch[0]), one(batch[1])]
        combined = tf.image.combined_non_max_suppression(batch[:, :, None], batch[..., :2], 5, 6, iou, 0.25)
        return walked, twice, combined

    found = suppression_ops(detect.get_concrete_function().graph.as_graph_def())
    settings = {"op": "CombinedNonMaxSuppression", "max_boxes_per_class": 5, "max_boxes": 6, "min_score": 0.25}
    assert sorted(found, key=str) == sorted(
        [{**settings, "count": 1}, {"op": "NonMaxSuppressionV3", "max_boxes": 7, "iou": 0.6, "count": 3}], key=str
    )
