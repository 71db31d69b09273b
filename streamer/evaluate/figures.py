"""A pass judged by what is known of the clip. Plain numbers, ready for JSON; what cannot be said is None."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.accuracy import Accuracy, Found, Labelled, measure
from streamer.evaluate.clip import Clip
from streamer.evaluate.identity import Identity, follow
from streamer.evaluate.recording import Pass
from streamer.evaluate.truth import Truth
from streamer.values.track import TrackedBox, boxes_of

Figures = dict[str, Any]


def judge(
    seen: Pass, clip: Clip, truth: Mapping[int, Labelled], classes: Sequence[str], things: Truth | None = None
) -> Figures:
    """Every figure of one pass.

    Args:
        seen: what was shown and answered.
        clip: what was played.
        truth: what is in each frame that is labelled; its class numbers are places in `classes`.
        classes: the model's class names.
        things: the truth with ids; None where it has none.
    """
    frames, answers = seen.shown, seen.answered
    drawn = {number: shown.boxes for number, shown in frames.items() if number in truth}
    asked = {number: boxes_of(answer) for number, answer in answers.items() if number in truth}
    ages = [shown.result_age for shown in frames.values() if shown.result_age is not None]
    return {
        "classes": _accuracies(_measure(drawn, truth, classes), _measure(asked, truth, classes)),
        "frames": {
            "played": len(clip),
            "shown": len(frames),
            "dropped": len(clip) - len(frames) - seen.unknown,
            "dropped_share": round(1 - (len(frames) + seen.unknown) / len(clip), 4),
            "unknown": seen.unknown,
            "judged": len(drawn),
            "without_truth": len(frames) - len(drawn),
            "without_result": sum(shown.noticed or shown.result_age is None for shown in frames.values()),
        },
        "samples": {
            "answered": len(answers),
            "answered_per_second": round(len(answers) / clip.seconds, 2),
            "judged": len(asked),
        },
        "result_age_ms": _percentiles(ages),
        "picture_age_ms": _percentiles([shown.picture_age for shown in frames.values()]),
        "boxes_per_frame": _mean([len(shown.boxes) for shown in frames.values()]),
        "ids": None if things is None else _ids(follow(things, drawn), len(drawn) * clip.step / 60),
    }


def _ids(identity: Identity, minutes: float) -> Figures:
    """Whether things kept their ids, of all classes together."""
    return {
        "idf1": None if identity.idf1 is None else round(identity.idf1, 4),
        "switches": identity.switches,
        "switches_per_minute": round(identity.switches / minutes, 2) if minutes else None,
        "things": identity.things,
        "ids": identity.ids,
        "ids_per_thing": None if identity.ids_per_thing is None else round(identity.ids_per_thing, 2),
    }


def _measure(
    boxes: Mapping[int, Sequence[TrackedBox]], truth: Mapping[int, Labelled], classes: Sequence[str]
) -> dict[str, Accuracy]:
    # By number: of equal scores the earlier frame's counts first, whatever order they came in.
    numbers = sorted(boxes)
    return measure(
        [truth[number] for number in numbers], [_found(boxes[number], classes) for number in numbers], classes
    )


def _found(boxes: Sequence[TrackedBox], classes: Sequence[str]) -> Found:
    """Boxes as they are judged; one of a class that the model's label map lacks is of none that is judged."""
    known = [box for box in boxes if box.label in classes]
    return Found(
        boxes=np.array([box.box for box in known], np.float32).reshape(-1, 4),
        scores=np.array([box.score for box in known], np.float32),
        classes=np.array([classes.index(box.label) for box in known], np.int64),
    )


def _accuracies(shown: Mapping[str, Accuracy], sampled: Mapping[str, Accuracy]) -> dict[str, dict[str, Figures]]:
    return {name: {"shown": _rounded(shown[name]), "sampled": _rounded(sampled[name])} for name in shown}


def _rounded(accuracy: Accuracy) -> Figures:
    shares = {"ap50": accuracy.ap50, "precision": accuracy.precision, "recall": accuracy.recall}
    rounded = {name: None if math.isnan(share) else round(share, 4) for name, share in shares.items()}
    return {**rounded, "labelled": accuracy.labelled, "found": accuracy.found}


def _percentiles(seconds: Sequence[float]) -> dict[str, float | None]:
    """Median and 95th percentile, in milliseconds."""
    if not seconds:
        return {"p50": None, "p95": None}
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}


def _mean(counts: Sequence[int]) -> float | None:
    return round(sum(counts) / len(counts), 2) if counts else None
