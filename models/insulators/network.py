"""The insulator detector: frames in, detections out, everything between in one graph of plain TensorFlow ops.

The first eleven blocks of EfficientNet-Lite0 (`backbone.py`), one residual level more to see long strings whole, a
feature pyramid summed down to stride 8, and two heads over that one map: a centre heat map a class, as in CenterNet
(Zhou et al. 2019, arXiv:1904.07850), and a class's distances from each cell to the four sides of its box, as in TTFNet
(Liu et al. 2019, arXiv:1909.00700). Peaks of the heat map become boxes; a class-wise NMS removes what is left of
duplicates.
"""

from typing import Any, Final

import keras
import tensorflow as tf

from sightline_models.insulators.backbone import efficientnet_lite0
from sightline_models.insulators.convolution import NormalizedConvolution

STRIDE: Final = 8
"""Input pixels per cell of the heat map, along each axis."""
CANDIDATES: Final = 64
"""Peaks a class that reach the NMS."""
MAX_DETECTIONS: Final = 50
"""Rows of every output; the ones past `num_detections` are zero."""
NMS_IOU: Final = 0.5
SCORE_FLOOR: Final = 0.05
"""Detections below it are never returned; `min_score` is what the author believes."""

CALIBRATION: Final = (0.4, -0.2)
"""Added to each class's logits before they become scores, so that `min_score` is a good place to cut for both. The
model card says how it was chosen."""

DEEPEST: Final = 96
"""Channels at stride 32, where one residual block looks at a string from end to end."""
PYRAMID: Final = 64
LARGEST_LOG_DISTANCE: Final = 4.5
"""exp(4.5) cells of 8 pixels: farther than any side can be, and finite when the head is untrained."""


def _residual(x: Any) -> Any:
    filters = x.shape[-1]
    y = NormalizedConvolution(filters, ceiling=0.0)(NormalizedConvolution(filters)(x))
    return keras.layers.ReLU()(keras.layers.Add()([x, y]))


def _head(x: Any, filters: int, bias: float, name: str) -> Any:
    x = NormalizedConvolution(PYRAMID)(x)
    start = keras.initializers.Constant(bias)
    small = keras.initializers.RandomNormal(stddev=0.01)
    return keras.layers.Conv2D(filters, 1, kernel_initializer=small, bias_initializer=start, name=name)(x)


def build_network(num_classes: int) -> keras.Model:
    """The network without its decoder.

    Args:
        num_classes: C, classes without background.

    Returns:
        A model from uint8 [N, H, W, 3] RGB (H and W multiples of 32) to [heat float32 [N, H/8, W/8, C] logits,
        distances float32 [N, H/8, W/8, 4 C], logarithms of left, top, right, bottom in cells, class by class].
    """
    frames = keras.layers.Input((None, None, 3), dtype="uint8")
    fine, coarse = efficientnet_lite0(frames)
    x = _residual(NormalizedConvolution(DEEPEST, strides=2)(coarse))
    x = NormalizedConvolution(PYRAMID, size=1)(x)
    for level in (coarse, fine):
        x = keras.layers.Add()([NormalizedConvolution(PYRAMID, size=1)(level), keras.layers.UpSampling2D()(x)])
        x = NormalizedConvolution(PYRAMID)(x)
    # Starting at a probability of 0.01 keeps the many empty cells from drowning the first steps (arXiv:1708.02002).
    heat = _head(x, num_classes, bias=-4.6, name="heat")
    distances = _head(x, 4 * num_classes, bias=1.5, name="distances")
    return keras.Model(frames, [heat, distances], name="insulators")


def boxes_from_distances(distances: tf.Tensor) -> tf.Tensor:
    """Boxes of every cell: float32 [N, h, w, 4 C] to [N, h, w, C, 4], x_min, y_min, x_max, y_max in input pixels."""
    shape = tf.shape(distances)
    height, width = shape[1], shape[2]
    reach = tf.exp(tf.minimum(distances, LARGEST_LOG_DISTANCE)) * STRIDE
    reach = tf.reshape(reach, [shape[0], height, width, distances.shape[-1] // 4, 4])
    x = (tf.range(width, dtype=tf.float32)[None, None, :, None] + 0.5) * STRIDE
    y = (tf.range(height, dtype=tf.float32)[None, :, None, None] + 0.5) * STRIDE
    left, top, right, bottom = tf.unstack(reach, axis=-1)
    return tf.stack([x - left, y - top, x + right, y + bottom], axis=-1)


class InsulatorDetector(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """The network with its decoder, and what `export` must know to write the model's contract."""

    name_for_serving: Final = "insulators"
    input_height: Final = 384
    input_width: Final = 512
    resize_rule: Final = "letterbox"
    pad_value: Final = 114
    min_score: Final = 0.5

    def __init__(self) -> None:
        super().__init__(name=self.name_for_serving)
        self.network = build_network(len(self.labels))

    @property
    def labels(self) -> dict[int, str]:
        """Label-map id to class name: labels.pbtxt says the same to tools."""
        return {1: "insulator", 2: "defect"}

    def detect(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Detect.

        Args:
            images: uint8 [N, input_height, input_width, 3] RGB, letterboxed as serving.resize does.

        Returns:
            The four outputs of serving.signature: detection_boxes float32 [N, K, 4] (ymin, xmin, ymax, xmax in 0..1),
            detection_scores float32 [N, K] descending, detection_classes float32 [N, K] label-map ids and
            num_detections float32 [N].
        """
        heat, distances = self.network(images, training=False)
        height, width = self.input_height, self.input_width
        classes = len(self.labels)
        cells = (height // STRIDE) * (width // STRIDE)
        scores = tf.sigmoid(heat + tf.constant(CALIBRATION))
        peaks = tf.where(scores < tf.nn.max_pool2d(scores, 3, 1, "SAME"), 0.0, scores)
        peaks = tf.transpose(tf.reshape(peaks, [-1, cells, classes]), [0, 2, 1])
        corners = tf.transpose(tf.reshape(boxes_from_distances(distances), [-1, cells, classes, 4]), [0, 2, 1, 3])
        best, where = tf.math.top_k(peaks, CANDIDATES)
        corners = tf.gather(corners, where, batch_dims=2)
        x_min, y_min, x_max, y_max = tf.unstack(corners, axis=-1)
        boxes = tf.stack([y_min / height, x_min / width, y_max / height, x_max / width], axis=-1)
        boxes, kept, class_indices, count = tf.image.combined_non_max_suppression(
            tf.transpose(boxes, [0, 2, 1, 3]),
            tf.transpose(best, [0, 2, 1]),
            max_output_size_per_class=MAX_DETECTIONS,
            max_total_size=MAX_DETECTIONS,
            iou_threshold=NMS_IOU,
            score_threshold=SCORE_FLOOR,
            clip_boxes=True,
        )
        valid = tf.sequence_mask(count, MAX_DETECTIONS, dtype=tf.float32)
        return {
            "detection_boxes": boxes,
            "detection_scores": kept,
            "detection_classes": (class_indices + 1.0) * valid,
            "num_detections": tf.cast(count, tf.float32),
        }


def build() -> InsulatorDetector:
    """The shipped detector, untrained: restore checkpoint/ckpt-N with tf.train.Checkpoint(model=build())."""
    return InsulatorDetector()
