"""streamer.view.hold: how long pictures wait for their boxes."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.view.hold import EASE, FASTER, FASTEST, LEAST, MARGIN, MOST, SLOWER, SPREAD, WINDOW, Hold

FPS = 30


class Stream:
    """A hold that is moved with every picture of a stream, in a time of its own."""

    def __init__(self, fps: float = FPS) -> None:
        self.hold = Hold()
        self.fps = fps
        self.now = 1000.0

    def play(self, seconds: float, latency: float | None, *, samples: float = 5.0) -> list[float]:
        """Pictures arrive for so long, and so many answers a second come that took `latency`; the hold at each."""
        holds, until, answer_at = [], self.now + seconds, self.now
        while self.now < until:
            if latency is not None and self.now >= answer_at:
                self.hold.answered(latency, self.now)
                answer_at += 1 / samples
            self.hold.move(self.now)
            holds.append(self.hold.seconds)
            self.now += 1 / self.fps
        return holds


@settings(deadline=None)
@given(
    before=st.floats(0.01, 0.2),
    slow=st.floats(0.2, 30.0),
    lasts=st.floats(0.0, 60.0),
    answered=st.sampled_from([None, 0.3, 1.0, 5.0]),
    after=st.floats(0.01, 0.2),
    fps=st.floats(5, 120),
)
def test_two_seconds_after_a_stall_of_any_length_the_hold_is_what_it_needs(
    before: float, slow: float, lasts: float, answered: float | None, after: float, fps: float
) -> None:
    """However long answers were late, or did not come, 2 s of usual ones later the hold is a margin above them."""
    stream = Stream(fps)
    stream.play(3, before)
    stream.play(lasts, None if answered is None else slow, samples=answered or 1)
    holds = stream.play(2 + 1 / fps, after)
    assert holds[-1] <= after + MARGIN + 0.01
    if after <= before:
        assert holds[-1] >= after


@settings(deadline=None)
@given(
    events=st.lists(
        st.tuples(st.sampled_from(["move", "answer"]), st.floats(-1, 10), st.floats(-5, 1e9, allow_nan=False)),
        max_size=60,
    )
)
def test_the_hold_is_never_negative_nor_above_its_bound(events: list[tuple[str, float, float]]) -> None:
    """Whatever answers take and however time goes, back too, the hold is from 0 to MOST."""
    hold, now = Hold(), 0.0
    for kind, elapsed, latency in events:
        now += elapsed
        if kind == "move":
            hold.move(now)
        else:
            hold.answered(latency, now)
        assert 0 <= hold.seconds <= MOST
        assert 0 <= hold.wanted <= MOST


@settings(deadline=None)
@given(
    latencies=st.lists(st.floats(0, 2), min_size=1, max_size=30),
    fps=st.floats(2.5, 120),
)
def test_the_hold_moves_at_a_bounded_speed(latencies: list[float], fps: float) -> None:
    """From one picture to the next it grows by SLOWER of the time between, and falls by FASTEST of it, at most."""
    stream = Stream(fps)
    before = stream.play(1, latencies[0])[-1]
    for latency in latencies:
        for hold in stream.play(0.2, latency):
            assert -FASTEST / fps - 1e-9 <= hold - before <= SLOWER / fps + 1e-9
            before = hold


def test_the_first_answer_sets_it_at_once() -> None:
    """Nothing is held while no answer ever came; nobody has got used to anything when the first one does."""
    stream = Stream()
    assert stream.play(1, None)[-1] == 0
    assert stream.play(0.1, 0.07)[0] == pytest.approx(0.07 + MARGIN)


def test_with_a_steady_model_it_is_the_answers_time_and_a_margin() -> None:
    """Where no answer is late nothing is waited for but the answers."""
    assert Stream().play(5, 0.06)[-1] == pytest.approx(0.06 + MARGIN)


def test_a_bearable_spread_is_waited_for() -> None:
    """Where late answers are little later than the others, nine of ten come before the hold is over."""
    dice, stream = random.Random(1), Stream()
    took = [dice.uniform(0.06, 0.06 + SPREAD) for _ in range(200)]
    in_time = 0
    for latency in took:
        stream.play(0.2, latency)
        in_time += latency <= stream.hold.seconds
    assert in_time / len(took) >= 0.9
    assert stream.hold.seconds <= 0.06 + SPREAD + MARGIN


def test_what_few_answers_take_is_not_waited_for() -> None:
    """Where one answer of five is far later than the others, the hold is the others' and what is bearable."""
    stream = Stream()
    holds = [hold for _ in range(20) for latency in (0.06, 0.06, 0.06, 0.06, 0.4) for hold in stream.play(0.2, latency)]
    assert max(holds) <= 0.06 + SPREAD + MARGIN + 1e-9


def test_it_follows_a_slower_model() -> None:
    """Where all answers come to take longer, so does the hold, and ends above them."""
    stream = Stream()
    stream.play(3, 0.05)
    assert stream.play(WINDOW + 0.2 / SLOWER, 0.2)[-1] == pytest.approx(0.2 + MARGIN)


def test_answers_that_are_rare_count_for_longer() -> None:
    """The newest few answers count however long ago they came, so that one of them alone does not set the hold."""
    stream = Stream()
    stream.play(30, 0.05, samples=0.5)
    stream.play(2, 0.4, samples=0.5)
    assert stream.hold.wanted <= 0.05 + SPREAD + MARGIN
    stream.play(2 * LEAST, 0.4, samples=0.5)
    assert stream.hold.wanted == pytest.approx(0.4 + MARGIN)


def test_it_falls_the_more_slowly_the_nearer_it_is() -> None:
    """The last of the way is made at a speed that nobody sees."""
    stream = Stream()
    stream.play(5, 0.4)
    falling = [hold for hold in stream.play(3, 0.05) if hold < 0.4]
    speeds = [(before - after) * FPS for before, after in pairwise(falling)]
    assert max(speeds) == pytest.approx(FASTEST)
    near = [speed for speed, hold in zip(speeds, falling, strict=False) if 0 < hold - 0.05 - MARGIN < EASE * FASTER]
    assert near
    assert max(near) <= FASTER + 1e-9
