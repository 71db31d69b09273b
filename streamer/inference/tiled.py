"""Samples with tiles, asked about: all their pictures in one call where they fit, else in several; one answer each."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from streamer.inference.merging import merge
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
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
        PredictError: as `predict` does; then nothing more is asked. Of one sample in several calls those that were
            answered are told all the same, the first of which has the whole frame: a model too slow for all parts of it
            would else never say anything.
    """
    looks = [look for sample in samples for look in sample.looks()]
    found = list[Detections]()
    for start in range(0, len(looks), most):
        try:
            found += await predict(looks[start : start + most], deadline)
        except PredictError:
            if not found or len(samples) > 1:
                raise
            return [merge(replace(samples[0], tiles=samples[0].tiles[: len(found) - 1]), found)]
    answers = iter(found)
    return [merge(sample, [next(answers) for _ in range(sample.pictures)]) for sample in samples]
