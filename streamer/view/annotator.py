"""Boxes, labels and scores drawn on a frame. Pure.

Drawn on the I420 planes the encoder takes, luma and two half-size chroma planes, instead of on RGB: converting a 720p
picture there and back costs more than everything drawn on it.
"""

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from streamer.values.frame import Frame, Planes
from streamer.values.track import TrackedBox

Color = tuple[int, int, int]
"""Y, U, V of BT.601 in limited range, 16..235 and 16..240."""

PALETTE_RGB = ((56, 208, 222), (255, 92, 72), (255, 196, 61), (126, 217, 87), (199, 146, 255), (255, 143, 199))
"""By class id, repeated: told apart on vegetation, sky and concrete, and by the colour-blind. The page has the same."""


def _yuv(rgb: tuple[int, int, int]) -> Color:
    pixel = cv2.cvtColor(np.full((2, 2, 3), rgb, np.uint8), cv2.COLOR_RGB2YUV_I420)
    return int(pixel[0, 0]), int(pixel[2, 0]), int(pixel[2, 1])


PALETTE: tuple[Color, ...] = tuple(_yuv(rgb) for rgb in PALETTE_RGB)
INK: Color = _yuv((16, 20, 24))
NOTICE: Color = _yuv((255, 170, 40))


def color_of(class_id: int) -> Color:
    """The colour of a class: ids start at 1 in label maps."""
    return PALETTE[(class_id - 1) % len(PALETTE)]


def annotate(
    frame: Frame,
    boxes: Sequence[TrackedBox],
    notice: str | None = None,
    reformatter: VideoReformatter | None = None,
    *,
    show_ids: bool = False,
) -> Planes:
    """A copy of the frame with `boxes` drawn on it.

    Args:
        frame: stays as it is.
        boxes: in pixels of the frame.
        reformatter: kept by whoever draws many frames, for those that are not I420.
        show_ids: say which thing is which, of those that are followed.
        notice: a short text for the top left corner, such as why there are no boxes.
    """
    planes = frame.planes(reformatter)
    canvas = _Canvas(planes)
    for box in sorted(boxes, key=lambda box: box.score):
        canvas.box(box.box, _tag_of(box, show_ids=show_ids), color_of(box.class_id))
    if notice:
        canvas.tag((canvas.unit * 6, canvas.unit * 6), notice, NOTICE)
    return planes


def _tag_of(box: TrackedBox, *, show_ids: bool) -> str:
    number = f" #{box.tracker_id}" if show_ids and box.tracker_id else ""
    return f"{box.label}{number} {box.score:.2f}"


_face_lock = Lock()
"""OpenCV's font is one state for all threads, and its calls release the GIL: two at once draw each other's glyphs."""


@lru_cache(maxsize=512)
def _glyphs(text: str, size: int) -> NDArray[np.float32]:
    """A text as an alpha mask: float32 [rows, columns], 0..1, even sizes so that chroma can be halved.

    Rendered once: a label with its score comes back frame after frame.
    """
    with _face_lock:
        face = _face()
        _, _, width, _ = cv2.getTextSize((4096, 4096), text, (0, 0), face, size, 600)
        rows, columns = int(size * 1.5) & ~1, (width + size) & ~1
        mask = np.zeros((rows, columns), np.uint8)
        cv2.putText(mask, text, (size // 2, int(size * 1.08)), (255,), face, size, 600)
    return mask.astype(np.float32) / np.float32(255)


@lru_cache(maxsize=1)
def _face() -> cv2.FontFace:
    return cv2.FontFace("sans")  # OpenCV's built-in Rubik


class _Canvas:
    """The three planes of one picture, drawn on together."""

    def __init__(self, planes: Planes) -> None:
        self.height, self.width = planes.shape[0] * 2 // 3, planes.shape[1]
        chroma = planes[self.height :].reshape(2, self.height // 2, self.width // 2)
        self.luma, self.u, self.v = planes[: self.height], chroma[0], chroma[1]
        self.unit = max(1, round(self.height / 480))
        """Pixels of the thinnest line: a box must be seen on a phone that shows 4K as well."""
        self.text_size = max(12, round(self.height / 38)) & ~1

    def box(self, edges: tuple[float, float, float, float], text: str, color: Color) -> None:
        """A frame around the edges with a tag at its upper left corner, inside where there is no room above."""
        thickness = 2 * self.unit
        # Edges far outside are moved to just outside, where OpenCV's integers hold them and nobody sees them either.
        low, high = -4.0 * thickness, 4.0 * thickness
        x0, x1 = (round(min(max(edge, low), self.width + high)) for edge in edges[::2])
        y0, y1 = (round(min(max(edge, low), self.height + high)) for edge in edges[1::2])
        if x1 < 0 or y1 < 0 or x0 >= self.width or y0 >= self.height:
            return  # it moved out of the picture: a tag at the border would be of nothing
        cv2.rectangle(self.luma, (x0, y0), (x1, y1), (color[0],), thickness, cv2.LINE_8)
        for plane, level in ((self.u, color[1]), (self.v, color[2])):
            cv2.rectangle(plane, (x0 // 2, y0 // 2), (x1 // 2, y1 // 2), (level,), max(1, thickness // 2), cv2.LINE_8)
        rows = int(self.text_size * 1.5)
        self.tag((x0 - self.unit, y0 - rows if y0 >= rows else y0), text, color)

    def tag(self, corner: tuple[int, int], text: str, color: Color) -> None:
        """Dark text on a filled label whose upper left is `corner`, moved to lie within the picture."""
        alpha = _glyphs(text, self.text_size)[: self.height & ~1, : self.width & ~1]
        rows, columns = alpha.shape
        x = min(max(corner[0], 0), self.width - columns) & ~1
        y = min(max(corner[1], 0), self.height - rows) & ~1
        self.luma[y : y + rows, x : x + columns] = (color[0] + (INK[0] - color[0]) * alpha).astype(np.uint8)
        half = (slice(y // 2, (y + rows) // 2), slice(x // 2, (x + columns) // 2))
        self.u[half], self.v[half] = color[1], color[2]
