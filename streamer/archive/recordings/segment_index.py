"""What a recorder needs of those who write down what it records: the index of segments, and the boxes beside them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from streamer.archive.recordings.segment import Segment
from streamer.values.detections import Detections


class SegmentIndex(Protocol):
    """Where it is written which segments there are. What blocks says so."""

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

    def answered(self, opening: int, coded_at: int, answer: Detections) -> None:
        """Take in one answered sample, on the event loop. Those without boxes count too.

        Args:
            opening: of its frame.
            coded_at: of its frame, in microseconds.
            answer: as viewers are told it.
        """

    def begun(self, segment: Segment, opening: int) -> None:
        """A segment begins, with this opening's picture of `segment.first_time`. In the recorder's thread."""

    def ended(self, id_: str, last_time: int) -> None:
        """It ended; its last picture is the one of that time. In the recorder's thread."""
