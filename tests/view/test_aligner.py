"""streamer.view.aligner: frames held until their detections are known."""

import itertools
import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.values.frame import Frame
from streamer.view.aligner import GRACE, MAX_FRAMES, MEMORY, Aligner
from streamer.view.hold import MARGIN, MOST, SLOWER
from tests.peers.frames import make_frame, make_picture


def frames(count: int, start: float = 1000.0, fps: float = 30.0) -> list[Frame]:
    """Frames that arrive evenly."""
    return [make_frame(index / fps, start + index / fps, index=index) for index in range(count)]


def watch(aligner: Aligner, arriving: list[Frame], *, drawing: float = 0.0) -> list[tuple[int, float]]:
    """Take frames as a view does, which takes `drawing` seconds for each: (index, seconds from its arrival) of all."""
    shown, free_at = [], 0.0
    for number, frame in enumerate(arriving, 1):
        aligner.put(frame)
        next_at = arriving[number].received_at if number < len(arriving) else math.inf
        while (due_at := aligner.due_at()) is not None:
            now = max(due_at, free_at, frame.received_at)
            if now >= next_at:
                break
            taken = aligner.take(now)
            assert taken is not None
            assert aligner.held == now - taken.received_at
            shown.append((taken.index, aligner.held))
            free_at = now + drawing
    return shown


SIZES = [(320, 240), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160)]


@settings(deadline=None)
@given(
    size=st.sampled_from(SIZES),
    fps=st.floats(1, 120),
    latencies=st.lists(st.floats(0, 1), max_size=40),
    shakes=st.lists(st.floats(0, 0.9), min_size=40, max_size=80),
    drawing=st.floats(0, 0.2),
)
def test_something_is_shown_whatever_the_size_the_rate_and_the_latency(
    size: tuple[int, int], fps: float, latencies: list[float], shakes: list[float], drawing: float
) -> None:
    """Frames are shown in order, each no later than the hold and what came in between allow; the rest is counted."""
    aligner, picture = Aligner(), make_picture(*size)
    for latency in latencies:
        aligner.answered(latency, 1000.0)
    arriving = [
        make_frame(index / fps, 1000 + (index + shake) / fps, index=index, picture=picture)
        for index, shake in enumerate(shakes)
    ]
    shown = watch(aligner, arriving, drawing=drawing)
    indices = [index for index, _ in shown]
    assert indices == sorted(set(indices))
    assert len(shown) + aligner.dropped == len(arriving)
    assert indices[-1] == len(arriving) - 1
    assert max(held for _, held in shown) <= aligner.hold + 2 * max(2 / fps, drawing) + MOST * SLOWER
    shown_at = [arriving[index].received_at + held for index, held in shown]
    while_they_come = [at for at in shown_at if at <= arriving[-1].received_at]
    assert all(after - before <= drawing + 4 / fps for before, after in pairwise(while_they_come))
    assert while_they_come or arriving[-1].received_at - arriving[0].received_at <= MOST
    if not drawing:
        assert aligner.dropped == 0


@pytest.mark.parametrize(
    ("size", "fps", "latency", "room"),
    [
        ((3840, 2160), 30.0, 0.2, 5),
        ((3840, 2160), 60.0, 0.5, 5),
        ((2560, 1440), 60.0, 0.2, 12),
        ((1920, 1080), 60.0, 0.36, 21),
    ],
)
def test_pictures_too_large_to_be_held_are_shown_when_no_more_fit(
    size: tuple[int, int], fps: float, latency: float, room: int
) -> None:
    """Where the room ends before the hold, each picture is shown when the last that fits has come, and not later.

    What is said of it is how long pictures are held, not how long they were to be.
    """
    aligner, picture = Aligner(), make_picture(*size)
    aligner.answered(latency, 1000.0)
    given = [make_frame(index / fps, 1000 + index / fps, index=index, picture=picture) for index in range(100)]
    shown = watch(aligner, given)
    assert [index for index, _ in shown] == list(range(100))
    assert aligner.dropped == 0
    assert aligner.hold == pytest.approx(min(MOST, latency + MARGIN))
    full = [held for index, held in shown if index < 100 - room]
    assert full == [pytest.approx((room - 1) / fps, abs=1e-6)] * len(full)


def test_one_is_due_sooner_when_there_was_none_or_no_more_fit() -> None:
    """Whoever sleeps until a frame is due is woken by the first that comes, and by the one that fills the room."""
    aligner, picture = Aligner(), make_picture(3840, 2160)
    aligner.answered(0.3, 1000.0)
    given = [make_frame(index / 30, 1000 + index / 30, index=index, picture=picture) for index in range(6)]
    assert [aligner.put(frame) for frame in given[:5]] == [True, False, False, False, True]
    assert aligner.take(given[4].received_at) is given[0]
    assert aligner.put(given[5])


def test_a_frame_that_is_asked_about_waits_a_moment_for_its_own_answer() -> None:
    """It is due GRACE later while its answer is missing, and at once when it comes; no other frame ever is."""
    aligner, given = Aligner(), frames(4)
    aligner.answered(0.05, 1000.0)
    for frame in given:
        aligner.put(frame)
    hold = aligner.hold
    aligner.asked(given[0])
    aligner.asked(given[1])
    aligner.asked(make_frame(index=9))
    assert aligner.due_at() == pytest.approx(given[0].received_at + hold + GRACE)
    assert aligner.take(given[0].received_at + hold) is None
    assert aligner.settled(given[0])
    assert not aligner.settled(given[0])
    assert aligner.take(given[0].received_at + hold) is given[0]
    assert aligner.take(given[1].received_at + hold + GRACE) is given[1]
    assert aligner.due_at() == pytest.approx(given[2].received_at + hold)


