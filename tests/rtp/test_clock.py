"""streamer.rtp.clock: clocks that count pictures are mapped, honest ones are left alone."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.clock import RtpClock
from streamer.values.timeline import Timeline

SECONDS = 60


def arrivals(
    fps: float, said: float, jitter: float, seed: int, *, seconds: float = SECONDS
) -> Iterator[tuple[float, float]]:
    """(pts, arrival): `fps` pictures a second, stamped as if they were `said`; in order, as packets are."""
    chance, newest = random.Random(seed), 0.0
    for index in range(int(fps * seconds)):
        newest = max(newest, 100 + index / fps + chance.random() ** 3 * jitter)
        yield index / said, newest


@pytest.mark.parametrize(
    ("fps", "said"), [(24.5, 25), (21, 25), (30, 25), (12.5, 25), (25, 30), (15, 25), (25, 2250), (5, 25), (60, 25)]
)
@given(seed=st.integers(0, 1000), jitter=st.sampled_from([0.0, 0.005, 0.03]))
def test_a_clock_that_counts_pictures_is_mapped(fps: float, said: float, seed: int, jitter: float) -> None:
    """Times pass as fast as ours, within two in a hundred, and part from arrival by less than is late."""
    clock = RtpClock()
    placed = [(clock.place(pts, at), at) for pts, at in arrivals(fps, said, jitter, seed)]
    assert clock.rate == pytest.approx(said / fps, rel=0.02)
    delays = [at - time for time, at in placed]
    late = [delay - min(delays[: len(delays) // 2]) for delay in delays[len(delays) // 2 :]]
    assert max(late) - min(late) < 1.0


@given(
    st.sampled_from([5, 10, 15, 25, 30, 60]),
    st.sampled_from([0.0, 0.02, 0.2, 1.0]),
    st.integers(0, 1000),
    st.floats(-1e-4, 1e-4),
    st.lists(st.tuples(st.floats(0, SECONDS), st.floats(0, 1)), max_size=8),
)
def test_an_honest_clock_is_left_alone(
    fps: float, jitter: float, seed: int, drift: float, stalls: list[tuple[float, float]]
) -> None:
    """Jitter up to a second and stalls that end in bursts change nothing: what goes in comes out."""
    clock = RtpClock()
    for pts, at in arrivals(fps, fps * (1 + drift), jitter, seed):
        held = max((since + length for since, length in stalls if 0 <= at - 100 - since < length), default=0.0)
        assert clock.place(pts, max(at, 100 + held)) == pts


def test_day_and_night() -> None:
    """A camera that halves its rate at night, and goes on counting as by day, is followed there and back."""
    clock, pts, at, rates = RtpClock(), 0.0, 0.0, []
    for fps in (25, 12.5, 25):
        for _ in range(int(30 * fps)):
            clock.place(pts, at)
            pts, at = pts + 1 / 25, at + 1 / fps
        rates.append(round(clock.rate, 2))
    assert rates == [1.0, 2.0, 1.0]


def test_a_clock_set_anew_is_no_drift() -> None:
    """A leap of the clock comes out as it is, and changes no rate."""
    clock = RtpClock()
    for index in range(500):
        pts = index / 25 + (3600 if index > 250 else 0)
        assert clock.place(pts, index / 25) == pts
    assert clock.rate == 1.0


@pytest.mark.parametrize(("fps", "said"), [(24.5, 25), (21, 25), (30, 25), (12.5, 25), (25, 2250)])
def test_nothing_is_late_before_the_timeline(fps: float, said: float) -> None:
    """Mapped, at most one picture in a hundred of a minute seems late to the timeline."""
    clock, timeline, late = RtpClock(), Timeline(), 0
    for pts, at in arrivals(fps, said, 0.01, 1):
        placed = clock.place(pts, at)
        timeline.place(placed, at)
        late += timeline.lag(placed, at) > 1.0
    assert late <= 0.01 * SECONDS * fps
