"""One stream's boxes on their way to the segments their pictures are in."""

from collections.abc import Sequence

from streamer.archive.recordings.segment import Segment
from streamer.values.track import TrackedBox


class StreamBoxes:
    """From any thread; nothing of it waits."""

    def answered(self, opening: int, coded_at: int, size: tuple[int, int], boxes: Sequence[TrackedBox]) -> None:
        """Take in what was drawn on one sampled frame.

        Args:
            opening: Frame.opening.
            coded_at: Frame.coded_at, microseconds.
            size: (width, height) of the frame in pixels.
            boxes: in pixels of it; empty: nothing was there, which is kept too.
        """
        raise NotImplementedError

    def begun(self, segment: Segment, opening: int) -> None:
        """A segment begins, with this opening's picture of `segment.first_time`."""
        raise NotImplementedError

    def ended(self, id_: str, last_time: int) -> None:
        """It ended; its last picture is the one of that time."""
        raise NotImplementedError
