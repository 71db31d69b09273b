"""What is installed: its names, its files, and that the directory it is started in has no say in it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from streamer.tools.child import Child
from tests.peers.required import REPOSITORY

NAMES = {"serving", "sightline_export", "sightline_models", "streamer"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that the wheel of this repository was installed into."""
    built, target = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    pack = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built)]
    subprocess.run(pack, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--no-compile",
        "--target",
        str(target),
    ]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    return target


def test_four_names_are_installed(installed: Path) -> None:
    """The package brings its four names, its command and its metadata, and nothing that could be a user's."""
    found = {path.name for path in installed.iterdir()}
    assert {name for name in found if not name.endswith(".dist-info")} == NAMES | {"bin"}
    assert [path.name for path in (installed / "bin").iterdir()] == ["sightline"]


def test_everything_is_installed(installed: Path) -> None:
    """Every file of the packages and of the page is there, under its installed name."""
    folders = {f"site/{name}": name for name in NAMES} | {"web": "streamer/page"}
    for folder, name in folders.items():
        here, there = _files((REPOSITORY / folder).resolve()), _files(installed / name)
        assert here
        assert here - there == set(), f"{name} lacks files of {folder}"


def _files(folder: Path) -> set[str]:
    every = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in every if "__pycache__" not in name}


def test_the_installed_copy_works_alone(installed: Path, tmp_path: Path) -> None:
    """The installed service finds its page and the exporter its checkpoint, in a directory that has neither."""
    script = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); from streamer.http.page import folder;"
        "from sightline_export.source import BUNDLED_CHECKPOINT;"
        "print(folder() / 'index.html', BUNDLED_CHECKPOINT / 'checkpoint')"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = [Path(path) for path in done.stdout.split()]
    assert all(path.is_file() and path.is_relative_to(installed) for path in found), done.stdout


def test_an_sdist_gives_the_same_wheel(installed: Path, tmp_path: Path) -> None:
    """Who builds from the source distribution gets the same files."""
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(tmp_path), "--target"]
    subprocess.run([*build, "sdist"], cwd=REPOSITORY, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    subprocess.run(["tar", "-xf", sdist, "-C", tmp_path], check=True)
    subprocess.run(
        [*build, "wheel"], cwd=tmp_path / sdist.name.removesuffix(".tar.gz"), check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == {f"{name}/{file}" for name in NAMES for file in _files(installed / name)}


def test_a_process_of_ours_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the working directory is never run instead of what a process of ours was started for."""
    for name in ("streamer", "serving", "json", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    child = Child("command", "-m", "streamer", "--version", quiet=True)
    try:
        child.finish()
    finally:
        child.stop()


@pytest.mark.parametrize("folder", ["export", "models", "scripts", "serving", "streamer"])
def test_no_process_is_started_from_the_working_directory(folder: str) -> None:
    """Every module of ours that is started as a process is started with -P."""
    for path in (REPOSITORY / folder).rglob("*.py"):
        assert 'sys.executable, "-m"' not in path.read_text(), path
