"""What a recorder needs of those who write down what it records: the index of segments, and the boxes beside them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from streamer.archive.recordings.segment import Segment
from streamer.values.recording import Recording
from streamer.values.track import TrackedBox


class SegmentIndex(Protocol):
    """Where it is written which segments there are. What blocks says so."""

    @property
    def folder(self) -> Path:
        """Of all their files."""

    def path(self, segment: Segment) -> Path:
        """Where its file is, or is to be."""

    def keep_as(self, stream: str, recording: Recording) -> None:
        """Go by these settings in how long the stream's are kept."""

    def days_fit(self, stream: str) -> float | None:
        """Days of this stream's that there is room for at the rate of the last day; None while that is not known."""

    def boxes_of(self, stream: str) -> "StreamBoxes":
        """Where its samples' boxes go; the same each time."""

    def put(self, segment: Segment) -> None:
        """Have one written as it is now; of the same id the last that was put stands. From any thread; never waits.

        A new one comes with its first fragment on disk, then with each further one, and at last with its `ended_at`;
        after that only `has_event` may still become true.
        """

    def unended(self) -> Sequence[Segment]:
        """Those without an end, as written down. Blocks.

        Raises:
            DatabaseAway: it cannot be read.
        """

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of these ids that are written down, or wait to be. Blocks.

        Raises:
            DatabaseAway: it cannot be read.
        """

    def put_now(self, segment: Segment) -> None:
        """Write one down. Blocks.

        Raises:
            DatabaseAway: it cannot be.
        """

    def forget(self, ids: Iterable[str]) -> None:
        """Strike them, and their boxes: there was nothing in their files. Blocks.

        Raises:
            DatabaseAway: it cannot be.
        """


class StreamBoxes(Protocol):
    """One stream's boxes on their way to the segments their pictures are in.

    A sample lies in the segment of its opening whose first and last times hold its own. It comes before that segment
    does where nothing is recorded until an event begins: it waits, bounded.
    """

    def answered(self, opening: int, coded_at: int, size: tuple[int, int], boxes: Sequence[TrackedBox]) -> None:
        """Take in what was drawn on one sampled frame; those with nothing on them count too. From any thread.

        Args:
            opening: of the frame.
            coded_at: of the frame, in microseconds.
            size: of the frame, (width, height) in pixels.
            boxes: in pixels of it.
        """

    def begun(self, segment: Segment, opening: int) -> None:
        """A segment begins, with this opening's picture of `segment.first_time`. In the recorder's thread."""

    def ended(self, id_: str, last_time: int) -> None:
        """It ended; its last picture is the one of that time. In the recorder's thread."""

    def forget(self, id_: str) -> None:
        """There was nothing in its file, and it is no segment. In the recorder's thread."""
