"""A version that was exported can be proven again at any time, with what it carries: its answers and its digests."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from serving.signature import CONTRACT_FILE
from sightline_export.digests import DIGESTS_FILE
from sightline_export.golden import GOLDEN, Golden
from tests.export.peers import COLOURS, export, one_line

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two exports of one network, `models/one` and `models/other`, that differ in their weights alone."""
    directory = tmp_path_factory.mktemp("exports")
    (directory / "checked_network.py").write_text(COLOURS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(directory)
        import checked_network  # type: ignore[import-not-found]

        for name, gain in (("one", [0.5, 1.0, 0.75]), ("other", [0.5, 1.0, 0.7])):
            model = checked_network.build()
            model.gain.assign(gain)
            prefix = tf.train.Checkpoint(model=model).write(str(directory / name / "ckpt-1"))
            options = ("--builder", "checked_network:build", "--output", directory / "models" / name)
            assert export(prefix, *options) == 0
    return directory / "models"


@pytest.fixture
def version(exports: Path, tmp_path: Path) -> Path:
    """A copy of the first export, to be damaged."""
    return Path(shutil.copytree(exports / "one", tmp_path / "one")) / "1"


@pytest.mark.parametrize("argv", [("--check", "{version}"), ("{model}", "--check"), ("check", "{version}")])
def test_an_export_passes_wherever_it_was_copied_to(
    version: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    """A version, or the newest of a model's directory, is compared with its own answers and digests."""
    assert export(*(word.format(version=version, model=version.parent) for word in argv)) == 0
    said = capsys.readouterr().out
    assert "ok   files: all " in said
    assert "ok   same as the source: 24 detections on 8 pictures" in said
    assert f"checked {version}" in said


def test_swapped_weights_are_found(version: Path, exports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 where the variables are another training's, by their digest and by what the model now answers."""
    for file in (exports / "other" / "1" / "variables").iterdir():
        shutil.copy(file, version / "variables")
    assert export("--check", version) == 1
    said = one_line(capsys)
    assert f"{version} is not as it was exported: files: variables/variables.data-00000-of-00001" in said
    assert "same as the source: 24 detections on 8 pictures, greatest difference" in said


def test_a_truncated_version_fails_in_the_fresh_process(version: Path) -> None:
    """A model that no longer loads is exit code 1 and one line, as `sightline export --check` says it."""
    data = version / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-4])
    command = [sys.executable, "-m", "sightline_export", "--check", str(version)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "FAIL files: variables/variables.data-00000-of-00001 not as exported" in done.stdout
    assert f"export: {version} is not as it was exported: files: variables/variables.data" in done.stderr
    assert "; a fresh process could not run the exported model: IndexError: " in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_changed_contract_is_found(version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """contract.json must say what the labels signature says: a name changed by hand is exit code 1."""
    path = version / CONTRACT_FILE
    path.write_text(path.read_text().replace('"red"', '"rot"'))
    assert export("--check", version) == 1
    assert "labels and contract: carries {1: 'red', 2: 'green', 3: 'blue'}" in one_line(capsys)


def test_a_changed_golden_picture_is_found(version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Answers belong to their pictures: another picture in its place is exit code 1, not another comparison."""
    cv2.imwrite(str(version / GOLDEN / "picture-3.png"), np.zeros((24, 32, 3), np.uint8))
    assert export("--check", version) == 1
    assert "are not those its answers belong to" in one_line(capsys)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--check", "absent"], "absent is no export: it has no assets.extra/contract.json"),
        (["--check", "empty"], "empty is no export: it has no assets.extra/contract.json"),
        (["--check", "old"], "old cannot be checked: it has no assets.extra/golden/answers.json; export it again"),
        (["--check", "garbled"], "cannot read garbled/assets.extra/contract.json"),
        (["--check"], "the following arguments are required: VERSION"),
        (["old", "--check", "--output", "models/x"], "unrecognized arguments: --output models/x"),
    ],
)
def test_what_is_no_export_is_refused(
    tmp_path: Path,
    version: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    said: str,
) -> None:
    """Exit code 2 and one line for a place where no export is, or one of a Sightline that kept no answers."""
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "old/assets.extra", "garbled/assets.extra"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(version / CONTRACT_FILE, tmp_path / "old" / CONTRACT_FILE)
    (tmp_path / "garbled" / CONTRACT_FILE).write_text("{}")
    assert export(*argv) == 2
    assert said in one_line(capsys)


def photos(directory: Path, brightness: int) -> Path:
    """Two pictures of one's own."""
    directory.mkdir()
    for number in range(2):
        cv2.imwrite(str(directory / f"{number}.png"), np.full((50, 60, 3), (brightness, 40 * number, 200), np.uint8))
    return directory


def test_pictures_of_ones_own_stay_ones_own(version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures given to the proof are not kept unless asked for; the same ones, and no others, make it again."""
    mine, others = photos(tmp_path / "mine", 90), photos(tmp_path / "others", 30)
    quiet, open_ = tmp_path / "quiet", tmp_path / "open"
    assert export(version, "--pictures", mine, "--output", quiet) == 0
    assert f"check it again with --pictures {mine}" in capsys.readouterr().out
    assert [file.name for file in (quiet / "1" / GOLDEN).iterdir()] == ["answers.json"]
    assert str(tmp_path) not in (quiet / "1" / GOLDEN / "answers.json").read_text()

    assert export("--check", quiet) == 0
    said = capsys.readouterr().out
    assert "same as the source" not in said
    assert "note      not compared with its source" in said
    assert export("--check", quiet, "--pictures", mine) == 0
    assert "ok   same as the source: 24 detections" in capsys.readouterr().out
    assert export("--check", quiet, "--pictures", others) == 2
    assert f"the pictures in {others} are not those that {quiet / '1'} was proven on" in one_line(capsys)

    assert export(version, "--pictures", mine, "--keep-pictures", "--output", open_) == 0
    assert export("--check", open_) == 0
    assert "ok   same as the source: 24 detections" in capsys.readouterr().out


def test_the_digests_are_those_of_sha256sum(version: Path) -> None:
    """Anybody with coreutils can tell a damaged copy, and every file but the list itself is on the list."""
    command = ["sha256sum", "--check", "--strict", "--quiet", DIGESTS_FILE]
    assert subprocess.run(command, cwd=version, check=False).returncode == 0
    listed = {line.partition("  ")[2] for line in (version / DIGESTS_FILE).read_text().splitlines()}
    there = {str(file.relative_to(version)) for file in version.rglob("*") if file.is_file()}
    assert listed == there - {DIGESTS_FILE}


def test_the_contract_says_what_was_done(version: Path) -> None:
    """Provenance carries the input's levels, the box format, tolerance, changes and the versions of all tools."""
    found = json.loads((version / CONTRACT_FILE).read_text())["provenance"]
    assert found["input"] == {"dtype": "uint8", "range": [0, 255], "color_order": "RGB"}
    assert found["boxes"] == "ymin, xmin, ymax, xmax in 0..1"
    assert (found["tolerance"], found["nms"], found["changes"]) == (1e-4, [], [])
    assert set(found["tools"]) == {"python", "keras", "numpy"}
    assert found["tensorflow"] == tf.__version__
    assert Golden.load(version / GOLDEN).tolerance == found["tolerance"]
