"""The answer to one Predict call, read: what the model found in each sample, in pixels of the sample's frame. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving import signature, wire
from serving.resize import Resize
from serving.signature import Contract
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
from streamer.values.frame import Sample

MAX_DETECTIONS = 100
"""Rows kept of one frame's answer: a broken model may send a million."""


def read(
    response: Any, samples: list[Sample], contract: Contract, *, model: str, version: int, answered_at: float
) -> list[Detections]:
    """Detections of each sample, in order; rows that are no numbers, or too weak for the sample, are left out.

    Args:
        response: a PredictResponse.
        samples: those that were asked about.
        contract: of the version that answered.
        model: who answered.
        version: which of its versions.
        answered_at: monotonic time at which the answer came.

    Raises:
        PredictError: it is not of the contract's form.
    """
    outputs = _detection_arrays(response, len(samples))
    answers = []
    for row, sample in enumerate(samples):
        frame = sample.frame
        resize = Resize.fit((frame.width, frame.height), (contract.width, contract.height), contract.resize)
        boxes, scores, class_ids = (
            array[row, :MAX_DETECTIONS]
            for array in (
                outputs[signature.DETECTION_BOXES],
                outputs[signature.DETECTION_SCORES],
                outputs[signature.DETECTION_CLASSES],
            )
        )
        count = int(np.clip(np.nan_to_num(outputs[signature.NUM_DETECTIONS][row]), 0, len(scores)))
        finite = np.isfinite(boxes).all(axis=1) & np.isfinite(scores) & np.isfinite(class_ids)
        keep = finite & (scores >= sample.min_score) & (np.arange(len(scores)) < count)
        ids = class_ids[keep].astype(np.int64)
        answers.append(
            Detections(
                stream=frame.stream,
                pts=frame.pts,
                received_at=frame.received_at,
                answered_at=answered_at,
                model=model,
                version=version,
                width=frame.width,
                height=frame.height,
                boxes=resize.to_frame(boxes[keep]),
                scores=scores[keep],
                class_ids=ids,
                labels=tuple(contract.labels.get(int(class_id), f"class {class_id}") for class_id in ids),
            )
        )
    return answers


def _detection_arrays(response: Any, rows: int) -> dict[str, NDArray[Any]]:
    """The four outputs, their shapes checked against the batch."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in signature.DETECTION_OUTPUTS:
        if name not in response.outputs:
            raise PredictError("INTERNAL", f"the model's answer lacks {name}")
        try:
            arrays[name] = wire.to_array(response.outputs[name])
        except ValueError as error:
            raise PredictError("INTERNAL", f"the model's {name} cannot be read: {error}") from error
    found = arrays[signature.DETECTION_SCORES].shape[1:]
    shapes = {
        signature.DETECTION_BOXES: (rows, *found, 4),
        signature.DETECTION_SCORES: (rows, *found),
        signature.DETECTION_CLASSES: (rows, *found),
        signature.NUM_DETECTIONS: (rows,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape or len(found) != 1:
            raise PredictError("INTERNAL", f"the model's {name} has shape {arrays[name].shape}, not {shape}")
    return arrays
