"""Files that Keras 2 wrote are loaded, or it is said that they are and what to do."""

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf

from sightline_export import keras_2, keras_model
from sightline_export.errors import Unusable
from tests.export.peers import contract_of, export, one_line

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")

Config = dict[str, Any]


@pytest.fixture
def no_tf_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without tf_keras."""
    monkeypatch.setitem(sys.modules, "tf_keras", None)


def as_keras_2(path: Path, change: Callable[[Config], None]) -> Path:
    """Turn an .h5 of Keras 3 into one of Keras 2, its layers changed one by one."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            change(layer)
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
    return path


def every_kind() -> Any:
    """A model with a layer of each sort that Keras 2 writes otherwise, of random weights."""
    layers = tf.keras.layers
    given = tf.keras.Input((16, 16, 3), name="picture")
    x = layers.RandomFlip()(given)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", bias_initializer="random_normal")(x)
    x = layers.SpatialDropout2D(0.5)(x)
    x = layers.SeparableConv2D(4, 3, padding="same")(x)
    x = layers.Conv2DTranspose(5, 3, strides=2, padding="same")(x)
    x = layers.Reshape((16, 16 * 5))(x)
    return tf.keras.Model(given, layers.LSTM(4)(layers.MultiHeadAttention(2, 3)(x, x)))


def test_keys_that_mean_nothing_do_not_matter(tmp_path: Path, no_tf_keras: None) -> None:
    """An .h5 of Keras 2 is loaded by Keras 3 with every weight in its place, whatever else stands in its layers."""
    model = every_kind()
    model.save(tmp_path / "net.h5")
    met = set()

    def change(layer: Config) -> None:
        for key, value in keras_2.HARMLESS.get(layer["class_name"], {}).items():
            met.add(key)
            layer["config"][key] = "anything" if value is keras_2._ANY else value

    path = as_keras_2(tmp_path / "net.h5", change)
    assert {"groups", "kernel_initializer", "noise_shape", "rng_type", "time_major", "query_shape"} <= met
    picture = np.random.default_rng(3).random((2, 16, 16, 3)).astype(np.float32)
    found = keras_model.read(path, None)(picture, training=False)
    np.testing.assert_array_equal(found, model(picture, training=False))


def grouped(layer: Config) -> None:
    if layer["class_name"] == "DepthwiseConv2D":
        layer["config"]["groups"] = 3


def operator(layer: Config) -> None:
    if layer["class_name"] == "Rescaling":
        layer["class_name"] = "TFOpLambda"


def small(path: Path) -> Path:
    """Write a model of two layers."""
    given = tf.keras.Input((16, 16, 3), name="picture")
    tf.keras.Model(given, tf.keras.layers.DepthwiseConv2D(3)(tf.keras.layers.Rescaling(0.5)(given))).save(path)
    return path


@pytest.mark.parametrize("change", [grouped, operator])
def test_what_keras_3_cannot_load_is_said_to_be_keras_2(
    tmp_path: Path, no_tf_keras: None, capsys: pytest.CaptureFixture[str], change: Callable[[Config], None]
) -> None:
    """A key with a meaning, a layer of Keras 2 alone: `export` and `inspect` say who wrote the file, and what helps."""
    path = as_keras_2(small(tmp_path / "net.h5"), change)
    for argv in ((path, "--output", tmp_path / "out"), ("inspect", path)):
        capsys.readouterr()
        assert export(*argv) == 2
        said = capsys.readouterr().err.removeprefix("starting TensorFlow\n")
        assert said.count("\n") == 1
        assert "net.h5 was written by Keras 2.15.0, and Keras 3 cannot load it: install tf_keras" in said
    assert not (tmp_path / "out").exists()


def test_a_keras_file_of_keras_2_is_said_to_be_one(
    tmp_path: Path, no_tf_keras: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A .keras file keeps its weights where only Keras 2 looks for them."""
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "2.14.0"}')
        archive.writestr("config.json", '{"module": "keras.src.engine.functional", "class_name": "Functional"}')
    assert export(tmp_path / "net.keras", "--output", tmp_path / "out") == 2
    said = "was written by Keras 2.14.0, and Keras 3 cannot load a .keras file of that: install tf_keras"
    assert said in one_line(capsys)


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ({"class_name": "Lambda", "config": {"function": ["4wE=", None, None]}}, "has a Lambda layer, whose code is"),
        (
            {"class_name": "function", "module": "os", "config": "system"},
            "wants function of os: name it with",
        ),
    ],
)
def test_code_in_a_file_never_reaches_keras_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: Config, said: str
) -> None:
    """tf_keras, which would run it, is never asked to load a file with code, or with names of foreign code, in it."""
    monkeypatch.setitem(sys.modules, "tf_keras", ModuleType("tf_keras"))

    def change(layer: Config) -> None:
        if layer["class_name"] == "Rescaling":
            layer["config"]["function"] = inside

    path = as_keras_2(small(tmp_path / "net.h5"), change)
    with pytest.raises(Unusable, match=said):
        keras_model.read(path, None)


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_keras_2_reads_its_own(tmp_path: Path, suffix: str) -> None:
    """Where tf_keras is installed a model of Keras 2 is exported whole, operators and slices between tensors too."""
    legacy = pytest.importorskip("tf_keras")
    given = legacy.Input((24, 32, 3), name="picture")
    level = legacy.layers.DepthwiseConv2D(8, strides=8)(given * 2.0 - 1.0)
    where = legacy.layers.Conv2D(4, 1, name="where")(level[:, :2])
    what = legacy.layers.Conv2D(2, 1, name="what")(level[:, :2])
    legacy.Model(given, [where, what]).save(tmp_path / f"net.{suffix}")
    (tmp_path / "head.yaml").write_text(
        "{input: {scale: 1/255}, boxes: {format: cxcywh, anchors: {grid: {stride: 8, cell: 8}}}, "
        "scores: {activation: sigmoid}, nms: {score: 0}}"
    )
    (tmp_path / "labels.txt").write_text("a\nb\n")
    options = ("--outputs", "boxes=where", "scores=what", "--decode", tmp_path / "head.yaml")
    beside = ("--labels", tmp_path / "labels.txt", "--output", tmp_path / "out")
    assert export(tmp_path / f"net.{suffix}", *options, *beside) == 0
    assert contract_of(tmp_path / "out" / "1").provenance["kind"] == "Keras model"
    assert export("inspect", tmp_path / f"net.{suffix}") == 0
