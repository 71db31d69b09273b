"""--frozen writes graph and weights as one file that finds what the SavedModel finds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.signature import DETECTION_OUTPUTS, NUM_DETECTIONS
from sightline_export.errors import Unusable
from sightline_export.freeze import FrozenGraph, write_frozen
from sightline_export.golden import GOLDEN, Golden, Rows
from sightline_export.versions import FROZEN_FILE
from tests.export.peers import contract_of, export, one_line


def detector(directory: Path, *, loop: bool = False) -> Path:
    """A SavedModel with the Object Detection API's names, a variable, and, where asked for, a batch of one."""
    gain = tf.Variable([1.0, 0.5])

    @tf.function(input_signature=[tf.TensorSpec([1 if loop else None, 8, 16, 3], tf.uint8)])  # type: ignore[untyped-decorator]
    def detect(image: Any) -> dict[str, Any]:
        scores = tf.reduce_mean(tf.cast(image, tf.float32), [1, 2])[:, :2] / 255 * gain
        boxes = tf.stack([scores * 0, scores * 0, scores, scores], axis=-1)
        count = tf.fill([tf.shape(image)[0]], 2.0)
        return dict(zip(DETECTION_OUTPUTS, (boxes, scores, scores * 0 + [1.0, 2.0], count), strict=True))

    module = tf.Module()
    module.gain, module.detect = gain, detect
    tf.saved_model.save(module, str(directory / "saved_model"), signatures=detect)
    return directory / "saved_model"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Two names."""
    path = tmp_path / "labels.txt"
    path.write_text("dark\nbright\n")
    return path


@pytest.mark.parametrize("loop", [False, True])
def test_a_frozen_graph_is_proven_and_read_again(
    tmp_path: Path, labels: Path, capsys: pytest.CaptureFixture[str], loop: bool
) -> None:
    """The one file has the Object Detection API's names and one input, also where batches are a loop, and exports."""
    once, again = tmp_path / "once", tmp_path / "again"
    assert export(detector(tmp_path, loop=loop), "--labels", labels, "--output", once, "--frozen") == 0
    assert "ok   frozen graph = SavedModel: greatest difference" in capsys.readouterr().out
    frozen = once / "1" / FROZEN_FILE
    graph = tf.compat.v1.GraphDef.FromString(frozen.read_bytes())
    assert [node.name for node in graph.node if node.op == "Placeholder"] == ["image_tensor"]
    assert not [node.op for node in graph.node if "Variable" in node.op or node.op == "VarHandleOp"]

    assert export(frozen, "--labels", labels, "--output", again) == 0
    assert contract_of(again / "1").provenance["batch"] == "dynamic"
    first, second = (Golden.load(output / "1" / GOLDEN) for output in (once, again))
    apart = [rows.difference(other) for rows, other in zip(first.answers, second.answers, strict=True)]
    assert max(apart) < 1e-6


def test_another_frozen_graph_fails_the_check(tmp_path: Path, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A frozen graph that finds something else than the SavedModel beside it is exit code 1."""
    output = tmp_path / "out"
    assert export(detector(tmp_path), "--labels", labels, "--output", output, "--frozen") == 0
    path = output / "1" / FROZEN_FILE
    graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    for node in graph.node:
        if (
            node.op == "Const"
            and node.attr["value"].tensor.tensor_content == np.array([1.0, 0.5], np.float32).tobytes()
        ):
            node.attr["value"].tensor.tensor_content = np.array([1.0, 0.6], np.float32).tobytes()
    path.write_bytes(graph.SerializeToString())
    capsys.readouterr()
    assert export("--check", output) == 1
    assert "frozen graph = SavedModel: greatest difference" in one_line(capsys)


def test_a_table_cannot_be_frozen(tmp_path: Path) -> None:
    """What no constant can stand for is refused in a sentence that says what to leave out."""
    (tmp_path / "assets.extra").mkdir()
    keys, values = tf.constant([1], tf.int64), tf.constant([2], tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.uint8)])  # type: ignore[untyped-decorator]
    def detect(images: Any) -> dict[str, Any]:
        found = tf.cast(table.lookup(tf.fill([tf.shape(images)[0]], tf.constant(1, tf.int64))), tf.float32)
        return dict.fromkeys(DETECTION_OUTPUTS, found)

    with pytest.raises(Unusable, match="cannot be frozen, leave out --frozen"):
        write_frozen(tmp_path, detect.get_concrete_function())


def test_a_real_detector_survives_being_frozen(voc_export: Path) -> None:
    """An SSD of TensorFlow 1, loops and all, is exported, frozen again, and finds the same in both."""
    golden = Golden.load(voc_export / "1" / GOLDEN)
    found = FrozenGraph(voc_export / "1" / FROZEN_FILE)(golden.pictures[:1])
    assert found[NUM_DETECTIONS].shape == (1,)
    assert Rows.of(found, 0).difference(golden.answers[0]) < golden.tolerance
    assert {"op": "NonMaxSuppressionV3", "iou": 0.6, "count": 20} in contract_of(voc_export / "1").provenance["nms"]
