"""streamer.stream.ledger: when pictures were where; times are told, nothing waits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stream.camera_age import WINDOW
from streamer.stream.ledger import LATELY, MOST, Ledger
from streamer.values.receipts import Receipt
from streamer.values.stages import LENGTH, STAGES, WAYS, Way
from tests.peers.frames import make_detections, make_frame
from tests.stream.passages import ARRIVED, ON_TIME, follow, seen, the_answer, the_frame, the_showing


def milliseconds(ledger: Ledger, way: Way) -> dict[str, float]:
    """The sum of each stage on a way."""
    return {stage: round(d.sum * 1000, 6) for (of, stage), d in ledger.stages.items() if of == way and d.count}


def test_each_stage_lasts_from_its_stamp_to_the_next() -> None:
    """A picture whose answer came in time, on each of its ways; the whole is the sum."""
    ledger = Ledger()
    follow(ledger, the_frame())
    for way in WAYS:
        assert milliseconds(ledger, way) == {stage: ON_TIME[stage] for stage in STAGES[: LENGTH[way]]}
    assert ledger.glass.sum == pytest.approx(0.118)
    assert ledger.receipts["taken"] == 1


def test_a_picture_does_not_wait_for_an_answer_that_is_late() -> None:
    """Shown before its answer: on its way to a screen queue and model end where drawing begins, and nothing is hold."""
    ledger, frame = Ledger(), the_frame()
    ledger.shown(the_showing(frame, 0.050, 0.060))
    ledger.sent(0, ARRIVED + 0.061)
    ledger.answered(frame, the_answer(frame, 0.016, 0.157))
    assert ledger.painted(seen(frame, 0.061, None, 0.090))
    assert milliseconds(ledger, "answer") == {"decode": 4, "queue": 12, "model": 141}
    assert milliseconds(ledger, "viewer") == {
        "decode": 4, "queue": 12, "model": 34, "hold": 0, "encode": 10, "send": 1
    }  # fmt: skip
    glass = milliseconds(ledger, "glass")
    assert glass.pop("paint") == 29
    assert glass == milliseconds(ledger, "viewer")


def test_a_picture_that_goes_as_it_came_is_drawn_on_the_page() -> None:
    """Known by its opening and time; behind the answer all is paint, and shown before it, queue and model end there."""
    frame = replace(the_frame(), opening=3, coded_at=4711)
    for painted, paint, model in ((0.118, 61, 41), (0.040, 0, 24)):
        ledger = Ledger()
        ledger.answered(frame, the_answer(frame, 0.016, 0.057))
        assert ledger.painted(Receipt((3, 4711), ARRIVED + 0.001, ARRIVED + 0.003, ARRIVED + painted))
        assert milliseconds(ledger, "glass") == {"decode": 4, "queue": 12, "model": model, "paint": paint}
        assert ledger.glass.sum == pytest.approx(painted)
        assert not ledger.painted(Receipt((2, 4711), ARRIVED, None, ARRIVED + painted))


def test_what_was_not_asked_about_is_in_no_histogram() -> None:
    """Pictures between samples are shown and painted, and say nothing of the model's."""
    ledger, frame = Ledger(), the_frame()
    ledger.shown(the_showing(frame, 0.050, 0.060))
    ledger.sent(0, ARRIVED + 0.061)
    assert not ledger.painted(seen(frame, 0.061, None, 0.090))
    assert not ledger.stages
    assert ledger.latest(ARRIVED + 1) is None
    assert not any(ledger.receipts.values())


def test_stamps_of_what_nobody_knows_are_left_out() -> None:
    """Sent or painted pictures that were never shown, or are forgotten, change nothing."""
    ledger = Ledger()
    ledger.sent(5, ARRIVED)
    assert not ledger.painted(Receipt(5, ARRIVED, None, ARRIVED + 1))
    assert len(ledger) == 0
    assert not ledger.stages


def test_the_first_viewer_ends_the_way_to_viewers_and_each_has_his_own_screen() -> None:
    """Two viewers: one way to a viewer, two to a screen."""
    ledger, frame = Ledger(), the_frame()
    follow(ledger, frame)
    ledger.sent(0, ARRIVED + 0.3)
    assert ledger.painted(seen(frame, 0.3, 0.4, 0.5))
    assert ledger.stages["viewer", "send"].count == 1
    assert ledger.stages["glass", "paint"].count == ledger.glass.count == 2


