"""The two losses of a centre detector: focal on the heat maps, generalised IoU on the boxes."""

from typing import Final

import tensorflow as tf

from sightline_models.insulators.network import boxes_from_distances

BOX_WEIGHT: Final = 3.0
CLASS_WEIGHTS: Final = (1.0, 3.0)
"""What a centre of each class counts: defects are rarer and smaller than insulators."""


def heat_loss(logits: tf.Tensor, heat: tf.Tensor) -> tf.Tensor:
    """The sum of CornerNet's focal loss (arXiv:1808.01244, equation 1, alpha 2, beta 4) over float32 [N, h, w, C]."""
    positive = tf.cast(heat >= 0.999, tf.float32)
    probability = tf.sigmoid(logits)
    log_yes, log_no = tf.math.log_sigmoid(logits), tf.math.log_sigmoid(-logits)
    hit = positive * (1 - probability) ** 2 * log_yes
    miss = (1 - positive) * (1 - heat) ** 4 * probability**2 * log_no
    return -tf.reduce_sum(CLASS_WEIGHTS * hit + miss)


def box_loss(distances: tf.Tensor, boxes: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The weighted sum of 1 - GIoU (arXiv:1902.09630) over the cells of float32 [N, h, w, C, 4] that count."""
    found = boxes_from_distances(distances)
    overlap = tf.maximum(tf.minimum(found[..., 2:], boxes[..., 2:]) - tf.maximum(found[..., :2], boxes[..., :2]), 0.0)
    intersection = tf.reduce_prod(overlap, axis=-1)
    union = _area(found) + _area(boxes) - intersection
    hull = tf.maximum(found[..., 2:], boxes[..., 2:]) - tf.minimum(found[..., :2], boxes[..., :2])
    hull_area = tf.reduce_prod(hull, axis=-1)
    # A cell that does not count has an empty target: its ratios are finite all the same, so that 0 times them is 0.
    giou = intersection / (union + 1e-6) - (hull_area - union) / (hull_area + 1e-6)
    return tf.reduce_sum(weights * (1 - giou))


def _area(boxes: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(boxes[..., 2:] - boxes[..., :2], axis=-1)


def detection_loss(
    outputs: list[tf.Tensor], heat: tf.Tensor, boxes: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Heat and weighted box loss of a batch, each per labelled object; their sum is what training lowers."""
    logits, distances = outputs
    objects = tf.maximum(tf.reduce_sum(weights), 1.0)
    return heat_loss(logits, heat) / objects, BOX_WEIGHT * box_loss(distances, boxes, weights) / objects
