"""A convolution and the batch normalisation behind it as one layer: two ops to train, one to serve."""

from typing import Any, Final

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="sightline")
class NormalizedConvolution(keras.layers.Layer):  # type: ignore[misc]
    """A convolution without bias, batch normalisation, and perhaps a ReLU; padding "same".

    Training goes through TensorFlow's fused kernel: keras.layers.BatchNormalization is a dozen elementwise ops in
    Keras 3, and a step took 1.3 times as long with it. Serving, the normalisation is folded into the kernel, and
    TensorFlow runs convolution, bias and ReLU as one op: a fifth faster than with the normalisation behind.

    Args:
        filters: output channels; None for a depthwise convolution, which has as many as its input.
        size: of the kernel, along both axes.
        strides: along both axes.
        ceiling: of the ReLU behind: 6, infinity for a plain one, 0 for no ReLU at all.
        name: of the layer.
    """

    MOMENTUM: Final = 0.97
    EPSILON: Final = 1e-3

    def __init__(
        self,
        filters: int | None,
        size: int = 3,
        strides: int = 1,
        *,
        ceiling: float = float("inf"),
        name: str | None = None,
    ) -> None:
        if ceiling not in (0, 6, float("inf")):
            raise ValueError(f"ceiling {ceiling} is none of 0, 6 and infinity")
        super().__init__(name=name)
        self.filters, self.size, self.strides, self.ceiling = filters, size, strides, ceiling

    def get_config(self) -> dict[str, Any]:
        mine = {"filters": self.filters, "size": self.size, "strides": self.strides, "ceiling": self.ceiling}
        return {"name": self.name, **mine}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[-1]
        outputs = self.filters or channels
        shape = (self.size, self.size, channels, self.filters or 1)
        self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="kernel")
        self.gamma = self.add_weight(shape=(outputs,), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(outputs,), initializer="zeros", name="beta")
        self.mean = self.add_weight(shape=(outputs,), initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape=(outputs,), initializer="ones", trainable=False, name="variance")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        x = self._normalised(inputs) if training else self._folded(inputs)
        if self.ceiling == 0:
            return x
        return tf.nn.relu6(x) if self.ceiling == 6 else tf.nn.relu(x)

    def _normalised(self, inputs: tf.Tensor) -> tf.Tensor:
        x, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=self._convolve(inputs, self.kernel.value), scale=self.gamma.value, offset=self.beta.value,
            mean=tf.zeros(0), variance=tf.zeros(0), epsilon=self.EPSILON, is_training=True,
        )  # fmt: skip
        for moving, now in ((self.mean, mean), (self.variance, variance)):
            moving.assign(moving.value * self.MOMENTUM + now * (1 - self.MOMENTUM))
        return x

    def _folded(self, inputs: tf.Tensor) -> tf.Tensor:
        scale = self.gamma.value * tf.math.rsqrt(self.variance.value + self.EPSILON)
        kernel = self.kernel.value * (scale if self.filters else scale[:, None])
        return tf.nn.bias_add(self._convolve(inputs, kernel), self.beta.value - self.mean.value * scale)

    def _convolve(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        strides = [1, self.strides, self.strides, 1]
        if self.filters:
            return tf.nn.conv2d(inputs, kernel, strides, "SAME")
        return tf.nn.depthwise_conv2d(inputs, kernel, strides, "SAME")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        sides = (None if side is None else -(-side // self.strides) for side in input_shape[1:3])
        return (input_shape[0], *sides, self.filters or input_shape[-1])
