"""SavedModels of the families in the wild are recognised, decoded and signed anew; others are described."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.export.peers import assert_same, contract_of, detections, export, one_line, suppressed

WIDTH, HEIGHT = 64, 48
RNG = np.random.default_rng(5)
BOXES = np.concatenate([RNG.uniform(12, 36, (20, 2)), RNG.uniform(8, 20, (20, 2))], axis=1).astype(np.float32)
"""Twenty boxes cx, cy, w, h in pixels of 64x48."""
WEIGHTS = RNG.normal(0, 6, (3, 60)).astype(np.float32)
"""From a picture's mean colour to three logits for each box."""


def scores_of(pictures: Any) -> Any:
    """The scores [N, 20, 3] of pictures with levels of 0..1."""
    logits = tf.matmul(tf.reduce_mean(pictures, [1, 2]), tf.constant(WEIGHTS))
    return tf.reshape(tf.sigmoid(logits), [-1, 20, 3])


def ultralytics(pictures: Any) -> dict[str, Any]:
    """The raw head of format=saved_model: [N, 4 + C, A]."""
    scores = scores_of(pictures)
    boxes = tf.tile(tf.constant(BOXES)[tf.newaxis], [tf.shape(scores)[0], 1, 1])
    return {"output_0": tf.transpose(tf.concat([boxes, scores], 2), [0, 2, 1])}


def ultralytics_nms(pictures: Any) -> dict[str, Any]:
    """With nms=True: rows of x1, y1, x2, y2, score, class, and zeros."""
    scores, boxes = scores_of(pictures), tf.constant(BOXES)
    corners = tf.concat([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    best, column = tf.reduce_max(scores, 2), tf.cast(tf.argmax(scores, 2), tf.float32)
    rows = tf.concat([tf.tile(corners[tf.newaxis], [tf.shape(best)[0], 1, 1]), best[..., None], column[..., None]], 2)
    return {"output_0": tf.where(best[..., None] > 0.25, rows, 0.0)}


def model_garden(pictures: Any, factor: int = 2) -> dict[str, Any]:
    """Model Garden resizes to twice the size: boxes are pixels of that, and image_info says so."""
    rows = ultralytics_nms(tf.cast(pictures, tf.float32) / 255)["output_0"]
    count = tf.shape(rows)[0]
    info = tf.constant([[[HEIGHT, WIDTH], [2 * HEIGHT, 2 * WIDTH], [2, 2], [0, 0]]], tf.float32)
    return {
        "detection_boxes": tf.gather(rows[..., :4] * factor, [1, 0, 3, 2], axis=2),
        "detection_scores": rows[..., 4],
        "detection_classes": tf.cast(rows[..., 5], tf.int32) + tf.cast(rows[..., 4] > 0, tf.int32),
        "num_detections": tf.fill([count], 20),
        "image_info": tf.tile(info, [count, 1, 1]),
    }


def save(directory: Path, detect: Any, dtype: Any = tf.float32, batch: int | None = 1, name: str = "images") -> Path:
    """A SavedModel with one signature, and class names as Ultralytics keeps them."""
    module = tf.Module()
    module.detect = tf.function(
        lambda images: detect(images),
        input_signature=[tf.TensorSpec([batch, HEIGHT, WIDTH, 3], dtype, name=name)],
        autograph=False,
    )
    tf.saved_model.save(module, str(directory), signatures=module.detect.get_concrete_function())
    return directory


def metadata(directory: Path) -> None:
    (directory / "metadata.yaml").write_text("stride: 32\nnames:\n  0: insulator\n  1: damper\n  2: nest\n")


def pictures(count: int = 3) -> Any:
    """Pictures of one colour each."""
    colours = np.random.default_rng(1).integers(0, 255, (count, 1, 1, 3))
    return np.broadcast_to(colours, (count, HEIGHT, WIDTH, 3)).astype(np.uint8)


def corners() -> Any:
    """The boxes as yxyx in 0..1."""
    x, y, w, h = BOXES.T
    pixels = np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], axis=1)
    return pixels / [HEIGHT, WIDTH, HEIGHT, WIDTH]


