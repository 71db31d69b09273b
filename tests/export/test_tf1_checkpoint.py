"""A TF1 checkpoint is exported from the graph in its .meta: what inference needs, with the weights that were saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from sightline_export.pictures import as_batch, drawn_pictures
from tests.export.peers import assert_same, contract_of, detections, export, one_line, sample, suppressed

v1 = tf.compat.v1

HEAD = """
input: {scale: 1/255}
boxes: {format: yxyx}
scores: {activation: sigmoid}
nms: {iou: 0.5, score: 0.1}
"""
OPTIONS = ("--inputs", "batch:0", "is_training=false", "--outputs", "boxes=head/boxes", "scores=head/logits")


def training_graph() -> Any:
    """A detector as training leaves it: records through a queue, a batch of 16, labels, a loss and an optimizer.

    It finds two boxes, one for how red a picture is and one for how blue; partitioned and resource variables hold how.
    """
    graph = tf.Graph()
    with graph.as_default():
        records = v1.placeholder(tf.float32, [None, 24, 32, 3], name="records")
        queue = v1.FIFOQueue(64, [tf.float32], [[24, 32, 3]], name="records_queue")
        queue.enqueue_many([records])
        picture = v1.identity(queue.dequeue_many(16), name="batch")
        labels = v1.placeholder(tf.float32, [16, 2], name="labels")
        training = v1.placeholder(tf.bool, [], name="is_training")
        bright = v1.placeholder_with_default(tf.constant(1.0), [], name="brightness")
        with v1.variable_scope("head", partitioner=v1.fixed_size_partitioner(2)):
            gain = v1.get_variable("gain", [2, 1], initializer=v1.zeros_initializer(), use_resource=False)
        bias = v1.get_variable("bias", [2], initializer=v1.zeros_initializer(), use_resource=True)
        mean = tf.reduce_mean(picture * bright, [1, 2])
        mean = v1.cond(training, lambda: v1.nn.dropout(mean, rate=0.5), lambda: mean)
        level = tf.gather(mean, [0, 2], axis=1)
        logits = tf.identity(level * tf.reshape(gain, [2]) + bias, name="head/level")
        tf.stack([level * 0, level * 0, level, level / 2], axis=-1, name="head/boxes")
        tf.stack([tf.zeros_like(level), level, level, level], axis=-1, name="head/baked")
        tf.linalg.diag(logits, padding_value=-9.0, name="head/logits")
        loss = tf.reduce_mean(v1.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
        v1.train.AdamOptimizer().minimize(loss)
    return graph


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a checkpoint model.ckpt-900 of `training_graph`."""
    directory = tmp_path_factory.mktemp("run")
    v1.disable_control_flow_v2()  # Switch and Merge, as TensorFlow 1 had it
    try:
        graph = training_graph()
    finally:
        v1.enable_control_flow_v2()
    with graph.as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        variables = {variable.op.name: variable for variable in v1.global_variables()}
        for name, value in (("head/gain/part_0", [[8.0]]), ("head/gain/part_1", [[4.0]]), ("bias", [-3.0, -1.0])):
            variables[name].load(np.array(value, np.float32), session)
        v1.train.Saver().save(session, str(directory / "model.ckpt"), global_step=900)
    (directory / "head.yaml").write_text(HEAD)
    (directory / "labels.txt").write_text("red\nblue\n")
    return directory


@pytest.fixture
def checkpoint(saved: Path, tmp_path: Path) -> Path:
    """A copy of its own to damage."""
    for file in saved.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def options(directory: Path) -> list[object]:
    return [*OPTIONS, "--decode", directory / "head.yaml", "--labels", directory / "labels.txt", "--output"]


def test_a_training_graph_is_cut_to_what_inference_needs(checkpoint: Path) -> None:
    """From the middle of a training graph for batches of 16: any batch, saved weights, and no queue, label or loss."""
    output = checkpoint / "out"
    assert export(checkpoint / "model.ckpt-900", *options(checkpoint), output) == 0
    contract = contract_of(output / "1")
    assert (contract.provenance["kind"], contract.provenance["batch"]) == ("TF1 checkpoint", "dynamic")
    assert sorted(contract.provenance["files"]) == [
        f"model.ckpt-900.{part}" for part in ("data-00000-of-00001", "index", "meta")
    ]
    assert contract.provenance["tensors"]["boxes"] == "head/boxes"
    assert contract.provenance["decode"]["scores"]["activation"] == "sigmoid"
    pictures = np.zeros((3, 24, 32, 3), np.uint8)
    pictures[0, ..., 0], pictures[1, ..., 2], pictures[2] = 255, 204, (102, 0, 153)
    found = detections(output / "1", pictures)
    for picture, rows in zip(pictures, found, strict=True):
        red, blue = picture[0, 0, 0] / 255, picture[0, 0, 2] / 255
        scores = np.diag(1 / (1 + np.exp([3 - 8 * red, 1 - 4 * blue])))
        boxes = np.array([[0, 0, red, red / 2], [0, 0, blue, blue / 2]])
        assert_same(rows, suppressed(boxes, scores, iou=0.5, score=0.1))
    operations = {
        node.op
        for function in tf.saved_model.load(str(output / "1")).signatures.values()
        for node in function.graph.as_graph_def().node
    }
    assert not any("Queue" in op or "Adam" in op for op in operations)


