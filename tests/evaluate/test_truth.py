"""streamer.evaluate.truth: the JSON that says where things really are, and one sentence for what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamer.evaluate import truth
from streamer.values.errors import ConfigError

GOOD = {"frame": 3, "boxes": [["insulator", 1.5, 2, 30, 40]]}


def write(folder: Path, document: Any) -> Path:
    """A file of JSON, or of a text as it is."""
    path = folder / "truth.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def read(path: Path) -> truth.Truth:
    """What is known of a clip of ten frames of 320 x 240."""
    return truth.read(path, frames=10, width=320, height=240)


def test_boxes_are_read_by_frame(tmp_path: Path) -> None:
    """Each frame has its boxes with class and edges; those to be ignored are marked, and a frame may have none."""
    rows = [GOOD, {"frame": 0, "boxes": []}, {"frame": 9, "boxes": [], "ignored": [["defect", 0, 0, 5, 5]]}]
    assert read(write(tmp_path, rows)) == {
        3: (truth.Box("insulator", (1.5, 2.0, 30.0, 40.0), False),),
        0: (),
        9: (truth.Box("defect", (0.0, 0.0, 5.0, 5.0), True),),
    }


def test_boxes_may_say_which_thing_they_are(tmp_path: Path) -> None:
    """Behind its edges a box may have an id, one class' own; what is to be ignored needs none."""
    boxes = [["insulator", 1, 2, 30, 40, 7], ["insulator", 5, 2, 30, 40, "7"], ["defect", 1, 2, 30, 40, 7]]
    rows = [{"frame": 3, "boxes": boxes, "ignored": [["defect", 0, 0, 5, 5]]}]
    found = read(write(tmp_path, rows))
    assert [box.id for box in found[3]] == [7, "7", 7, None]
    assert truth.has_ids(found)
    assert not truth.has_ids(read(write(tmp_path, [GOOD])))


def test_boxes_end_where_the_picture_ends(tmp_path: Path) -> None:
    """What a label has outside the picture nobody can find."""
    rows = [{"frame": 0, "boxes": [["insulator", -5, 200, 400, 300]]}]
    assert read(write(tmp_path, rows))[0][0].edges == (0.0, 200.0, 320.0, 240.0)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("[", "line 1, column 2 is not JSON"),
        ({"frame": 0}, "must be a list of {"),
        ([], "labels no frame"),
        ([7], "[0] must be {"),
        ([GOOD, {"frame": 1}], "[1] must be {"),
        ([{"frame": 0, "boxes": [], "bboxes": []}], "it has frame, boxes, bboxes"),
        ([{"frame": 10, "boxes": []}], "[0].frame: the clip has no frame 10; it has 0 to 9"),
        ([{"frame": -1, "boxes": []}], "the clip has no frame -1"),
        ([{"frame": "0", "boxes": []}], 'the clip has no frame "0"'),
        ([{"frame": True, "boxes": []}], "the clip has no frame true"),
        ([GOOD, GOOD], "frame 3 stands twice"),
        ([{"frame": 0, "boxes": {}}], "frame 0, boxes: must be a list of [class"),
        ([{"frame": 0, "boxes": [], "ignored": 1}], "frame 0, ignored: must be a list"),
        ([{"frame": 0, "boxes": [["insulator", 1, 2, 3]]}], 'frame 0, boxes[0]: ["insulator", 1, 2, 3] is not [class'),
        ([{"frame": 0, "boxes": [[1, 1, 2, 3, 4]]}], "a text and four numbers"),
        ([{"frame": 0, "boxes": [["insulator", 1, 2, 3, "4"]]}], "a text and four numbers"),
        ([{"frame": 0, "boxes": ["insulator"]}], "a text and four numbers"),
        ('[{"frame": 0, "boxes": [["insulator", 1, 2, NaN, 4]]}]', "a text and four numbers"),
        ([{"frame": 0, "boxes": [["insulator", 1, 2, 3, 4, True]]}], "with an id behind them or not"),
        ([{"frame": 0, "boxes": [["insulator", 1, 2, 3, 4, 1.5]]}], "with an id behind them or not"),
        ([{"frame": 0, "boxes": [["insulator", 1, 2, 3, 4, None]]}], "with an id behind them or not"),
        ([{"frame": 0, "boxes": [["insulator", 1, 2, 3, 4, 5, 6]]}], "with an id behind them or not"),
        (
            [GOOD, {"frame": 5, "boxes": [["insulator", 1, 2, 3, 4, 7]]}],
            "frame 3, boxes[0]: has no id, and others have",
        ),
        (
            [{"frame": 5, "boxes": [["insulator", 1, 2, 3, 4, "a"], ["insulator", 9, 9, 12, 12, "a"]]}],
            'frame 5, boxes[1]: the insulator "a" stands in the frame twice',
        ),
        ([{"frame": 0, "boxes": [["insulator", 5, 0, 5, 9]]}], "frame 0, boxes[0]: has no area"),
        ([{"frame": 0, "boxes": [["insulator", 0, 9, 5, 3]]}], "y_min less than y_max"),
        ([{"frame": 0, "boxes": [["insulator", 320, 0, 330, 9]]}], "lies outside the clip's pictures of 320 x 240"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, document: Any, says: str) -> None:
    """What is wrong, where, and what is allowed: in one line that begins with the file."""
    path = write(tmp_path, document)
    with pytest.raises(ConfigError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """No file, and one that is no text, are told apart."""
    with pytest.raises(ConfigError, match=r"missing\.json: cannot be read: No such file or directory"):
        read(tmp_path / "missing.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.json: cannot be read: not UTF-8 text"):
        read(tmp_path / "binary.json")


def test_classes_are_the_models(tmp_path: Path) -> None:
    """Classes are numbered as the model has them; one it does not know is named, with those it does."""
    path = write(tmp_path, [{"frame": 2, "boxes": [["defect", 0, 0, 5, 5]], "ignored": [["insulator", 0, 0, 9, 9]]}])
    labelled = truth.labelled(path, read(path), ("insulator", "defect"))
    assert labelled[2].classes.tolist() == [1, 0]
    assert labelled[2].ignored.tolist() == [False, True]
    assert labelled[2].boxes.tolist() == [[0, 0, 5, 5], [0, 0, 9, 9]]
    with pytest.raises(ConfigError, match="frame 2: the model knows no 'defect'; its classes are insulator, bird"):
        truth.labelled(path, read(path), ("insulator", "bird"))
