"""The detector run outside a server: a checkpoint restored, pictures in, boxes in their own pixels out."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.accuracy import Found
from serving.resize import Resize
from sightline_models.insulators.data import DataError

BATCH: Final = 8
CHECKPOINTS: Final = Path(__file__).parent / "checkpoint"


def load_checkpoint(prefix: str | None) -> Any:
    """An `InsulatorDetector` with the weights at `prefix`, or with the shipped ones.

    Raises:
        DataError: there is no such checkpoint, or it is of another network.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    from sightline_models.insulators.network import build

    detector = build()
    restore(detector, prefix or tf.train.latest_checkpoint(str(CHECKPOINTS)))
    return detector


def restore(detector: Any, prefix: str) -> None:
    """Give an `InsulatorDetector` the weights at `prefix`.

    Raises:
        DataError: there is no such checkpoint, or it is of another network.
    """
    import tensorflow as tf

    try:
        status = tf.train.Checkpoint(model=detector).restore(prefix)
        status.expect_partial().assert_existing_objects_matched()
    except (tf.errors.OpError, AssertionError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{prefix}: not a checkpoint of this network ({reason})") from error


def detect_all(detector: Any, images: Iterable[NDArray[np.uint8]]) -> Iterator[Found]:
    """Run an `InsulatorDetector` over pictures of any size, as the service does: resized, in batches.

    Args:
        detector: with its weights.
        images: uint8 [H, W, 3] RGB each.

    Yields:
        What was found in each, in the order of the pictures, in their pixels.
    """
    import tensorflow as tf

    size = (detector.input_width, detector.input_height)
    graph = tf.function(detector.detect, input_signature=[tf.TensorSpec([None, size[1], size[0], 3], tf.uint8)])
    waiting: list[tuple[Resize, NDArray[np.uint8]]] = []

    def flush() -> Iterator[Found]:
        outputs = {key: value.numpy() for key, value in graph(np.stack([ready for _, ready in waiting])).items()}
        for row, (resize, _) in enumerate(waiting):
            count = int(outputs["num_detections"][row])
            yield Found(
                boxes=resize.to_frame(outputs["detection_boxes"][row, :count]),
                scores=outputs["detection_scores"][row, :count],
                classes=outputs["detection_classes"][row, :count].astype(np.int64) - 1,
            )
        waiting.clear()

    for image in images:
        plan = Resize.fit((image.shape[1], image.shape[0]), size, detector.resize_rule, detector.pad_value)
        waiting.append((plan, plan.apply(image)))
        if len(waiting) == BATCH:
            yield from flush()
    if waiting:
        yield from flush()
