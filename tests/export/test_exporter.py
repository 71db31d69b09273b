"""One command turns a trained detector into a version a model server loads, and leaves nothing behind if it cannot."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tensorflow as tf

from serving.signature import (
    CLASS_IDS,
    CLASS_NAMES,
    CONTRACT,
    CONTRACT_FILE,
    DETECTION_BOXES,
    DETECTION_CLASSES,
    DETECTION_OUTPUTS,
    DETECTION_SCORES,
    INPUT_TENSOR,
    LABELS,
    NUM_DETECTIONS,
    SERVING_DEFAULT,
    Contract,
)
from sightline_export import cli
from sightline_export.check import Prove
from sightline_export.errors import CheckFailed
from sightline_export.fresh_process import FreshProcess
from sightline_export.golden import Golden
from sightline_export.warmup import read_warmup
from tests.export.peers import COLOURS, in_process

ROOT = Path(__file__).parents[2]

BUILDER = (
    COLOURS
    + """
class Pixels(Colours):
    def detect(self, images):
        found = super().detect(images)
        return found | {"detection_boxes": found["detection_boxes"] * 300}

class Moody(Colours):
    def detect(self, images):
        found = super().detect(images)
        return found | {"detection_scores": found["detection_scores"] * tf.random.uniform([])}

class Wide(Colours):
    def __init__(self):
        super().__init__()
        self.bias = tf.Variable(0.0)

def build_wide():
    return Wide()

def build_pixels():
    return Pixels()

def build_moody():
    return Moody()

def build_nothing():
    return tf.Module()

def build_badly():
    raise RuntimeError("no\\nluck")
"""
)
GAIN = [0.5, 1.0, 0.75]


Export = Callable[..., int]


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch, builder: str) -> Export:
    """`sightline export` with the checks made in this process."""
    monkeypatch.syspath_prepend(builder)

    def run(*argv: object, prover: Callable[[], AbstractContextManager[Prove]] = in_process) -> int:
        return cli.main([str(argument) for argument in argv], prover=prover)

    return run


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A directory with the module `colours_network`."""
    directory = tmp_path_factory.mktemp("builder")
    (directory / "colours_network.py").write_text(BUILDER)
    return str(directory)


