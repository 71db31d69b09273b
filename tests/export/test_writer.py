"""An export that cannot be written says so in one line and leaves nothing behind."""

import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tensorflow as tf

from tests.export.peers import COLOURS, export, one_line


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """What to export: a detector that does next to nothing, with two megabytes of weights."""
    directory = tmp_path_factory.mktemp("heavy")
    gain = "self.gain = tf.Variable([0.0, 0.0, 0.0])"
    weights = f"{gain}\n        self.weights = tf.Variable(tf.zeros([500_000]))"
    network = COLOURS.replace(gain, weights).replace("* self.gain", "* self.gain + 0 * tf.reduce_mean(self.weights)")
    (directory / "heavy_network.py").write_text(network)
    model = tf.Module()
    model.gain, model.weights = tf.Variable([0.5, 1.0, 0.75]), tf.Variable(tf.random.normal([500_000]))
    prefix = tf.train.Checkpoint(model=model).write(str(directory / "ckpt-1"))
    return [prefix, "--builder", f"{directory / 'heavy_network.py'}:build"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, half of what the export takes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system of its own cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_said_and_cleared(
    small_disk: Path, heavy: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the disk's own reason and the directory the user named; the disk is as empty as it was."""
    assert export(*heavy, "--output", small_disk / "models" / "full") == 2
    assert one_line(capsys) == f"export: cannot write to {small_disk}/models/full: No space left on device\n"
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_is_read_only_is_said(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 before TensorFlow is waited for; permissions would not stop the root that tests may run as."""
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert export("--output", small_disk / "models") == 2
    assert one_line(capsys) == f"export: cannot write to {small_disk}/models: Read-only file system\n"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes; Python ignores the signal, and the write fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [100, 500_000])
def test_a_write_that_fails_is_said_wherever_it_fails(
    tmp_path: Path, heavy: list[object], capsys: pytest.CaptureFixture[str], size: int
) -> None:
    """Graph or weights, TensorFlow's writers or Python's: exit code 2, one line without a path of ours, no trace."""
    output = tmp_path / "models" / "limited"
    with largest_file(size):
        code = export(*heavy, "--output", output)
    assert code == 2
    assert one_line(capsys) == f"export: cannot write to {output}: File too large\n"
    assert not (tmp_path / "models").exists()


def file_in_the_way(directory: Path) -> Path:
    (directory / "models").write_text("not a directory")
    return directory / "models" / "insulators"


def file_instead(directory: Path) -> Path:
    (directory / "models").write_text("not a directory")
    return directory / "models"


def name_too_long(directory: Path) -> Path:
    return directory / ("n" * 300)


@pytest.mark.parametrize(
    ("make", "said"),
    [(file_in_the_way, "Not a directory"), (file_instead, "File exists"), (name_too_long, "File name too long")],
)
def test_a_place_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], Path], said: str
) -> None:
    """Exit code 2 and one line where the directory cannot be made; what stands in its way is not touched."""
    output = make(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert export("--output", output) == 2
    assert one_line(capsys) == f"export: cannot write to {output}: {said}\n"
    assert sorted(tmp_path.iterdir()) == before
