"""Samples with tiles, asked about: all their pictures in one call where they fit, else in several; one answer each."""

from collections.abc import Awaitable, Callable

from streamer.inference.merging import merge
from streamer.values.detections import Detections
from streamer.values.frame import Sample

Predict = Callable[[list[Sample], float], Awaitable[list[Detections]]]
"""Asks the model about samples of one size, each one picture, until a monotonic deadline."""


async def predict_tiled(predict: Predict, samples: list[Sample], deadline: float, most: int) -> list[Detections]:
    """Detections of each sample, in order, made of those in all its pictures.

    Args:
        predict: asks about pictures.
        samples: with tiles or without.
        deadline: monotonic time from which the answer is worth nothing; the same for every call.
        most: pictures that one call may carry.

    Raises:
        PredictError: as `predict` does; then nothing more is asked.
    """
    looks = [look for sample in samples for look in sample.looks()]
    found = list[Detections]()
    for start in range(0, len(looks), most):
        found += await predict(looks[start : start + most], deadline)
    answers = iter(found)
    return [merge(sample, [next(answers) for _ in range(sample.pictures)]) for sample in samples]
