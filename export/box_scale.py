"""Whether a source's boxes count pixels or fractions of its input, as far as that shows on pictures. Pure.

The same names and shapes are written with either: Ultralytics' format=tflite beside its format=saved_model, Model
Garden with output_normalized_coordinates. Read as the other, boxes are a hundredth of a pixel wide or as large as the
picture, and still agree with their source.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline_export.decoding import BoxScale, Decoding
from sightline_export.family import Family

FRACTIONS = 2.0
"""How far boxes in 0..1 reach at the most: a little over the edge."""
WORDS = {"pixels": "pixels", "normalised": "fractions of the picture"}


class Seen(NamedTuple):
    """What a source answered on one picture, before anything is made of it."""

    boxes: NDArray[Any]
    """[A, 4], in any order of the four numbers."""
    scores: NDArray[Any]
    """[A, C]."""
    classes: NDArray[Any] | None
    """[A], where it names them itself."""


def settle(
    decoding: Decoding, answers: Iterator[Seen], size: tuple[int, int], family: Family | None, *, said: bool
) -> tuple[Decoding, list[str]]:
    """The decoding with the scale that the boxes are seen to have, and what there is to say of that.

    Args:
        decoding: as the family or the user has it.
        answers: at least one; as many are taken as are needed.
        size: height and width of the input, in pixels.
        family: what the source was recognised as, if it was.
        said: the user has said how boxes are meant, and so decides.

    Raises:
        ValueError: the rows are not the family's, or pictures do not show what nobody said; what follows a path.
    """
    how = decoding.boxes
    if how.anchors is not None:
        return decoding, []
    first = next(answers)
    if family is not None and not _names_classes(first):
        raise ValueError(
            f"has rows like those of {family.name}, but no whole numbers for classes: describe its tensors with "
            "--outputs boxes=NAME scores=NAME and --decode FILE.yaml (of YOLOv5, scores: {objectness: true})"
        )
    scale, reach = seen_scale(chain([first], answers), size)
    if scale == how.scale:
        return decoding, []
    if said:
        doubt = f"its boxes reach to {reach:.3g}, like {WORDS[scale]}, and are read as {how.scale}" if scale else ""
        return decoding, [doubt] if doubt else []
    option = f"--decode FILE.yaml with boxes: {{format: {how.format}, scale: pixels}}, or normalised"
    if scale is None:
        if family is None or not family.either_scale:
            return decoding, []
        raise ValueError(
            f"may count boxes in pixels or in fractions, and on these pictures they reach to {reach:.3g}: give some on "
            f"which it finds something, --pictures DIR, or say it, {option}"
        )
    if family is None:
        raise ValueError(f"has boxes that reach to {reach:.3g}, which are no fractions: say what they count, {option}")
    settled = decoding.model_copy(update={"boxes": how.model_copy(update={"scale": scale})})
    return settled, [f"its boxes are {WORDS[scale]}, not {WORDS[how.scale]} as {family.name} usually has them"]


def seen_scale(answers: Iterable[Seen], size: tuple[int, int]) -> tuple[BoxScale | None, float]:
    """What the boxes count, and how far they reach; None where that would do for either, or there are none."""
    reach = 0.0
    for answer in answers:
        boxes = answer.boxes[(answer.scores > 0).any(axis=1)]
        boxes = np.abs(boxes[np.isfinite(boxes).all(axis=1)])
        # Not the farthest: one of thousands may be anywhere.
        reach = max(reach, float(np.percentile(boxes, 99)) if boxes.size else 0.0)
        if reach >= max(2 * FRACTIONS, min(size) / 16):
            return "pixels", reach
        if 0 < reach <= FRACTIONS:
            return "normalised", reach
    return None, reach


def _names_classes(answer: Seen) -> bool:
    """Whether its classes are whole numbers, as far as it names any in rows that count."""
    if answer.classes is None:
        return True
    classes = answer.classes[(answer.scores > 0).any(axis=1)]
    return bool((classes == np.round(classes)).all())
