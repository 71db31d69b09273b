"""The newest annotated picture as a JPEG: drawn once a frame, however many ask for it at once."""

import asyncio
from collections.abc import Sequence

from streamer.values.frame import Frame
from streamer.values.packet import EncodedPacket
from streamer.values.track import TrackedBox
from streamer.view.annotator import annotate
from streamer.view.encoder import encode_jpeg


class Still:
    """The picture last asked for, of one stream."""

    def __init__(self) -> None:
        self._of: tuple[int, tuple[TrackedBox, ...], str | None] | None = None
        """The index of its frame, and what is drawn on it: boxes, which may come to be known later, and the notice."""
        self._drawing: asyncio.Task[EncodedPacket] | None = None
        self.drawn = 0
        """Pictures drawn so far."""

    async def of(self, frame: Frame, boxes: Sequence[TrackedBox], notice: str | None) -> EncodedPacket:
        """A frame with what is drawn on it. Whoever asks for the same while it is drawn, or later, gets the same."""
        asked = (frame.index, tuple(boxes), notice)
        if asked != self._of or self._drawing is None or _failed(self._drawing):
            self._of = asked
            self._drawing = asyncio.create_task(asyncio.to_thread(_draw, frame, boxes, notice))
            self.drawn += 1
        return await asyncio.shield(self._drawing)  # one who leaves takes nothing from the others


def _failed(drawing: asyncio.Task[EncodedPacket]) -> bool:
    return drawing.done() and (drawing.cancelled() or drawing.exception() is not None)


def _draw(frame: Frame, boxes: Sequence[TrackedBox], notice: str | None) -> EncodedPacket:
    return encode_jpeg(annotate(frame, boxes, notice), frame.pts)