@pytest.fixture
def checkpoint(tmp_path: Path, builder: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a TF2 checkpoint of `colours_network:build`, as tf.train.CheckpointManager leaves it."""
    monkeypatch.syspath_prepend(builder)
    import colours_network  # type: ignore[import-not-found]

    model = colours_network.build()
    model.gain.assign(GAIN)
    directory = tmp_path / "checkpoint"
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(model=model), str(directory), max_to_keep=1)
    manager.save(checkpoint_number=12)
    return directory


def frozen_graph(directory: Path, *, batch: int | None = None, fixed: bool = False, resize: bool = True) -> Path:
    """A TF1 graph with the names of the Object Detection API: the colours detector again, scores unsorted.

    `batch` is the batch size its placeholder states, `fixed` builds one that answers for its first picture only, and
    `resize` scales pictures to 32x24 first.
    """
    graph = tf.Graph()
    with graph.as_default():
        image = tf.compat.v1.placeholder(tf.uint8, [batch, None, None, 3], name="image_tensor")
        picture = tf.cast(image, tf.float32)
        if resize:
            picture = tf.compat.v1.image.resize_bilinear(picture, [24, 32])
        scores = tf.reduce_mean(picture, [1, 2]) / 255
        if fixed:
            scores = scores[:1]
        zeros = tf.zeros_like(scores)
        tf.identity(tf.stack([zeros, zeros, scores, scores], axis=-1), name=DETECTION_BOXES)
        tf.identity(scores, name=DETECTION_SCORES)
        tf.add(zeros, [1.0, 2.0, 3.0], name=DETECTION_CLASSES)
        tf.fill([tf.shape(scores)[0]], 2.0, name=NUM_DETECTIONS)
    return write_graph(graph, directory)


def write_graph(graph: Any, directory: Path) -> Path:
    """The graph as a .pb with producer 0, as tools that rewrite graphs leave it."""
    definition = graph.as_graph_def()
    definition.versions.producer = 0
    path = directory / "frozen_inference_graph.pb"
    path.write_bytes(definition.SerializeToString())
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """The colours' label map."""
    path = tmp_path / "colours.txt"
    path.write_text("red\ngreen\nblue\n")
    return path


def load(version: Path) -> tuple[Any, Contract]:
    """The SavedModel and the contract of a version directory."""
    return tf.saved_model.load(str(version)), Contract.from_json((version / CONTRACT_FILE).read_text())


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on standard error, which must be one line."""
    said = capsys.readouterr().err
    assert said.startswith("export: ")
    assert said.count("\n") == 1, said
    return said


def test_a_checkpoint_becomes_a_version_with_the_canonical_signatures(
    export: Export, checkpoint: Path, tmp_path: Path
) -> None:
    """A TF2 checkpoint is restored into its builder's network, and answers by rank of score for any batch size."""
    output = tmp_path / "served" / "colours"
    assert export(checkpoint, "--builder", "colours_network:build", "--output", output) == 0

    model, contract = load(output / "1")
    pictures = np.zeros((3, 24, 32, 3), np.uint8)
    pictures[0, ..., 0], pictures[1, ..., 1], pictures[2] = 255, 102, 51
    found = model.signatures[SERVING_DEFAULT](input_tensor=tf.constant(pictures))
    assert set(found) == set(DETECTION_OUTPUTS)
    np.testing.assert_allclose(
        found[DETECTION_SCORES], np.array([[50, 0, 0], [40, 0, 0], [20, 15, 10]]) / 100, atol=1e-6
    )
    assert found[DETECTION_CLASSES].numpy()[2].tolist() == [2, 3, 1]
    np.testing.assert_allclose(found[DETECTION_BOXES][2, 0], [0, 0, 0.2, 0.1], atol=1e-6)
    assert (contract.width, contract.height) == (32, 24)
    assert contract.labels == {1: "red", 2: "green", 3: "blue"}
    assert (contract.resize, contract.pad_value, contract.min_score) == ("letterbox", 7, 0.25)
    assert contract.provenance["batch"] == "dynamic"
    assert [p.name for p in output.iterdir()] == ["1"]


def test_a_frozen_graph_takes_its_size_from_its_own_resizer(export: Export, labels: Path, tmp_path: Path) -> None:
    """A TF1 frozen graph is exported at the size it resizes to, for any batch size; rows that do not count are zero."""
    output = tmp_path / "colours"
    assert export(frozen_graph(tmp_path), "--labels", labels, "--output", output) == 0

    model, contract = load(output / "1")
    assert (contract.width, contract.height, contract.resize) == (32, 24, "stretch")
    assert contract.provenance["batch"] == "dynamic"
    assert list(contract.provenance["files"]) == ["frozen_inference_graph.pb"]
    pictures = np.zeros((2, 24, 32, 3), np.uint8)
    pictures[0], pictures[1] = (51, 102, 255), (102, 51, 255)
    found = model.signatures[SERVING_DEFAULT](input_tensor=tf.constant(pictures))
    # The source counts two rows, the third and best is not one of them.
    np.testing.assert_allclose(found[DETECTION_SCORES], np.array([[0.4, 0.2, 0]] * 2), atol=1e-6)
    assert found[DETECTION_CLASSES].numpy().tolist() == [[2, 1, 0], [1, 2, 0]]
    assert found[NUM_DETECTIONS].numpy().tolist() == [2, 2]


@pytest.mark.parametrize("source", [{"batch": 1}, {"fixed": True}])
def test_a_source_for_single_pictures_is_walked_over_the_batch(
    export: Export, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: dict[str, Any]
) -> None:
    """Where a source takes one picture only, or answers for the first only, every picture of a batch gets its own."""
    output = tmp_path / "colours"
    assert export(frozen_graph(tmp_path, **source), "--labels", labels, "--output", output) == 0
    assert "picture by picture" in capsys.readouterr().out
    model, contract = load(output / "1")
    assert contract.provenance["batch"] == "mapped"
    pictures = np.zeros((2, 24, 32, 3), np.uint8)
    pictures[1] = (51, 102, 0)
    found = model.signatures[SERVING_DEFAULT](input_tensor=tf.constant(pictures))
    np.testing.assert_allclose(found[DETECTION_SCORES], np.array([[0, 0, 0], [0.4, 0.2, 0]]), atol=1e-6)


def test_options_decide_instead_of_the_source(export: Export, labels: Path, tmp_path: Path) -> None:
    """Input size, resize rule, score and name of the command line stand in the contract and the signature."""
    output = tmp_path / "served"
    options = ("--input-size", "40x30", "--resize", "letterbox", "--min-score", "0.6", "--name", "voc-1")
    graph = frozen_graph(tmp_path, resize=False)
    assert export(graph, "--labels", labels, "--output", output, *options) == 0
    model, contract = load(output / "1")
    assert (contract.width, contract.height, contract.resize) == (40, 30, "letterbox")
    assert (contract.min_score, contract.name) == (0.6, "voc-1")
    spec = model.signatures[SERVING_DEFAULT].structured_input_signature[1][INPUT_TENSOR]
    assert spec.shape.as_list() == [None, 30, 40, 3]


def test_a_saved_model_is_signed_anew(export: Export, labels: Path, tmp_path: Path) -> None:
    """A SavedModel of the Object Detection API, fixed at one picture, becomes one for batches; and again from there."""
    gain = tf.Variable([1.0, 0.5, 0.25])

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8)])  # type: ignore[untyped-decorator]
    def detect(image: Any) -> dict[str, Any]:
        scores = tf.reduce_mean(tf.cast(image, tf.float32), [1, 2]) / 255 * gain
        boxes = tf.stack([scores * 0, scores * 0, scores, scores], axis=-1)
        classes = scores * 0 + [1.0, 2.0, 3.0]
        found = dict(zip(DETECTION_OUTPUTS, (boxes, scores, classes, tf.constant([3.0])), strict=True))
        return found | {"raw_detection_scores": scores}

    theirs = tf.Module()
    theirs.gain, theirs.detect = gain, detect
    source = tmp_path / "theirs" / "saved_model"
    tf.saved_model.save(theirs, str(source), signatures=detect)
    once, twice = tmp_path / "once", tmp_path / "twice"
    assert export(source, "--labels", labels, "--input-size", "16x8", "--findings", "blue", "--output", once) == 0
    assert export(once, "--output", twice) == 0
    for output, batch in ((once, "mapped"), (twice, "dynamic")):
        model, contract = load(output / "1")
        assert (contract.width, contract.height, contract.provenance["batch"]) == (16, 8, batch)
        assert contract.labels == {1: "red", 2: "green", 3: "blue"}
        assert contract.findings == ("blue",)
        found = model.signatures[SERVING_DEFAULT](input_tensor=tf.fill([3, 8, 16, 3], tf.constant(255, tf.uint8)))
        np.testing.assert_allclose(found[DETECTION_SCORES], np.array([[1, 0.5, 0.25]] * 3), atol=1e-6)


