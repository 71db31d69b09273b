"""A closed-form SavedModel, and calls to a model server by two clients: the official stubs and serving.wire."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 8
SLOW = 10
"""Value of the slow pixel that makes a request take tens of milliseconds or more."""


def save_model(base_path: Path, version: int) -> Path:
    """Write a version whose answer is known: every output is made of the row's own pixels, and names the version.

    The pixel [0, 0, 0] says for how long the row's batch is kept busy; 0 is not at all.
    """
    import tensorflow as tf

    class Model(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.version = tf.Variable(float(version), name="version")

        @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3], tf.uint8, name="input_tensor")])  # type: ignore[untyped-decorator]
        def detect(self, input_tensor: Any) -> dict[str, Any]:
            pixels = tf.reshape(tf.cast(input_tensor, tf.float32), [-1, SIZE * SIZE * 3])
            steps = 20 * tf.cast(tf.reduce_max(tf.concat([pixels[:, 0], [0.0]], 0)), tf.int32)
            busy = tf.ones([256, 256]) / 256
            _, busy = tf.while_loop(lambda i, _: i < steps, lambda i, m: (i + 1, m @ m), (0, busy))
            nothing = tf.reduce_sum(busy) * 0
            return {
                "detection_boxes": tf.reshape(pixels[:, :12], [-1, 3, 4]) / 255 + nothing,
                "detection_scores": pixels[:, 12:15] / 255,
                "detection_classes": pixels[:, 15:18],
                "num_detections": tf.reduce_sum(pixels, 1) + 1e6 * self.version,
            }

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="index")])  # type: ignore[untyped-decorator]
        def labels(self, index: Any) -> dict[str, Any]:
            rows = tf.shape(index)[0]
            return {"class_names": tf.tile([["insulator", "defect"]], [rows, 1]), "index_out": index}

        @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="image")])  # type: ignore[untyped-decorator]
        def single(self, image: Any) -> dict[str, Any]:
            return {"total": tf.reduce_sum(tf.cast(image, tf.float32), [1, 2, 3])}

        @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([None, 2])])  # type: ignore[untyped-decorator]
        def pair(self, a: Any, b: Any) -> dict[str, Any]:
            return {"sum": a + b}

        @tf.function(input_signature=[tf.TensorSpec([None, 4], name="x")])  # type: ignore[untyped-decorator]
        def picky(self, x: Any) -> dict[str, Any]:
            return {"y": tf.debugging.check_numerics(x, "row is not a number")}

    model = Model()
    path = base_path / str(version)
    signatures = {
        "serving_default": model.detect,
        "labels": model.labels,
        "single": model.single,
        "pair": model.pair,
        "picky": model.picky,
    }
    tf.saved_model.save(model, str(path), signatures=signatures)
    return path


def images(rows: int, seed: int) -> NDArray[np.uint8]:
    """Random rows that take no time: uint8 [rows, SIZE, SIZE, 3]."""
    pictures = np.random.default_rng(seed).integers(0, 256, (rows, SIZE, SIZE, 3), dtype=np.uint8)
    pictures[:, 0, 0, 0] = 0
    return pictures


def expected(pictures: NDArray[np.uint8], version: int) -> dict[str, NDArray[np.float32]]:
    """What the model answers."""
    pixels = pictures.reshape(len(pictures), -1).astype(np.float32)
    return {
        "detection_boxes": pixels[:, :12].reshape(-1, 3, 4) / np.float32(255),
        "detection_scores": pixels[:, 12:15] / np.float32(255),
        "detection_classes": pixels[:, 15:18],
        "num_detections": pixels.sum(1) + np.float32(1e6 * version),
    }
