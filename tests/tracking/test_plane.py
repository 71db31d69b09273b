"""streamer.tracking.plane: a picture's luma, small, and two of them compared."""

import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from streamer.tracking.camera_motion import SAME_SCENE
from streamer.tracking.plane import LONG_SIDE, exposed_as, half_stays, plane_of, repeats, shift_between, size_of, stays
from streamer.tracking.similarity import Similarity
from tests.peers.frames import make_frame, make_picture
from tests.peers.scenery import noise, picture_of, view

SEEN = view(Similarity(1, -800 - 800j))
ELSEWHERE = view(Similarity(1, -200 - 300j), seed=1)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "nv12", "gray", "rgb24", "yuv420p10le"])
def test_a_plane_is_the_pictures_luma(pixel_format: str) -> None:
    """Whatever a camera's pixel format, its plane is 320 wide, and shows the picture's brightness."""
    picture = make_picture(640, 360, seed=3).reformat(format=pixel_format)
    plane = plane_of(make_frame(picture=picture), VideoReformatter())
    assert plane.shape == (180, 320)
    assert plane.dtype == np.uint8
    wanted = make_picture(640, 360, seed=3).reformat(320, 180, "gray").to_ndarray()
    assert np.corrcoef(plane.ravel(), np.asarray(wanted, np.uint8).ravel())[0, 1] > 0.99


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (1920, 1080), (640, 480), (97, 61), (4096, 16), (2, 2)])
def test_a_plane_keeps_the_pictures_shape(size: tuple[int, int]) -> None:
    """The longer side becomes 320 and the other follows; a small picture stays as it is; no side becomes nothing."""
    columns, rows = size_of(*size)
    assert max(columns, rows) == min(LONG_SIDE, max(size))
    assert rows == max(1, round(size[1] * columns / size[0])) or columns == max(1, round(size[0] * rows / size[1]))
    plane = plane_of(make_frame(picture=make_picture(*size)), VideoReformatter())
    assert plane.shape == (rows, columns)


def test_a_plane_is_no_window_on_the_decoders_memory() -> None:
    """A plane stays as it was when the decoder writes its next picture to the same place."""
    picture = picture_of(SEEN)
    plane = plane_of(make_frame(picture=picture), VideoReformatter())
    np.frombuffer(memoryview(picture.planes[0]), np.uint8)  # the same memory
    assert not np.shares_memory(plane, np.frombuffer(memoryview(picture.planes[0]), np.uint8))
    np.testing.assert_array_equal(plane, SEEN)


@pytest.mark.parametrize("gain", [0.6, 0.8, 1.15, 1.3])
def test_exposure_is_matched(gain: float) -> None:
    """A picture darker or brighter by a factor is brought back to within two grey levels of what it was."""
    changed = np.clip(SEEN * gain, 0, 255).astype(np.uint8)
    unsaturated = (changed < 255) & (changed > 0)
    back = exposed_as(changed, SEEN).astype(int)
    assert np.abs(changed.astype(int) - SEEN)[unsaturated].mean() > 10
    assert np.abs(back - SEEN)[unsaturated].mean() < 2


def test_what_shows_nothing_is_left_as_it_is() -> None:
    """A black picture is not blown up to noise."""
    black = np.zeros_like(SEEN)
    np.testing.assert_array_equal(exposed_as(black, SEEN), black)


def test_a_repeated_picture_is_known() -> None:
    """The same picture through a codec is a repeated one; one that moved by a pixel is not."""
    assert repeats(SEEN, noise(SEEN, 0.3, 1))
    assert not repeats(SEEN, view(Similarity(1, -801 - 800j)))


def test_a_picture_stays_where_more_of_it_is_where_it_was() -> None:
    """What moved by is not all of the picture, though it has the stronger edges; and where all moved, nothing stays."""
    matrix = np.array([[1.0, 0.0, 6.0], [0.0, 1.0, 0.0]])
    faint = (SEEN * 0.1 + 100).astype(np.uint8)
    before, after = faint.copy(), faint.copy()
    before[40:160, 20:150] = after[40:160, 26:156] = ELSEWHERE[40:160, 20:150]
    assert stays(before, after, matrix)
    assert not stays(SEEN, view(Similarity(1, -794 - 800j)), matrix)


def test_half_a_picture_may_stay() -> None:
    """A picture of which less than half changed stays, lit otherwise or not; one that changed as a whole does not."""
    changed = SEEN.copy()
    changed[:80] = 255 - changed[:80]
    assert half_stays(changed, SEEN)
    assert half_stays(np.clip(SEEN * 0.7, 0, 255).astype(np.uint8), SEEN)
    assert not half_stays(ELSEWHERE, SEEN)
    changed[80:] = ELSEWHERE[80:]
    assert not half_stays(changed, SEEN)


@pytest.mark.parametrize("shift", [0j, 12 - 5j, -70 + 30j])
@pytest.mark.parametrize("sigma", [0, 20])
def test_a_shift_is_found_wherever_most_of_a_picture_went(shift: complex, sigma: float) -> None:
    """Most of a picture that is there again, lit otherwise and in noise, is found where it is, and surely so."""
    moved = view(Similarity(1, -800 - 800j + shift))
    lit = np.clip(noise(moved, sigma, 1) * 0.6 + 20, 0, 255).astype(np.uint8)
    found, sureness = shift_between(noise(SEEN, sigma, 2), lit)
    assert abs(found - shift) < 0.5
    assert sureness > 2 * SAME_SCENE


def test_another_scene_is_no_shift() -> None:
    """Between two scenes no shift is sure, though the broad shapes of both are the same; black is like black alone."""
    black, sky = np.zeros_like(SEEN), np.linspace(90, -90, 180)[:, np.newaxis]
    one, other = (np.clip(each * 0.5 + 64 + sky, 0, 255).astype(np.uint8) for each in (SEEN, ELSEWHERE))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.7
    for pair in ((SEEN, ELSEWHERE), (one, other), (SEEN, black), (black, SEEN)):
        assert shift_between(*pair)[1] < SAME_SCENE / 2
    assert shift_between(black, black) == (0, 1)
