"""The repository's promises: what is committed and what is not, links, verbs, locks."""

import ast
import io
import os
import re
import subprocess
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.peers.required import REPOSITORY

MEGABYTE = 1 << 20
LOCKS = ("requirements-service.lock", "requirements.lock", "requirements-dev.lock")


def tracked(*patterns: str) -> list[Path]:
    """Give the files git knows, those about to be committed included."""
    done = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return [path for name in done.stdout.split("\0") if name and (path := REPOSITORY / name).is_file()]


def relative(path: Path) -> str:
    """Give a path as the repository sees it."""
    return path.relative_to(REPOSITORY).as_posix()


def test_large_files_are_weights() -> None:
    """No file is larger than 2 MB but a model's checkpoint."""
    large = [relative(path) for path in tracked() if path.stat().st_size > 2 * MEGABYTE]
    assert [name for name in large if not re.fullmatch(r"models/\w+/(?:.+/)?ckpt-\d+\.data-00000-of-00001", name)] == []


def test_no_pictures_of_others() -> None:
    """No photo and no clip is committed but pictures of the page for the documentation."""
    pictures = tracked("*.jpg", "*.jpeg", "*.png", "*.mp4", "*.mkv", "*.h264")
    assert [relative(path) for path in pictures if not relative(path).startswith("docs/")] == []


def test_no_paths_of_one_machine() -> None:
    """No file names a folder that only its author's machine has."""
    local = re.compile(r"(?<![\w.~-])/(?:work|root|Users|home/(?!sightline\b)\w+|opt/(?!sightline\b)py\w+)/")
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        assert not (found := local.search(text)), f"{relative(path)} names {found}"


def test_locks_name_no_index() -> None:
    """A lock says what is installed, not from which server."""
    for name in LOCKS:
        assert not re.search(r"https?:|file:|--(?:extra-)?index-url|--find-links", (REPOSITORY / name).read_text()), (
            name
        )


def pins(lock: str) -> dict[str, str]:
    """Give what a lock pins, name to version."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (REPOSITORY / lock).read_text(), re.MULTILINE))


def test_locks_satisfy_the_project() -> None:
    """Every dependency of pyproject.toml is pinned at a version it allows."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    service = project["dependencies"] + extras["postgres"] + extras["s3"] + extras["cluster"]
    wanted = [service, service + extras["model"]]
    for lock, requirements in zip(LOCKS, [*wanted, wanted[1] + extras["dev"]], strict=True):
        for requirement in map(Requirement, requirements):
            pinned = pins(lock).get(canonicalize_name(requirement.name))
            assert pinned, f"{lock} lacks {requirement.name}"
            assert requirement.specifier.contains(pinned), f"{lock} pins {requirement.name} {pinned}"


def test_locks_agree() -> None:
    """Each lock holds all of the smaller one, at the same versions, so that tests run what is installed."""
    service, model, dev = (pins(lock).items() for lock in LOCKS)
    assert service < model < dev


def test_make_lists_its_verbs() -> None:
    """`make` alone lists every verb with what it does."""
    done = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True, env=_outside_make())
    verbs = re.findall(r"^  make (\w+) +\S", done.stdout, re.MULTILINE)
    assert verbs == ["help", "install", "demo", "test", "soak", "faults", "lint", "format", "bench", "clean"]


def _outside_make() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def test_ci_runs_what_a_person_runs() -> None:
    """CI runs every check and every test, by the verbs a person has for them."""
    ci = REPOSITORY / ".ci" / "run"
    assert os.access(ci, os.X_OK)
    assert re.search(r"\bmake\b.* lint test\b", ci.read_text())


@pytest.mark.parametrize("package", ["export", "models", "serving", "streamer", "tests"])
def test_modules_say_what_they_are(package: str) -> None:
    """Every module that holds code begins with a docstring."""
    silent = [
        path for path in tracked(f"{package}/*.py") if (text := path.read_text().strip()) and not _docstring(text)
    ]
    assert [relative(path) for path in silent] == []


def _docstring(text: str) -> str | None:
    return ast.get_docstring(ast.parse(text))


