"""The newest annotated picture as a JPEG: drawn once a frame, however many ask for it, and one at a time."""

import asyncio
from collections.abc import Callable, Sequence

import av
import numpy as np
from numpy.typing import NDArray

from streamer.values.frame import Frame
from streamer.values.packet import EncodedPacket
from streamer.values.track import TrackedBox
from streamer.view.annotator import annotate
from streamer.view.encoder import encode_jpeg

Wanted = tuple[Frame, tuple[TrackedBox, ...], str | None, bool]
"""A frame and what is drawn on it: boxes, which may come to be known later, the notice, and whether ids are."""


class Still:
    """The picture last asked for, of one stream."""

    def __init__(self) -> None:
        self._of: tuple[int, tuple[TrackedBox, ...], str | None, bool] | None = None
        """What it shows, told by its frame's index: the frame itself is not kept for it."""
        self._drawing: asyncio.Task[EncodedPacket] | None = None

    async def of(self, newest: Callable[[], Wanted | None]) -> EncodedPacket | None:
        """A picture of what is newest; None where there is nothing.

        Whoever asks for the same while it is drawn, or later, gets the same. Whoever asks for something newer meanwhile
        waits for its end, and gets what is newest then: a thread each would hold up all who share them.
        """
        wanted = newest()
        if wanted is None:
            return None
        if self._drawing is not None and not self._drawing.done() and _told(wanted) != self._of:
            await asyncio.wait({self._drawing})
            wanted = newest() or wanted
        # What is being drawn now was begun after this was asked for.
        if self._drawing is None or (self._drawing.done() and (_told(wanted) != self._of or _failed(self._drawing))):
            self._of, self._drawing = _told(wanted), asyncio.create_task(asyncio.to_thread(_draw, *wanted))
        return await asyncio.shield(self._drawing)  # one who leaves takes nothing from the others


def draw(pixels: NDArray[np.uint8], boxes: Sequence[TrackedBox]) -> bytes:
    """A picture that is no stream's, with boxes on it, as a JPEG. Blocks: for a thread.

    Args:
        pixels: uint8 [height, width, 3], RGB.
        boxes: in pixels of it.
    """
    frame = Frame("", 0, 0.0, 0.0, av.VideoFrame.from_ndarray(pixels, format="rgb24"))
    return encode_jpeg(annotate(frame, boxes)).data


def _told(wanted: Wanted) -> tuple[int, tuple[TrackedBox, ...], str | None, bool]:
    frame, boxes, notice, show_ids = wanted
    return frame.index, boxes, notice, show_ids


def _failed(drawing: asyncio.Task[EncodedPacket]) -> bool:
    return drawing.cancelled() or drawing.exception() is not None


def _draw(frame: Frame, boxes: tuple[TrackedBox, ...], notice: str | None, show_ids: bool) -> EncodedPacket:
    return encode_jpeg(annotate(frame, boxes, notice, show_ids=show_ids), frame.pts)
