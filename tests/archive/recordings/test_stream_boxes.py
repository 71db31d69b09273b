"""Boxes find the segment their picture is in, whichever comes first."""

from dataclasses import replace

import pytest

from streamer.archive.recordings import stream_boxes
from streamer.archive.recordings.placed_boxes import PlacedBoxes
from streamer.archive.recordings.stream_boxes import StreamBoxes
from streamer.values.coded import MICROSECONDS
from tests.archive.events import NOON
from tests.archive.recordings.segments import SIZE, a_box, a_segment

FIRST = a_segment(first_time=0)
SECOND = a_segment(NOON + 60, first_time=60 * MICROSECONDS)


def answer(boxes: StreamBoxes, seconds: float, opening: int = 1, label: str = "person", score: float = 0.75) -> None:
    boxes.answered(opening, round(seconds * MICROSECONDS), SIZE, [a_box(label=label, score=score)])


def seconds(taken: list[PlacedBoxes]) -> dict[str, list[float]]:
    return {each.segment_id: [time / MICROSECONDS for time in each.columns.times.tolist()] for each in taken}


def taken(boxes: StreamBoxes) -> dict[str, list[float]]:
    found, _ = boxes.take()
    boxes.written(found)
    return seconds(found)


def test_boxes_come_before_and_after_their_segment() -> None:
    """Samples of the seconds before an event wait for its segment; later ones are placed as they come."""
    boxes = StreamBoxes("porch")
    for time in (-1, 1, 2):
        answer(boxes, time)
    assert taken(boxes) == {}
    boxes.begun(FIRST, 1)
    answer(boxes, 3)
    assert taken(boxes) == {FIRST.id: [1, 2, 3]}
    answer(boxes, 4)
    assert taken(boxes) == {FIRST.id: [1, 2, 3, 4]}
    assert taken(boxes) == {}


def test_what_lies_behind_the_last_picture_is_the_next_ones() -> None:
    """A recorder that lags ends a segment after samples of the next were answered: these move, with their own times."""
    boxes = StreamBoxes("porch")
    boxes.begun(FIRST, 1)
    answer(boxes, 59.9)
    answer(boxes, 60.5)
    boxes.ended(FIRST.id, round(59.9 * MICROSECONDS))
    boxes.begun(SECOND, 1)
    answer(boxes, 58)  # late, and still the first one's
    assert taken(boxes) == {FIRST.id: [58, 59.9], SECOND.id: [0.5]}


def test_another_connection_has_another_clock() -> None:
    """The same time of another opening is another picture's."""
    boxes = StreamBoxes("porch")
    boxes.begun(FIRST, 1)
    answer(boxes, 1, opening=2)
    assert taken(boxes) == {}
    later = replace(SECOND, first_time=0)
    boxes.begun(later, 2)
    assert taken(boxes) == {later.id: [1]}


def test_what_was_seen_is_counted_once_by_minute_and_class() -> None:
    """A sample counts in the minute it was taken in, once for each class, wherever it is moved to."""
    boxes = StreamBoxes("porch")
    boxes.begun(FIRST, 1)
    for time, label, score in ((10, "person", 0.5), (20, "person", 0.25), (20.5, "car", 1.0), (61, "car", 1.0)):
        answer(boxes, time, label=label, score=score)
    boxes.ended(FIRST.id, 30 * MICROSECONDS)
    boxes.begun(SECOND, 1)
    _, seen = boxes.take()
    minute = int(NOON // 60)
    assert {key: samples for key, (samples, _) in seen.items()} == {
        ("porch", minute, "person"): 2,
        ("porch", minute, "car"): 1,
        ("porch", minute + 1, "car"): 1,
    }
    assert seen["porch", minute, "person"][1] == pytest.approx(0.5, abs=1e-4)
    assert boxes.take()[1] == {}


def test_what_could_not_be_written_is_taken_again() -> None:
    """Nothing is lost while a database is away: not the boxes, and not what was seen."""
    boxes = StreamBoxes("porch")
    boxes.begun(FIRST, 1)
    answer(boxes, 1)
    found, seen = boxes.take()
    answer(boxes, 2)
    boxes.put_back(found, seen)
    again, seen_again = boxes.take()
    assert seconds(again) == {FIRST.id: [1, 2]}
    assert [samples for samples, _ in seen_again.values()] == [2]


def test_while_nothing_can_be_written_the_oldest_are_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a database is bounded; what ended long ago and is written is let go of without a word."""
    monkeypatch.setattr(stream_boxes, "MOST_UNWRITTEN", 4)
    boxes = StreamBoxes("porch")
    for number in range(10):
        segment = a_segment(NOON + 60 * number, first_time=60 * number * MICROSECONDS)
        boxes.begun(segment, 1)
        answer(boxes, 60 * number + 1)
        boxes.ended(segment.id, (60 * number + 59) * MICROSECONDS)
    assert boxes.lost == 6
    assert len(taken(boxes)) == 4
    boxes.begun(FIRST, 1)
    boxes.ended(FIRST.id, 1)
    assert boxes.lost == 6


def test_without_a_recording_nothing_piles_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples wait for a segment for so long, and so many boxes of them; then the oldest go."""
    boxes = StreamBoxes("porch")
    for time in range(200):
        answer(boxes, time)
    boxes.begun(FIRST, 1)
    assert taken(boxes)[FIRST.id][0] == 199 - stream_boxes.WAIT / MICROSECONDS
    monkeypatch.setattr(stream_boxes, "MOST_WAITING", 10)
    boxes = StreamBoxes("porch")
    for time in range(20):
        answer(boxes, time)
    boxes.begun(FIRST, 1)
    assert len(taken(boxes)[FIRST.id]) == 5


def test_whoever_asks_sees_what_is_not_written_yet() -> None:
    """The boxes of the segment under way are there as they come; of others there is nothing here."""
    boxes = StreamBoxes("porch")
    boxes.begun(FIRST, 1)
    answer(boxes, 1)
    columns = boxes.columns(FIRST.id)
    assert columns is not None
    assert columns.times.tolist() == [MICROSECONDS]
    assert boxes.columns(SECOND.id) is None
    boxes.forget(FIRST.id)
    assert boxes.columns(FIRST.id) is None
