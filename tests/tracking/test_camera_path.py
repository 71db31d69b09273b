"""streamer.tracking.camera_path: where the camera looked at each moment."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.tracking.camera_path import MOST, REMEMBERED, STANDS, CameraPath
from streamer.tracking.similarity import STILL, Similarity

WIDTH = 1280
STEP = Similarity(complex(0.999, 0.002), 3 - 2j)


def flown(count: int, step: Similarity = STEP, fps: float = 25) -> CameraPath:
    """A camera that made the same step from each frame to the next."""
    path = CameraPath()
    path.add(0.0, None)
    for number in range(1, count):
        path.add(number / fps, step)
    return path


def test_where_nothing_is_known_nothing_moved() -> None:
    """A path that was never told anything says that the camera stood still, and knows of no time for which it did."""
    path = CameraPath()
    assert path.between(1.0, 7.5) == STILL
    assert not path.stands(20.0, WIDTH)


def test_steps_add_up() -> None:
    """From one frame to another all steps between them are made, and back again the other way."""
    path, place = flown(20), STILL
    for _ in range(7):
        place = STEP.after(place)
    ahead, back = path.between(5 / 25, 12 / 25), path.between(12 / 25, 5 / 25)
    assert ahead is not None
    assert back is not None
    assert ahead.point(600 + 300j) == pytest.approx(place.point(600 + 300j))
    assert back.point(ahead.point(600 + 300j)) == pytest.approx(600 + 300j)


def test_between_two_frames_the_camera_is_on_its_way() -> None:
    """At a time between two frames the camera has made that part of the step; after the newest it stands."""
    path = CameraPath()
    path.add(0.0, None)
    path.add(1.0, Similarity(1, 8 + 4j))
    for share in (0.25, 0.5):
        found = path.between(0.0, share)
        assert found is not None
        assert found.shift == pytest.approx(share * (8 + 4j))
    assert path.between(1.0, 5.0) == STILL


def test_nothing_leads_over_a_cut() -> None:
    """Two moments on both sides of a cut have no motion between them, two on one side have; it begins at its frame."""
    path = flown(5)
    path.add(5 / 25, None)
    path.add(6 / 25, STEP)
    assert path.between(4 / 25, 5 / 25) is None
    assert path.between(6 / 25, 4 / 25) is None
    assert path.between(0.0, 4.9 / 25) is not None
    found = path.between(5 / 25, 6 / 25)
    assert found is not None
    assert found.point(5 + 7j) == pytest.approx(STEP.point(5 + 7j))


def test_what_is_forgotten_is_as_behind_a_cut() -> None:
    """Of times before everything that is remembered nothing is known."""
    path = flown(10)
    assert path.between(-0.1, 0.1) is None


def test_a_frame_out_of_order_is_not_taken() -> None:
    """A frame that is not newer than the newest changes nothing."""
    path = flown(3)
    path.add(2 / 25, Similarity(1, 100))
    path.add(1 / 25, None)
    assert len(path) == 3
    found = path.between(0.0, 2 / 25)
    assert found is not None
    assert found.shift == pytest.approx(STEP.after(STEP).shift)


@pytest.mark.parametrize("fps", [5, 30, 120])
def test_memory_is_bounded_and_the_past_stays_known(fps: int) -> None:
    """A path that never ends takes no more room than a short one, and leads to moments long ago all the same."""
    path, step = CameraPath(), Similarity(1 + 0.01 / fps, 15 / fps + 0j)
    path.add(0.0, None)
    for number in range(1, 200 * fps):
        path.add(number / fps, step)
        assert len(path) <= MOST
    now = 200 - 1 / fps
    for seconds in (0.2, 1.0, 10.0, 25.0):
        true, found = STILL, path.between(now - seconds, now)
        for _ in range(round(seconds * fps)):
            true = step.after(true)
        assert found is not None
        assert abs(found.turn) == pytest.approx(abs(true.turn), rel=0.02)
        assert found.shift == pytest.approx(true.shift, rel=0.05)
    assert path.between(now - 2 * REMEMBERED, now) is None


def test_numbers_stay_numbers() -> None:
    """A camera that flies ahead for an hour, every picture larger than the last, is followed without overflow."""
    path = CameraPath()
    path.add(0.0, None)
    for number in range(1, 60_000):
        path.add(number / 25, Similarity(1.01, 1 + 1j))
    found = path.between(60_000 / 25 - 0.2, 60_000 / 25)
    assert found is not None
    assert found.scale == pytest.approx(1.01**4)
    assert found.shift == pytest.approx((1 + 1j) * (1 + 1.01 + 1.01**2 + 1.01**3), rel=1e-3)


def test_a_camera_stands_when_it_has_not_moved_for_seconds() -> None:
    """It stands from then on when it has been still for ten seconds, sways by no more than a little, and had no cut."""
    path = flown(int(STANDS * 25) + 5, STILL)
    assert not path.stands(5.0, WIDTH)
    assert path.stands(STANDS + 0.1, WIDTH)
    swaying = CameraPath()
    for number in range(400):
        swaying.add(number / 25, Similarity(1, 3 if number % 2 else -3) if number else None)
    assert swaying.stands(15.0, WIDTH)
    assert not flown(400, Similarity(1, 0.2 + 0j)).stands(15.0, WIDTH)
    assert not flown(400, Similarity(1.0005, 0j)).stands(15.0, WIDTH)


def test_it_is_written_and_read_at_once() -> None:
    """While one thread writes another reads, and what it reads is whole."""
    path = flown(2)

    def write() -> None:
        for number in range(2, 5000):
            path.add(number / 25, STEP)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        newest = path._times[-1]
        found = path.between(newest - 0.04, newest)
        # None where so much was written since it was looked at that it is forgotten.
        assert found is None or found.scale == pytest.approx(STEP.scale, rel=1e-3)
    writer.join()
    found = path.between(4998 / 25, 4999 / 25)
    assert found is not None
    assert found.shift == pytest.approx(STEP.shift, rel=1e-6)


@given(
    st.lists(st.tuples(st.floats(0.001, 1), st.sampled_from([None, STEP, STILL])), min_size=1, max_size=30), st.data()
)
def test_ways_can_be_joined(steps: list[tuple[float, Similarity | None]], data: st.DataObject) -> None:
    """Whatever the frames, the way from a to b and on to c is the way from a to c; cuts on it are cuts of the whole."""
    path, pts = CameraPath(), 0.0
    for elapsed, step in steps:
        pts += elapsed
        path.add(pts, step)
    first, middle, last = (data.draw(st.floats(0, pts + 1)) for _ in range(3))
    one, two, whole = path.between(first, middle), path.between(middle, last), path.between(first, last)
    if one is not None and two is not None:
        assert whole is not None
        assert whole.point(300 + 200j) == pytest.approx(two.point(one.point(300 + 200j)), abs=1e-6)
