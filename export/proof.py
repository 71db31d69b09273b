"""A written model is loaded as a stranger would load it, and compared with its source and its own contract.

An export makes these checks before it publishes anything, and `checkup` makes them again whenever it is asked.
Run as `python -m sightline_export.proof` this is the fresh process: it loads TensorFlow, waits for one line of JSON
with the paths, and answers with one line of JSON a check.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.signature import (
    CLASS_IDS,
    CLASS_NAMES,
    CONTRACT,
    CONTRACT_FILE,
    DETECTION_OUTPUTS,
    DETECTION_SCORES,
    INPUT_TENSOR,
    LABELS,
    LABELS_INDEX,
    LABELS_OUTPUTS,
    SERVING_DEFAULT,
    Contract,
)
from sightline_export.check import Check
from sightline_export.freeze import FrozenGraph
from sightline_export.golden import Golden, Rows
from sightline_export.versions import FROZEN_FILE
from sightline_export.warmup import read_warmup


def prove(version: Path, golden: Golden) -> Iterator[Check]:
    """Check the model in `version` against what its source answered; one check after the other, as they are made.

    Where `golden` has pictures and no answers, everything but the comparison with the source is checked.
    """
    contract = Contract.from_json((version / CONTRACT_FILE).read_text())
    model = tf.saved_model.load(str(version))
    yield _signatures(model, contract)
    alone = [_predict(model, golden.pictures[i : i + 1]) for i in range(len(golden.pictures))]
    rows = [Rows.of(outputs, 0) for outputs in alone]
    if golden.answers:
        yield _same_as_source(rows, golden)
    together = _predict(model, golden.pictures)
    yield _same_in_a_batch(rows, together, golden.tolerance)
    if (version / FROZEN_FILE).is_file():
        yield _same_when_frozen(version / FROZEN_FILE, rows, golden)
    yield _in_range(alone, rows)
    yield _labels(model, contract)
    yield _warmup(model, version)


def _predict(model: Any, pictures: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    outputs = model.signatures[SERVING_DEFAULT](**{INPUT_TENSOR: tf.constant(pictures)})
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def _signatures(model: Any, contract: Contract) -> Check:
    wanted = {
        SERVING_DEFAULT: {INPUT_TENSOR: ("uint8", [None, contract.height, contract.width, 3])},
        LABELS: {LABELS_INDEX: ("int64", [None])},
    }
    found = {
        name: {
            key: (spec.dtype.name, spec.shape.as_list())
            for key, spec in signature.structured_input_signature[1].items()
        }
        for name, signature in model.signatures.items()
    }
    outputs = {name: signature.structured_outputs for name, signature in model.signatures.items()}
    passed = (
        found == wanted
        and set(outputs[SERVING_DEFAULT]) == set(DETECTION_OUTPUTS)
        and all(spec.dtype == tf.float32 for spec in outputs[SERVING_DEFAULT].values())
        and set(outputs[LABELS]) == set(LABELS_OUTPUTS)
    )
    detail = f"uint8 [N, {contract.height}, {contract.width}, 3] in, {len(DETECTION_OUTPUTS)} float32 outputs"
    return Check("signatures", passed, detail if passed else f"found {found}")


def _same_as_source(rows: list[Rows], golden: Golden) -> Check:
    greatest, difference = _compare(golden.answers, rows)
    count = sum(len(answer.scores) for answer in golden.answers)
    detail = f"{count} detections on {len(rows)} pictures, {difference}"
    return Check("same as the source", greatest <= golden.tolerance, detail)


def _same_when_frozen(path: Path, rows: list[Rows], golden: Golden) -> Check:
    frozen = FrozenGraph(path)
    found = [Rows.of(frozen(golden.pictures[i : i + 1]), 0) for i in range(len(golden.pictures))]
    greatest, difference = _compare(rows, found)
    return Check("frozen graph = SavedModel", greatest <= golden.tolerance, difference)


def _compare(expected: list[Rows], found: list[Rows]) -> tuple[float, str]:
    """The greatest difference over all pictures, in numbers and in words."""
    apart = [one.difference(other) for one, other in zip(expected, found, strict=True)]
    worst = int(np.argmax(apart))
    if np.isfinite(apart[worst]):
        return apart[worst], f"greatest difference {apart[worst]:.1e}"
    counts = f"{len(expected[worst].scores)} detections against {len(found[worst].scores)}"
    return apart[worst], f"picture {worst + 1} differs: {counts}"


def _same_in_a_batch(rows: list[Rows], together: dict[str, NDArray[Any]], tolerance: float) -> Check:
    size = len(rows)
    name = f"batch of {size} = {size} batches of 1"
    if any(len(output) != size for output in together.values()):
        return Check(name, False, f"answers have shapes {', '.join(str(o.shape) for o in together.values())}")
    greatest, difference = _compare(rows, [Rows.of(together, i) for i in range(size)])
    return Check(name, greatest <= tolerance, difference)


def _in_range(alone: list[dict[str, NDArray[Any]]], rows: list[Rows]) -> Check:
    boxes = np.concatenate([row.boxes.reshape(-1) for row in rows])
    problems = []
    if not all(np.isfinite(output).all() for outputs in alone for output in outputs.values()):
        problems.append("some numbers are not finite")
    # Boxes may reach over the edge a little; pixels are in the tens and hundreds.
    if boxes.size and (boxes.min() < -1 or boxes.max() > 2):
        problems.append(f"boxes reach from {boxes.min():.1f} to {boxes.max():.1f}: pixels, not 0..1")
    if any((np.diff(outputs[DETECTION_SCORES], axis=1) > 0).any() for outputs in alone):
        problems.append("scores are not sorted")
    scores = np.concatenate([row.scores for row in rows])
    if scores.size and (scores.min() < 0 or scores.max() > 1):
        problems.append(f"scores reach from {scores.min():.2f} to {scores.max():.2f}, not within 0..1")
    best = f", best score {scores.max():.2f}" if scores.size else ""
    return Check("numbers in range", not problems, "; ".join(problems) or f"boxes in 0..1, scores sorted{best}")


def _labels(model: Any, contract: Contract) -> Check:
    outputs = model.signatures[LABELS](**{LABELS_INDEX: tf.constant([0, 0], tf.int64)})
    carried = {
        int(class_id): name.decode()
        for class_id, name in zip(outputs[CLASS_IDS].numpy()[1], outputs[CLASS_NAMES].numpy()[1], strict=True)
    }
    passed = carried == contract.labels and Contract.from_json(outputs[CONTRACT].numpy()[1]) == contract
    return Check("labels and contract", passed, f"{len(carried)} classes" if passed else f"carries {carried}")


def _warmup(model: Any, version: Path) -> Check:
    sizes = []
    for request in read_warmup(version):
        pictures = tf.make_ndarray(request.inputs[INPUT_TENSOR])
        if len(_predict(model, pictures)[DETECTION_SCORES]) != len(pictures):
            return Check("warm-up requests", False, f"the request of {len(pictures)} is answered with another number")
        sizes.append(str(len(pictures)))
    return Check("warm-up requests", bool(sizes), f"batches of {', '.join(sizes)} run")


def main() -> None:
    """The fresh process: paths on standard input, checks on standard output."""
    paths = json.loads(sys.stdin.readline())
    for check in prove(Path(paths["version"]), Golden.load(Path(paths["golden"]))):
        print(json.dumps(asdict(check)), flush=True)


if __name__ == "__main__":
    main()