def test_tests_say_what_they_hold() -> None:
    """Every test states its rule in a docstring."""
    silent = [
        f"{relative(path)}: {node.name}"
        for path in tracked("tests/**/test_*.py", "tests/test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


OTHERS = {
    *("exporter.py", "exporter_main_v2.py", "exporter_lib_v2.py", "export_inference_graph.py", "model_main_tf2.py"),
    *("detection.py", "preprocess_ops.py", "multiple_grid_anchor_generator.py"),  # TensorFlow's research and models
    *("serialization.py", "export.py"),  # PyTorch's, Ultralytics'
    *("json.py", "random.py", "file.py", "mynet.py", "layers.py"),  # a user's own
    *("x.py", "test_x.py"),  # any
}
"""Files that are named and are not ours."""


def texts() -> Iterator[tuple[Path, str]]:
    """Give what people read: pages, comments and docstrings of modules, and what configures and shows the rest."""
    for path in tracked("*.md", "*.toml", "*.yaml", "*.yml", "*.css", "*.html", "*.js", "Makefile"):
        yield path, path.read_text()
    for path in tracked("*.py"):
        text = path.read_text()
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield path, token.string
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                yield path, str(node.value.value)


def test_files_that_are_named_are_there() -> None:
    """Every Python file that a document, a comment or a docstring names is there, by that path or by the end of it."""
    ours = [f"/{relative(path)}" for path in tracked("*.py")]
    missing = {
        f"{relative(path)}: {name}"
        for path, text in texts()
        for name in re.findall(r"(?<![\w./-])((?:[\w.-]+/)*[\w-]+\.py)\b", text)
        if name.rpartition("/")[2] not in OTHERS
        if not any(file.endswith(f"/{name}") for file in ours) and not (path.parent / name).is_file()
    }
    assert missing == set()


def test_links_are_called_what_they_lead_to() -> None:
    """A link whose text is a file's name leads to a file of that name."""
    wrong = [
        f"{relative(page)}: {found[0]}"
        for page in tracked("*.md")
        for found in re.finditer(r"\[`?([\w./-]+\.(?:py|md|yaml|js))`?\]\(([^)#\s]+)", page.read_text())
        if Path(found[1]).name != Path(found[2]).name
    ]
    assert wrong == []


def rooms() -> list[Path]:
    """Give the folders the service is made of, and the folders in these."""
    return sorted({path.parent for path in tracked("streamer/*/__init__.py")})


@pytest.mark.parametrize("room", rooms(), ids=lambda room: relative(room).removeprefix("streamer/"))
def test_rooms_say_what_is_in_them(room: Path) -> None:
    """Every room has its word in the glossary and its place among those who may know each other, and says what it is.

    One that lists its files lists all of them, those of a folder in it too, and so does that folder.
    """
    said = _docstring((room / "__init__.py").read_text()) or ""
    files = {path.name for path in tracked(f"{relative(room)}/*.py")} - {"__init__.py"}
    assert len(said.splitlines()) >= 3
    if re.search(r"^\w+\.py", said, re.MULTILINE):
        assert files <= set(re.findall(r"\w+\.py", said))
    if room.parent.name != "streamer":
        return
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", (REPOSITORY / "docs" / "glossary.md").read_text(), re.MULTILINE)
    assert room.name in {word for entry in words for word in entry.split(", ")}
    assert f"`{room.name}`" in (REPOSITORY / "CONTRIBUTING.md").read_text()


LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def links() -> Iterator[tuple[Path, str]]:
    """Give every link and picture of the documentation that stays inside the repository."""
    for page in tracked("*.md"):
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
        for link in LINK.finditer(text):
            target = link[1] or link[2]
            if not re.match(r"\w+:", target):
                yield page, target


def test_links_lead_somewhere() -> None:
    """Every relative link of the documentation names a file that is there, and a heading it has."""
    broken = []
    for page, target in links():
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in _anchors(file)):
            broken.append(f"{relative(page)}: {target}")
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """Give the anchors GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
