"""Training data: the csv reader, the augmentations, the targets."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sightline_models.insulators.augment import PAD_VALUE, augment
from sightline_models.insulators.composer import Composer
from sightline_models.insulators.data import DataError, batches, load_families, load_split, read_labels
from sightline_models.insulators.picture import Picture, box_of
from sightline_models.insulators.targets import STRIDE, Targets

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
INPUT_SIZE = (512, 384)


def test_the_csv_reader_groups_boxes_by_picture(tmp_path: Path) -> None:
    """Rows of one file name come back together, in the order of the file."""
    path = tmp_path / "train.csv"
    path.write_text(HEADER + "a.jpg,768,576,insulator,1,2,30,40\nb.jpg,768,576,insulator,5,6,7,8\n"
                    "a.jpg,768,576,defect,10,12,20,22\n")  # fmt: skip
    assert read_labels(path) == {
        "a.jpg": [("insulator", (1, 2, 30, 40)), ("defect", (10, 12, 20, 22))],
        "b.jpg": [("insulator", (5, 6, 7, 8))],
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("filename,class,xmin,ymin,xmax,ymax\n", "no column 'width'"),
        (HEADER + "a.jpg,768,576,bird,1,2,3,4\n", "train.csv:2: class 'bird'; known are insulator and defect"),
        (HEADER + "a.jpg,768,576,defect,9,2,3,4\n", "train.csv:2: box 9,2,3,4 is empty"),
        (HEADER + "a.jpg,768,576,defect,one,2,3,4\n", "train.csv:2: a box needs four numbers"),
    ],
)
def test_an_unusable_csv_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    """A csv that cannot be used says which file, which line and what is allowed."""
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=says.replace("(", r"\(")):
        read_labels(path)


def test_a_missing_csv_and_a_broken_picture_are_named(tmp_path: Path) -> None:
    """Neither a missing csv nor a picture that is no picture ends in anything but a DataError with its path."""
    with pytest.raises(DataError, match=r"val\.csv: No such file"):
        load_split(tmp_path, "val")
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "val.csv").write_text(HEADER + "a.jpg,8,8,insulator,1,2,3,4\n")
    with pytest.raises(DataError, match=r"a\.jpg: not a picture"):
        load_split(tmp_path, "val")


def test_load_split_gives_rgb(tmp_path: Path) -> None:
    """Pictures come as RGB, boxes as float32, classes as indices."""
    (tmp_path / "val").mkdir()
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / "val" / "a.png"), red)
    (tmp_path / "val.csv").write_text(HEADER + "a.png,16,16,defect,1,2,3,4\n")
    (picture,) = load_split(tmp_path, "val")
    assert picture.image[0, 0].tolist() == [255, 0, 0]
    assert picture.boxes.tolist() == [[1, 2, 3, 4]]
    assert picture.classes.tolist() == [1]


def _marked(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A grey picture with one saturated rectangle, and its box."""
    rng = np.random.default_rng(seed)
    image = np.full((576, 768, 3), 90, np.uint8)
    x, y = rng.integers(150, 400, 2)
    wide, tall = rng.integers(60, 200), rng.integers(40, 120)
    image[y : y + tall, x : x + wide] = (255, 0, 0)
    return image, np.array([[x, y, x + wide, y + tall]], np.float32)


def test_boxes_follow_their_picture_through_augmentation() -> None:
    """Wherever an augmented picture shows a marked rectangle, its box is around it."""
    met = 0
    for seed in range(60):
        image, boxes = _marked(seed)
        picture = Picture("marked", image, boxes, np.array([0]))
        made, placed, kept = augment(picture, INPUT_SIZE, np.random.default_rng(seed))
        assert made.shape == (384, 512, 3)
        assert made.dtype == np.uint8
        assert len(placed) == len(kept)
        colour = made.astype(int)
        red = (colour[..., 0] - colour[..., 1:].max(axis=2)) > 60
        if not kept[0] or red.sum() < 100:
            continue
        rows, columns = np.flatnonzero(red.mean(axis=1) > 0.01), np.flatnonzero(red.mean(axis=0) > 0.01)
        found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert np.abs(np.array(found) - placed[0]).max() < 8
        met += 1
    assert met > 30


