"""A builder is found where its author keeps it, in a training repository with names of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from serving.signature import Contract
from sightline_export.builder import find_builder, import_builder
from sightline_export.errors import Unusable
from tests.export.peers import contract_of

COMMAND = Path(sys.executable).with_name("sightline")
"""The command as it is installed."""

NETWORK = """
import random

import tensorflow as tf

from models.layers import GAIN
from .layers import GAIN as THE_SAME
from folder.late import ONE

assert random.choice([True]) and GAIN is THE_SAME

class Network(tf.Module):
    input_height, input_width = 24, 32
    labels = {1: "red", 2: "green"}
    resize_rule, pad_value, min_score = "letterbox", 7, 0.25

    def __init__(self):
        super().__init__()
        self.gain = tf.Variable([GAIN, GAIN])

    def detect(self, images):
        from models.late import HALF  # long after the builder was run
        scores = tf.reduce_mean(tf.cast(images, tf.float32), [1, 2])[:, :2] / 255 * self.gain
        zeros = tf.zeros_like(scores)
        return {
            "detection_boxes": tf.stack([zeros, zeros, scores, scores * HALF * ONE], axis=-1),
            "detection_scores": scores,
            "detection_classes": zeros + [1.0, 2.0],
            "num_detections": tf.fill([tf.shape(images)[0]], 2.0),
        }

def build():
    return Network()
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A training repository: models/ and a checkpoint, and names that Python, TensorFlow and Sightline have too."""
    files = {"models/mynet.py": NETWORK, "models/layers.py": "GAIN = 0.5", "models/late.py": "HALF = 0.5"}
    files |= {"folder/late.py": "ONE = 1.0", "models/__init__.py": ""}
    # Each ends whatever program takes it for the one it knows.
    taken = ("export", "random", "json", "h5py", "sightline", "serving/__init__", "serving/signature", "web/__init__")
    files |= {f"{name}.py": "raise SystemExit('hijacked')" for name in taken}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    model = tf.Module()
    model.gain = tf.Variable([0.5, 0.5])
    tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt-1"))
    return tmp_path


@pytest.mark.parametrize("builder", ["models.mynet:build", "models/mynet.py:build"])
def test_a_training_repository_exports_its_own(repository: Path, builder: str) -> None:
    """The installed command takes the repository's models/ in both forms, and no other file of it for its own."""
    command = [str(COMMAND), "export", "ckpt-1", "--builder", builder, "--output", "out/mine"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    contract: Contract = contract_of(repository / "out" / "mine" / "1")
    assert contract.provenance["builder"]["name"] == builder.removeprefix("models/")
    assert str(repository) not in contract.to_json()


@pytest.mark.parametrize(
    ("builder", "module"),
    [
        ("serving/theirs.py:build", "callers_serving.theirs"),
        ("serving.theirs:build", "callers_serving.theirs"),
        ("tools/code.py:build", "callers_code"),
        ("tools/my-net.py:build", "callers_my_net"),
        ("tools/plain_network.py:build", "plain_network"),
    ],
)
def test_a_name_that_is_taken_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, builder: str, module: str
) -> None:
    """A builder whose file is called like a module of ours or of Python's is imported, under another name."""
    monkeypatch.chdir(tmp_path)
    code = "{relative}\ndef build():\n    return __name__, HERE\n"
    for name, relative in (
        ("serving/theirs.py", "from .here import HERE"),
        ("tools/code.py", "from beside_code import HERE"),
        ("tools/my-net.py", "from beside_code import HERE"),
        ("tools/plain_network.py", "from beside_code import HERE"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code.format(relative=relative))
    for name in ("serving/here.py", "tools/beside_code.py"):
        (tmp_path / name).write_text(f"HERE = {str(tmp_path)!r}")
    (tmp_path / "serving" / "__init__.py").touch()
    for loaded in ("callers_serving", "callers_serving.theirs", "callers_serving.here", "callers_code", "beside_code"):
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    assert import_builder(builder)() == (module, str(tmp_path))
    assert sys.modules["serving"].__file__ != str(tmp_path / "serving" / "__init__.py")


def test_only_the_callers_code_sees_the_callers_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that looks for something optional does not find the caller's file of that name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seeing_network.py").write_text(
        "import wanted_by_all\ndef build():\n    return wanted_by_all.__file__\n"
    )
    (tmp_path / "wanted_by_all.py").touch()
    with pytest.raises(ImportError):
        __import__("wanted_by_all")
    builder = import_builder("seeing_network:build")
    monkeypatch.delitem(sys.modules, "wanted_by_all")
    with pytest.raises(ImportError):
        __import__("wanted_by_all")
    assert builder() == str(tmp_path / "wanted_by_all.py")


def test_a_module_of_ours_has_one_name() -> None:
    """The bundled network is the same module however it is named."""
    for given in ("sightline_models.insulators.network:build", "models/insulators/network.py:build"):
        builder = find_builder(given)
        assert (builder.module, builder.root) == ("sightline_models.insulators.network", None)


@pytest.mark.parametrize("form", ["net/mine.py:build", "net.mine:build"])
def test_neighbours_count_in_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """A changed neighbour of the builder's file is another builder, in both forms; nothing is imported to know."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net").mkdir()
    for name in ("__init__", "mine", "neighbour"):
        (tmp_path / "net" / f"{name}.py").write_text("raise SystemExit")
    before = find_builder(form).sha256
    assert find_builder(form).sha256 == before
    (tmp_path / "net" / "neighbour.py").write_text("raise SystemExit(1)")
    assert find_builder(form).sha256 != before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere.py:build", "there is no Python file nowhere.py"),
        ("folder/:build", "there is no Python file folder"),
        ("a" * 300 + ".py:build", "File name too long"),
        ("a" * 300 + ":build", "File name too long"),
        ("circle.py:build", "circle.py"),
        ("net.v2.py:build", "a file with dots in its name, net.v2.py, is no module"),
        ("script.py:build", "script.py ends the program when it is imported; what runs it belongs under if __name__"),
        ("broken.py:build", "SyntaxError: "),
        ("script.py", "not of the form path/to/file.py:function or package.module:function"),
        ("script.py:", "not of the form"),
        ("empty_file.py:build", "empty_file.py has no function build"),
        ("absent_module:build", "there is no module absent_module, neither installed nor in "),
    ],
)
def test_what_cannot_be_imported_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, said: str
) -> None:
    """Whatever is wrong with a builder is one sentence."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name, text in (("script", "raise SystemExit(3)"), ("broken", "def"), ("net.v2", ""), ("empty_file", "")):
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "circle.py").symlink_to("circle.py")
    with pytest.raises(Unusable) as refused:
        import_builder(given)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
