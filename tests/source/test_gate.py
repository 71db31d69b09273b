"""streamer.source.gate: which packets are worth decoding, and which pictures go further."""

import pytest

from streamer.source.gate import LATE_FOR, Ceiling, Gate
from streamer.values.timeline import Timeline

NOW = 5000.0


def test_nothing_is_decoded_before_a_keyframe() -> None:
    """A stream joined in the middle is decoded from its first keyframe on."""
    gate = Gate(Timeline())
    assert [gate.opens(key, None, NOW) for key in (False, False, True, False)] == [False, False, True, True]


def test_what_is_late_for_long_is_skipped_to_a_keyframe() -> None:
    """Seconds of lag close the gate until a keyframe, and only where they last."""
    timeline = Timeline()
    gate = Gate(timeline)
    timeline.place(0.0, NOW)
    assert gate.opens(True, 0.0, NOW)
    late = [gate.opens(False, 0.1 * index, NOW + 0.1 * index + 1.5) for index in range(1, 40)]
    assert late[: int(LATE_FOR * 10) - 1] == [True] * (int(LATE_FOR * 10) - 1)
    assert late[-1] is False
    assert gate.opens(True, 4.0, NOW + 5.5)


@pytest.mark.parametrize("fps", [1.0, 5.0, 30.0])
def test_no_more_pictures_a_second_go_further(fps: float) -> None:
    """Of a hundred pictures a second only so many go further, evenly enough for every second."""
    ceiling = Ceiling(fps)
    passed = [at / 100 for at in range(1000) if ceiling.passes(NOW + at / 100)]
    assert fps * 10 * 0.95 <= len(passed) <= fps * 10 + fps / 2 + 1
    for second in range(9):
        assert sum(second <= at < second + 1 for at in passed) <= fps * 1.5 + 1


def test_pictures_within_the_limit_all_pass() -> None:
    """A camera of thirty a second with a burst now and then loses nothing to a limit of sixty."""
    ceiling = Ceiling(60)
    times = sorted([index / 30 for index in range(300)] + [3.0 + index / 1000 for index in range(10)])
    assert all(ceiling.passes(NOW + at) for at in times)
