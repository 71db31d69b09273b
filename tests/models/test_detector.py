"""The bundled detector: its outputs, its checkpoint, and what it finds."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.accuracy import Found
from serving.resize import Resize
from serving.signature import DETECTION_OUTPUTS
from sightline_models.insulators import inference
from sightline_models.insulators.data import DataError
from sightline_models.insulators.evaluate import judge
from sightline_models.insulators.inference import detect_all, load_checkpoint
from sightline_models.insulators.losses import box_loss, detection_loss, heat_loss
from sightline_models.insulators.network import MAX_DETECTIONS, InsulatorDetector, boxes_from_distances, build
from sightline_models.insulators.picture import CLASSES, Picture
from sightline_models.insulators.run import keep_weights
from sightline_models.insulators.targets import Targets
from sightline_models.insulators.train import prefetched
from sightline_models.insulators.truth import clip_frames, demo_frames

DATA = Path(os.environ.get("SIGHTLINE_DATA", Path(__file__).parents[3] / "shared" / "data"))
FLOORS = {"insulator": (0.7, 0.8), "defect": (0.6, 0.6)}
"""Recall and precision on the demo flight, at the shipped score. The model card has the figures; these only notice a
broken model."""


@pytest.fixture(scope="module")
def detector() -> Any:
    return load_checkpoint(None)


@pytest.fixture(scope="module")
def demo() -> tuple[list[Picture], list[np.ndarray]]:
    truth, images = demo_frames(12)
    return truth, list(images)


@pytest.fixture(scope="module")
def inputs(detector: Any, demo: tuple[list[Picture], list[np.ndarray]]) -> np.ndarray:
    """Eight different frames as the model takes them."""
    size = (detector.input_width, detector.input_height)
    plan = Resize.fit((1280, 720), size, detector.resize_rule, detector.pad_value)
    return np.stack([plan.apply(image) for image in demo[1][:8]])


def _graph(detector: Any) -> Any:
    return tf.function(detector.detect, input_signature=[tf.TensorSpec([None, 384, 512, 3], tf.uint8)])


def test_outputs_are_the_signatures(detector: Any, inputs: np.ndarray) -> None:
    """The four outputs have the signature's names, shapes and types; scores descend, boxes are inside 0..1."""
    outputs = {name: value.numpy() for name, value in _graph(detector)(inputs).items()}
    assert set(outputs) == set(DETECTION_OUTPUTS)
    assert all(value.dtype == np.float32 for value in outputs.values())
    assert outputs["detection_boxes"].shape == (8, MAX_DETECTIONS, 4)
    assert outputs["num_detections"].shape == (8,)
    assert outputs["num_detections"].min() > 0
    scores, boxes = outputs["detection_scores"], outputs["detection_boxes"]
    assert (np.diff(scores, axis=1) <= 0).all()
    assert scores.max() <= 1
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    for row, count in enumerate(outputs["num_detections"].astype(int)):
        assert set(outputs["detection_classes"][row, :count]) <= set(map(float, detector.labels))
        assert (boxes[row, :count, 2:] > boxes[row, :count, :2]).all()
        assert not outputs["detection_classes"][row, count:].any()
        assert not scores[row, count:].any()


def test_a_batch_is_its_frames_one_by_one(detector: Any, inputs: np.ndarray) -> None:
    """Eight frames together are found what each is found alone."""
    graph = _graph(detector)
    together = graph(inputs)
    for row in range(len(inputs)):
        alone = graph(inputs[row : row + 1])
        assert alone["num_detections"][0] == together["num_detections"][row]
        for name in DETECTION_OUTPUTS[:3]:
            np.testing.assert_allclose(alone[name][0], together[name][row], atol=1e-4)


def test_any_number_of_frames_can_be_asked_for(detector: Any) -> None:
    """The batch axis is free, and a grey frame has nothing in it."""
    grey = np.full((3, 384, 512, 3), 114, np.uint8)
    outputs = _graph(detector)(grey)
    assert outputs["detection_boxes"].shape[0] == 3
    assert float(tf.reduce_max(outputs["detection_scores"])) < detector.min_score


