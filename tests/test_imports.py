"""Who may import whom, held with `ast`; CONTRIBUTING.md says why.

Names are counted wherever they stand, inside functions and under TYPE_CHECKING too.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.peers.required import REPOSITORY

SITE = REPOSITORY / "site"
"""What is installed, by the names it is imported by."""

VALUES = {"frame", "packet", "detections", "buffer", "errors", "clock", "url", "passwords"}
STAGES = {
    "source",
    "ingress",
    "sampler",
    "batcher",
    "predictor",
    "tracker",
    "aligner",
    "annotator",
    "encoder",
    "publisher",
    "session",
}
JOINTS = {"pipeline", "model", "view", "streams", "api", "whep", "whip", "service", "reconciler", "policy", "doctor"}
"""Who joins stages: pipeline a whole stream, model batcher and predictor, view what viewers see; and who owns those, or
answers for them over HTTP; and doctor, who examines a source."""

PARTS = {"decoder": {"ingress"}, "peer": {"ingress", "session"}, "signalled": {"ingress", "session"}}
"""Files that belong to a stage because it outgrew one file, or to the two that speak WebRTC."""

OURS = {"serving", "sightline_export", "sightline_models", "streamer"}
"""The packages that are installed: the names in site/."""

WIRE = {"serving", "serving.signature", "serving.resize", "serving.wire"}
"""What the service may know of serving/: the contract, the resize rule, and the messages."""


@cache
def imports(package: str) -> dict[str, dict[str, set[str]]]:
    """Give, for each module of a package, the modules of ours and TensorFlow's it imports, with the names taken."""
    return {
        path.relative_to(SITE).with_suffix("").as_posix().replace("/", "."): _imports(path)
        for path in sorted((SITE / package).rglob("*.py"))
    }


def _imports(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.setdefault(alias.name, set())
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                # `from streamer.values import url` takes a module, `from streamer.values.url import redact` a name.
                submodule = f"{node.module}.{alias.name}"
                if _is_module(submodule):
                    found.setdefault(submodule, set())
                else:
                    found.setdefault(node.module, set()).add(alias.name)
    ours = (*OURS, "tensorflow", "tensorflow_serving")
    return {module: names for module, names in found.items() if module.split(".")[0] in ours}


def _is_module(name: str, root: Path = SITE) -> bool:
    path = root / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def streamer() -> dict[str, dict[str, set[str]]]:
    """Give the service's own imports by file; a stage that is a folder counts as one file."""
    joined: dict[str, dict[str, set[str]]] = {}
    for module, used in imports("streamer").items():
        file = module.split(".")[1]
        for name, names in used.items():
            short = name.split(".")[1] if name.startswith("streamer.") else name
            if short != file:
                joined.setdefault(file, {}).setdefault(short, set()).update(names)
        joined.setdefault(file, {})
    return joined


def test_values_import_nothing_of_ours() -> None:
    """A value knows nothing but other values."""
    for file in VALUES & streamer().keys():
        assert streamer()[file].keys() <= VALUES, file


@pytest.mark.parametrize("stage", sorted(STAGES & streamer().keys()))
def test_stage_imports_values_only(stage: str) -> None:
    """A stage knows values and what itself knows nothing of ours; no other stage, neither config nor metrics."""
    every = streamer()
    simple = {file for file, used in every.items() if used.keys() <= {"errors"}} - STAGES - {"config", "metrics"}
    allowed = VALUES | simple | WIRE | {part for part, owners in PARTS.items() if stage in owners}
    for used in every[stage]:
        assert used in allowed, f"{stage} imports {used}"


def test_only_joints_know_stages() -> None:
    """Nobody knows a stage but who joins it."""
    for file, used in streamer().items():
        if file not in JOINTS | STAGES | PARTS.keys():
            assert not used.keys() & STAGES, f"{file} knows {used.keys() & STAGES}"


def test_few_read_the_configuration() -> None:
    """The configuration is read by the command line and where the service is joined, and handed on as plain arguments.

    Beside them, by those whose matter it is: which streams there are to be, who changes that, and an edited file.
    """
    assert {file for file, used in streamer().items() if "config" in used} <= {
        "app", "service", "reconciler", "access", "cli", "policy", "roster", "stream_changes", "reload",
    }  # fmt: skip


def test_metrics_stay_out_of_the_story() -> None:
    """Metrics are known to those who serve them; stages count in plain integers."""
    assert {file for file, used in streamer().items() if "metrics" in used} <= {"service", "api", "keys"}


def test_service_knows_only_the_wire() -> None:
    """The service imports the contract and the messages of serving/, the command of export/, nothing of models/.

    `evaluate` judges boxes as models/ does: by serving.accuracy.
    """
    allowed = WIRE | {"sightline_export.cli"}
    for file, used in streamer().items():
        foreign = {name for name in used if name.split(".")[0] in OURS - {"streamer"}}
        if file == "evaluate":
            foreign -= {"serving.accuracy"}
        assert foreign <= allowed, f"{file} imports {foreign - allowed}"


@pytest.mark.parametrize("package", sorted(OURS - {"streamer"}))
def test_nobody_knows_the_service(package: str) -> None:
    """serving/, export/ and models/ know nothing of streamer/."""
    knowing = {module for module, used in imports(package).items() if any(name.startswith("streamer") for name in used)}
    assert knowing == set()


@pytest.mark.parametrize("folder", ["export", "models", "serving", "streamer", "scripts", "tests"])
def test_a_module_has_one_name(folder: str) -> None:
    """Nothing names a module by its folder in the repository, export.x: it would be loaded a second time."""
    for path in (REPOSITORY / folder).rglob("*.py"):
        for name in _names(ast.parse(path.read_text())):
            module = re.fullmatch(r"((?:export|models)(?:\.\w+)*)(?::\w+)?", name)
            assert not (module and _is_module(module[1], REPOSITORY)), f"{path} names {name}"


def _names(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported, and every text that could name one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            yield node.value


def test_service_names_no_tensorflow() -> None:
    """No module of the service imports TensorFlow, not even inside a function."""
    for module, used in imports("streamer").items():
        assert not [name for name in used if name.startswith("tensorflow")], module


def test_service_loads_no_tensorflow() -> None:
    """Everything the service imports, loaded in a process of its own, leaves TensorFlow out."""
    modules = [f"streamer.{path.stem}" for path in (REPOSITORY / "streamer").glob("*.py") if path.stem != "__main__"]
    script = (
        f"import importlib, sys; [importlib.import_module(name) for name in {modules}];"
        "sys.exit(' '.join(name for name in sys.modules if name.startswith(('tensorflow', 'keras'))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", sorted(OURS))
def test_no_import_cycles(package: str) -> None:
    """Modules of a package never import each other in a circle."""
    graph = {module: set(used) & imports(package).keys() for module, used in imports(package).items()}
    TopologicalSorter(graph).prepare()
