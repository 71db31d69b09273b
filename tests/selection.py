"""Which test files need a browser, TensorFlow or a real camera, which mostly wait, and which need no quiet machine.

The first are what `--fast`, and so `make test-fast`, leaves out. Nobody marks them. A file needs what it imports at its
top, what that imports in turn as far as it is ours, and what the fixtures bring that its tests ask for. Read, not
imported: importing TensorFlow to find out would take half the time.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

SLOW_MODULES = (
    "keras",
    "playwright",
    "sightline_models.insulators.footage",
    "tensorflow",
    "streamer.tools.child",
    "tests.peers.gst_peer",
    "tests.peers.process",
    "tests.peers.rtsp_server",
    "tests.peers.whip_publisher",
)
"""A browser, TensorFlow, a camera, be it one that sends by WebRTC or a film that is rendered, and any other program
that is started and waited for."""
SLOW_FIXTURES = frozenset({"browser", "chromium", "index_model", "model_server", "page"})
"""Those of conftest.py that start one."""

WAITING = ("cluster", "doctor", "source")
"""Folders the tests of which mostly wait, for a camera's or a replica's silence to be long enough, or an examination to
be over.

Eight minutes of the machine doing nothing: `make test` runs them several at a time, before and not beside the others,
which keep the machine busy."""

STEADY = (
    *("annotate", "archive", "deploy", "export", "http", "models", "outlets", "serving", "tools"),
    *("web/test_browser_access.py", "web/test_browser_adding.py", "web/test_browser_alerts.py"),
    *("web/test_browser_console.py", "web/test_browser_detect.py", "web/test_browser_events.py"),
    *("web/test_browser_proxy.py", "web/test_browser_recordings.py", "web/test_browser_sign_on.py"),
    *("web/test_browser_zones.py", "web/test_page.py", "web/test_sign_in.py"),
)
"""Folders, and files, of slow tests that hold whoever else keeps the machine busy: no camera's pace is seen in them.

`make test` runs them two at a time. A file that is in none of these has the machine for itself."""

PACKAGES = {
    "serving": "serving",
    "sightline_export": "export",
    "sightline_models": "models",
    "streamer": "streamer",
    "tests": "tests",
}
"""Where our own packages lie."""


@cache
def is_slow(path: Path) -> bool:
    """Whether a test file needs one of those."""
    tree = _tree(path)
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    asked = {argument.arg for function in functions for argument in function.args.args}
    return bool(asked & SLOW_FIXTURES) or any(_is_one_of(name, SLOW_MODULES) for name in reached(path))


def is_waiting(path: Path) -> bool:
    """Whether a test file lies where tests mostly wait."""
    return path.relative_to(REPOSITORY / "tests").parts[0] in WAITING


def is_steady(path: Path) -> bool:
    """Whether a test file holds whoever else keeps the machine busy."""
    return path.relative_to(REPOSITORY / "tests").as_posix().startswith(STEADY)


def reached(path: Path) -> set[str]:
    """Every module that importing a file imports, as far as our own files tell."""
    found, waiting, read = set[str](), [path], set[Path]()
    while waiting:
        file = waiting.pop()
        if file in read:
            continue
        read.add(file)
        for name in _imports(file):
            found.add(name)
            # conftest.py and the peers' face are read by every test; they import nothing slow that is not asked for.
            waiting += [ours] if (ours := _file_of(name)) is not None else []
    return found


def _is_one_of(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _imports(path: Path) -> frozenset[str]:
    return frozenset(_named(_tree(path).body))


def _named(body: list[ast.stmt]) -> Iterator[str]:
    """The modules that statements import when they run; those inside functions are not run."""
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
        elif isinstance(statement, (ast.Try, ast.With)) or (
            isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.unparse(statement.test)
        ):
            yield from _named(statement.body)


@cache
def _file_of(name: str) -> Path | None:
    """Where a module of ours lies; None: it is not ours, or no module."""
    first, *rest = name.split(".")
    if first not in PACKAGES:
        return None
    path = REPOSITORY.joinpath(PACKAGES[first], *rest)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)