def test_the_checkpoint_restores_every_weight(detector: Any) -> None:
    """The shipped checkpoint fills the whole network, is small, and the label map says what the network says."""
    folder = inference.CHECKPOINTS
    prefix = tf.train.latest_checkpoint(str(folder))
    status = tf.train.Checkpoint(model=build()).restore(prefix)
    status.assert_existing_objects_matched()
    status.expect_partial()
    assert sum(file.stat().st_size for file in folder.iterdir()) < 8_000_000
    assert detector.network.count_params() <= 1_500_000
    assert tuple(detector.labels.values()) == CLASSES
    label_map = (folder.parent / "labels.pbtxt").read_text()
    for class_id, name in detector.labels.items():
        assert f"id: {class_id}\n  name: '{name}'" in label_map


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    """Weights of another network, or no weights, end in one sentence that names the prefix."""
    other = tf.train.Checkpoint(model=tf.Module()).save(str(tmp_path / "ckpt"))
    for prefix in (other, str(tmp_path / "nothing")):
        with pytest.raises(DataError, match="not a checkpoint of this network"):
            load_checkpoint(prefix)


def test_the_shipped_detector_finds_the_demo_flights_insulators(
    detector: Any, demo: tuple[list[Picture], list[np.ndarray]]
) -> None:
    """On a dozen frames of the demo flight, at the shipped score, recall and precision are above their floors."""
    truth, images = demo
    figures = judge(truth, list(detect_all(detector, images)), detector.min_score)
    for name, (recall, precision) in FLOORS.items():
        assert figures[name].recall >= recall, figures
        assert figures[name].precision >= precision, figures


def test_the_shipped_detector_finds_real_insulators(detector: Any) -> None:
    """On a clip of real photos, at the shipped score, recall and precision are above their floors."""
    clip = DATA / "video" / "drone_pan_val.mp4"
    if not clip.exists():
        pytest.skip(f"needs {clip}: real photos are not in the repository")
    truth, images = clip_frames(clip, 30)
    figures = judge(truth, list(detect_all(detector, images)), detector.min_score)["insulator"]
    assert min(figures.recall, figures.precision) >= 0.8, figures


def test_boxes_decode_from_distances() -> None:
    """A cell's box reaches exp(distance) cells to each side of the cell's middle."""
    distances = np.zeros((1, 4, 5, 4), np.float32)
    distances[0, 2, 3] = np.log([1, 2, 3, 4])
    boxes = boxes_from_distances(tf.constant(distances)).numpy()
    assert boxes.shape == (1, 4, 5, 1, 4)
    np.testing.assert_allclose(boxes[0, 2, 3, 0], [28 - 8, 20 - 16, 28 + 24, 20 + 32], rtol=1e-5)


def test_losses_are_least_where_the_answer_is_right() -> None:
    """A perfect answer costs nearly nothing, and moving its box or its heat away costs more."""
    box = np.array([[96, 96, 224, 160]], np.float32)
    targets = Targets.of(box, np.array([0]), (512, 384), 2)
    batch = Targets.stack([targets])
    centres = (np.stack(np.meshgrid(np.arange(64), np.arange(48)), axis=-1) + 0.5) * 8
    reach = np.concatenate([centres - box[0, :2], box[0, 2:] - centres], axis=-1)[None, :, :, None]
    distances = np.log(np.maximum(reach, 1) / 8).repeat(2, axis=3).reshape(1, 48, 64, 8).astype(np.float32)
    assert float(box_loss(tf.constant(distances), batch.boxes, batch.weights)) < 1e-4
    assert float(box_loss(tf.constant(distances + 0.3), batch.boxes, batch.weights)) > 0.2
    sure = np.where(batch.heat >= 0.999, 9.0, -9.0).astype(np.float32)
    assert float(heat_loss(tf.constant(sure), batch.heat)) < float(heat_loss(tf.constant(-sure), batch.heat)) / 1000


