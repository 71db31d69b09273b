"""`sightline export inspect` says what lies at a path, and what to do with it next."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from serving.signature import DETECTION_OUTPUTS
from sightline_export.inspection import SHOWN
from tests.export.peers import export, one_line, sample

ROOT = Path(__file__).parents[2]


@pytest.fixture
def found(capsys: pytest.CaptureFixture[str]) -> Callable[[Path], dict[str, Any]]:
    """What `inspect --json` finds at a path."""

    def inspected(path: Path) -> dict[str, Any]:
        assert export("inspect", path, "--json") == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return inspected


def names(tensors: list[dict[str, Any]]) -> list[str]:
    """The names of tensors, as `inspect --json` lists them."""
    return [tensor["name"] for tensor in tensors]


def test_a_real_frozen_graph(found: Callable[[Path], dict[str, Any]]) -> None:
    """Of a graph of the Object Detection API: family, the size it resizes to, the label map beside it, the command."""
    path = sample("models", "ssd_voc", "frozen_inference_graph.pb")
    it = found(path)
    assert it["kind"] == "TF1 frozen graph"
    assert it["inputs"] == [{"name": "image_tensor", "dtype": "uint8", "shape": [None, None, None, 3]}]
    assert names(it["outputs"]) == ["detection_boxes", "detection_scores", "detection_classes", "num_detections"]
    assert it["input_size"] == [256, 256]
    assert it["detector"] == "yes: Object Detection API"
    assert it["facts"]["label map"].startswith("pascal_label_map.pbtxt beside it, 21: 0 none_of_the_above, 1 aeroplane")
    assert it["facts"]["graph"] == "3185 nodes, producer 0"
    assert it["bytes"] == path.stat().st_size
    options = f"--output models/served/ssd_voc --labels {path.with_name('pascal_label_map.pbtxt')}"
    assert it["command"] == f"sightline export {path} {options}"


def test_a_real_tf1_checkpoint(found: Callable[[Path], dict[str, Any]]) -> None:
    """Of a training graph: what can be fed, what follows from the pictures alone, what may be boxes and scores."""
    it = found(sample("models", "pnet_ckpt") / "PNet-18")
    assert it["kind"] == "TF1 checkpoint"
    assert names(it["inputs"]) == ["input_image", "label", "bbox_target", "landmark_target"]
    assert names(it["outputs"]) == ["Reshape_4", "bbox_pred", "landmark_pred", "ArgMax"]
    assert it["input_size"] == [12, 12]
    assert it["detector"].startswith("perhaps: of no known family")
    assert it["facts"]["like scores"] == ["conv4_1/Softmax float32 [256, 2]"]
    assert it["facts"]["optimizer"].startswith("15 variables more")
    assert {"name": "conv4_2/weights", "dtype": "float32", "shape": [1, 1, 32, 4]} in it["weights"]
    assert "--inputs input_image --outputs boxes=bbox_pred scores=NAME" in it["command"]


def test_a_directory_whose_checkpoint_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    """A `checkpoint` file that names a step that is not there is one line with those that are."""
    assert export("inspect", sample("models", "pnet_ckpt")) == 2
    assert "names PNet-30, which is not there; there: PNet-18" in one_line(capsys)


def test_the_bundled_checkpoint(found: Callable[[Path], dict[str, Any]]) -> None:
    """Of a TF2 checkpoint: variables by name and shape, the roots of its object graph; it is known by its place."""
    it = found(ROOT / "models" / "insulators" / "checkpoint")
    assert it["kind"] == "TF2 checkpoint"
    assert it["facts"]["roots"] == ["model: network"]
    assert len(it["weights"]) == 219
    assert "save_counter" not in names(it["weights"])
    assert it["detector"].startswith("not known")
    assert it["command"] == "sightline export --output models/served/insulators"


def test_a_checkpoint_of_training(found: Callable[[Path], dict[str, Any]], tmp_path: Path) -> None:
    """What the optimizer keeps is counted and not listed, weights are, whoever names them; a builder is asked for."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(2)])
    optimizer = tf.keras.optimizers.Adam()
    model.build((None, 3))
    optimizer.build(model.trainable_variables)
    tf.train.Checkpoint(model=model, optimizer=optimizer).write(str(tmp_path / "ckpt-7"))
    it = found(tmp_path / "ckpt-7")
    assert len(it["weights"]) == 2
    assert it["facts"]["optimizer"].endswith("variables more, which an export leaves out")
    assert "--builder path/to/file.py:function" in it["command"]