def scores_in_numpy(picture: Any) -> Any:
    """As `scores_of`, of one picture of uint8."""
    logits = (picture.reshape(-1, 3).mean(0) / 255) @ WEIGHTS
    return (1 / (1 + np.exp(-logits))).reshape(20, 3)


@pytest.mark.parametrize(("batch", "treated"), [(1, "mapped"), (None, "dynamic")])
def test_an_ultralytics_head_is_decoded(tmp_path: Path, batch: int | None, treated: str) -> None:
    """[N, 4 + C, A] in pixels is recognised: levels of 0..1, letterbox, names from its metadata, suppression inside."""
    metadata(save(tmp_path / "yolo_saved_model", ultralytics, batch=batch))
    assert export(tmp_path / "yolo_saved_model", "--output", tmp_path / "out") == 0
    contract = contract_of(tmp_path / "out" / "1")
    assert (contract.resize, contract.width, contract.height) == ("letterbox", WIDTH, HEIGHT)
    assert contract.labels == {1: "insulator", 2: "damper", 3: "nest"}
    assert contract.provenance["batch"] == treated
    assert contract.provenance["decode"]["boxes"] == {
        "format": "cxcywh", "scale": "pixels", "anchors": None, "variances": [1, 1, 1, 1],
    }  # fmt: skip
    for picture, rows in zip(pictures(), detections(tmp_path / "out" / "1", pictures()), strict=True):
        assert_same(rows, suppressed(corners(), scores_in_numpy(picture), iou=0.5, score=0.05))


def test_a_model_for_another_task_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An Ultralytics model that finds poses, whose key points would pass for classes, is named as such."""
    metadata(save(tmp_path / "pose", ultralytics))
    with (tmp_path / "pose" / "metadata.yaml").open("a") as file:
        file.write("task: pose\n")
    assert export(tmp_path / "pose", "--output", tmp_path / "out") == 2
    assert "is an Ultralytics model for the task pose; only detect is exported" in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_the_file_wins_over_the_family(tmp_path: Path) -> None:
    """A section of --decode replaces the family's own: other thresholds, and nothing else."""
    metadata(save(tmp_path / "yolo", ultralytics))
    (tmp_path / "nms.yaml").write_text("nms: {iou: 0.2, score: 0.4, per_class: false, max_detections: 5}\n")
    assert export(tmp_path / "yolo", "--decode", tmp_path / "nms.yaml", "--output", tmp_path / "out") == 0
    for picture, rows in zip(pictures(), detections(tmp_path / "out" / "1", pictures()), strict=True):
        expected = suppressed(corners(), scores_in_numpy(picture), iou=0.2, score=0.4, per_class=False)
        assert_same(rows, expected[:5])


def test_rows_that_are_suppressed_already_are_recognised(tmp_path: Path) -> None:
    """[N, K, 6] is x1, y1, x2, y2, score, class in pixels; only rows with a score count."""
    metadata(save(tmp_path / "yolo", ultralytics_nms))
    assert export(tmp_path / "yolo", "--output", tmp_path / "out") == 0
    check_best_rows(tmp_path / "out" / "1")


@pytest.mark.parametrize("dtype", [tf.uint8, tf.float32])
def test_model_garden_is_recognised(tmp_path: Path, dtype: Any) -> None:
    """Boxes in pixels of the resized picture are divided by what image_info says."""
    save(tmp_path / "garden", model_garden, dtype, name="inputs")
    (tmp_path / "labels.txt").write_text("insulator\ndamper\nnest\n")
    source = (tmp_path / "garden", "--labels", tmp_path / "labels.txt", "--output", tmp_path / "out")
    assert export(*source) == 0
    check_best_rows(tmp_path / "out" / "1")


def check_best_rows(version: Path) -> None:
    """The version finds each box once, with the best of its classes, if that scores above 0.25."""
    for picture, rows in zip(pictures(), detections(version, pictures()), strict=True):
        scores, boxes = scores_in_numpy(picture), np.clip(corners(), 0, 1)
        best = scores.max(axis=1)
        expected = [
            (int(scores[row].argmax()) + 1, float(best[row]), boxes[row].tolist()) for row in np.nonzero(best > 0.25)[0]
        ]
        assert_same([row for row in rows if row[1] > 0], expected)


