"""What a thing looked like."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.values.event import Boxed
from streamer.view.portrait import THUMBNAIL, portray, thumbnail, window
from tests.peers.frames import make_frame, make_picture


def test_the_picture_is_the_frame_with_nothing_drawn_on_it() -> None:
    """The image has the camera's size and its pixels, as far as JPEG keeps them; the boxes go beside it."""
    frame = make_frame(picture=make_picture(640, 360, seed=1))
    boxes = (Boxed("person", 1, 0.9, (10, 10, 60, 90), 7),)
    picture = portray(frame, (10, 10, 60, 90), boxes)
    decoded = cv2.imdecode(np.frombuffer(picture.image, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    shown = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    assert shown.shape == (360, 640, 3)
    assert np.abs(shown.astype(int) - frame.picture.to_ndarray(format="rgb24")).mean() < 3
    assert picture.boxes == boxes


EDGE = st.floats(-50, 4000)


@given(EDGE, EDGE, st.floats(0, 3000), st.floats(0, 3000), st.integers(1, 3840), st.integers(1, 2160))
def test_the_window_lies_in_the_picture(x: float, y: float, wide: float, high: float, width: int, height: int) -> None:
    """Whatever the box and the picture's size: at least a pixel, and none from outside."""
    left, right, top, bottom = window((x, y, x + wide, y + high), width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_a_thumbnail_shows_the_thing_and_what_is_around() -> None:
    """It has the thumbnail's shape, and the middle of the box is in its middle."""
    pixels = np.zeros((720, 1280, 3), np.uint8)
    pixels[300:400, 600:700] = 255
    small = thumbnail(pixels, (600, 300, 700, 400))
    assert small.shape[1] <= THUMBNAIL[0]
    assert abs(small.shape[1] / small.shape[0] - THUMBNAIL[0] / THUMBNAIL[1]) < 0.02
    rows, columns = np.nonzero(small[:, :, 0] > 127)
    assert abs(rows.mean() - small.shape[0] / 2) < 2
    assert abs(columns.mean() - small.shape[1] / 2) < 2
