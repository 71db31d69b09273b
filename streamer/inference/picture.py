"""A picture that somebody sends, read: upright, in RGB, and refused by what its header claims before it is decoded.

Pillow and not OpenCV: it reads sizes before pixels, turns PNG and WebP upright too, and takes the kinds it is told to.
"""

import contextlib
import io
import re
import struct
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from streamer.values.errors import Refused

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 50_000_000
"""Of a picture: what phones take. Decoded it is 150 MB, its decoder has as much again, and one is decoded at a time."""
MAX_SCANS = 100
"""Of a progressive JPEG, which has ten or so: each may take a hundred bytes, and as long as all pixels take."""
STRIP = 1 << 20
"""Pixels that are turned into RGB at a time: Pillow holds Python's lock, and so everything else, meanwhile."""

_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
"""Of a JPEG, with a length behind it, or its end: ITU-T T.81 table B.1."""
_END, _SCAN = 0xD9, 0xDA

_BROKEN = (ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, EOFError, struct.error)
"""What Pillow raises at what is no picture, beside OSError."""

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is higher, and does not say how large the picture is


ORIENTATION = 0x0112
"""EXIF's tag of that name: how the picture is to be turned, 1 to 8, by CIPA DC-008 (4.6.5)."""


def read_picture(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture, upright: as `read_turned`, without what was turned."""
    return read_turned(data)[0]


def read_turned(data: bytes) -> tuple[NDArray[np.uint8], int]:
    """Decode a picture, turned as its EXIF says (CIPA DC-008, Orientation).

    Args:
        data: a JPEG, PNG or WebP; of one that moves the first picture.

    Returns:
        uint8 [height, width, 3], RGB, to be read only; what is see-through is white. And the orientation that its
        pixels were turned by, 1 where they were not: browsers read it of fewer pictures.

    Raises:
        Refused: 415 it is none, 413 it has more than MAX_PIXELS, 422 it is broken, or made to take long.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            warnings.simplefilter("ignore")  # of its EXIF, and of its size, which is looked at here
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise Refused(413, f"a picture of {width} x {height} is more than {MAX_PIXELS // 1_000_000} megapixels")
            if picture.format not in ("PNG", "WEBP") and _scans(data) > MAX_SCANS:  # JPEG's several names
                raise Refused(422, f"a picture in more than {MAX_SCANS} scans is not decoded")
            return _upright(picture)
    except UnidentifiedImageError:
        raise Refused(415, "this is no picture; JPEG, PNG and WebP are read") from None
    except (OSError, *_BROKEN) as error:
        raise Refused(422, f"the picture cannot be decoded: {error}") from None


def claimed_pixels(data: bytes) -> int:
    """Width times height as a picture's header has it; 0 of what is none. Nothing is decoded."""
    with contextlib.suppress(OSError, *_BROKEN), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            return picture.size[0] * picture.size[1]
    return 0


def _scans(data: bytes) -> int:
    """How often a JPEG goes through its picture; not counted much further than MAX_SCANS."""
    scans, at = 0, 2
    while scans <= MAX_SCANS and (found := _MARKER.search(data, at)) is not None and data[found.end() - 1] != _END:
        scans += data[found.end() - 1] == _SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return scans


def _upright(picture: Image.Image) -> tuple[NDArray[np.uint8], int]:
    picture.load()
    said = picture.getexif().get(ORIENTATION, 1)
    turned = int(said) if said in range(2, 9) else 1
    ImageOps.exif_transpose(picture, in_place=True)
    width, height = picture.size
    if picture.mode == "RGB" and width * height <= STRIP and not picture.has_transparency_data:
        return np.asarray(picture), turned  # as most are: a third of the time, and of the memory
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(height, top + rows)))
        pixels[top : top + rows] = np.asarray(_on_paper(strip))
    return pixels, turned


def _on_paper(picture: Image.Image) -> Image.Image:
    """In RGB, on white."""
    if picture.has_transparency_data:
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture.convert("RGBA"))
    elif picture.mode.startswith("I;16"):
        picture = picture.point(lambda level: level / 256).convert("L")
    return picture.convert("RGB")
