"""Small pictures of recorded moments, for who looks for one: each of the keyframe at that moment or before it."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import av
import cv2
import numpy as np

from streamer.archive.recordings.footage import SomeFragments, Source, needed
from streamer.archive.recordings.segment import Segment
from streamer.values.errands import Errands
from streamer.values.errors import Overloaded

AT_ONCE = 2
"""That are made at a time."""
MOST_WAITING = 64
"""That are being made, or wait for that."""
MOST_BYTES = 16 << 20
"""Of those that are remembered; then those go that were asked for longest ago."""
QUALITY = 75
"""JPEG's."""


class Thumbnails:
    """One service's."""

    def __init__(self) -> None:
        """Remember none."""
        self._errands = Errands(AT_ONCE, "thumbnails")
        self._making = 0
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    async def of(self, source: Callable[[], Source], segment: Segment, time: int, width: int) -> bytes:
        """A JPEG.

        Args:
            source: finds the segment's file, or what there is of it elsewhere; it may block.
            segment: it.
            time: media time in microseconds.
            width: of the picture at the most, in pixels.

        Raises:
            OSError: the file is not there, or is none.
            ValueError: there is no picture in it.
            Overloaded: so many are being made, on a slow disk or one that hangs, that another would not come soon.
        """
        key = tag_of(segment, time, width)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        if self._making >= MOST_WAITING:
            raise Overloaded("as many thumbnails as may be are being made", 2)
        self._making += 1
        try:
            made = await self._errands.run(partial(_thumbnail, source, segment, time, width))
        finally:
            self._making -= 1
        self._bytes += 0 if key in self._known else len(made)
        self._known[key] = made
        while self._bytes > MOST_BYTES:
            self._bytes -= len(self._known.popitem(last=False)[1])
        return made


def tag_of(segment: Segment, time: int, width: int) -> str:
    """What tells one from another: all moments up to the next keyframe are one."""
    some = needed(segment, time, time)
    return f"{segment.id}-{some[0].offset if some else 0}-{width}"


def _thumbnail(source: Callable[[], Source], segment: Segment, time: int, width: int) -> bytes:
    some = needed(segment, time, time)
    if not some:
        raise ValueError("nothing of this moment is in the file")
    with SomeFragments(source(), segment.init, some[:1]) as file, av.open(file, "r", "mp4") as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        picture = next(container.decode(video), None)
    if picture is None:
        raise ValueError("nothing of this moment can be shown")
    wide = min(width, picture.width)
    high = max(1, round(picture.height * wide / picture.width))
    done, data = cv2.imencode(
        ".jpg", picture.to_ndarray(format="bgr24", width=wide, height=high), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    if not done:
        raise ValueError("nothing of this moment can be shown")
    return np.asarray(data).tobytes()
