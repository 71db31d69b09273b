"""streamer.stream.sampler: which frames go to the model."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stream.sampler import Sampler


def taken(fps: float, times: list[float]) -> list[int]:
    """The indices of the frames a sampler chooses."""
    sampler = Sampler(fps)
    return [index for index, pts in enumerate(times) if sampler.take(pts)]


@pytest.mark.parametrize("frame_fps", [30.0, 30_000 / 1001, 15.0])
def test_every_nth_frame_for_minutes(frame_fps: float) -> None:
    """A rate that divides the camera's gives every nth frame, without one slip in ten minutes."""
    n = round(frame_fps / 5)
    times = [index / frame_fps for index in range(round(600 * frame_fps))]
    assert taken(frame_fps / n, times) == list(range(0, len(times), n))


def test_29_97_fps_is_sampled_at_the_rate_asked_for() -> None:
    """Five samples a second of 29.97 frames a second are five a second, at most a frame away from their slots."""
    times = [index * 1001 / 30_000 for index in range(18_000)]
    chosen = [times[index] for index in taken(5, times)]
    assert len(chosen) == pytest.approx(5 * times[-1], abs=2)
    assert max(abs(pts - slot / 5) for slot, pts in enumerate(chosen)) < 1001 / 30_000


def test_timestamps_rounded_to_milliseconds_change_nothing() -> None:
    """A camera that rounds its timestamps is sampled as evenly as one that does not."""
    times = [round(index / 30, 3) for index in range(18_000)]
    assert taken(5, times) == list(range(0, 18_000, 6))


def test_jitter_does_not_bunch_samples() -> None:
    """With timestamps that shake by a third of a frame, samples stay five to seven frames apart and keep the rate."""
    dice = random.Random(7)
    times = [index / 30 + dice.uniform(-1, 1) / 90 for index in range(18_000)]
    chosen = taken(5, times)
    steps = [after - before for before, after in pairwise(chosen)]
    assert {5, 6, 7} >= set(steps)
    assert len(chosen) == pytest.approx(3000, abs=2)


@pytest.mark.parametrize("gap", [0.2, 0.5, 7.0, 3600.0])
def test_a_gap_is_not_made_up_for(gap: float) -> None:
    """After a gap sampling goes on at its rate: no second holds more than one sample beyond it."""
    times = [index / 30 for index in range(300)]
    times += [times[-1] + gap + index / 30 for index in range(300)]
    chosen = [times[index] for index in taken(5, times)]
    assert max(sum(start <= pts < start + 1 for pts in chosen) for start in chosen) <= 6
    after_gap = [pts for pts in chosen if pts >= times[300]]
    assert len(after_gap) == pytest.approx(50, abs=1)


def test_a_slow_camera_is_sampled_whole() -> None:
    """A camera slower than the rate asked for has every frame sampled."""
    assert taken(5, [index / 2 for index in range(100)]) == list(range(100))
    assert taken(30, [index / 30 for index in range(3000)]) == list(range(3000))


def test_the_first_frame_is_a_sample() -> None:
    """Wherever a stream's time begins, its first frame is sampled."""
    assert Sampler(0.1).take(12_345.6)


@given(
    fps=st.floats(0.1, 60),
    frame_fps=st.floats(1, 120),
    shakes=st.lists(st.floats(0, 0.95), min_size=1, max_size=200),
    gaps=st.dictionaries(st.integers(0, 199), st.floats(0, 30), max_size=3),
)
def test_samples_are_even_however_frames_shake(
    fps: float, frame_fps: float, shakes: list[float], gaps: dict[int, float]
) -> None:
    """Two samples are never in one slot, none is made up for, and none waits longer than a slot and the next frame."""
    times, begun = list[float](), 0.0
    for index, shake in enumerate(shakes):
        begun += gaps.get(index, 0.0)
        times.append(begun + (index + shake) / frame_fps)
    chosen = taken(fps, times)
    assert chosen[0] == 0
    sampled = [times[index] for index in chosen]
    hair = 1e-6 + 0.1 / fps
    # Slots are a sampling interval apart: each holds one sample, and a sample stands in the one after the last's.
    for count in (1, 2, 5):
        for first, last in zip(sampled, sampled[count:], strict=False):
            assert last - first >= (count - 1) / fps - hair
    assert len(sampled) <= (times[-1] - times[0] + hair) * fps + 1
    for before, after in pairwise(chosen):
        in_between = times[before + 1 : after]
        assert all(pts - times[before] < 1 / fps for pts in in_between), "a frame was due and not sampled"
