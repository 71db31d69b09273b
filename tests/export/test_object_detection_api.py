"""A pipeline.config is handed to the library that knows it, and so are the options of training code around it."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.signature import DETECTION_OUTPUTS
from sightline_export.errors import Unusable
from sightline_export.training_config import label_map_of
from tests.export.peers import contract_of, detections, export, one_line, sample

# The library is no dependency, and the real one is not run here. This takes what its exporter takes, and writes a
# SavedModel of the test's own; its config is a protobuf message too, of one field.
STAND_IN = """
import pathlib, shutil

def export_inference_graph(
    input_type, pipeline_config, trained_checkpoint_dir, output_directory,
    use_side_inputs, side_input_shapes, side_input_types, side_input_names,
):
    assert (input_type, use_side_inputs) == ("image_tensor", False)
    assert list(pathlib.Path(trained_checkpoint_dir).glob("ckpt-5.index"))
    shutil.copytree(pipeline_config.value, pathlib.Path(output_directory) / "saved_model")
"""
PROTOS = "from google.protobuf.wrappers_pb2 import StringValue as TrainEvalPipelineConfig\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The directory of a training run: config, checkpoint, label map."""
    for name in ("ckpt-5.index", "ckpt-5.data-00000-of-00001"):
        (tmp_path / name).write_bytes(b"weights")
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "ckpt-5"\n')
    (tmp_path / "labels.pbtxt").write_text("item { id: 1 name: 'insulator' } item { id: 2 name: 'damper' }")
    (tmp_path / "pipeline.config").write_text('eval_input_reader { label_map_path: "somewhere/labels.pbtxt" }\n')
    return tmp_path


def test_without_the_library_the_way_around_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and one line that names the library, and the command that writes what can be read."""
    assert export(run / "pipeline.config", "--output", run / "out") == 2
    said = one_line(capsys)
    assert "needs the TensorFlow Object Detection API, which is not installed" in said
    assert "exporter_main_v2.py" in said
    assert not (run / "out").exists()


def test_the_options_of_training_code_are_taken(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--pipeline_config_file, --checkpoint_dir and --output_export_dir are SOURCE, its checkpoint, and --output."""
    config = run / "configs" / "mine.config"
    config.parent.mkdir()
    shutil.move(run / "pipeline.config", config)
    named = (f"--pipeline_config_file={config}", f"--checkpoint_dir={run}")
    assert export(*named, f"--output_export_dir={run / 'out'}") == 2
    assert "mine.config needs the TensorFlow Object Detection API" in one_line(capsys)
    parameters = run / "parameters.yaml"
    section = f"{{pipeline_config_filepath: {config}, checkpoint_save_path: {run}, num_train_steps: 9}}"
    parameters.write_text(f"pipeline_config: {section}\n")
    assert export(f"--config_file={parameters}", f"--output_export_dir={run / 'out'}") == 2
    assert "mine.config needs the TensorFlow Object Detection API" in one_line(capsys)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--pipeline_config_file", "none.config"], "there is no pipeline config none.config"),
        (
            ["--pipeline_config_file", "labels.pbtxt"],
            "is no pipeline config: its name must end in .config",
        ),
        (["pipeline.config", "--checkpoint_dir", "nowhere"], "--checkpoint_dir nowhere is no directory"),
        (["labels.pbtxt", "--checkpoint_dir", "."], "--checkpoint_dir belongs to a pipeline.config"),
        (["ckpt-5", "--pipeline_config_file", "pipeline.config"], "are two sources; give one"),
        (["--config_file", "none.yaml"], "cannot read none.yaml"),
        (["--config_file", "checkpoint"], "names no pipeline_config.pipeline_config_filepath"),
        (["--config_file", "ckpt-5.index"], "is no mapping with a section pipeline_config"),
    ],
)
def test_options_that_name_nothing_are_refused(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    """Exit code 2 and one line for a file that is not there or is another, and for two sources."""
    monkeypatch.chdir(run)
    assert export(*argv, "--output", "out") == 2
    assert said in one_line(capsys)
    assert not Path("out").exists()


def theirs() -> tf.Module:
    """A detector as that library exports them: one box as good as the picture is bright, for one picture at a time."""
    module = tf.Module()
    module.gain = tf.Variable(1.0)

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="input_tensor")])  # type: ignore[untyped-decorator]
    def detect(images: Any) -> dict[str, Any]:
        score = tf.reshape(tf.reduce_mean(tf.cast(images, tf.float32)) / 255 * module.gain, [1, 1])
        boxes = tf.constant([[[0.0, 0.0, 0.5, 0.5]]])
        found = (boxes, score, tf.ones([1, 1]), tf.ones([1]))
        return dict(zip(DETECTION_OUTPUTS, found, strict=True))

    module.detect = detect
    return module


def test_what_the_library_writes_is_exported(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is installed, the SavedModel that it writes is read, and may be gone when ours is written."""
    package = run / "path" / "object_detection"
    (package / "protos").mkdir(parents=True)
    for name, code in (("__init__", ""), ("exporter_lib_v2", STAND_IN), ("protos/pipeline_pb2", PROTOS)):
        (package / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(package.parent)
    tf.saved_model.save(detector := theirs(), str(run / "theirs"), signatures=detector.detect)
    (run / "pipeline.config").write_text(f'value: "{run / "theirs"}"\n')
    size = ("--labels", run / "labels.pbtxt", "--input-size", "32x24")
    assert export(run / "pipeline.config", *size, "--output", run / "out") == 0
    contract = contract_of(run / "out" / "1")
    assert contract.provenance["kind"] == "Object Detection API pipeline"
    assert sorted(contract.provenance["files"]) == ["ckpt-5.data-00000-of-00001", "ckpt-5.index", "pipeline.config"]
    rows = detections(run / "out" / "1", np.full((2, 24, 32, 3), 51, np.uint8))
    np.testing.assert_allclose([row[0][1] for row in rows], 0.2, atol=1e-6)


def test_the_label_map_is_the_config_s_own(tmp_path: Path) -> None:
    """A real config names its label map in a directory of another machine: the file of that name beside it is meant."""
    config = tmp_path / "pipeline.config"
    shutil.copy(sample("models", "pipeline_example.config"), config)
    assert label_map_of(config) is None
    (tmp_path / "mscoco_label_map.pbtxt").touch()
    assert label_map_of(config) == tmp_path / "mscoco_label_map.pbtxt"
    (tmp_path / "née.pbtxt").touch()
    config.write_text(r"eval_input_reader { x: 1 } eval_input_reader < label_map_path: 'n\303\251e' '.pbtxt' >")
    assert label_map_of(config) == tmp_path / "née.pbtxt"
    config.write_text("eval_input_reader {")
    with pytest.raises(Unusable, match=r"is no pipeline\.config"):
        label_map_of(config)