def test_what_was_not_stamped_falls_to_the_next_stage() -> None:
    """A frame of which nobody said when it was decoded, or sent: the model's part begins with its arrival."""
    ledger, frame = Ledger(), make_frame(0.0, ARRIVED)
    ledger.answered(frame, make_detections(0.0, received_at=ARRIVED, age=0.05))
    assert milliseconds(ledger, "answer") == {"model": 50}


def test_the_latest_medians_are_of_the_longest_way_gone_lately() -> None:
    """To the screen while somebody tells of it, then to the answer; of the last seconds alone, then none."""
    ledger = Ledger()
    for index in range(3):
        follow(ledger, the_frame(index, ARRIVED + index))
    latest = ledger.latest(ARRIVED + 3)
    assert latest is not None
    told = {stage: None if each is None else round(each * 1000, 6) for stage, each in latest.items()}
    assert told == {"camera": None, **ON_TIME, "total": sum(ON_TIME.values())}
    later = the_frame(3, ARRIVED + 20)
    ledger.answered(later, the_answer(later, 0.016, 0.057))
    latest = ledger.latest(ARRIVED + 21)
    assert latest is not None
    assert latest["model"] == pytest.approx(0.041)
    assert latest["total"] == pytest.approx(0.057)
    assert [latest[stage] for stage in STAGES[3:]] == [None] * 5
    assert ledger.latest(ARRIVED + 21 + LATELY) is None


def test_a_cameras_own_age_is_told_beside_the_stages() -> None:
    """Once its clock is believed; the total begins with the arrival."""
    ledger = Ledger()
    for index in range(2 * WINDOW):
        frame = replace(the_frame(index, ARRIVED + index / 5), camera_age=0.005)
        ledger.answered(frame, the_answer(frame, 0.016, 0.057))
    assert ledger.camera.count == 1
    latest = ledger.latest(ARRIVED + 4)
    assert latest is not None
    assert latest["camera"] == 0.005
    assert latest["total"] == pytest.approx(0.057)


times = st.floats(min_value=0, max_value=30)
deeds = st.lists(
    st.tuples(st.sampled_from(("answered", "shown", "sent", "painted")), st.integers(0, 6), times, times, times),
    max_size=40,
)


@given(deeds)
def test_stages_add_up_to_the_way_in_whatever_order_stamps_come(
    deeds: list[tuple[str, int, float, float, float]],
) -> None:
    """On the way to the glass the stages' histograms add up to the end-to-end one; none has more than that counted."""
    ledger = Ledger()
    for deed, index, one, two, three in deeds:
        frame = the_frame(index, ARRIVED + index, decode=one)
        if deed == "answered":
            ledger.answered(frame, the_answer(frame, one, two))
        elif deed == "shown":
            ledger.shown(the_showing(frame, one, two))
        elif deed == "sent":
            ledger.sent(index, ARRIVED + one)
        else:
            ledger.painted(seen(frame, one, two, three))
    way = [seconds for (of, _), seconds in ledger.stages.items() if of == "glass"]
    assert sum(each.sum for each in way) == pytest.approx(ledger.glass.sum, abs=1e-6)
    assert all(each.count <= ledger.glass.count for each in way)
    assert all(each.sum >= 0 for each in ledger.stages.values())


def test_memory_is_bounded_whoever_sends_what() -> None:
    """The newest pictures are followed, and no more; the oldest are forgotten by number and by age."""
    ledger = Ledger()
    for index in range(3 * MOST):
        frame = the_frame(index, ARRIVED + index / 1000)
        ledger.shown(the_showing(frame, 0.1, 0.2))
        ledger.sent(index + 10**6, ARRIVED)
        ledger.painted(Receipt(index + 10**6, ARRIVED, None, ARRIVED))
    assert len(ledger) == MOST
    assert len(ledger._known) <= 2 * MOST
    follow(ledger, the_frame(10**6, ARRIVED + 3600))
    assert len(ledger) == 1