@pytest.mark.parametrize("given", [".", "model.ckpt-900.meta"])
def test_any_of_its_names_means_the_checkpoint(saved: Path, tmp_path: Path, given: str) -> None:
    """The directory, whose file `checkpoint` names it, and each of its files stand for the checkpoint."""
    assert export(saved / given, *options(saved), tmp_path / "out") == 0
    assert "model.ckpt-900.meta" in contract_of(tmp_path / "out" / "1").provenance["files"]


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        ([], [], "found inputs records float32 [?, 24, 32, 3], labels float32 [16, 2], is_training bool []"),
        (["batch"], ["head/boxes", "head/logits"], "also need is_training bool []: give it a value, --inputs batch"),
        (["batch", "is_training=0"], ["head/boxes", "loss"], "also need labels float32 [16, 2]"),
        (["records", "is_training=0"], ["head/boxes", "head/logits"], "a QueueDequeueManyV2 that feeds training"),
        (["batch", "is_training=0"], ["head/boxes", "nowhere"], "has no tensor nowhere for scores"),
        (["nowhere"], ["head/boxes", "head/logits"], "has no tensor nowhere for --inputs; found records"),
        (["batch", "mode=1"], ["head/boxes", "head/logits"], "has no tensor mode for --inputs"),
        (["labels"], ["head/boxes", "head/logits"], "wants pictures as numbers [N, H, W, 3], and takes labels"),
        (["batch", "is_training=0"], ["head/baked", "head/logits"], "built for batches of 16 and does not run on one"),
        (["batch", "is_training=0"], ["head/gain", "head/gain"], "head/gain do not depend on batch"),
    ],
)
def test_tensors_that_cannot_be_had_are_refused(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], inputs: list[str], outputs: list[str], said: str
) -> None:
    """Exit code 2, one line that says what else is needed or what was found, and nothing left behind."""
    named = [f"{role}={name}" for role, name in zip(("boxes", "scores"), outputs, strict=False)]
    argv: list[object] = [*(["--inputs", *inputs] if inputs else []), *(["--outputs", *named] if named else [])]
    rest = ("--decode", checkpoint / "head.yaml", "--labels", checkpoint / "labels.txt", "--output")
    assert export(checkpoint / "model.ckpt-900", *argv, *rest, checkpoint / "out") == 2
    assert said in one_line(capsys)
    assert not (checkpoint / "out").exists()


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (".data-00000-of-00001", "lacks its weights: model.ckpt-900.data-00000-of-00001 is missing"),
        (".index", "lacks its index: model.ckpt-900.index is missing"),
        (".meta", "its graph model.ckpt-900.meta is missing"),
    ],
)
def test_a_missing_part_is_named(checkpoint: Path, capsys: pytest.CaptureFixture[str], missing: str, said: str) -> None:
    """A checkpoint that lacks one of its three parts is refused with that part's name."""
    (checkpoint / f"model.ckpt-900{missing}").unlink()
    extra = [] if missing != ".meta" else ["--output", checkpoint / "out"]
    assert export(checkpoint / "model.ckpt-900", *(extra or [*options(checkpoint), checkpoint / "out"])) == 2
    assert said in one_line(capsys)
    assert not (checkpoint / "out").exists()


@pytest.mark.parametrize(
    ("part", "damage", "said"),
    [
        (".meta", b"\xff" * 30, "does not parse as a MetaGraphDef"),
        (".meta", b"", "holds no node"),
        (".index", b"no table", "does not fit the graph in its .meta"),
        (".data-00000-of-00001", b"short", "does not fit the graph in its .meta"),
    ],
)
def test_a_damaged_part_is_refused(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], part: str, damage: bytes, said: str
) -> None:
    """Exit code 2 and one line for a graph that is none, and for weights that cannot be read."""
    (checkpoint / f"model.ckpt-900{part}").write_bytes(damage)
    assert export(checkpoint / "model.ckpt-900", *options(checkpoint), checkpoint / "out") == 2
    assert said in one_line(capsys)
    assert not (checkpoint / "out").exists()


