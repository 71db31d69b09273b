"""A detector that finds, in every frame of a clip of clip.py, the number drawn into it: `python -m` writes it.

It is closed form, tiny, and cannot be right by accident: the left edge of its one box is the frame's own number, so a
box that comes back with another frame's time, or another stream's name, is noticed.

    label     score   box (of the picture's width and height)
    insulator 0.9     from number % 64 / 128, half a picture wide, the middle half of its height
    defect    0.3     the whole picture; below the contract's min_score of 0.4
"""

import os
import sys
from pathlib import Path
from typing import Any

from serving import signature
from serving.signature import Contract
from tests.peers.clip import INDEX_BITS

HEIGHT, WIDTH = 48, 64
NUMBERS = 64
"""Frames of a clip that can be told apart."""

CONTRACT = Contract(
    name="numbers",
    height=HEIGHT,
    width=WIDTH,
    labels={1: "insulator", 2: "defect"},
    min_score=0.4,
    findings=("defect",),
)


def number_of(event: dict[str, Any]) -> int:
    """Read the number of the frame an event is about, 0..63, from its box."""
    [x_min] = {float(detection["box"][0]) for detection in event["detections"] if detection["label"] == "insulator"}
    return round(x_min / int(event["width"]) * 2 * NUMBERS)


def write(version_path: Path) -> None:
    """Write the SavedModel; imports TensorFlow, which is why it is done in a process of its own."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    centres = [(2 * bit + 1) * WIDTH // (2 * INDEX_BITS) for bit in range(INDEX_BITS)]
    contract = CONTRACT.to_json()
    weights = [float(1 << INDEX_BITS - 1 - bit) for bit in range(INDEX_BITS)]

    class IndexDetector(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None, HEIGHT, WIDTH, 3], tf.uint8, name="input_tensor")])  # type: ignore[untyped-decorator]
        def detect(self, input_tensor: Any) -> dict[str, Any]:
            row = tf.reduce_mean(tf.cast(input_tensor[:, HEIGHT // 16], tf.float32), axis=-1)
            bits = tf.cast(tf.gather(row, centres, axis=1) > 128, tf.float32)
            left = tf.math.floormod(tf.reduce_sum(bits * weights, axis=1), NUMBERS) / (2 * NUMBERS)
            one = tf.ones_like(left)
            number_box = tf.stack([0.25 * one, left, 0.75 * one, left + 0.5], axis=-1)
            whole_box = tf.stack([0 * one, 0 * one, one, one], axis=-1)
            return {
                signature.DETECTION_BOXES: tf.stack([number_box, whole_box], axis=1),
                signature.DETECTION_SCORES: tf.stack([0.9 * one, 0.3 * one], axis=1),
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
                signature.CONTRACT: tf.tile([contract], [rows]),
            }

    model = IndexDetector()
    signatures = {signature.SERVING_DEFAULT: model.detect, signature.LABELS: model.labels}
    tf.saved_model.save(model, str(version_path), signatures=signatures)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