def test_the_version_carries_labels_contract_and_warm_up(export: Export, checkpoint: Path, tmp_path: Path) -> None:
    """The labels signature repeats labels and contract a row, and there is a warm-up request for each batch size."""
    output = tmp_path / "colours"
    assert export(checkpoint, "--builder", "colours_network:build", "--output", output) == 0
    model, contract = load(output / "1")
    found = model.signatures[LABELS](index=tf.constant([7, 8], tf.int64))
    assert found[CLASS_IDS].numpy().tolist() == [[1, 2, 3]] * 2
    assert found[CLASS_NAMES].numpy().tolist() == [[b"red", b"green", b"blue"]] * 2
    assert [Contract.from_json(text) for text in found[CONTRACT].numpy()] == [contract] * 2
    requests = read_warmup(output / "1")
    assert [tf.make_ndarray(r.inputs[INPUT_TENSOR]).shape for r in requests] == [(n, 24, 32, 3) for n in (1, 2, 4, 8)]
    assert {(r.model_spec.name, r.model_spec.signature_name) for r in requests} == {("colours", SERVING_DEFAULT)}
    assert set(contract.provenance["files"]) == {"ckpt-12.index", "ckpt-12.data-00000-of-00001"}
    assert contract.provenance["tensorflow"] == tf.__version__
    assert str(tmp_path) not in contract.to_json()


def test_the_labels_option_wins_over_the_builder(export: Export, checkpoint: Path, tmp_path: Path) -> None:
    """--labels renames what the builder named."""
    names = tmp_path / "names.json"
    names.write_text('{"1": "rouge", "2": "vert", "3": "bleu"}')
    output = tmp_path / "colours"
    assert export(checkpoint, "--builder", "colours_network:build", "--labels", names, "--output", output) == 0
    assert load(output / "1")[1].labels == {1: "rouge", 2: "vert", 3: "bleu"}