def test_an_export_is_read_without_tensorflow(bundled_export: Path) -> None:
    """Of an exported version: contract, labels, provenance, the versions beside it, and how to serve it, at once."""
    script = f"import sys; from sightline_export.cli import main; main(['inspect', {str(bundled_export)!r}]);"
    command = [sys.executable, "-c", f"{script} print('tensorflow' in sys.modules)"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].startswith(f"{bundled_export / '1'}: SavedModel, exported by Sightline")
    assert "  inputs        input_tensor  uint8    [?, 384, 512, 3]" in said
    assert "  classes       2: 1 insulator, 2 defect" in said
    assert "  versions      1; this is 1" in said
    assert "  frozen        assets.extra/frozen_inference_graph.pb" in said
    serve = f"python -m serving --port 5000 --model_name insulators --model_base_path {bundled_export}"
    assert said[-2:] == [f"  next          {serve}", "False"]


def detector_and_more(directory: Path) -> Path:
    """A SavedModel with a signature of another name beside its detector, which is the Object Detection API's."""

    def detect(image: Any) -> dict[str, Any]:
        scores = tf.zeros([1, 5])
        found = {"detection_boxes": tf.zeros([1, 5, 4]), "detection_scores": scores, "detection_classes": scores}
        multiclass = tf.zeros([1, 5, 91]) + tf.cast(tf.reduce_mean(image), tf.float32)
        return found | {"num_detections": tf.fill([1], 5.0), "detection_multiclass_scores": multiclass}

    module = tf.Module()
    module.detect = tf.function(
        detect, input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="input_tensor")]
    )
    module.more = tf.function(lambda x: {"y": x}, input_signature=[tf.TensorSpec([None], name="x")])
    tf.saved_model.save(module, str(directory), {"serving_default": module.detect, "more": module.more})
    return directory


def test_a_saved_model(found: Callable[[Path], dict[str, Any]], tmp_path: Path) -> None:
    """Of a SavedModel: its signatures, one in full, read without loading it; an open size is asked for."""
    path = detector_and_more(tmp_path / "theirs" / "saved_model")
    for file in (path / "variables").iterdir():
        file.unlink()
    it = found(path)
    assert it["facts"]["signatures"] == "serving_default, shown here, and more"
    assert it["facts"]["variables"] == "none beside it"
    assert it["detector"] == "yes: Object Detection API, 90 classes"
    assert it["command"].endswith("--output models/served/theirs --labels LABELS.pbtxt --input-size WIDTHxHEIGHT")


@pytest.mark.parametrize("names", [["input_tensor"], ["image_bytes", "key"]])
def test_a_model_of_encoded_pictures_is_no_source(
    found: Callable[[Path], dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str]
) -> None:
    """A detector that takes encoded pictures is told by `inspect` and refused by an export, for the same reason."""
    module = tf.Module()
    module.detect = tf.function(
        lambda *given: dict.fromkeys(DETECTION_OUTPUTS, tf.strings.length(given[0])),
        input_signature=[tf.TensorSpec([None], tf.string, name=name) for name in names],
    )
    tf.saved_model.save(module, str(tmp_path / "model"), {"serving_default": module.detect})
    it = found(tmp_path / "model")
    reason = f"it takes strings, as encoded pictures are ({', '.join(f'{name} string [?]' for name in names)}), and"
    assert it["detector"].startswith(f"no: {reason}")
    assert it["command"] == ""
    assert export(tmp_path / "model", "--output", tmp_path / "out") == 2
    said = one_line(capsys)
    assert reason in said
    assert "--input_type image_tensor" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_keras_model(found: Callable[[Path], dict[str, Any]], tmp_path: Path, suffix: str) -> None:
    """Of a Keras file: inputs, outputs and weights by name; an output of four columns may be boxes."""
    image = tf.keras.Input((64, 96, 3), name="image")
    boxes = tf.keras.layers.Reshape((-1, 4), name="boxes")(tf.keras.layers.Conv2D(4, 8, strides=8, name="c")(image))
    tf.keras.Model(image, {"boxes": boxes}).save(tmp_path / f"net{suffix}")
    it = found(tmp_path / f"net{suffix}")
    assert it["kind"] == "Keras model"
    assert it["inputs"] == [{"name": "image", "dtype": "float32", "shape": [None, 64, 96, 3]}]
    assert it["outputs"] == [{"name": "boxes", "dtype": "float32", "shape": [None, 96, 4]}]
    assert names(it["weights"]) == ["c/kernel", "c/bias"]
    assert it["input_size"] == [96, 64]
    assert it["detector"].startswith("perhaps")


