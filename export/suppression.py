"""Non-maximum suppression inside the graph, for any batch."""

from typing import Any, NamedTuple

import tensorflow as tf

from sightline_export.decoding import Nms


class Rows(NamedTuple):
    """Detections of N pictures, K rows each."""

    boxes: Any
    """float32 [N, K, 4]."""
    scores: Any
    """float32 [N, K]."""
    classes: Any
    """float32 [N, K]: the column of the scores, from 0."""
    count: Any
    """float32 [N]: how many rows count; the others are zero."""


def suppress(boxes: Any, scores: Any, how: Nms) -> Rows:
    """The best rows of each picture, best first, at most `how.max_detections`.

    Args:
        boxes: float32 [N, A, 4], ymin, xmin, ymax, xmax.
        scores: float32 [N, A, C].
        how: the thresholds.
    """
    if not how.per_class:
        return _agnostic(boxes, tf.reduce_max(scores, 2), tf.cast(tf.argmax(scores, 2), tf.float32), how)
    found = tf.image.combined_non_max_suppression(
        boxes[:, :, tf.newaxis],
        scores,
        max_output_size_per_class=how.max_detections,
        max_total_size=how.max_detections,
        iou_threshold=how.iou,
        score_threshold=how.score,
        clip_boxes=False,
    )
    return Rows(found[0], found[1], found[2], tf.cast(found[3], tf.float32))


def _agnostic(boxes: Any, scores: Any, classes: Any, how: Nms) -> Rows:
    # combined_non_max_suppression does not say which row it took, and so could not tell the classes.
    size = how.max_detections
    row = tf.TensorSpec([size], tf.float32)

    def one(picture: Any) -> tuple[Any, ...]:
        boxes, scores, classes = picture
        chosen = tf.image.non_max_suppression(boxes, scores, size, how.iou, how.score)
        count = tf.shape(chosen)[0]
        padding = [[0, size - count]]
        return (
            tf.ensure_shape(tf.pad(tf.gather(boxes, chosen), [*padding, [0, 0]]), [size, 4]),
            tf.ensure_shape(tf.pad(tf.gather(scores, chosen), padding), [size]),
            tf.ensure_shape(tf.pad(tf.gather(classes, chosen), padding), [size]),
            tf.cast(count, tf.float32),
        )

    specs = (tf.TensorSpec([size, 4], tf.float32), row, row, tf.TensorSpec([], tf.float32))
    return Rows(*tf.map_fn(one, (boxes, scores, classes), fn_output_signature=specs))