def test_bars_keep_their_grey_whatever_the_light() -> None:
    """What is not picture is the letterbox grey exactly, as it is when the model serves."""
    image = np.full((300, 900, 3), 200, np.uint8)
    none = np.zeros((0, 4), np.float32)
    shares = []
    for seed in range(12):
        made, _, _ = augment(Picture("bare", image, none, np.zeros(0, int)), INPUT_SIZE, np.random.default_rng(seed))
        picture = (made != PAD_VALUE).any(axis=2)
        rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        assert picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.97
        shares.append(1 - picture.mean())
    assert np.mean(shares) > 0.1


def test_targets_peak_at_the_centre_and_carry_the_box() -> None:
    """The heat is 1 at a box's centre cell, its weights sum to one, and the cells that count hold the box."""
    boxes = np.array([[100, 60, 340, 120], [200, 80, 230, 100]], np.float32)
    targets = Targets.of(boxes, np.array([0, 1]), INPUT_SIZE, 2)
    for label, box in enumerate(boxes):
        column, row = int((box[0] + box[2]) / 2 // STRIDE), int((box[1] + box[3]) / 2 // STRIDE)
        assert targets.heat[row, column, label] == 1.0
        assert targets.weights[..., label].sum() == pytest.approx(1.0, abs=1e-5)
        assert (targets.boxes[targets.weights[..., label] > 0, label] == box).all()
    assert targets.heat.shape == (384 // STRIDE, 512 // STRIDE, 2)


def test_what_need_not_be_found_costs_nothing_either_way() -> None:
    """Cells of an ignored box are next to certain, never a peak that is asked for, and count in no box loss."""
    none = (np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    ignored = (np.array([[80, 80, 120, 100]], np.float32), np.array([1]))
    targets = Targets.of(*none, INPUT_SIZE, 2, ignored)
    assert 0.9 < targets.heat[..., 1].max() < 0.999
    assert targets.heat[11, 12, 1] == targets.heat.max()
    assert not targets.heat[..., 0].any()
    assert not targets.weights.any()


def test_an_epoch_shows_every_photo_once_with_its_share_of_renders() -> None:
    """Batches hold the asked-for share of rendered pictures, and an epoch is as long as its photos last."""
    photos = [
        Picture("photo", np.full((48, 64, 3), 10, np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    ] * 13
    made = list(
        batches(Composer(photos), photos[:2], batch_size=8, rendered_share=0.25, input_size=INPUT_SIZE,
                rng=np.random.default_rng(0))
    )  # fmt: skip
    assert len(made) == 2
    assert all(images.shape == (8, 384, 512, 3) and targets.heat.shape[0] == 8 for images, targets in made)


def test_a_turned_string_keeps_a_tight_box() -> None:
    """A slanted string whose outline is known is boxed exactly after turning, cut off by the frame or not."""
    outline = np.array([[[150, 150], [160, 130], [610, 380], [600, 400]]], np.float32)
    image = np.full((576, 768, 3), 90, np.uint8)
    cv2.fillConvexPoly(image, outline[0].astype(np.int32), (255, 0, 0))
    picture = Picture("slanted", image, box_of(outline), np.array([0]), outlines=outline, turnable=True)
    met = 0
    for seed in range(40):
        made, placed, kept = augment(picture, INPUT_SIZE, np.random.default_rng(seed))
        colour = made.astype(int)
        red = (colour[..., 0] - colour[..., 1:].max(axis=2)) > 60
        if not kept[0] or red.sum() < 100:
            continue
        rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
        found = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        met += np.abs(found - placed[0]).max() < 6
    assert met > 20


def test_a_small_defect_is_not_asked_for() -> None:
    """A gap of a few pixels need not be found, where a string as small still must."""
    image = np.full((576, 768, 3), 90, np.uint8)
    boxes = np.array([[300, 300, 312, 312], [400, 300, 412, 312]], np.float32)
    picture = Picture("small", image, boxes, np.array([0, 1]))
    kept = np.array([augment(picture, INPUT_SIZE, np.random.default_rng(seed))[2] for seed in range(40)])
    assert kept[:, 0].sum() > kept[:, 1].sum()


def test_families_are_read_and_anything_else_is_named(tmp_path: Path) -> None:
    """The families come as they stand in the file; a missing or different file is named."""
    with pytest.raises(DataError, match=r"defect_families\.json: no usable families"):
        load_families(tmp_path)
    (tmp_path / "defect_families.json").write_text("[1, 2]")
    with pytest.raises(DataError, match="must map a family to a list of file names"):
        load_families(tmp_path)
    (tmp_path / "defect_families.json").write_text('{"S1": ["a.jpg"]}')
    assert load_families(tmp_path) == {"S1": ["a.jpg"]}
