"""streamer.inference.picture: what somebody sends as pixels, however it is kept."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from streamer.inference import picture
from streamer.inference.picture import MAX_SCANS, read_picture
from streamer.values.errors import Refused

PIXELS = np.random.default_rng(7).integers(0, 256, (23, 31, 4), np.uint8)
ORIENTATION = 0x0112


def sent(mode: str, kind: str, turned: int = 1, **more: Any) -> bytes:
    """The pixels as a file."""
    exif = Image.Exif()
    exif[ORIENTATION] = turned
    to = io.BytesIO()
    whole = Image.fromarray(PIXELS)
    (whole if mode == "RGBA" else whole.convert("RGB").convert(mode)).save(to, kind, exif=exif, **more)
    return to.getvalue()


@pytest.mark.parametrize("turned", [1, 6])
@pytest.mark.parametrize(
    ("mode", "kind", "more"),
    [("RGBA", "png", {}), ("P", "png", {"transparency": 3}), ("L", "png", {}), ("RGB", "webp", {"lossless": True})],
)
def test_strips_make_the_same_picture_as_all_of_it_at_once(
    mode: str, kind: str, more: dict[str, Any], turned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture is made RGB, upright and on white a strip at a time; where one ends is nowhere to be seen."""
    data = sent(mode, kind, turned, **more)
    whole = read_picture(data)
    monkeypatch.setattr(picture, "STRIP", 100)
    assert np.array_equal(read_picture(data), whole)
    assert whole.shape == ((23, 31, 3) if turned == 1 else (31, 23, 3))


def test_a_jpeg_goes_through_its_picture_a_hundred_times_at_the_most() -> None:
    """Scans are counted up to the picture's own end: what phones put behind it, a video for one, is none of it."""
    data = sent("RGB", "jpeg", progressive=True)
    again, end = data[data.rindex(b"\xff\xda") : -2], data[-2:]
    behind = (MAX_SCANS + 1) * b"\xff\xda\0\2"
    assert np.array_equal(read_picture(data + behind), read_picture(data))
    with pytest.raises(Refused, match="scans") as refused:
        read_picture(data[:-2] + MAX_SCANS * again + end)
    assert refused.value.status == 422
