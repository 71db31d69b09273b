"""A path ─► what lies there. Label maps, pipeline.config and exports are read at once; the rest needs TensorFlow."""

import shlex
from collections.abc import Callable
from pathlib import Path

from serving.signature import (
    CONTRACT_FILE,
    DETECTION_BOXES,
    DETECTION_CLASSES,
    DETECTION_SCORES,
    INPUT_TENSOR,
    NUM_DETECTIONS,
    Contract,
    ContractError,
)
from sightline_export.errors import Unusable
from sightline_export.golden import GOLDEN
from sightline_export.inspection import Inspection
from sightline_export.label_map import read_label_map
from sightline_export.pipeline_model import read_pipeline_model
from sightline_export.report import printable, serve_command
from sightline_export.source import BUNDLED_CHECKPOINT, Kind, Source, recognise
from sightline_export.tensors import Tensor
from sightline_export.versions import FROZEN_FILE, versions

INSPECTABLE = "any source of an export, an exported version, a pipeline.config or a label map"


def inspect(path: Path, tensorflow: Callable[[], None]) -> Inspection:
    """Say what lies at `path`.

    Args:
        path: a file, a directory, or the prefix of a checkpoint.
        tensorflow: imports TensorFlow, which takes seconds; called only if the answer needs it.

    Raises:
        Unusable: nothing is there, or it is of a kind that is not read, or it cannot be read.
    """
    if path.is_file() and path.suffix in (".pbtxt", ".txt", ".json"):
        return _label_map(path)
    if path.is_file() and path.suffix == ".config":
        return _pipeline_config(path)
    source = recognise(path)
    if (source.path / CONTRACT_FILE).is_file():
        return _exported(path, source)
    tensorflow()
    from sightline_export.model_inspector import inspect_model

    return inspect_model(source, _command(source))


def _label_map(path: Path) -> Inspection:
    if path.name == Path(CONTRACT_FILE).name and _is_contract(path):
        raise Unusable(f"{path} is the contract of an export: inspect its version directory, {path.parent.parent}")
    labels = read_label_map(path)
    return Inspection(
        path,
        "label map",
        _files([path]),
        classes=labels,
        command=f"sightline export SOURCE --labels {shlex.quote(str(path))} --output models/served/NAME",
    )


def _is_contract(path: Path) -> bool:
    try:
        Contract.from_json(path.read_text())
    except (OSError, ContractError):
        return False
    return True


def _pipeline_config(path: Path) -> Inspection:
    found = read_pipeline_model(path)
    suppression = ", ".join(f"{name} {value:g}" for name, value in found.suppression.items())
    facts = {"architecture": f"{found.architecture}, {found.feature_extractor or 'no feature extractor named'}"}
    facts |= {"classes": f"{found.num_classes}, named in {found.label_map or 'no file'}", "resizer": found.resizer}
    notes = [] if found.input_size else ["no fixed input size: choose one with --input-size WIDTHxHEIGHT"]
    return Inspection(
        path,
        "pipeline.config of the Object Detection API",
        _files([path]),
        input_size=found.input_size,
        detector="yes: TensorFlow Object Detection API; needs that library and the checkpoint of its training",
        facts=facts | ({"nms": suppression} if suppression else {}),
        command=f"sightline export --pipeline_config_file={shlex.quote(str(path))} --checkpoint_dir=TRAINING "
        "--output models/served/NAME",
        notes=notes,
    )


def _exported(path: Path, source: Source) -> Inspection:
    version = source.path
    try:
        contract = Contract.from_json((version / CONTRACT_FILE).read_text())
    except (OSError, ContractError) as error:
        raise Unusable(f"cannot read {version / CONTRACT_FILE}: {error}") from error
    found = contract.provenance
    facts: dict[str, object] = {
        "name": contract.name,
        "resize": contract.resize + (f", grey {contract.pad_value}" if contract.resize == "letterbox" else ""),
        "min_score": f"{contract.min_score:g}",
        "findings": ", ".join(map(printable, contract.findings)) or "none",
        "batch": found.get("batch", "unknown"),
        "source": [f"{found.get('kind', 'unknown')}", *(f"{n}  sha256 {d}" for n, d in found.get("files", {}).items())],
        "written by": f"Sightline {found.get('sightline', '?')}, TensorFlow {found.get('tensorflow', '?')}",
    }
    if changes := found.get("changes"):
        facts["changed"] = changes
    if version != path:
        facts["versions"] = f"{', '.join(map(str, versions(path)))}; this is {version.name}"
    facts["golden"] = "answers are kept: see --check" if (version / GOLDEN).is_dir() else "no answers are kept"
    if (version / FROZEN_FILE).is_file():
        facts["frozen"] = FROZEN_FILE
    return Inspection(
        version,
        "SavedModel, exported by Sightline",
        {name: file.stat().st_size for name, file in source.files.items() if not name.startswith(GOLDEN)},
        inputs=[Tensor(INPUT_TENSOR, "uint8", (None, contract.height, contract.width, 3))],
        outputs=[
            Tensor(DETECTION_BOXES, "float32", (None, None, 4)),
            Tensor(DETECTION_SCORES, "float32", (None, None)),
            Tensor(DETECTION_CLASSES, "float32", (None, None)),
            Tensor(NUM_DETECTIONS, "float32", (None,)),
        ],
        input_size=(contract.width, contract.height),
        classes=contract.labels,
        detector="yes: Sightline's own signature",
        facts=facts,
        command=serve_command(contract.name, version.parent),
    )


def _files(paths: list[Path]) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in paths}


def _command(source: Source) -> str:
    """The command line as far as the path decides it."""
    if source.path.parent.resolve() == BUNDLED_CHECKPOINT.resolve():
        return "sightline export --output models/served/insulators"
    builder = " --builder path/to/file.py:function" if source.kind is Kind.CHECKPOINT else ""
    # A checkpoint or graph is called as its directory is: ckpt-12 says less than runs/7.
    path = source.path.resolve()
    name = path.name if source.kind is Kind.SAVED_MODEL and path.name != "saved_model" else path.parent.name
    return f"sightline export {shlex.quote(str(source.path))}{builder} --output models/served/{shlex.quote(name)}"
