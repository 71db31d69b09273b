"""What the service's process never loads, and by which name a module is known.

Who may import whom is held by import-linter (`make lint`), whose contracts stand in pyproject.toml.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.peers.required import REPOSITORY

HEAVY = ("tensorflow", "tensorflow_serving", "keras")

LATE = (
    "aiortc",
    "cryptography",
    "streamer.doctor.examination",
    "streamer.doctor.report",
    "streamer.http.forwarding",
    "streamer.source.container",
    "streamer.source.rtsp.listener",
    "streamer.source.rtsp.playing",
    "streamer.source.udp.hearing",
    "streamer.source.web",
    "streamer.webrtc.publisher",
    "streamer.webrtc.viewer",
)
"""What a service without streams does without."""

UNUSED = ("nats", "streamer.cluster", "streamer.clustering")
"""What a service does without that is no replica."""

EVERY_MODULE = f"""\
import importlib, pkgutil, sys, streamer
names = [module.name for module in pkgutil.walk_packages(streamer.__path__, "streamer.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names), *(name for name in sys.modules if name.partition(".")[0] in {HEAVY}))
"""


KEEPING = (
    "aiomqtt",
    "paho",
    "psycopg",
    "sqlite3",
    "streamer.archive",
    "streamer.events",
    "streamer.http.announcements",
    "streamer.http.exports",
    "streamer.http.kept_events",
    "streamer.outlets.delivery",
    "streamer.outlets.mqtt",
    "streamer.stream.album",
    "streamer.stream.events",
)
"""What a service does without that keeps nothing."""


def test_service_names_no_tensorflow() -> None:
    """No module of the service imports TensorFlow, not even inside a function."""
    for path in (REPOSITORY / "streamer").rglob("*.py"):
        heavy = {name for name in _imported(ast.parse(path.read_text())) if name.partition(".")[0] in HEAVY}
        assert not heavy, f"{path} imports {heavy}"


def test_service_loads_no_tensorflow() -> None:
    """Every module of the service, in whatever room, loaded in one process of its own, leaves TensorFlow out."""
    done = subprocess.run(
        [sys.executable, "-c", EVERY_MODULE], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    count, *heavy = done.stdout.split()
    files = list((REPOSITORY / "streamer").rglob("*.py"))
    assert (int(count), heavy) == (len(files) - 1, [])  # streamer/__init__.py is imported to look for the others


def test_service_starts_without_kinds_of_cameras_doctor_and_webrtc() -> None:
    """What opens a camera, examines one, or shows one by WebRTC is loaded with the first; what is not used, never."""
    code = f"import sys, streamer.app; print(*(name for name in {LATE + UNUSED} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_service_without_an_archive_loads_nothing_of_it() -> None:
    """What makes events, keeps and serves them is loaded where the configuration has a section `archive`."""
    code = f"import sys, streamer.app; print(*(name for name in {KEEPING} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_is_loaded_late_is_there() -> None:
    """The modules that the service starts without exist by these names."""
    assert [name for name in (*LATE, *UNUSED, *KEEPING) if name.startswith("streamer.") and not _is_module(name)] == []


@pytest.mark.parametrize("folder", ["export", "models", "serving", "streamer", "scripts", "tests"])
def test_a_module_has_one_name(folder: str) -> None:
    """Nothing names a module by its folder in the repository, export.x: it would be loaded a second time."""
    for path in (REPOSITORY / folder).rglob("*.py"):
        for name in _names(ast.parse(path.read_text())):
            module = re.fullmatch(r"((?:export|models)(?:\.\w+)*)(?::\w+)?", name)
            assert not (module and _is_module(module[1])), f"{path} names {name}"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _names(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported, and every text that could name one."""
    yield from _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            yield node.value


def _is_module(name: str) -> bool:
    path = REPOSITORY / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()
