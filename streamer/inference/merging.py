"""The answers to a frame's pictures become one: the whole frame's, and those of its tiles. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.inference.answer import MAX_DETECTIONS
from streamer.inference.seams import Views, limits_of, one_of_each
from streamer.values.detections import Detections, joined
from streamer.values.frame import Sample

MOST: Final = 3 * MAX_DETECTIONS
"""Rows of all pictures that are compared, the best: a broken model may find a hundred in each."""


def merge(sample: Sample, answers: Sequence[Detections]) -> Detections:
    """One answer, in which each thing has one box.

    Rows below the sample's least score are in `faint`, as in an answer to one picture; of a thing that one picture
    shows well and another faintly the better score counts. Where the model changed its version between two calls, what
    the other version said is left out: labels may differ.

    Args:
        sample: what was asked about.
        answers: to each of `sample.looks()`, in that order.
    """
    first = answers[0]
    if len(answers) == 1:
        return first
    asked = [
        (number, look.region, each)
        for number, (look, answer) in enumerate(zip(sample.looks(), answers, strict=True))
        if (answer.model, answer.version) == (first.model, first.version)
        for each in (answer, answer.faint)
        if each is not None
    ]
    rows = joined([each for *_, each in asked])
    views = Views(
        boxes=rows.boxes.astype(float),
        limits=np.concatenate([limits_of(each.boxes, region, (each.width, each.height)) for _, region, each in asked]),
        scores=rows.scores.astype(float),
        pictures=np.concatenate([np.full(len(each), number) for number, _, each in asked]),
    )
    best = np.argsort(-rows.scores, kind="stable")[:MOST]
    told = [_one_of_each(rows, views, best[rows.class_ids[best] == each]) for each in np.unique(rows.class_ids[best])]
    merged = joined(told) if told else rows
    merged = merged.taken(np.argsort(-merged.scores, kind="stable")[:MAX_DETECTIONS])
    merged = replace(merged, answered_at=max(answer.answered_at for answer in answers))
    strong = merged.scores >= sample.min_score
    return replace(merged.taken(strong), faint=merged.taken(~strong))


def _one_of_each(rows: Detections, views: Views, chosen: NDArray[np.intp]) -> Detections:
    """These rows, all of one class, with one box for each thing."""
    things, of_rows = one_of_each(views.take(chosen))
    whole = rows.taken(chosen[of_rows])
    return replace(whole, boxes=things.boxes.astype(np.float32), scores=things.scores.astype(np.float32))