def test_another_head_is_described(tmp_path: Path) -> None:
    """Outputs of any names and an input besides the pictures are told on the command line."""

    def detect(images: Any, threshold: Any) -> dict[str, Any]:
        rows = ultralytics_nms(images)["output_0"]
        keep = rows[..., 4] > threshold
        return {"where": rows[..., :4], "how": tf.where(keep, rows[..., 4], 0.0), "what": rows[..., 5]}

    module = tf.Module()
    specs = [tf.TensorSpec([None, HEIGHT, WIDTH, 3], name="images"), tf.TensorSpec([], name="threshold")]
    module.detect = tf.function(detect, input_signature=specs, autograph=False)
    tf.saved_model.save(module, str(tmp_path / "own"), signatures={"detect": module.detect.get_concrete_function()})
    (tmp_path / "labels.txt").write_text("insulator\ndamper\nnest\n")
    (tmp_path / "own.yaml").write_text(
        "{input: {scale: 1/255}, boxes: {format: xyxy, scale: pixels}, class_offset: 1, nms: {score: 0}}"
    )
    argv = [tmp_path / "own", "--outputs", "boxes=where", "scores=how", "classes=what"]
    argv += ["--decode", tmp_path / "own.yaml", "--labels", tmp_path / "labels.txt"]
    assert export(*argv, "--inputs", "images", "threshold=0.25", "--output", tmp_path / "out") == 0
    check_best_rows(tmp_path / "out" / "1")


def model_garden_fractions(images: Any) -> dict[str, Any]:
    """With output_normalized_coordinates; image_info is there all the same."""
    return model_garden(images, factor=1)


def object_detection_pixels(images: Any) -> dict[str, Any]:
    """The Object Detection API's names, and boxes in pixels of the picture."""
    return {name: value for name, value in model_garden(images, factor=1).items() if name != "image_info"}


@pytest.mark.parametrize(
    ("detect", "dtype", "pixels", "note"),
    [
        (ultralytics, tf.float32, False, "its boxes are fractions of the picture, not pixels as Ultralytics"),
        (ultralytics_nms, tf.float32, False, "its boxes are fractions of the picture, not pixels as Ultralytics"),
        (model_garden_fractions, tf.uint8, False, "its boxes are fractions of the picture, not pixels as Model Garden"),
        (object_detection_pixels, tf.uint8, True, "its boxes are pixels, not fractions of the picture as Object"),
    ],
)
def test_what_boxes_count_is_seen_on_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    detect: Any, dtype: Any, pixels: bool, note: str,
) -> None:  # fmt: skip
    """The same names and shapes with boxes on another scale are exported with their boxes where they belong."""
    where = corners()
    if not pixels:
        monkeypatch.setitem(globals(), "BOXES", (BOXES / [WIDTH, HEIGHT, WIDTH, HEIGHT]).astype(np.float32))
    metadata(save(tmp_path / "model", detect, dtype))
    assert export(tmp_path / "model", "--output", tmp_path / "out") == 0
    assert note in capsys.readouterr().out
    for picture, rows in zip(pictures(2), detections(tmp_path / "out" / "1", pictures(2)), strict=True):
        scores = scores_in_numpy(picture)
        expected = [
            (int(np.argmax(scores[row])) + 1, float(scores[row].max()), list(map(float, where[row])))
            for row in np.argsort(-scores.max(axis=1))
            if scores[row].max() > 0.25
        ]
        if detect is ultralytics:
            expected = suppressed(where, scores, iou=0.5, score=0.05)
        assert_same([row for row in rows if row[1] > (0.05 if detect is ultralytics else 0.25)], expected)


def no_rows(images: Any) -> dict[str, Any]:
    """With nms=True, and nothing found."""
    return {"output_0": ultralytics_nms(images)["output_0"] * 0.0}


