"""`python -m serving.numbered MODEL_BASE_PATH`: write a model as heavy as a small SSD, as version 1.

It is a stand-in, and finds nothing in a scene. The layers of a narrow MobileNet (arXiv 1704.04861, table 1) with box
heads, all weights random, do the work of a detector of 300 x 300, and what they make of a picture is below the score
that counts.
The one box that does count says which frame it was asked about: its left edge is the number drawn into the picture, so
that an answer can be told from the one before wherever it arrives. `sightline bench` measures with it.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from serving import signature
from serving.banners import import_tensorflow
from serving.signature import Contract

SIDE = 300
WIDTH = 0.375
"""Of MobileNet's own channels: some 290 pictures a second on two cores."""
FIRST = 32
"""Channels of the first layer, at full width; it halves the picture's sides."""
BLOCKS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024))
"""Stride of each depthwise layer, and channels of the pointwise one that follows, at full width."""
PLACES = tuple((row, column) for row in range(2) for column in range(12))[:16]
ACROSS, DOWN = 16, 20
"""The number's bits, the highest first, are blocks of this share of a picture (`streamer.bench.numbers`)."""
NUMBERS = 512
"""Frames that can be told apart; a number beyond begins again."""
HEADED = (10, 12)
"""Blocks with heads, of 19 x 19 and 10 x 10 cells, as in SSD."""
HEADS = 6 * (4 + 2)
"""Channels of each: six shapes of a box, its edges, two scores."""

CONTRACT = Contract(
    name="numbered", height=SIDE, width=SIDE, labels={1: "frame", 2: "nothing"}, resize="stretch", min_score=0.4
)


def write(base_path: Path) -> None:
    """Write the version, unless it is there."""
    import tensorflow as tf

    centres = [[(2 * row + 1) * SIDE // (2 * DOWN), (2 * column + 1) * SIDE // (2 * ACROSS)] for row, column in PLACES]
    worth = [float(1 << len(PLACES) - 1 - place) for place in range(len(PLACES))]

    class Numbered(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.uint8, name=signature.INPUT_TENSOR)])  # type: ignore[untyped-decorator]
        def detect(self, input_tensor: Any) -> dict[str, Any]:
            pixels = tf.cast(input_tensor, tf.float32)
            grey = tf.reduce_mean(pixels[:, : SIDE // 8], axis=-1)
            blocks = tf.gather_nd(tf.transpose(grey, (1, 2, 0)), centres)
            bits = tf.transpose(tf.cast(blocks > 128, tf.float32))
            left = tf.math.floormod(tf.reduce_sum(bits * worth, axis=1), NUMBERS) / (2 * NUMBERS)
            one = tf.ones_like(left)
            number = tf.stack([0.25 * one, left, 0.75 * one, left + 0.5], axis=-1)
            whole = tf.stack([0 * one, 0 * one, one, one], axis=-1)
            faint = 0.3 * _scores(pixels / 127.5 - 1)  # nothing of the work can be left out
            return {
                signature.DETECTION_BOXES: tf.stack([number, whole], axis=1),
                signature.DETECTION_SCORES: tf.stack([0.9 * one, faint], axis=1),
                signature.DETECTION_CLASSES: tf.stack([one, 2 * one], axis=1),
                signature.NUM_DETECTIONS: 2 * one,
            }

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name=signature.LABELS_INDEX)])  # type: ignore[untyped-decorator]
        def labels(self, index: Any) -> dict[str, Any]:
            rows = tf.shape(index)[0]
            ids, names = list(CONTRACT.labels), list(CONTRACT.labels.values())
            return {
                signature.CLASS_IDS: tf.tile(tf.constant([ids], tf.int64), [rows, 1]),
                signature.CLASS_NAMES: tf.tile([names], [rows, 1]),
                signature.CONTRACT: tf.tile([CONTRACT.to_json()], [rows]),
            }

    if not (base_path / "1").exists():
        draft = base_path / ".1"
        model = Numbered()
        signatures = {signature.SERVING_DEFAULT: model.detect, signature.LABELS: model.labels}
        tf.saved_model.save(model, str(draft), signatures=signatures)
        draft.rename(base_path / "1")


def _scores(pictures: Any) -> Any:
    """Pictures in -1..1, [N, SIDE, SIDE, 3], to one score each, 0..1, that every head has a part in."""
    import tensorflow as tf

    random = np.random.default_rng(0)

    def weights(rows: int, columns: int, channels: int, made: int) -> Any:
        seen = (
            rows * columns * (channels if made > 1 else 1)
        )  # by one value of the layer; a depthwise one makes one each
        return tf.constant(random.normal(0, np.sqrt(2 / seen), (rows, columns, channels, made)), tf.float32)

    def biased(found: Any) -> Any:
        return tf.nn.relu6(tf.nn.bias_add(found, tf.constant(random.normal(0, 0.1, found.shape[-1]), tf.float32)))

    layer = biased(tf.nn.conv2d(pictures, weights(3, 3, 3, int(FIRST * WIDTH)), 2, "SAME"))
    heads = []
    for number, (stride, channels) in enumerate(BLOCKS):
        depth = weights(3, 3, layer.shape[-1], 1)
        layer = biased(tf.nn.depthwise_conv2d(layer, depth, (1, stride, stride, 1), "SAME"))
        layer = biased(tf.nn.conv2d(layer, weights(1, 1, layer.shape[-1], int(channels * WIDTH)), 1, "SAME"))
        if number in HEADED:
            heads.append(tf.nn.conv2d(layer, weights(3, 3, layer.shape[-1], HEADS), 1, "SAME"))
    return tf.sigmoid(tf.add_n([tf.reduce_mean(head, axis=(1, 2, 3)) for head in heads]))


def main() -> int:
    """Write it where the command line says."""
    [base_path] = sys.argv[1:]
    import_tensorflow()
    Path(base_path).mkdir(parents=True, exist_ok=True)
    write(Path(base_path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