@pytest.mark.parametrize(
    ("given", "kept"), [([], ()), (["--findings"], ()), (["--findings", "blue", "red"], ("red", "blue"))]
)
def test_the_contract_says_what_calls_for_a_person(
    export: Export,
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    kept: tuple[str, ...],
) -> None:
    """--findings stands in the contract and the report; other findings are another export."""
    output = tmp_path / "colours"
    argv = (checkpoint, "--builder", "colours_network:build", "--output", output, "--if-changed")
    assert export(*argv, *given) == 0
    assert load(output / "1")[1].findings == kept
    assert f"  findings  {', '.join(kept) or 'none'}\n" in capsys.readouterr().out
    assert export(*argv, *given) == 0
    assert export(*argv, "--findings", "green") == 0
    assert sorted(p.name for p in output.iterdir()) == ["1", "2"]


def test_an_unknown_finding_is_refused(
    export: Export, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A finding that is no label of the model is one line, exit code 2, and nothing is written."""
    options = ("--builder", "colours_network:build", "--output", tmp_path / "out", "--findings", "rust")
    assert export(checkpoint, *options) == 2
    assert "--findings 'rust' is none of the model's labels: red, green, blue" in one_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("size", "classes", "said"),
    [("2049x2048", 3, "2049 x 2048 is larger than 4194304 pixels"), ("32x24", 5000, "bytes; allowed are 1048576")],
)
def test_what_no_service_would_take_is_not_exported(
    export: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str], size: str, classes: int, said: str
) -> None:
    """An input or a label map beyond what a contract may say is one line, before anything is run or written."""
    names = tmp_path / "names.json"
    names.write_text(json.dumps({str(class_id): f"{class_id} {'x' * 200}" for class_id in range(1, classes + 1)}))
    options = ("--labels", names, "--input-size", size, "--output", tmp_path / "out")
    assert export(frozen_graph(tmp_path, resize=False), *options) == 2
    said_in_all = capsys.readouterr()
    assert said in said_in_all.err
    assert said_in_all.err.count("\n") == 1
    assert "running the source" not in said_in_all.out
    assert not (tmp_path / "out").exists()


def test_if_changed_exports_again_only_for_other_input(
    export: Export, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same request is done once, in one line and without TensorFlow; other bytes or options are another request."""
    output = tmp_path / "colours"
    graph = frozen_graph(tmp_path)
    argv = [str(graph), "--labels", str(labels), "--output", str(output), "--if-changed"]
    assert export(*argv) == 0
    capsys.readouterr()

    script = f"import sys; from sightline_export.cli import main; print(main({argv!r}), 'tensorflow' in sys.modules)"
    again = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert again.stdout == f"{output / '1'} is up to date\n0 False\n"

    assert export(*argv, "--min-score", "0.7") == 0
    labels.write_text("rot\ngruen\nblau\n")
    assert export(*argv) == 0
    assert sorted(p.name for p in output.iterdir()) == ["1", "2", "3"]
    assert load(output / "3")[1].labels[1] == "rot"


def test_if_changed_sees_a_changed_network(
    export: Export, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The builder's code decides as much as the weights do: another decoder is another model."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "copied_network.py").write_text(BUILDER)
    monkeypatch.syspath_prepend(code)
    output = tmp_path / "colours"
    argv = (checkpoint, "--builder", "copied_network:build", "--output", output, "--if-changed")
    assert export(*argv) == 0
    assert export(*argv) == 0
    assert [p.name for p in output.iterdir()] == ["1"]
    (code / "copied_network.py").write_text(BUILDER + "\n# another decoder\n")
    assert export(*argv) == 0
    assert sorted(p.name for p in output.iterdir()) == ["1", "2"]


@pytest.mark.parametrize(
    ("builder", "said"),
    [("build_pixels", "pixels, not 0..1"), ("build_moody", "same as the source: 24 detections on 8 pictures")],
)
def test_a_failed_check_exports_nothing(
    export: Export,
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    builder: str,
    said: str,
) -> None:
    """Exit code 1 and no version, where boxes are no fractions or the model answers otherwise than its source."""
    assert export(checkpoint, "--builder", f"colours_network:{builder}", "--output", tmp_path / "out" / "colours") == 1
    assert said in one_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("builder", "said"),
    [
        (None, "name the code that builds it with --builder"),
        ("colours_network", "not of the form path/to/file.py:function or package.module:function"),
        ("colours_network:absent", "has no function absent"),
        ("no_such_network:build", "there is no module no_such_network"),
        ("no_such.network:build", "No module named 'no_such'"),
        ("colours_network:build_nothing", "returned a Module without input_height, input_width, labels"),
        ("colours_network:build_badly", "failed: RuntimeError: no luck"),
        ("colours_network:build_wide", "does not hold all weights of colours_network:build_wide"),
    ],
)
def test_an_unusable_builder_is_refused(
    export: Export,
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    builder: str | None,
    said: str,
) -> None:
    """Exit code 2, one line and nothing left behind for a builder that is missing, fails or does not fit."""
    options = ["--builder", builder] if builder else []
    assert export(checkpoint, *options, "--output", tmp_path / "out" / "colours") == 2
    assert said in one_line(capsys)
    assert not (tmp_path / "out").exists()


def damage_truncate(directory: Path) -> None:
    shard = directory / "ckpt-12.data-00000-of-00001"
    shard.write_bytes(shard.read_bytes()[:-8])


def damage_index(directory: Path) -> None:
    (directory / "ckpt-12.index").write_bytes(b"not a table")


def damage_replace(directory: Path) -> None:
    for part in directory.glob("ckpt-12.*"):
        part.unlink()
    tf.raw_ops.SaveV2(
        prefix=str(directory / "ckpt-12"), tensor_names=["w"], shape_and_slices=[""], tensors=[tf.constant(1.0)]
    )


def damage_remove(directory: Path) -> None:
    (directory / "ckpt-12.index").unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_truncate, "does not fit colours_network:build"),
        (damage_index, "cannot be read"),
        (damage_replace, "was not written by tf.train.Checkpoint: it holds w"),
        (damage_remove, "ckpt-12"),
    ],
)
def test_a_damaged_checkpoint_is_refused(
    export: Export,
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
    said: str,
) -> None:
    """Exit code 2, one line and nothing left behind for a checkpoint that is cut short, garbled or of another kind."""
    damage(checkpoint)
    assert export(checkpoint, "--builder", "colours_network:build", "--output", tmp_path / "out") == 2
    assert said in one_line(capsys)
    assert not (tmp_path / "out").exists()


