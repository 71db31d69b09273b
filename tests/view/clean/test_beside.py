"""streamer.view.clean.beside: which time of the stream a picture of another connection has."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.values.frame import Frame
from streamer.view.clean.beside import NEAR, Beside
from tests.peers.frames import make_frame


def main(number: int, late: float = 0.0) -> Frame:
    """The main video's frame of that number, 30 a second from pts 0 on, 5000 s by our clock."""
    at = number / 30
    return replace(make_frame(at, 5000 + at + late, index=number), opening=1, coded_at=round(at * 1e6))


def sub(number: int) -> tuple[int, int]:
    """The picture taken with it, whose clock is at 70 s then."""
    return 9, round((70 + number / 30) * 1e6)


@given(st.lists(st.floats(0, 0.5), min_size=3, max_size=60), st.lists(st.floats(0, 0.5), min_size=60, max_size=60))
def test_what_the_network_holds_up_now_and_then_does_not_count(mains: list[float], subs: list[float]) -> None:
    """A picture has the time of the frame that was taken with it, as soon as one of each came without delay."""
    beside = Beside()
    for number, (of_main, of_sub) in enumerate(zip([0.0, *mains], [0.0, *subs], strict=False)):
        beside.seen(main(number, of_main))
        beside.sent(sub(number), 5000 + number / 30 + of_sub)
        assert beside.pts(sub(number)) == pytest.approx(number / 30, abs=1e-5)


def test_nothing_is_said_before_both_have_come() -> None:
    """Nor of a picture of another connection than the newest."""
    beside = Beside()
    beside.sent(sub(0), 5000.0)
    assert beside.pts(sub(0)) is None
    assert beside.picture_of(main(0)) is None
    beside.seen(main(0))
    assert beside.pts(sub(0)) == pytest.approx(0.0, abs=1e-5)
    beside.sent((10, 0), 5001.0)
    assert beside.pts(sub(0)) is None
    assert beside.pts((10, 0)) == pytest.approx(1.0, abs=1e-5)


def test_a_clock_that_is_set_anew_is_followed() -> None:
    """An hour forth and back, as when a camera hears of the right time."""
    beside = Beside()
    beside.seen(main(0))
    for number, jump in enumerate([0.0, 3600.0, 3600.0, -7.0]):
        picture = 9, round((70 + number / 30 + jump) * 1e6)
        beside.sent(picture, 5000 + number / 30)
        assert beside.pts(picture) == pytest.approx(number / 30, abs=1e-5)


def test_a_frame_is_told_by_the_picture_nearest_to_it() -> None:
    """The same one at each time of asking; none where none is near."""
    beside = Beside()
    beside.seen(main(0))
    beside.sent(sub(0), 5000.0)
    beside.sent(sub(6), 5000.2)
    assert beside.picture_of(main(4)) == sub(6)
    beside.sent(sub(4), 5000.2)
    assert beside.picture_of(main(4)) == sub(6)
    assert beside.picture_of(main(2)) == sub(0) or beside.picture_of(main(2)) == sub(4)
    assert beside.picture_of(main(7 + round(30 * NEAR))) is None


def test_a_main_camera_that_comes_again_is_compared_anew() -> None:
    """What its first frame's lateness made of its times is not judged by the frames before."""
    beside = Beside()
    for number in range(10):
        beside.seen(main(number))
        beside.sent(sub(number), 5000 + number / 30)
    beside.seen(replace(main(10, 0.4), opening=2))  # late by as much in its connection's times, which begin with it
    assert beside.pts(sub(10)) == pytest.approx(10 / 30 - 0.4, abs=1e-5)
