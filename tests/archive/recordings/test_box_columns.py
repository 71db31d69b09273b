"""Boxes in columns: small, and as they were."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.box_sample import sample_of
from streamer.values.track import TrackedBox
from tests.archive.recordings.segments import SIZE, a_box

WIDTH, HEIGHT = SIZE
LABELS = st.text(max_size=12)


@st.composite
def boxes(draw: st.DrawFn) -> TrackedBox:
    edges = [draw(st.floats(-side / 8, side * 9 / 8)) for side in (*SIZE, *SIZE)]
    x_min, y_min, x_max, y_max = edges
    return TrackedBox(
        draw(st.integers(0, 1 << 40)),
        (x_min, y_min, x_max, y_max),
        draw(LABELS),
        draw(st.integers(0, 1 << 30)),
        draw(st.floats(0, 1)),
    )


SAMPLES = st.dictionaries(st.integers(0, 120_000_000), st.lists(boxes(), max_size=5), max_size=20)


@given(SAMPLES)
def test_whatever_was_drawn_comes_back_where_it_was(drawn: dict[int, list[TrackedBox]]) -> None:
    """Each sample at its own microsecond, each box with its class and id, within a fiftieth of a pixel at 1280."""
    columns = BoxColumns.unpacked(
        BoxColumns.of({time: sample_of(SIZE, boxes) for time, boxes in drawn.items()}).packed()
    )
    found = dict(columns.between(0, 1 << 40))
    assert list(found) == sorted(drawn)
    for time, boxes in drawn.items():
        assert [(box.tracker_id, box.label, box.class_id) for box in found[time]] == [
            (box.tracker_id, box.label, box.class_id) for box in boxes
        ]
        for box, was in zip(found[time], boxes, strict=True):
            assert box.box == pytest.approx(was.box, abs=0.02)
            assert box.score == pytest.approx(was.score, abs=1e-5)


@given(SAMPLES, st.integers(0, 120_000_000), st.integers(0, 120_000_000))
def test_a_part_has_the_samples_of_its_times(drawn: dict[int, list[TrackedBox]], began: int, ended: int) -> None:
    """The first moment belongs to it, the last does not."""
    columns = BoxColumns.of({time: sample_of(SIZE, boxes) for time, boxes in drawn.items()})
    found = dict(columns.between(began, ended))
    assert list(found) == sorted(time for time in drawn if began <= time < ended)
    assert all(len(found[time]) == len(drawn[time]) for time in found)


@given(SAMPLES)
def test_a_document_says_the_same(drawn: dict[int, list[TrackedBox]]) -> None:
    """What is sent as JSON is whole and finite, a row a box."""
    columns = BoxColumns.of({time: sample_of(SIZE, boxes) for time, boxes in drawn.items()})
    document = json.loads(json.dumps(columns.document(), allow_nan=False))
    rows = sum(document["counts"])
    assert document["times_us"] == sorted(drawn)
    assert [len(document[name]) for name in ("class_index", "scores", "tracker_ids")] == [rows] * 3
    assert len(document["boxes"]) == 4 * rows
    assert all(0 <= place < len(document["classes"]) for place in document["class_index"])


@given(st.binary(max_size=200))
def test_anything_else_is_said_to_be_no_boxes(data: bytes) -> None:
    """Whatever stands in a row that is none of ours raises one error, and nothing else."""
    with pytest.raises(ValueError, match="boxes"):
        BoxColumns.unpacked(data)


def test_what_is_cut_is_not_taken_for_less() -> None:
    """Columns that end early are an error, and not fewer boxes."""
    packed = BoxColumns.of({0: sample_of(SIZE, [a_box()])}).packed()
    plain = zlib.decompress(packed[5:])
    with pytest.raises(ValueError, match="too early"):
        BoxColumns.unpacked(packed[:5] + zlib.compress(plain[:-1]))


def test_edges_far_outside_stay_outside() -> None:
    """A box that leaves the picture is not drawn along its border."""
    sample = sample_of(SIZE, [TrackedBox(1, (-1e9, 10.0, 1e9, float("nan")), "person", 1, 2.0)])
    ((_, (box,)),) = BoxColumns.of({0: sample}).between(0, 1)
    assert box.box[0] == -WIDTH / 8
    assert box.box[2] == WIDTH * 9 / 8
    assert box.score == 1


def test_a_minute_of_boxes_is_some_kilobytes() -> None:
    """Boxes that move steadily take less than 12 bytes each."""
    drawn = {
        200_000 * number: sample_of(
            SIZE, [TrackedBox(k, (5.0 * k + number, 10.0, 50.0 + number, 90.0), "person", 1, 0.9) for k in range(3)]
        )
        for number in range(300)
    }
    assert len(BoxColumns.of(drawn).packed()) < 12 * 900