def test_two_steps_of_training_lower_the_loss() -> None:
    """The loss has gradients for every trainable weight, and following them helps."""
    network = InsulatorDetector().network
    frames = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3), dtype=np.uint8)
    targets = Targets.stack(
        [Targets.of(np.array([[8, 8, 60, 40]], np.float32), np.array([k]), (96, 64), 2) for k in (0, 1)]
    )
    losses = []
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.add_n(
                detection_loss(network(frames, training=True), targets.heat, targets.boxes, targets.weights)
            )
        gradients = tape.gradient(loss, network.trainable_variables)
        assert all(gradient is not None for gradient in gradients)
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
            variable.value.assign_sub(1e-3 * gradient)
        losses.append(float(loss))
    assert losses[-1] < losses[0]


def test_kept_weights_come_back(tmp_path: Path) -> None:
    """Weights kept by training restore into a new detector, number and all, and replace what was kept before."""
    one, two = build(), build()
    keep_weights(one, tmp_path / "best", 3)
    keep_weights(one, tmp_path / "best", 7)
    prefix = tf.train.latest_checkpoint(str(tmp_path / "best"))
    assert prefix.endswith("ckpt-7")
    assert len(list((tmp_path / "best").glob("*.index"))) == 1
    tf.train.Checkpoint(model=two).restore(prefix).assert_existing_objects_matched()
    assert all(
        np.array_equal(mine, yours)
        for mine, yours in zip(one.network.get_weights(), two.network.get_weights(), strict=True)
    )


def test_batches_made_in_a_thread_arrive_in_order_with_their_errors() -> None:
    """Prefetching changes neither order nor number, and an error while making a batch reaches the trainer."""
    assert list(prefetched(iter(range(20)))) == list(range(20))

    def broken() -> Any:
        yield 1
        raise ValueError("no such picture")

    with pytest.raises(ValueError, match="no such picture"):
        list(prefetched(broken()))


def test_figures_are_of_each_class_by_name() -> None:
    """A picture's ignored boxes count neither way, and every class has its own figures."""
    nothing = np.empty((0, 0, 3), np.uint8)
    boxes = np.array([[0, 0, 10, 10], [50, 50, 90, 90], [100, 100, 120, 120]], np.float32)
    truth = Picture("x", nothing, boxes, np.array([0, 0, 1]), np.array([False, True, False]))
    found = Found(boxes, np.array([0.8, 0.9, 0.3], np.float32), np.array([0, 0, 1]))
    figures = judge([truth], [found], 0.5)
    assert (figures["insulator"].precision, figures["insulator"].recall, figures["insulator"].labelled) == (1.0, 1.0, 1)
    assert figures["defect"].recall == 0.0
    assert figures["defect"].ap50 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "labels no frame"),
        ('[{"frame": 0, "boxes": [["bird", 1, 2, 3, 4]]}]', "no usable truth"),
        ('[{"frame": 0, "boxes": [["defect", 1, 2, 3]]}]', "no usable truth"),
        ("{", "no usable truth"),
    ],
)
def test_a_clip_without_usable_truth_is_named(tmp_path: Path, text: str, says: str) -> None:
    """Whatever is wrong with the boxes beside a clip ends in one sentence with the file's name."""
    (tmp_path / "clip.gt.json").write_text(text)
    with pytest.raises(DataError, match=rf"clip\.gt\.json: {says}"):
        clip_frames(tmp_path / "clip.mp4", 1)


def test_what_a_clips_truth_ignores_need_not_be_found(tmp_path: Path) -> None:
    """`ignored` boxes of a frame come behind its others, marked."""
    row = {"frame": 0, "boxes": [["insulator", 1, 2, 30, 40, "3"]], "ignored": [["defect", 5, 6, 7, 8]]}
    (tmp_path / "clip.gt.json").write_text(json.dumps([row]))
    (picture,), _ = clip_frames(tmp_path / "clip.mp4", 1)
    assert picture.classes.tolist() == [0, 1]
    assert picture.doubtful.tolist() == [False, True]
