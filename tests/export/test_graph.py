"""Frozen graphs whose tensors are not named as the Object Detection API names them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from sightline_export.pictures import as_batch, drawn_pictures
from tests.export.peers import contract_of, detections, export, one_line

v1 = tf.compat.v1

RAW = """
boxes:
  format: cycxhw
  variances: [0.1, 0.1, 0.2, 0.2]
  anchors:
    ssd:
      feature_maps: [[16, 16], [8, 8], [4, 4], [2, 2], [1, 1]]
      aspect_ratios: [1, 2, 0.5, 3, 0.3333]
scores: {activation: sigmoid, background: 0}
nms: {iou: 0.6, score: 0.05, max_detections: 300}
"""


def test_a_real_raw_head_gives_what_the_graph_itself_gives(tmp_path: Path, ssd_voc: Path, voc_export: Path) -> None:
    """An SSD that decodes and suppresses itself, exported from its raw head, finds the same boxes."""
    (tmp_path / "ssd.yaml").write_text(RAW)
    raw = ("--outputs", "boxes=concat", "scores=concat_1", "--decode", tmp_path / "ssd.yaml")
    labels = ("--labels", ssd_voc.with_name("pascal_label_map.pbtxt"))
    assert export(ssd_voc, *labels, *raw, "--output", tmp_path / "raw") == 0
    pictures = as_batch(drawn_pictures(), (256, 256), "stretch", 0)
    own, ours = (detections(output / "1", pictures) for output in (voc_export, tmp_path / "raw"))
    # The graph clips boxes before it suppresses them, and so may keep one more at an edge, or one less.
    inside = [[row for row in rows if row[1] > 0.05 and min(row[2]) > 0 and max(row[2]) < 1] for rows in own]
    assert sum(map(len, inside)) > 20
    for expected, rows in zip(inside, ours, strict=True):
        found = [min(abs(np.subtract(box, r[2])).max() for r in rows if r[0] == kind) for kind, _, box in expected]
        assert [apart for apart in found if apart > 1e-4] == []


def frozen(path: Path, dtype: tf.DType = tf.uint8) -> Path:
    """A graph that suppresses itself, with names of its own, an input besides the picture, and rows unsorted."""
    with tf.Graph().as_default() as graph:
        picture = v1.placeholder(dtype, [None, 24, 32, 3], name="camera")
        threshold = v1.placeholder(tf.float32, [], name="threshold")
        score = tf.reduce_mean(tf.cast(picture, tf.float32), [1, 2]) / 255
        tf.stack([score * 0, score * 0, score * 32, score * 24], axis=-1, name="where")
        tf.multiply(score, tf.cast(score > threshold, tf.float32), name="how")
        tf.cast(score * 0 + [1.0, 2.0, 3.0], tf.int64, name="what")
        tf.identity(tf.random.uniform([4]), name="noise")
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


OUTPUTS = ("--outputs", "boxes=where", "scores=how", "classes=what:0")


def test_a_graph_with_names_of_its_own_is_exported(tmp_path: Path) -> None:
    """Its tensors are named, its other input gets a value, and its boxes are xyxy in pixels."""
    (tmp_path / "own.yaml").write_text("boxes: {format: xyxy, scale: pixels}")
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    beside = ("--decode", tmp_path / "own.yaml", "--labels", tmp_path / "labels.txt", "--output", tmp_path / "out")
    assert export(frozen(tmp_path / "own.pb"), "--inputs", "camera", "threshold=0.3", *OUTPUTS, *beside) == 0
    pictures = np.empty((2, 24, 32, 3), np.uint8)
    pictures[:] = np.array([[51, 255, 102], [204, 0, 0]])[:, np.newaxis, np.newaxis]
    found = detections(tmp_path / "out" / "1", pictures)
    assert [[row[0] for row in rows] for rows in found] == [[2, 3], [1]]
    np.testing.assert_allclose(found[0][1][2], [0, 0, 0.4, 0.4], atol=1e-6)
    assert contract_of(tmp_path / "out" / "1").provenance["tensors"] == {
        "input": "camera", "fixed": {"threshold": 0.3}, "boxes": "where", "scores": "how", "classes": "what:0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "argv", "said"),
    [
        (tf.uint8, [], "outputs where float32 [?, 3, 4], what int64 [?, 3]"),
        (tf.uint8, ["--inputs", "camera", *OUTPUTS], "also need threshold float32 []: give it a value"),
        (tf.float32, ["--inputs", "camera", "threshold=0", *OUTPUTS], "say how levels of 0..255 become its input"),
        (tf.uint8, ["--outputs", "boxes=where", "scores=none"], "has no tensor none for scores; found where float32"),
        (tf.uint8, ["--outputs", "boxes=where"], "lacks scores"),
        (tf.string, OUTPUTS, "it takes strings, as encoded pictures are (camera string [?])"),
        (tf.string, ["--inputs", "camera", *OUTPUTS], "it takes strings, as encoded pictures are (camera string [?])"),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dtype: tf.DType, argv: list[str], said: str
) -> None:
    """Exit code 2, one line that lists what was found or says what to give, and nothing left behind."""
    if dtype is tf.string:
        with tf.Graph().as_default() as graph:
            picture = v1.placeholder(tf.string, [None], name="camera")
            for name in ("where", "how", "what"):
                tf.strings.length(picture, name=name)
        (tmp_path / "own.pb").write_bytes(graph.as_graph_def().SerializeToString())
    else:
        frozen(tmp_path / "own.pb", dtype)
    assert export(tmp_path / "own.pb", *argv, "--output", tmp_path / "out") == 2
    assert said in one_line(capsys)
    assert not (tmp_path / "out").exists()