@settings(deadline=None)
@given(
    gaps=st.lists(st.sampled_from([0.0, 0.002, 1 / 120, 1 / 60, 1 / 30, 0.2]), min_size=5, max_size=60),
    sampled=st.integers(1, 6),
)
def test_who_waits_for_an_answer_holds_up_nobody(gaps: list[float], sampled: int) -> None:
    """However frames come, in bursts too, those that are asked about are late by half the way to the next at most.

    All others are shown when they would be if nothing were asked, and none is lost for it.
    """
    received_at = list(itertools.accumulate(gaps, initial=1000.0))
    alone, asked = (_shown_at(received_at, ask) for ask in (len(gaps) + 1, sampled))
    assert list(asked) == list(alone)
    for index, at in asked.items():
        following = received_at[index + 1] if index + 1 < len(received_at) else math.inf
        grace = min(GRACE, (following - received_at[index]) / 2) if index % sampled == 0 and index else 0.0
        assert alone[index] <= at <= alone[index] + grace + 1e-6


def _shown_at(received_at: list[float], ask: int) -> dict[int, float]:
    """When each frame is taken that is, where one of so many but the first is asked about and never answered."""
    aligner, shown = Aligner(), dict[int, float]()
    aligner.answered(0.05, 1000.0)
    for index, now in enumerate([*received_at, received_at[-1] + 10]):
        while (due_at := aligner.due_at()) is not None and due_at <= now:
            taken = aligner.take(due_at)
            assert taken is not None
            shown[taken.index] = due_at
        frame = make_frame(index / 30, now, index=index)
        aligner.put(frame)
        if index and index % ask == 0:
            aligner.asked(frame)
    return shown


def test_nothing_is_held_while_nobody_watches() -> None:
    """Where nobody watches no picture waits, and none is said to."""
    aligner = Aligner()
    for frame in frames(3):
        aligner.put(frame)
    aligner.take(1001.0)
    assert aligner.held > 0
    aligner.clear()
    assert aligner.held == 0


def test_every_frame_is_shown_one_hold_after_it_arrived() -> None:
    """With a steady model each frame becomes due exactly the hold after its own arrival, in order, none lost."""
    aligner = Aligner()
    aligner.answered(0.08, 1000.0)
    shown = []
    for frame in frames(300):
        while (due_at := aligner.due_at()) is not None and due_at <= frame.received_at:
            assert aligner.take(due_at - 1e-6) is None
            taken = aligner.take(due_at)
            assert taken is not None
            assert due_at == pytest.approx(taken.received_at + 0.08 + MARGIN)
            shown.append(taken.index)
        aligner.put(frame)
    assert shown == list(range(len(shown)))
    assert len(shown) > 290
    assert aligner.dropped == 0


def test_without_answers_frames_are_due_at_once() -> None:
    """While no answer ever came nothing is held."""
    aligner = Aligner()
    assert aligner.due_at() is None
    assert aligner.take(1e9) is None
    (frame,) = frames(1)
    aligner.put(frame)
    aligner.asked(frame)
    assert aligner.hold == 0
    assert aligner.take(frame.received_at) is frame


def test_frames_nobody_takes_are_dropped_and_counted() -> None:
    """A taker that stopped leaves the newest frames, and every other is counted."""
    aligner = Aligner()
    for frame in frames(1000):
        aligner.put(frame)
        assert len(aligner) <= MAX_FRAMES
    assert (len(aligner), aligner.dropped) == (MAX_FRAMES, 1000 - MAX_FRAMES)
    oldest = aligner.due_at()
    assert oldest is not None
    assert oldest == pytest.approx(1000 + (1000 - MAX_FRAMES) / 30 + aligner.hold)


def test_large_pictures_are_fewer() -> None:
    """Pictures held take a bounded number of bytes, whatever their size, but four may always wait."""
    for width, height, room in ((1920, 1080, MEMORY // (1920 * 1080 * 3 // 2 + 1)), (7680, 4320, 4)):
        picture = make_picture(width, height)
        aligner = Aligner()
        for index in range(80):
            aligner.put(make_frame(index / 30, index=index, picture=picture))
        assert len(aligner) == room
        assert aligner.dropped == 80 - room


def test_a_late_taker_skips_and_counts() -> None:
    """A taker that comes when several frames are due gets the newest but one of them; what it missed is counted."""
    aligner = Aligner()
    given = frames(10)
    for frame in given:
        aligner.put(frame)
    taken = aligner.take(given[-1].received_at)
    assert taken is given[8]
    assert aligner.dropped == 8
    assert aligner.take(given[-1].received_at) is given[9]


def test_taken_and_dropped_is_put() -> None:
    """However frames come and are taken, each is taken once, dropped and counted once, or still there, in order."""
    dice = random.Random(6)
    aligner, now, put, taken = Aligner(), 1000.0, 0, []
    for _ in range(5000):
        now += dice.expovariate(60)
        if dice.random() < 0.5:
            aligner.put(make_frame(put / 30, now, index=put))
            put += 1
        if dice.random() < 0.3:
            aligner.answered(dice.uniform(0, 0.3), now)
        if dice.random() < 0.4 and (frame := aligner.take(now)) is not None:
            taken.append(frame.index)
    assert taken == sorted(set(taken))
    assert len(taken) + aligner.dropped + len(aligner) == put
    assert len(taken) > 1000


def test_clearing_forgets_frames_and_counts_none() -> None:
    """Clearing, since nobody watches, loses nothing anybody wanted."""
    aligner = Aligner()
    for frame in frames(5):
        aligner.put(frame)
    aligner.clear()
    assert (len(aligner), aligner.dropped, aligner.due_at()) == (0, 0, None)
