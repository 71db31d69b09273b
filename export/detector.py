"""What every source becomes: a function from pictures to the canonical outputs, and what a caller must know of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.signature import (
    DETECTION_BOXES,
    DETECTION_CLASSES,
    DETECTION_SCORES,
    INPUT_TENSOR,
    NUM_DETECTIONS,
    ResizeRule,
)

Tensors = dict[str, Any]
"""Tensors by name; TensorFlow ships no types."""
Detect = Callable[[Any], Tensors]
"""uint8 [N, H, W, 3] to at least the four DETECTION_OUTPUTS; traceable by tf.function."""
Pictures = NDArray[np.uint8]
"""uint8 [N, H, W, 3], RGB, of the model's input size."""

_SHAPES: dict[str, list[int | None]] = {
    DETECTION_BOXES: [None, None, 4],
    DETECTION_SCORES: [None, None],
    DETECTION_CLASSES: [None, None],
    NUM_DETECTIONS: [None],
}

Batch = Literal["dynamic", "mapped"]
"""`mapped`: the source takes one picture at a time, so the batch is walked inside the graph with tf.map_fn."""


@dataclass(frozen=True)
class Detector:
    """A loaded source."""

    detect: Detect
    """The source in TensorFlow 2, for the graph that is written."""
    reference: Callable[[Pictures], dict[str, NDArray[Any]]]
    """The source run its own way, on one picture [1, H, W, 3]; what the written model is compared with."""
    height: int
    width: int
    labels: dict[int, str]
    resize: ResizeRule
    findings: tuple[str, ...] | None = None
    """The labels that the source sets apart; None where it does not say."""
    pad_value: int = 114
    min_score: float = 0.4
    one_at_a_time: bool = False
    """The source says that it takes batches of one only."""
    keep: Any = None
    """What owns tables and other resources of the graph besides its variables."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """How the source was read, for the contract: its tensors, and how they are decoded."""
    changes: list[str] = field(default_factory=list)
    """What the written model does otherwise than its source: box format, colour order, decoding, suppression."""
    notes: list[str] = field(default_factory=list)
    """What a person should know about how the source was read."""


def canonical(detect: Detect) -> Detect:
    """`detect` with float32 outputs, rows sorted by score, and zeros in the rows that do not count."""

    def sorted_rows(images: Any) -> Tensors:
        found = detect(images)
        boxes = tf.cast(found[DETECTION_BOXES], tf.float32)
        scores = tf.cast(found[DETECTION_SCORES], tf.float32)
        classes = tf.cast(found[DETECTION_CLASSES], tf.float32)
        count = tf.reshape(tf.cast(found[NUM_DETECTIONS], tf.float32), [-1])
        counts = tf.cast(tf.range(tf.shape(scores)[1])[tf.newaxis], tf.float32) < count[:, tf.newaxis]
        # Rows that do not count go last whatever their score says.
        order = tf.argsort(tf.where(counts, scores, -1.0), direction="DESCENDING", stable=True)
        mask = tf.cast(counts, tf.float32)
        return {
            DETECTION_BOXES: tf.gather(boxes * mask[:, :, tf.newaxis], order, batch_dims=1),
            DETECTION_SCORES: tf.gather(scores * mask, order, batch_dims=1),
            DETECTION_CLASSES: tf.gather(classes * mask, order, batch_dims=1),
            NUM_DETECTIONS: count,
        }

    return sorted_rows


def mapped(detect: Detect) -> Detect:
    """`detect`, which takes one picture, walked over a batch of any size inside the graph."""

    def each(images: Any) -> Tensors:
        rows = {name: tf.TensorSpec(shape[1:], tf.float32) for name, shape in _SHAPES.items()}

        def one(image: Any) -> Tensors:
            alone = detect(image[tf.newaxis])
            return {name: tensor[0] for name, tensor in alone.items()}

        found: Tensors = tf.map_fn(one, images, fn_output_signature=rows)
        return found

    return each


def trace(detector: Detector, pictures: Pictures) -> tuple[Any, Batch, str]:
    """Trace the canonical function for batches of any size: at once where the source can, else one by one.

    Whether it can is tried, not believed: many graphs take a batch and fail on it, or answer for its first picture.

    Args:
        detector: the loaded source.
        pictures: two different pictures or more.

    Returns:
        A tf.function with its one input signature, how it treats a batch, and why not `dynamic` ("" where it is).
    """
    detect = canonical(detector.detect)
    why_not = "its input takes one picture only"
    if not detector.one_at_a_time:
        function = _function(detect, detector)
        if not (why_not := _no_batches(function, detect, pictures[:2])):
            return function, "dynamic", ""
    return _function(mapped(detect), detector), "mapped", why_not


def _function(detect: Detect, detector: Detector) -> Any:
    spec = tf.TensorSpec([None, detector.height, detector.width, 3], tf.uint8, name=INPUT_TENSOR)

    @tf.function(input_signature=[spec], autograph=False)  # type: ignore[untyped-decorator]
    def serving_default(input_tensor: Any) -> Tensors:
        found = detect(input_tensor)
        return {name: tf.ensure_shape(found[name], shape) for name, shape in _SHAPES.items()}

    return serving_default


def _no_batches(function: Any, detect: Detect, pictures: Pictures) -> str:
    """Why `function` cannot take two pictures at once; empty if it can."""
    try:
        together = function(tf.constant(pictures))
        alone = [detect(tf.constant(pictures[i : i + 1])) for i in range(len(pictures))]
    except (tf.errors.OpError, ValueError, TypeError) as error:
        return f"two at once fail: {str(error).strip().splitlines()[0]}"
    if any(len(tensor) != len(pictures) for tensor in together.values()):
        return "two at once are answered for one only"
    for name in (DETECTION_SCORES, NUM_DETECTIONS):
        # Only whether the answers belong to their pictures; the proof compares them closely.
        if not all(np.allclose(together[name][i], one[name][0], atol=1e-2) for i, one in enumerate(alone)):
            return "two at once are answered otherwise than one by one"
    return ""
