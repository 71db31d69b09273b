"""The insulator detector: frames in, detections out, everything between in one graph of plain TensorFlow ops.

A residual network of plain 3x3 convolutions (depthwise ones train and run no faster on a CPU), a feature pyramid summed
down to stride 8, and two heads over that one map: a centre heat map a class, as in CenterNet (Zhou et al. 2019,
arXiv:1904.07850), and a class's distances from each cell to the four sides of its box, as in TTFNet (Liu et al. 2019,
arXiv:1909.00700). Peaks of the heat map become boxes; a class-wise NMS removes what is left of duplicates.
"""

from typing import Any, Final, Literal

import keras
import tensorflow as tf

STRIDE: Final = 8
"""Input pixels per cell of the heat map, along each axis."""
CANDIDATES: Final = 64
"""Peaks a class that reach the NMS."""
MAX_DETECTIONS: Final = 50
"""Rows of every output; the ones past `num_detections` are zero."""
NMS_IOU: Final = 0.5
SCORE_FLOOR: Final = 0.05
"""Detections below it are never returned; `min_score` is what the author believes."""

CALIBRATION: Final = (0.3, 0.0)
"""Added to each class's logits before they become scores, so that `min_score` is a good place to cut for both. The
model card says how it was chosen."""

STEM: Final = 16
WIDTHS: Final = (32, 48, 96, 112)
"""Channels at stride 4, 8, 16 and 32."""
DEPTHS: Final = (0, 2, 2, 1)
"""Residual blocks at stride 4, 8, 16 and 32."""
PYRAMID: Final = 48
LARGEST_LOG_DISTANCE: Final = 4.5
"""exp(4.5) cells of 8 pixels: farther than any side can be, and finite when the head is untrained."""


@keras.saving.register_keras_serializable(package="sightline")
class FusedBatchNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Batch normalisation through TensorFlow's fused kernel, statistics in float32.

    keras.layers.BatchNormalization is a chain of elementwise ops in Keras 3: a training step of this network took 1.3
    times as long with it on two CPU cores, and a forward pass 1.8 times.
    """

    MOMENTUM: Final = 0.97
    EPSILON: Final = 1e-3

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")
        self.moving_mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(shape=shape, initializer="ones", trainable=False, name="moving_variance")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=tf.zeros(0) if training else self.moving_mean.value,
            variance=tf.zeros(0) if training else self.moving_variance.value,
            epsilon=self.EPSILON,
            is_training=training,
        )
        if training:
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving.value * self.MOMENTUM + now * (1 - self.MOMENTUM))
        return tf.ensure_shape(normalised, inputs.shape)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def _convolution(x: Any, filters: int, *, size: int = 3, strides: int = 1, activate: bool = True) -> Any:
    x = keras.layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    x = FusedBatchNormalization()(x)
    return keras.layers.ReLU()(x) if activate else x


def _residual(x: Any) -> Any:
    filters = x.shape[-1]
    y = _convolution(_convolution(x, filters), filters, activate=False)
    return keras.layers.ReLU()(keras.layers.Add()([x, y]))


def _head(x: Any, filters: int, bias: float, name: str) -> Any:
    x = _convolution(x, PYRAMID)
    start = keras.initializers.Constant(bias)
    small = keras.initializers.RandomNormal(stddev=0.01)
    # float32 whatever the policy: a score must not lose digits to a fast training type.
    layer = keras.layers.Conv2D(
        filters, 1, kernel_initializer=small, bias_initializer=start, dtype="float32", name=name
    )
    return layer(x)


def build_network(num_classes: int, policy: Literal["float32", "mixed_bfloat16"] = "float32") -> keras.Model:
    """The network without its decoder.

    Args:
        num_classes: C, classes without background.
        policy: "mixed_bfloat16" halves a training step on CPUs with AVX512-BF16; the weights stay float32.

    Returns:
        A model from uint8 [N, H, W, 3] RGB (H and W multiples of 32) to [heat float32 [N, H/8, W/8, C] logits,
        distances float32 [N, H/8, W/8, 4 C], logarithms of left, top, right, bottom in cells, class by class].
    """
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        frames = keras.layers.Input((None, None, 3), dtype="uint8")
        x = keras.layers.Rescaling(1 / 127.5, offset=-1)(frames)
        x = _convolution(x, STEM, strides=2)
        levels = []
        for width, depth in zip(WIDTHS, DEPTHS, strict=True):
            x = _convolution(x, width, strides=2)
            for _ in range(depth):
                x = _residual(x)
            levels.append(x)
        x = _convolution(levels[3], PYRAMID, size=1)
        for level in (levels[2], levels[1]):
            x = keras.layers.Add()([_convolution(level, PYRAMID, size=1), keras.layers.UpSampling2D()(x)])
            x = _convolution(x, PYRAMID)
        # Starting at a probability of 0.01 keeps the many empty cells from drowning the first steps (arXiv:1708.02002).
        heat = _head(x, num_classes, bias=-4.6, name="heat")
        distances = _head(x, 4 * num_classes, bias=1.5, name="distances")
        return keras.Model(frames, [heat, distances], name="insulators")
    finally:
        keras.mixed_precision.set_dtype_policy(before)


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
    min_score: Final = 0.4

    def __init__(self, policy: Literal["float32", "mixed_bfloat16"] = "float32") -> None:
        super().__init__(name=self.name_for_serving)
        self.network = build_network(len(self.labels), policy)

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
