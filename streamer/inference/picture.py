"""A picture that somebody sends, read: upright, in RGB, and refused by what its header claims before it is decoded.

Pillow and not OpenCV: it reads sizes before pixels, turns PNG and WebP upright too, and takes the kinds it is told to.
"""

import io
import warnings
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from streamer.values.errors import Refused

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 50_000_000
"""Of a picture: what phones take. Decoded it is 150 MB, and one is decoded at a time."""

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is higher, and does not say how large the picture is


def read_picture(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture, turned as its EXIF says (CIPA DC-008, Orientation).

    Args:
        data: a JPEG, PNG or WebP; of one that moves the first picture.

    Returns:
        uint8 [height, width, 3], RGB; what is see-through is white.

    Raises:
        Refused: 415 it is none, 413 it has more than MAX_PIXELS, 422 it is broken.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            warnings.simplefilter("ignore")  # of its EXIF, and of its size, which is looked at here
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise Refused(413, f"a picture of {width} x {height} is more than {MAX_PIXELS // 1_000_000} megapixels")
            return _upright(picture)
    except UnidentifiedImageError:
        raise Refused(415, "this is no picture; JPEG, PNG and WebP are read") from None
    except (OSError, ValueError, SyntaxError, ArithmeticError, IndexError, KeyError, TypeError) as error:
        raise Refused(422, f"the picture cannot be decoded: {error}") from None


def _upright(picture: Image.Image) -> NDArray[np.uint8]:
    picture.load()
    turned = ImageOps.exif_transpose(picture)
    if turned.has_transparency_data:
        paper = Image.new("RGBA", turned.size, "white")
        turned = Image.alpha_composite(paper, turned.convert("RGBA"))
    elif turned.mode.startswith("I;16"):
        turned = turned.point(lambda level: level / 256).convert("L")
    return cast(NDArray[np.uint8], np.asarray(turned.convert("RGB")))
