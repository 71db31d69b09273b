"""The story of one export: load the source, write the model, prove it, publish it."""

import importlib.metadata
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from serving.signature import Contract, ContractError
from sightline_export import checkpoint, frozen_graph, keras_model, object_detection_api, saved_model, tf1_checkpoint
from sightline_export.check import Check, Prove
from sightline_export.detector import Detector, Pictures, trace
from sightline_export.digests import write_digests
from sightline_export.errors import CheckFailed, Unusable
from sightline_export.findings import choose_findings
from sightline_export.freeze import write_frozen
from sightline_export.golden import GOLDEN, TOLERANCE, Golden, Rows
from sightline_export.pictures import as_batch, drawn_pictures, read_pictures
from sightline_export.report import Report
from sightline_export.request import Request
from sightline_export.source import Kind
from sightline_export.suppression_ops import suppression_ops
from sightline_export.versions import publish
from sightline_export.writer import write, writing

LOADERS: dict[Kind, Callable[[Request], Detector]] = {
    Kind.CHECKPOINT: checkpoint.load,
    Kind.TF1_CHECKPOINT: tf1_checkpoint.load,
    Kind.FROZEN_GRAPH: frozen_graph.load,
    Kind.KERAS: keras_model.load,
    Kind.SAVED_MODEL: saved_model.load,
    Kind.PIPELINE: object_detection_api.load,
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
    given = detector.findings if request.findings is None else request.findings
    findings = choose_findings(given, detector.labels.values())
    _contract(request, detector, findings, {})  # what nobody could serve is said before minutes are spent on it
    pictures = _pictures(request, detector)
    say(f"running the source on {len(pictures)} pictures, one by one")
    golden = _ask(request, detector, pictures)
    say("tracing the graph for batches of any size")
    function, batch, why_mapped = trace(detector, pictures)
    changes = _changes(request, detector, why_mapped)
    found = {"batch": batch, "changes": changes, "nms": suppression_ops(_graph(function))}
    contract = _contract(request, detector, findings, found)
    with writing(request.output):
        say("writing the SavedModel")
        write(staged, function, contract, detector.keep)
        if request.frozen:
            say("freezing the graph")
            write_frozen(staged, function.get_concrete_function())
        golden.save(staged / GOLDEN, pictures=request.pictures is None or request.keep_pictures)
        write_digests(staged)
    say("checking it in a fresh process")
    checks = _prove(prove, staged, golden, say)
    say("publishing it")
    version = publish(staged, request.output)
    return Report(version, request, contract, checks, _notes(request, detector, golden))


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


def _graph(function: Any) -> Any:
    try:
        return function.get_concrete_function().graph.as_graph_def()
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise Unusable(f"the detector cannot be traced as a graph: {error}") from error


def _changes(request: Request, detector: Detector, why_mapped: str) -> list[str]:
    """What the written model does otherwise than its source."""
    changes = list(detector.changes)
    if why_mapped:
        changes.append(f"batches are walked picture by picture inside the graph, and gain little: {why_mapped}")
    if request.input_size is not None:
        changes.append(f"its input is fixed at {detector.width}x{detector.height}")
    if request.labels is not None:
        changes.append(f"its classes are named by {request.labels.name}")
    return changes


def _contract(request: Request, detector: Detector, findings: tuple[str, ...], found: dict[str, Any]) -> Contract:
    provenance = {
        **request.provenance,
        **detector.provenance,
        **found,
        "input": {"dtype": "uint8", "range": [0, 255], "color_order": "RGB"},
        "boxes": "ymin, xmin, ymax, xmax in 0..1",
        "tolerance": TOLERANCE,
        "fingerprint": request.fingerprint,
        "sightline": _version("sightline"),
        "tensorflow": str(tf.__version__),
        "tools": {"python": platform.python_version(), "keras": _version("keras"), "numpy": _version("numpy")},
    }
    contract = Contract(
        name=request.name,
        height=detector.height,
        width=detector.width,
        labels=dict(sorted(detector.labels.items())),
        resize=detector.resize,
        pad_value=detector.pad_value,
        min_score=detector.min_score,
        findings=findings,
        provenance=provenance,
    )
    try:
        Contract.from_json(contract.to_json())  # as whoever asks the model will, who refuses it
    except ContractError as error:
        raise Unusable(f"{request.source.path} cannot be exported: {error}") from error
    return contract


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
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


def _notes(request: Request, detector: Detector, golden: Golden) -> list[str]:
    notes = list(detector.notes)
    if request.pictures is not None and not request.keep_pictures:
        notes.append(f"your pictures are not kept with the model: check it again with --pictures {request.pictures}")
    nameless = sorted(_classes(golden.answers) - set(detector.labels))
    if nameless:
        notes.append(f"the label map has no name for the classes {', '.join(map(str, nameless))} that were seen")
    if not any(len(rows.scores) for rows in golden.answers):
        notes.append("the source found nothing on these pictures: give some of your own with --pictures DIR")
    return notes


def _classes(answers: list[Rows]) -> set[int]:
    return {int(class_id) for rows in answers for class_id in rows.classes}
