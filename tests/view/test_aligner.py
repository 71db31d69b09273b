"""streamer.view.aligner: frames held until their detections are known."""

import random
from itertools import pairwise

import pytest

from streamer.values.frame import Frame
from streamer.view.aligner import LATENCIES, MARGIN, MAX_FRAMES, MAX_HOLD, MEMORY, STEP, Aligner
from tests.peers.frames import make_frame, make_picture


def frames(count: int, start: float = 1000.0, fps: float = 30.0) -> list[Frame]:
    """Frames that arrive evenly."""
    return [make_frame(index / fps, start + index / fps, index=index) for index in range(count)]


def test_every_frame_is_shown_one_hold_after_it_arrived() -> None:
    """With a steady model each frame becomes due exactly the hold after its own arrival, in order, none lost."""
    aligner = Aligner()
    for _ in range(LATENCIES):
        aligner.answered(0.08)
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
    assert aligner.hold == 0
    assert aligner.take(frame.received_at) is frame


def test_hold_covers_nineteen_answers_of_twenty() -> None:
    """The hold is the 95th percentile of the last answers' latencies and a margin: outliers are not waited for."""
    aligner = Aligner()
    latencies = [0.050 + 0.001 * index for index in range(LATENCIES - 2)] + [5.0, 7.0]
    random.Random(0).shuffle(latencies)
    for latency in latencies:
        aligner.answered(latency)
    aligner.put(frames(1)[0])
    assert aligner.hold == pytest.approx(sorted(latencies)[int(0.95 * (LATENCIES - 1))] + MARGIN)
    assert sum(latency <= aligner.hold for latency in latencies) / LATENCIES >= 0.95


def test_hold_follows_the_model_in_small_steps() -> None:
    """When the model becomes slower or faster the hold follows, a small step each frame, and arrives there."""
    aligner = Aligner()
    for _ in range(LATENCIES):
        aligner.answered(0.05)
    holds = []
    for index, frame in enumerate(frames(300)):
        if index == 50:
            for _ in range(LATENCIES):
                aligner.answered(0.15)
        if index == 150:
            for _ in range(LATENCIES):
                aligner.answered(0.03)
        aligner.put(frame)
        aligner.take(frame.received_at + 1)
        holds.append(aligner.hold)
    assert max(abs(after - before) for before, after in pairwise(holds)) <= STEP + 1e-9
    assert holds[49] == pytest.approx(0.05 + MARGIN)
    assert holds[149] == pytest.approx(0.15 + MARGIN)
    assert holds[299] == pytest.approx(0.03 + MARGIN)


def test_hold_is_bounded() -> None:
    """A model slower than half a second holds frames for half a second."""
    aligner = Aligner()
    for _ in range(LATENCIES):
        aligner.answered(9.0)
    for frame in frames(1000):
        aligner.put(frame)
    assert aligner.hold == MAX_HOLD


def test_old_latencies_are_forgotten() -> None:
    """Only the last forty answers count."""
    aligner = Aligner()
    for latency in [0.4] * 1000 + [0.02] * LATENCIES:
        aligner.answered(latency)
    aligner.put(frames(1)[0])
    assert aligner.hold == pytest.approx(0.02 + MARGIN)


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
            aligner.answered(dice.uniform(0, 0.3))
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
