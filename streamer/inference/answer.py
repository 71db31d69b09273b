"""The answer to one Predict call, read: what the model found in each sample, in pixels of the sample's frame. Pure."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving import signature
from serving.resize import Resize
from serving.signature import Contract
from streamer.inference import intake
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
from streamer.values.frame import Sample
from streamer.values.tiles import Region

MAX_DETECTIONS = 100
"""Rows kept of one frame's answer: a broken model may send a million."""
FAINT = 0.6
"""Of a sample's least score: from there on, up to it, the tracker hears of a row, and nobody else does. Of the defects
that the bundled model misses at 0.5 it half sees 95 % so; from 0.1 on a frame has 30 rows, and nothing is gained."""
MAX_SCORE = 1.001
"""Of a score: rounding may lead beyond 1, and nothing else does."""
MAX_CLASS = 1 << 24
"""Ids are below it: float32 has no whole numbers beyond."""


def read(
    response: Any,
    samples: list[Sample],
    contract: Contract,
    *,
    model: str,
    version: int,
    answered_at: float,
    sent_at: float = 0.0,
) -> list[Detections]:
    """Detections of each sample, in order.

    Rows below the sample's score, down to FAINT of it, are in `faint`. Left out are weaker ones, and those that are no
    detections: with what is no number, a score or a class that there is not, a box turned inside out, or one that no
    part of the frame lies in.

    Args:
        response: a PredictResponse.
        samples: those that were asked about, each one picture.
        contract: of the version that answered.
        model: who answered.
        version: which of its versions.
        answered_at: monotonic time at which the answer came.
        sent_at: and at which the question left.

    Raises:
        PredictError: it is not of the contract's form.
    """
    outputs = _detection_arrays(response, len(samples))
    answers = []
    for row, sample in enumerate(samples):
        frame = sample.frame
        region = sample.region or Region(0, 0, frame.width, frame.height)
        resize = Resize.fit((region.width, region.height), (contract.width, contract.height), contract.resize)
        boxes, scores, class_ids = _rows(outputs, row, FAINT * sample.min_score)
        # The input's edges are the region's or lie beyond: nothing is lost here, and 1e38 pixels are no number.
        boxes = resize.to_frame(np.clip(boxes, 0, 1))
        seen = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        ids = class_ids[seen].astype(np.int64)
        named = [contract.labels.get(int(class_id)) for class_id in ids]
        labels = tuple(name or f"class {class_id}" for name, class_id in zip(named, ids, strict=True))
        scores, strong = scores[seen], scores[seen] >= sample.min_score
        whole = Detections(
            stream=frame.stream,
            pts=frame.pts,
            received_at=frame.received_at,
            answered_at=answered_at,
            model=model,
            version=version,
            width=frame.width,
            height=frame.height,
            boxes=boxes[seen] + np.array([region.left, region.top] * 2, np.float32),
            scores=np.minimum(scores, np.float32(1)),
            class_ids=ids,
            labels=labels,
            chosen_at=sample.chosen_at,
            sent_at=sent_at,
            unnamed=frozenset(label for name, label in zip(named, labels, strict=True) if name is None),
        )
        answers.append(replace(whole.taken(strong), faint=whole.taken(~strong)))
    return answers


def _rows(outputs: dict[str, NDArray[np.float32]], row: int, min_score: float) -> tuple[NDArray[np.float32], ...]:
    """Boxes, scores and class ids of one sample's detections, as the model gives them."""
    boxes, scores, class_ids = (
        outputs[name][row, :MAX_DETECTIONS]
        for name in (signature.DETECTION_BOXES, signature.DETECTION_SCORES, signature.DETECTION_CLASSES)
    )
    count = int(np.clip(np.nan_to_num(outputs[signature.NUM_DETECTIONS][row]), 0, len(scores)))
    keep = np.arange(len(scores)) < count
    keep &= np.isfinite(boxes).all(axis=1)
    keep &= (scores >= max(0.0, min_score)) & (scores <= MAX_SCORE)  # false for what is no number
    keep &= (class_ids >= 0) & (class_ids < MAX_CLASS) & (class_ids == np.floor(class_ids))
    return boxes[keep], scores[keep], class_ids[keep]


def _detection_arrays(response: Any, rows: int) -> dict[str, NDArray[np.float32]]:
    """The four outputs, their shapes checked against the batch."""
    arrays = {name: intake.floats(response, name) for name in signature.DETECTION_OUTPUTS}
    found = arrays[signature.DETECTION_SCORES].shape[1:]
    shapes = {
        signature.DETECTION_BOXES: (rows, *found, 4),
        signature.DETECTION_SCORES: (rows, *found),
        signature.DETECTION_CLASSES: (rows, *found),
        signature.NUM_DETECTIONS: (rows,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape or len(found) != 1:
            sentence = intake.sentence(f"the model's {name} has shape {arrays[name].shape}, not {shape}")
            raise PredictError("INTERNAL", sentence)
    return arrays
