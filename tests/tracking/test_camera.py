"""streamer.tracking.camera: a camera followed frame by frame."""

from dataclasses import replace

import pytest

from streamer.tracking.camera import STRIDE, Camera
from streamer.tracking.similarity import Similarity
from streamer.values.frame import Frame
from tests.peers.frames import make_frame
from tests.peers.scenery import flight, picture_of, view

SIZE = (640, 360)
STEP = Similarity(1, -6 + 2j)
FPS = 25


def filmed(count: int, *, seed: int = 0, first: int = 0, opening: int = 0) -> list[Frame]:
    """Frames of a camera that flies over a texture, in a picture twice as wide as its plane."""
    return [
        replace(
            make_frame(number / FPS, index=number, picture=picture_of(view(place, SIZE, seed=seed))), opening=opening
        )
        for number, place in enumerate(flight(STEP, count), first)
    ]


@pytest.mark.parametrize("closely", [True, False])
def test_motion_is_in_pixels_of_the_frame(closely: bool) -> None:
    """The camera's path is in pixels of its frames, whether each is looked at or only every so many."""
    camera = Camera()
    for frame in filmed(2 * STRIDE + 1):
        camera.follow(frame, closely=closely)
    found = camera.path.between(0.0, 2 * STRIDE / FPS)
    assert found is not None
    assert abs(found.shift - 2 * STRIDE * STEP.shift) < 0.5
    assert len(camera.path) == (2 * STRIDE + 1 if closely else 3)


def test_a_sampled_frame_is_looked_at_closely() -> None:
    """When nobody looks at single frames and then somebody does, the way to that frame is known at once."""
    camera = Camera()
    frames = filmed(4)
    for frame in frames[:3]:
        camera.follow(frame, closely=False)
    camera.follow(frames[3], closely=True)
    found = camera.path.between(0.0, 3 / FPS)
    assert found is not None
    assert abs(found.shift - 3 * STEP.shift) < 0.3


@pytest.mark.parametrize("closely", [True, False])
def test_a_cut_ends_the_path(closely: bool) -> None:
    """A cut is known at its own frame, whether each is looked at or only every so many."""
    camera = Camera()
    for frame in filmed(STRIDE) + filmed(2 * STRIDE, seed=1, first=STRIDE):
        camera.follow(frame, closely=closely)
    assert camera.path.between((STRIDE - 1) / FPS, STRIDE / FPS) is None
    assert camera.path.between(STRIDE / FPS, (2 * STRIDE) / FPS) is not None


def test_a_reconnect_ends_the_path() -> None:
    """A connection made anew is a cut, though it shows the same."""
    camera = Camera()
    for frame in filmed(5) + [replace(frame, pts=frame.pts + 1, opening=1) for frame in filmed(5)]:
        camera.follow(frame, closely=True)
    assert camera.path.between(0.0, 1.0) is None
    assert camera.path.between(1.0, 1.16) is not None


def test_another_size_ends_the_path() -> None:
    """A picture of another size is a cut, though its plane has the same."""
    camera = Camera()
    camera.follow(make_frame(0.0, picture=picture_of(view(Similarity(1, -800 - 800j), (640, 360)))), closely=True)
    camera.follow(make_frame(0.1, picture=picture_of(view(Similarity(1, -800 - 800j), (320, 180)))), closely=True)
    assert camera.path.between(0.0, 0.1) is None


def test_the_way_to_a_frame_is_known_once_it_was_asked_for() -> None:
    """Up to a frame that was followed, and not beyond; what came after it is measured in its turn.

    A frame of another connection is asked for in vain.
    """
    camera, frames = Camera(), filmed(5)
    for frame in frames:
        camera.follow(frame, closely=False)
    for _ in range(2):
        camera.reach(frames[3])
        assert abs(path(camera, 0, 3) - 3 * STEP.shift) < 0.3
        assert abs(path(camera, 0, 4) - 3 * STEP.shift) < 0.3
    camera.reach(frames[4])
    assert abs(path(camera, 0, 4) - 4 * STEP.shift) < 0.4
    camera.reach(replace(frames[4], opening=1))
    assert abs(path(camera, 0, 4) - 4 * STEP.shift) < 0.4


def path(camera: Camera, start: int, end: int) -> complex:
    """How far the camera moved from one frame to another."""
    found = camera.path.between(start / FPS, end / FPS)
    assert found is not None
    return found.shift