def test_a_real_pipeline_config(found: Callable[[Path], dict[str, Any]]) -> None:
    """Of a pipeline.config: architecture, classes, resizer and suppression, without the library that it is for."""
    it = found(sample("models", "pipeline_example.config"))
    assert it["facts"]["architecture"] == "ssd, ssd_mobilenet_v1"
    assert it["facts"]["classes"] == "90, named in PATH_TO_BE_CONFIGURED/mscoco_label_map.pbtxt"
    assert it["facts"]["nms"].startswith("score_threshold 0.3, iou_threshold 0.6")
    assert it["input_size"] == [300, 300]


def test_a_real_label_map(capsys: pytest.CaptureFixture[str]) -> None:
    """A person is shown some of many names and how many there are; a program gets them all."""
    path = sample("models", "mscoco_label_map.pbtxt")
    assert export("inspect", path) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "  classes       1  person"
    assert said[SHOWN + 1] == f"                and {80 - SHOWN} more"
    assert export("inspect", path, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["classes"]) == 80


def garbled_graph(directory: Path) -> Path:
    path = directory / "graph.pb"
    path.write_bytes(b"\xff" * 40)
    return path


def garbled_checkpoint(directory: Path) -> Path:
    for part in ("index", "data-00000-of-00001"):
        (directory / f"ckpt-1.{part}").write_bytes(b"not a table")
    return directory / "ckpt-1"


def garbled_saved_model(directory: Path) -> Path:
    (directory / "saved_model.pb").write_bytes(b"\xff" * 40)
    return directory


def garbled_keras(directory: Path) -> Path:
    (directory / "net.keras").write_bytes(b"not a zip")
    return directory / "net.keras"


def garbled_config(directory: Path) -> Path:
    (directory / "pipeline.config").write_text("model { yolo { } }")
    return directory / "pipeline.config"


def garbled_labels(directory: Path) -> Path:
    (directory / "labels.pbtxt").write_text("item { id: 1 name: 'a' } item { id: 1 name: 'b' }")
    return directory / "labels.pbtxt"


def lonely_weights(directory: Path) -> Path:
    (directory / "ckpt-1.data-00000-of-00001").write_bytes(b"")
    return directory / "ckpt-1"


def a_document(directory: Path) -> Path:
    (directory / "README.md").write_text("# a model")
    return directory / "README.md"


def nothing(directory: Path) -> Path:
    return directory / "absent"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (garbled_graph, "does not parse as a GraphDef"),
        (garbled_checkpoint, "cannot be read"),
        (garbled_saved_model, "does not parse as a SavedModel"),
        (garbled_keras, "cannot be loaded"),
        (garbled_config, "it has no model { ssd | faster_rcnn | center_net }"),
        (garbled_labels, "id 1 is given twice"),
        (lonely_weights, "ckpt-1.index is missing"),
        (a_document, "is a .md file"),
        (nothing, "does not exist"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], Path], said: str
) -> None:
    """Exit code 2 and one line that names the file and what is wrong with it."""
    path = make(tmp_path)
    capsys.readouterr()
    assert export("inspect", path) == 2
    line = capsys.readouterr().err.removeprefix("starting TensorFlow\n")
    assert line.startswith("export: ")
    assert line.count("\n") == 1
    assert said in line
    assert str(tmp_path) in line
