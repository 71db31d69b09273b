"""The front of this room: what recorders have kept of segments and boxes, and every question about them.

Recorders call from any thread and never wait. Questions are answered in the archive's threads; one that the database
cannot answer now is `Overloaded`. Times are UTC, seconds since 1970; a span holds its beginning and not its end.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.found import RecordedDay, Removed, Seen, Span
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.stream_boxes import StreamBoxes
from streamer.values.recording import Recording


class Recordings:
    """One archive's."""

    files: RecordingFiles
    """Where they lie."""

    @property
    def folder(self) -> Path:
        """Of all recordings."""
        return self.files.folder

    # ---- from recorders (segment_index.py), in any thread; never waits

    def keep_as(self, stream: str, recording: Recording) -> None:
        """Go by these settings in how long the stream's are kept, and which seconds are a bookmarked event's."""
        raise NotImplementedError

    def put(self, segment: Segment) -> None:
        """Have one written as it is now, with others, within two seconds; the newest of an id stands."""
        raise NotImplementedError

    def boxes_of(self, stream: str) -> StreamBoxes:
        """Where that stream's samples go; the same as long as this lives."""
        raise NotImplementedError

    # ---- for recovery; these block, in the caller's thread, and raise DatabaseAway

    def unended(self) -> Sequence[Segment]:
        """Those without an end, whole: of a service that was killed."""
        raise NotImplementedError

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of these ids that are written down, or wait to be."""
        raise NotImplementedError

    def put_now(self, segment: Segment) -> None:
        """Write one down before it returns."""
        raise NotImplementedError

    def forget(self, ids: Iterable[str]) -> None:
        """Strike them, and their boxes."""
        raise NotImplementedError

    # ---- what is asked, as questions.py says it

    async def spans(self, stream: str, began: float, ended: float) -> Sequence[Span]:
        """In order, cut to what is asked for."""
        raise NotImplementedError

    async def segments(self, stream: str, began: float, ended: float, limit: int) -> Sequence[Segment]:
        """Those of which some lies in the span, in order, with their fragments; the first `limit` of them."""
        raise NotImplementedError

    async def outlines(self, stream: str, began: float, ended: float, limit: int) -> Sequence[Segment]:
        """The same with `init` and `fragments` empty."""
        raise NotImplementedError

    async def one(self, id_: str) -> Segment | None:
        """The segment of that id; None: there is none."""
        raise NotImplementedError

    async def at(self, stream: str, time: float) -> Segment | None:
        """The one that holds this moment, else the next that begins within 2 s of it; None: there is none."""
        raise NotImplementedError

    async def days(self, stream: str, began: float, ended: float, offset: int = 0) -> Sequence[RecordedDay]:
        """In order, those with something. `offset`: seconds by which their midnight is before that of UTC."""
        raise NotImplementedError

    async def seen(self, stream: str, began: float, ended: float, step: int) -> Sequence[Seen]:
        """In steps of so many seconds, whole minutes, counted from 1970; by time, then class."""
        raise NotImplementedError

    async def boxes(self, ids: Sequence[str]) -> Mapping[str, BoxColumns]:
        """By segment, of those that have some; what still waits to be written too."""
        raise NotImplementedError

    async def streams(self) -> Sequence[str]:
        """The names of all that there are recordings of, in order; some may be configured no more."""
        raise NotImplementedError

    def path(self, segment: Segment) -> Path:
        """Where its file is, or would be."""
        return self.files.path(segment)

    # ---- changes

    async def remove(self, stream: str, began: float, ended: float) -> Removed:
        """Let go of every closed segment that lies wholly in the span; of bookmarked events' none."""
        raise NotImplementedError