def no_graph(directory: Path) -> Path:
    path = directory / "graph.pb"
    path.write_bytes(b"\xff" * 40)
    return path


def empty_graph(directory: Path) -> Path:
    return write_graph(tf.Graph(), directory)


def classifier(directory: Path) -> Path:
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 8], name="features")
        tf.nn.softmax(x, name="probabilities")
    return write_graph(graph, directory)


def unfrozen(directory: Path) -> Path:
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.get_variable("weights", [3], use_resource=False)
    return write_graph(graph, directory)


def any_size(directory: Path) -> Path:
    return frozen_graph(directory, resize=False)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (no_graph, "does not parse as a GraphDef"),
        (empty_graph, "holds no node"),
        (classifier, "found inputs features float32 [?, 8] and outputs probabilities float32 [?, 8]"),
        (unfrozen, "is not frozen: its weights are variables (weights"),
        (any_size, "choose one with --input-size"),
    ],
)
def test_an_unusable_graph_is_refused(
    export: Export,
    labels: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    said: str,
) -> None:
    """Exit code 2, one line that says what was found, and nothing left behind for a .pb that is no frozen detector."""
    assert export(make(tmp_path), "--labels", labels, "--output", tmp_path / "out") == 2
    assert said in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_a_graph_without_a_label_map_is_refused_with_the_one_beside_it(
    export: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Class names are never made up; a label map that lies beside the graph is offered."""
    beside = tmp_path / "voc_label_map.pbtxt"
    beside.write_text("item { id: 1 name: 'a' }")
    assert export(frozen_graph(tmp_path), "--output", tmp_path / "out") == 2
    assert f"--labels FILE (there is {beside})" in one_line(capsys)


def test_a_saved_model_that_is_no_detector_is_refused(
    export: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A SavedModel with other outputs is refused with the names found; one that lacks its variables as well."""
    module = tf.Module()
    module.w = tf.Variable(2.0)
    module.double = tf.function(lambda x: {"y": x * module.w}, input_signature=[tf.TensorSpec([None], name="x")])
    source = tmp_path / "other"
    tf.saved_model.save(module, str(source), signatures=module.double)
    assert export(source, "--output", tmp_path / "out") == 2
    assert "found inputs x float32 [?] and outputs y float32 [?]" in one_line(capsys)
    for part in (source / "variables").iterdir():
        part.unlink()
    assert export(source, "--output", tmp_path / "out") == 2
    assert "cannot be loaded" in one_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "the following arguments are required: --output"),
        (["--output", "out", "absent.pb"], "absent.pb does not exist"),
        (["--output", "out", "{graph}", "--input-size", "640"], "'640' is not of the form WIDTHxHEIGHT"),
        (["--output", "out", "{graph}", "--min-score", "40"], "'40' is no score between 0 and 1"),
        (["--output", "out", "{graph}", "--resize", "crop"], "'crop'"),
        (["--output", "out", "{graph}", "--name", "a/b"], "model name 'a/b'"),
        (["--output", "out", "{graph}", "--builder", "a:b"], "--builder is for checkpoints"),
        (["--output", "out", "{graph}", "--labels", "absent.txt"], "cannot read absent.txt"),
        (["--output", "{graph}/out", "{graph}"], "cannot write to"),
        (["--output", "out", "{graph}", "--labels", "{labels}", "--pictures", "nowhere"], "cannot read pictures"),
    ],
)
def test_an_unusable_option_is_refused(
    export: Export,
    labels: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    said: str,
) -> None:
    """Exit code 2, one line that says what is allowed, and nothing left behind."""
    monkeypatch.chdir(tmp_path)
    graph = frozen_graph(tmp_path)
    assert export(*(argument.format(graph=graph, labels=labels) for argument in argv)) == 2
    assert said in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_the_command_proves_in_a_fresh_process(checkpoint: Path, builder: str, tmp_path: Path) -> None:
    """`sightline export` shows progress, checks in another process on the pictures given, and hushes TensorFlow."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for n in range(3):
        cv2.imwrite(str(pictures / f"{n}.png"), np.full((50, 60, 3), (80 * n, 40, 200), np.uint8))
    output = tmp_path / "colours"
    command = [sys.executable, "-m", "sightline_export", str(checkpoint), "--builder", "colours_network:build"]
    done = subprocess.run(
        [*command, "--pictures", str(pictures), "--output", str(output)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": builder},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ok   same as the source: 24 detections on 8 pictures" in done.stdout
    assert f"exported {output / '1'}" in done.stdout
    assert json.loads((output / "1" / CONTRACT_FILE).read_text())["name"] == "colours"


def test_a_terminated_export_leaves_nothing_behind(labels: Path, tmp_path: Path) -> None:
    """SIGTERM in the middle ends the command, its fresh process and its half-written directory."""
    output = tmp_path / "out" / "colours"
    options = ["--labels", str(labels), "--output", str(output)]
    command = [sys.executable, "-m", "sightline_export", str(frozen_graph(tmp_path)), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "starting TensorFlow" not in process.stdout.readline():
            pass
        assert output.is_dir()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate()
    assert process.returncode == 130
    assert said.endswith("export: stopped, nothing written\n")
    assert not (tmp_path / "out").exists()


def test_a_fresh_process_that_dies_fails_the_check(tmp_path: Path) -> None:
    """No check may be missing: a process that ends early is a failure, not a shorter list."""
    with FreshProcess() as fresh:
        fresh._process.kill()
        fresh._process.wait()
        with pytest.raises(CheckFailed, match="could not run the exported model: exit code -9"):
            list(fresh.prove(tmp_path, Golden(np.zeros((0, 1, 1, 3), np.uint8), [])))


def test_a_real_frozen_graph_is_exported(voc_export: Path) -> None:
    """An SSD of the Object Detection API takes any batch after export, at 256x256, with its 21 names."""
    _, contract = load(voc_export / "1")
    assert (contract.width, contract.height, contract.resize) == (256, 256, "stretch")
    assert contract.provenance["batch"] == "dynamic"
    assert len(contract.labels) == 21
    assert contract.labels[7] == "car"
