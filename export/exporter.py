"""The story of one export: load the source, write the model, prove it, publish it."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from export import checkpoint, frozen_graph, saved_model
from export.check import Check, Prove
from export.detector import Batch, Detector, Pictures, trace
from export.errors import CheckFailed, Unusable
from export.golden import Golden, Rows
from export.pictures import as_batch, drawn_pictures, read_pictures
from export.report import Report
from export.request import Request
from export.source import Kind
from export.versions import publish
from export.writer import write
from serving.signature import Contract

LOADERS: dict[Kind, Callable[[Request], Detector]] = {
    Kind.CHECKPOINT: checkpoint.load,
    Kind.FROZEN_GRAPH: frozen_graph.load,
    Kind.SAVED_MODEL: saved_model.load,
}


def export(request: Request, staged: Path, prove: Prove, say: Callable[[str], None]) -> Report:
    """Export `request.source` into `staged`, prove it, and rename it to the next version of `request.output`.

    Args:
        request: what to export.
        staged: an empty directory on the file system of `request.output`.
        prove: makes the checks; a fresh process, outside tests.
        say: takes one line of progress.

    Raises:
        Unusable: the source or the output cannot be used.
        CheckFailed: the written model does not do what its source does.
    """
    _leave_the_gpu_alone()
    say(f"loading {request.source.path.name}")
    detector = LOADERS[request.source.kind](request)
    say("reading pictures" if request.pictures else "drawing pictures")
    pictures = _pictures(request, detector)
    say(f"running the source on {len(pictures)} pictures, one by one")
    golden = _ask(request, detector, pictures)
    say("tracing the graph for batches of any size")
    function, batch, why_mapped = trace(detector, pictures)
    contract = _contract(request, detector, batch)
    say("writing the SavedModel")
    write(staged, function, contract, detector.keep)
    say("checking it in a fresh process")
    checks = _prove(prove, staged, golden, say)
    say("publishing it")
    version = publish(staged, request.output)
    return Report(version, request, contract, checks, _notes(detector, golden, why_mapped))


def _leave_the_gpu_alone() -> None:
    # TF32 on a GPU differs in the fourth digit, and the fresh process would find the memory taken.
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        return  # The caller has used TensorFlow before; so be it.


def _pictures(request: Request, detector: Detector) -> Pictures:
    found = drawn_pictures() if request.pictures is None else read_pictures(request.pictures)
    return as_batch(found, (detector.width, detector.height), detector.resize, detector.pad_value)


def _ask(request: Request, detector: Detector, pictures: Pictures) -> Golden:
    try:
        return Golden.ask(detector.reference, pictures)
    except (tf.errors.OpError, ValueError, TypeError, KeyError, IndexError) as error:
        shape = f"{detector.width}x{detector.height}"
        raise Unusable(f"{request.source.path} does not run on a {shape} picture: {error}") from error


def _contract(request: Request, detector: Detector, batch: Batch) -> Contract:
    provenance = {
        **request.provenance,
        "batch": batch,
        "fingerprint": request.fingerprint,
        "sightline": _version(),
        "tensorflow": str(tf.__version__),
    }
    return Contract(
        name=request.name,
        height=detector.height,
        width=detector.width,
        labels=dict(sorted(detector.labels.items())),
        resize=detector.resize,
        pad_value=detector.pad_value,
        min_score=detector.min_score,
        provenance=provenance,
    )


def _version() -> str:
    try:
        return importlib.metadata.version("sightline")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _prove(prove: Prove, staged: Path, golden: Golden, say: Callable[[str], None]) -> list[Check]:
    checks = []
    for check in prove(staged, golden):
        say(f"  {'ok  ' if check.passed else 'FAIL'} {check.name}: {check.detail}")
        checks.append(check)
    if failed := [check for check in checks if not check.passed]:
        raise CheckFailed("nothing exported: " + "; ".join(f"{check.name}: {check.detail}" for check in failed))
    if not checks:
        raise CheckFailed("nothing exported: no check was made")
    return checks


def _notes(detector: Detector, golden: Golden, why_mapped: str) -> list[str]:
    notes = list(detector.notes)
    if why_mapped:
        notes.append(f"batches are walked picture by picture inside the graph, and gain little: {why_mapped}")
    nameless = sorted(_classes(golden.answers) - set(detector.labels))
    if nameless:
        notes.append(f"the label map has no name for the classes {', '.join(map(str, nameless))} that were seen")
    if not any(len(rows.scores) for rows in golden.answers):
        notes.append("the source found nothing on these pictures: give some of your own with --pictures DIR")
    return notes


def _classes(answers: list[Rows]) -> set[int]:
    return {int(class_id) for rows in answers for class_id in rows.classes}
