"""streamer.tracking.camera_motion: how the camera moved from one picture to the next."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.tracking.camera_motion import CameraMotion
from streamer.tracking.similarity import STILL, Similarity
from tests.peers.clip import draw_frame
from tests.peers.scenery import flight, noise, view

MIDDLE = 160 + 90j
CORNERS = (0j, 320 + 0j, 180j, 320 + 180j)
PLACE = Similarity(1, -800 - 800j)


def followed(planes: list[NDArray[np.uint8]]) -> list[Similarity | None]:
    """The steps of a camera that showed this."""
    motion = CameraMotion()
    return [motion.step(plane) for plane in planes]


def summed(steps: list[Similarity | None]) -> Similarity:
    """All steps after the first, where none is a cut."""
    place = STILL
    for step in steps[1:]:
        assert step is not None
        place = step.after(place)
    return place


def around(middle: complex, turn: complex, shift: complex) -> Similarity:
    """A turn and scale around a point, then a shift."""
    return Similarity(turn, middle - turn * middle + shift)


@settings(deadline=None, max_examples=25)
@given(
    shift=st.builds(complex, st.floats(-4, 4), st.floats(-3, 3)),
    zoom=st.floats(0.99, 1.01),
    angle=st.floats(-0.5, 0.5),
)
def test_pan_zoom_and_turn_are_measured(shift: complex, zoom: float, angle: float) -> None:
    """Over 0.2 s of any pan, zoom and turn no corner of the picture is misplaced by half a pixel of 720p."""
    step = around(MIDDLE, cmath.rect(zoom, math.radians(angle)), shift)
    found, true = summed(followed([view(place) for place in flight(step, 6)])), STILL
    for _ in range(5):
        true = step.after(true)
    for corner in (MIDDLE, *CORNERS):
        assert abs(found.point(corner) - true.point(corner)) < (0.125 if corner == MIDDLE else 0.4)


def test_a_still_picture_and_noise_is_no_motion() -> None:
    """A camera that stands still is measured as exactly that, however noisy its pictures are."""
    planes = [noise(view(PLACE), 4, seed) for seed in range(12)]
    assert followed(planes)[1:] == [STILL] * 11


def test_a_repeated_frame_is_no_motion() -> None:
    """While a source repeats a frame nothing moves, and the jump after it is measured from that frame."""
    moved = view(Similarity(1, -806 - 800j))
    steps = followed([view(PLACE)] * 5 + [moved])
    assert steps[1:5] == [STILL] * 4
    assert steps[5] is not None
    assert abs(steps[5].shift - (-6)) < 0.1


def test_a_pan_too_slow_for_two_pictures_is_seen_in_time() -> None:
    """A pan of a thirtieth of a pixel from one picture to the next is not lost: after 90 of them it is there."""
    steps = followed([view(place) for place in flight(Similarity(1, -1 / 30 + 0j), 91)])
    assert abs(summed(steps).shift - (-3)) < 0.4


def test_a_cut_is_found() -> None:
    """Another scene is a cut, once, and the camera is followed on in it."""
    step = Similarity(1, -2 + 1j)
    one = [view(place) for place in flight(step, 6)]
    two = [view(place, seed=1) for place in flight(step, 6)]
    steps = followed(one + two)
    assert [number for number, found in enumerate(steps) if found is None] == [0, 6]
    assert abs(summed(steps[6:]).shift - 5 * (-2 + 1j)) < 0.3


def test_a_scene_of_the_same_broad_shapes_is_a_cut() -> None:
    """A pale sky above dark ground makes two pictures correlate, and is nothing that both show."""
    sky = np.linspace(90, -90, 180)[:, np.newaxis]
    planes = [np.clip(view(PLACE, seed=seed) * 0.5 + 64 + sky, 0, 255).astype(np.uint8) for seed in (0, 0, 1, 1)]
    assert [step is None for step in followed(planes)] == [True, False, True, False]


def test_a_camera_that_moved_behind_a_frozen_picture_is_followed() -> None:
    """Where a picture stood for a second and the next is far away, that is no cut, and the way there is measured."""
    there = view(around(MIDDLE, cmath.rect(1.02, 0.01), 70 - 30j).after(PLACE))
    steps = followed([view(PLACE)] * 4 + [there])
    assert steps[4] is not None
    assert abs(steps[4].point(MIDDLE) - MIDDLE - (70 - 30j)) < 0.3
    assert steps[4].scale == pytest.approx(1.02, abs=0.005)


def test_noise_in_the_dark_is_no_cut() -> None:
    """A dim picture in noise that nothing can be followed in is of the same scene as the one before."""
    dim = [noise((view(place) * 0.2).astype(np.uint8), 16, n) for n, place in enumerate(flight(Similarity(1, -2), 12))]
    assert None not in followed(dim)[1:]


@pytest.mark.parametrize("gain", [0.6, 0.85, 1.15, 1.3, 1.6])
def test_a_step_of_exposure_is_no_cut(gain: float) -> None:
    """A picture much darker or brighter than the one before is followed as if it were not."""
    planes = [view(place) for place in flight(Similarity(1, -3 + 1j), 8)]
    lit = [np.clip(plane * gain, 0, 255).astype(np.uint8) for plane in planes[4:]]
    assert abs(summed(followed(planes[:4] + lit)).shift - 7 * (-3 + 1j)) < 0.5


def test_letters_and_lamps_are_no_cut() -> None:
    """Where much of a flat picture changes at once, and most of it does not, the scene is the same."""
    planes = [np.ascontiguousarray(draw_frame(number, 320, 240)[:, :, 0]) for number in range(70)]
    assert followed(planes)[1:] == [STILL] * 69


def test_a_black_picture_is_a_cut() -> None:
    """A picture that shows nothing has nothing of the one before, and what comes after it has nothing of it."""
    black = np.zeros((180, 320), np.uint8)
    assert [step is None for step in followed([view(PLACE), black, black, view(PLACE)])] == [True, True, False, True]


def test_another_size_is_a_cut() -> None:
    """A plane of another shape begins anew."""
    assert followed([view(PLACE), view(PLACE, (320, 240))]) == [None, None]


def test_a_thing_that_moves_is_not_the_camera() -> None:
    """Before a camera that stands still a third of the picture may move, and nothing is measured of it."""
    planes = []
    for number in range(10):
        plane = view(PLACE).copy()
        plane[40:160, 20 + 5 * number : 140 + 5 * number] = view(Similarity(1, -300 - 300j), (120, 120), seed=2)
        planes.append(plane)
    assert followed(planes)[1:] == [STILL] * 9


def test_what_goes_by_a_camera_that_stands_is_not_the_camera() -> None:
    """Before bare ground what goes by has most of the corners, and a camera that has stood for long still stands."""
    ground, car = (view(PLACE) * 0.1 + 100).astype(np.uint8), view(Similarity(1, -300 - 300j), (150, 110), seed=2)
    planes = [noise(ground, 1, number) for number in range(70)]
    for number, plane in enumerate(planes[40:]):
        plane[50:160, 5 * number : 5 * number + 150] = car
    steps = followed(planes)
    assert None not in steps[1:]
    assert abs(summed(steps).point(MIDDLE) - MIDDLE) < 1
    assert summed(steps).scale == pytest.approx(1, abs=0.005)


def test_a_camera_that_has_stood_may_move_on() -> None:
    """However long a camera stood, the pan after it is measured from its first picture on."""
    stood = [noise(view(PLACE), 2, number) for number in range(60)]
    planes = stood + [view(place) for place in flight(Similarity(1, -4 + 2j), 11)]
    assert abs(summed(followed(planes)).shift - 10 * (-4 + 2j)) < 0.4


def test_many_pictures_are_followed_at_once_where_that_can_be() -> None:
    """Of several pictures that follow each other only the last is measured, and the way to it is the same."""
    planes = [view(place) for place in flight(Similarity(1, -2 + 1j), 7)]
    motion = CameraMotion()
    motion.step(planes[0])
    ((number, step),) = motion.stride(planes[1:])
    assert number == 5
    assert step is not None
    assert abs(step.shift - 6 * (-2 + 1j)) < 0.2


def test_what_cannot_be_told_at_once_is_told_one_by_one() -> None:
    """Where the last of several pictures looks like another scene, a camera that flew there is still followed."""
    planes = [view(place) for place in flight(Similarity(1, -14 + 0j), 7)]
    motion = CameraMotion()
    motion.step(planes[0])
    steps = motion.stride(planes[1:])
    assert [number for number, _ in steps] == [0, 1, 2, 3, 4, 5]
    assert abs(summed([None, *(step for _, step in steps)]).shift - (-84)) < 0.5


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_pictures_of_nothing_break_nothing(seed: int) -> None:
    """Whatever planes come, of any size and content, each has a step or a cut, and numbers that are numbers."""
    dice = np.random.default_rng(seed)
    motion = CameraMotion()
    for _ in range(6):
        rows, columns = dice.choice([1, 2, 7, 40, 90], 2)
        plane = dice.integers(0, dice.choice([1, 2, 256]), (rows, columns)).astype(np.uint8)
        for step in (motion.step(plane), motion.step(plane)):
            assert step is None or (cmath.isfinite(step.turn) and cmath.isfinite(step.shift))