def yolov5(images: Any) -> dict[str, Any]:
    """One class of YOLOv5: rows of a box, whether there is anything, and how sure of the class; not of a class."""
    rows = ultralytics_nms(images)["output_0"]
    return {"output_0": tf.concat([rows[..., :5], rows[..., 4:5]], 2)}


def test_an_option_says_what_boxes_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What pictures cannot show, or show otherwise, is as --decode says; a contradiction is noted."""
    for name, detect in (("none", no_rows), ("some", ultralytics_nms)):
        metadata(save(tmp_path / name, detect))
        (tmp_path / "head.yaml").write_text("boxes: {format: xyxy, scale: normalised}")
        argv = [tmp_path / name, "--decode", tmp_path / "head.yaml", "--output", tmp_path / f"{name}-out"]
        assert export(*argv) == 0
        assert contract_of(tmp_path / f"{name}-out" / "1").provenance["decode"]["boxes"]["scale"] == "normalised"
        noted = ", like pixels, and are read as normalised" in capsys.readouterr().out
        assert noted == (name == "some")


def nothing(images: Any) -> dict[str, Any]:
    return {"logits": tf.reduce_mean(images, [1, 2])}


@pytest.mark.parametrize(
    ("detect", "batch", "options", "said"),
    [
        (
            no_rows,
            1,
            [],
            "reach to 0: give some on which it finds something, --pictures DIR, or say",
        ),
        (yolov5, 1, [], "has rows like those of Ultralytics, but no whole numbers for classes"),
        (
            lambda images: {"output_0": ultralytics(images)["output_0"][:, :6]},
            1,
            [],
            "comes with 3 class names, and",
        ),
        (nothing, 1, [], "found inputs images float32 [1, 48, 64, 3] and outputs logits float32 [1, 3]"),
        (ultralytics, 8, [], "takes 8 pictures at a time, no more and no less"),
        (ultralytics, 1, ["--labels", "four.txt"], "id 4 (d) is out of range: the model has 3 classes, ids 1 to 3"),
        (ultralytics, 1, ["--labels", "twice.json"], "id 1 is given twice"),
        (ultralytics, 1, ["--inputs", "x"], "has no tensor x for --inputs; found images float32"),
        (ultralytics, 1, ["--inputs", "images", "y=1"], "y: every other input of the signature is given a value"),
        (ultralytics, 1, ["--decode", "wrong.yaml"], "wrong.yaml: nms.iou: 7 is not allowed; it must be less than"),
        (
            ultralytics_nms,
            1,
            ["--decode", "again.yaml"],
            "again.yaml: nms: a source with classes=output_0 has suppressed",
        ),
        (ultralytics, 1, ["--outputs", "boxes=output_0", "scores=x"], "has no tensor x for scores; found output_0"),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    detect: Any,
    batch: int,
    options: list[str],
    said: str,
) -> None:
    """Exit code 2, one line that says what was found or is allowed, and nothing left behind."""
    monkeypatch.chdir(tmp_path)
    metadata(save(Path("source"), detect, batch=batch))
    Path("four.txt").write_text("a\nb\nc\nd\n")
    Path("twice.json").write_text('{"1": "a", "1": "b"}')
    Path("wrong.yaml").write_text("nms: {iou: 7}")
    Path("again.yaml").write_text("nms: {iou: 0.7}")
    assert export("source", *options, "--output", "out") == 2
    assert said in one_line(capsys)
    assert not Path("out").exists()


def test_if_changed_sees_how_a_head_is_decoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another threshold in the YAML is another model; another comment is not."""
    metadata(save(tmp_path / "yolo", ultralytics, batch=None))
    path = tmp_path / "nms.yaml"
    argv = (tmp_path / "yolo", "--decode", path, "--output", tmp_path / "out", "--if-changed")
    for text, versions in (("nms: {iou: 0.4}", 1), ("# the same\nnms: {iou: 0.4}", 1), ("nms: {iou: 0.6}", 2)):
        path.write_text(text)
        assert export(*argv) == 0
        assert len(list((tmp_path / "out").iterdir())) == versions