def test_ids_beyond_the_classes_are_refused(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A label map for more classes than the head tells apart belongs to another model."""
    (checkpoint / "labels.txt").write_text("red\nblue\ngreen\n")
    assert export(checkpoint / "model.ckpt-900", *options(checkpoint), checkpoint / "out") == 2
    assert "id 3 (green) is out of range: the model has 2 classes, ids 1 to 2" in one_line(capsys)


def test_normalisation_in_training_mode_is_said(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A graph that normalises by each batch's own mean is walked picture by picture, and the report says why."""
    with tf.Graph().as_default(), v1.Session() as session:
        picture = v1.placeholder(tf.float32, [None, 24, 32, 3], name="image")
        gain = v1.get_variable("gain", [3], initializer=v1.ones_initializer())
        normed = v1.nn.fused_batch_norm(picture, gain, tf.zeros([3]), is_training=True)[0]
        score = tf.reduce_max(normed, [1, 2]) / 9
        tf.identity(score[:, :1, tf.newaxis] * [0.0, 0.0, 1.0, 1.0], name="boxes")
        tf.identity(score[:, :1, tf.newaxis] * [1.0, 0.5], name="scores")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "bn" / "model.ckpt"))
    argv = ["--outputs", "boxes=boxes", "scores=scores", *options(checkpoint)[len(OPTIONS) :]]
    assert export(tmp_path / "bn" / "model.ckpt", *argv, tmp_path / "out") == 0
    assert "its batch normalisation runs as in training" in capsys.readouterr().out
    assert contract_of(tmp_path / "out" / "1").provenance["batch"] == "mapped"


PNET = """
# MTCNN's proposal network: a face or none for each square of 12 pixels, every 2 pixels.
input: {colors: BGR, mean: 127.5, std: 128}
boxes: {format: xyxy, anchors: {grid: {stride: 2, cell: 12}}}
scores: {activation: softmax, background: 0}
nms: {iou: 0.5, score: 0.2}
"""


def test_a_real_directory_names_a_step_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """A directory whose file `checkpoint` names a step that was deleted is refused with the step that is there."""
    assert export(sample("models", "pnet_ckpt"), "--output", "unused") == 2
    assert "names PNet-30, which is not there; there: PNet-18" in one_line(capsys)


def test_a_real_checkpoint_becomes_a_detector(tmp_path: Path) -> None:
    """MTCNN's PNet, trained on batches of 256 patches of 12 pixels, finds on whole pictures what numpy finds."""
    prefix = sample("models", "pnet_ckpt") / "PNet-18"
    (tmp_path / "pnet.yaml").write_text(PNET)
    (tmp_path / "face.txt").write_text("face\n")
    head = ("--outputs", "boxes=conv4_2/BiasAdd", "scores=conv4_1/BiasAdd", "--decode", tmp_path / "pnet.yaml")
    size = ("--input-size", "80x60", "--labels", tmp_path / "face.txt")
    assert export(prefix, *head, *size, "--output", tmp_path / "out") == 0
    pictures = as_batch(drawn_pictures(), (80, 60), "stretch", 0)
    found = detections(tmp_path / "out" / "1", pictures)
    assert contract_of(tmp_path / "out" / "1").provenance["batch"] == "dynamic"
    assert sum(map(len, found)) > 0
    for rows, (offsets, logits) in zip(found, pnet(prefix, pictures), strict=True):
        y, x = np.indices(offsets.shape[:2])[..., np.newaxis] * 2
        x0, y0, x1, y1 = np.moveaxis(offsets * 12 + np.concatenate([x, y, x + 12, y + 12], axis=-1), -1, 0)
        boxes = np.stack([y0 / 60, x0 / 80, y1 / 60, x1 / 80], axis=-1).reshape(-1, 4)
        powers = np.exp(logits.reshape(-1, 2))
        assert_same(rows, suppressed(boxes, powers[:, 1:] / powers.sum(1, keepdims=True), iou=0.5, score=0.2)[:100])


def pnet(prefix: Path, pictures: NDArray[np.uint8]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Offsets and logits of each picture, from the weights alone: the network written anew with tf.nn."""
    read = tf.train.load_checkpoint(str(prefix)).get_tensor
    given = (pictures[..., ::-1].astype(np.float32) - 127.5) / 128

    def layer(x: Any, name: str) -> Any:
        return tf.nn.conv2d(x, read(f"{name}/weights"), 1, "VALID") + read(f"{name}/biases")

    def prelu(x: Any, name: str) -> Any:
        return tf.nn.relu(x) + read(f"{name}/alphas") * (x - tf.abs(x)) * 0.5

    x = tf.nn.max_pool2d(prelu(layer(given, "conv1"), "conv1"), 2, 2, "SAME")
    x = prelu(layer(prelu(layer(x, "conv2"), "conv2"), "conv3"), "conv3")
    return list(zip(layer(x, "conv4_2").numpy(), layer(x, "conv4_1").numpy(), strict=True))
