"""A Keras file is exported with its head decoded inside the graph."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.export.peers import assert_same, contract_of, detections, export, one_line, suppressed

HEAD = """
input: {scale: 1/255}
boxes: {format: cxcywh, scale: pixels}
scores: {activation: sigmoid}
nms: {iou: 0.5, score: 0.3}
"""
OUTPUTS = ("--outputs", "boxes=where", "scores=what")

CUSTOM = """
import tensorflow as tf

class Levels(tf.keras.layers.Layer):
    def call(self, pictures):
        return tf.reduce_mean(pictures, [1, 2])

def objects():
    return {"Levels": Levels}

def nothing():
    return None

def failing():
    raise RuntimeError("no\\nluck")
"""


def network(pool: Any = None) -> Any:
    """A model of 32x24 pictures with two anchors: the boxes follow red, the scores green and blue."""
    given = tf.keras.Input((24, 32, 3), name="picture")
    level = (pool or tf.keras.layers.GlobalAveragePooling2D())(given)
    boxes = tf.keras.layers.Dense(8, name="corners")(level)
    scores = tf.keras.layers.Dense(4, name="logits")(level)
    model = tf.keras.Model(
        given,
        [tf.keras.layers.Reshape((2, 4), name="where")(boxes), tf.keras.layers.Reshape((2, 2), name="what")(scores)],
    )
    weights = np.zeros((3, 8))
    weights[0] = [8, 0, 0, 0, 0, 0, 4, 4]
    model.get_layer("corners").set_weights([weights, np.array([8.0, 12, 10, 10, 20, 12, 6, 6])])
    model.get_layer("logits").set_weights([np.array([[0.0] * 4, [4, -4, 4, 0], [-4, 4, 0, 4]]), np.array([-1.0] * 4)])
    return model


def expected(picture: Any) -> list[Any]:
    """What `network` finds on a picture of one colour, computed by hand."""
    red, green, blue = picture[0, 0].astype(float) / 255
    corners = np.array([[8 + 8 * red, 12, 10, 10], [20, 12, 6 + 4 * red, 6 + 4 * red]])
    logits = np.array([[4 * green - 4 * blue, 4 * blue - 4 * green], [4 * green, 4 * blue]]) - 1
    x, y, w, h = corners.T
    boxes = np.stack([(y - h / 2) / 24, (x - w / 2) / 32, (y + h / 2) / 24, (x + w / 2) / 32], axis=1)
    return suppressed(boxes, 1 / (1 + np.exp(-logits)), iou=0.5, score=0.3)


@pytest.fixture
def beside(tmp_path: Path) -> list[object]:
    """The options every export here needs."""
    (tmp_path / "head.yaml").write_text(HEAD)
    (tmp_path / "labels.json").write_text('["green", "blue"]')
    return ["--decode", tmp_path / "head.yaml", "--labels", tmp_path / "labels.json", "--output", tmp_path / "out"]


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")
def test_a_keras_file_is_exported(tmp_path: Path, beside: list[object], name: str) -> None:
    """Outputs are named by their layers; a raw head answers for any batch as it is computed by hand."""
    network().save(tmp_path / name)
    assert export(tmp_path / name, *OUTPUTS, *beside) == 0
    contract = contract_of(tmp_path / "out" / "1")
    assert (contract.provenance["kind"], contract.provenance["batch"]) == ("Keras model", "dynamic")
    pictures = np.zeros((3, 24, 32, 3), np.uint8)
    pictures[:] = np.array([[255, 200, 0], [0, 0, 255], [128, 90, 120]])[:, np.newaxis, np.newaxis]
    for rows, picture in zip(detections(tmp_path / "out" / "1", pictures), pictures, strict=True):
        assert_same(rows, expected(picture))


def test_outputs_of_a_dict_are_named_by_its_keys(tmp_path: Path, beside: list[object]) -> None:
    """A model that returns a dict is asked for its keys."""
    model = network()
    boxes, scores = model.output
    tf.keras.Model(model.input, {"boxes": boxes, "cls": scores}).save(tmp_path / "m.keras")
    assert export(tmp_path / "m.keras", "--outputs", "boxes=boxes", "scores=cls", *beside) == 0
    picture = np.full((1, 24, 32, 3), 200, np.uint8)
    assert_same(detections(tmp_path / "out" / "1", picture)[0], expected(picture[0]))


def test_classes_of_ones_own_come_from_the_builder(
    tmp_path: Path, beside: list[object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--builder names a function that returns the custom objects; without it, the hint to it is given."""
    (tmp_path / "own_layers.py").write_text(CUSTOM)
    monkeypatch.syspath_prepend(tmp_path)
    import own_layers  # type: ignore[import-not-found]

    network(own_layers.Levels()).save(tmp_path / "m.keras")
    assert export(tmp_path / "m.keras", "--builder", "own_layers:objects", *OUTPUTS, *beside) == 0
    for builder, said in (
        ([], "classes of your own are named with --builder"),
        (["--builder", "own_layers:nothing"], "returned a NoneType; a Keras file wants a dict"),
        (["--builder", "own_layers:failing"], "failed: RuntimeError: no luck"),
    ):
        capsys.readouterr()
        assert export(tmp_path / "m.keras", *builder, *OUTPUTS, *beside) == 2
        assert said in one_line(capsys)


@pytest.mark.parametrize(
    ("outputs", "yaml", "said"),
    [
        ([], HEAD, "found inputs picture float32 [?, 24, 32, 3] and outputs where float32 [?, 2, 4], what float32"),
        (["boxes=where", "scores=who"], HEAD, "has no tensor who for scores; found where float32 [?, 2, 4]"),
        (["boxes=where", "scores=what"], "nms: {iou: 0.5}", "say how levels of 0..255 become its input"),
        (["boxes=where", "scores=what"], None, "without classes=NAME is a raw head"),
        (["boxes=what", "scores=where"], HEAD, "boxes=what has shape"),
    ],
)
def test_a_head_that_is_not_described_is_refused(
    tmp_path: Path,
    beside: list[object],
    capsys: pytest.CaptureFixture[str],
    outputs: list[str],
    yaml: str | None,
    said: str,
) -> None:
    """Exit code 2, one line that says what was found and which option to give, and nothing left behind."""
    network().save(tmp_path / "m.keras")
    (tmp_path / "head.yaml").write_text(yaml or "")
    named = ["--outputs", *outputs] if outputs else []
    assert export(tmp_path / "m.keras", *named, *(beside if yaml else beside[2:])) == 2
    assert said in one_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_file_that_is_no_model_is_refused(
    tmp_path: Path, beside: list[object], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A file of another content is refused in one line."""
    (tmp_path / name).write_bytes(b"no model")
    assert export(tmp_path / name, *OUTPUTS, *beside) == 2
    assert f"{name} cannot be loaded" in one_line(capsys)
    assert not (tmp_path / "out").exists()
