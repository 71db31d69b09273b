"""An index in memory: what a recorder needs of one, without a database."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.segment import Segment
from streamer.values.recording import Recording
from streamer.values.track import TrackedBox


class FakeBoxes:
    """Those of one stream."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, int]] = []
        """Opening and time of each."""
        self.begun_ids: list[str] = []
        self.ended_at: dict[str, int] = {}

    def answered(self, opening: int, coded_at: int, size: tuple[int, int], boxes: Sequence[TrackedBox]) -> None:
        self.samples.append((opening, coded_at))

    def begun(self, segment: Segment, opening: int) -> None:
        self.begun_ids.append(segment.id)

    def ended(self, id_: str, last_time: int) -> None:
        self.ended_at[id_] = last_time

    def forget(self, id_: str) -> None:
        self.begun_ids.remove(id_)


class FakeIndex:
    """A SegmentIndex."""

    def __init__(self, folder: Path) -> None:
        self.files = RecordingFiles(folder)
        self.rows: dict[str, Segment] = {}
        self.kept: dict[str, Recording] = {}
        self.boxes: dict[str, FakeBoxes] = {}

    @property
    def folder(self) -> Path:
        return self.files.folder

    @property
    def segments(self) -> list[Segment]:
        """All, in order."""
        return [self.rows[id_] for id_ in sorted(self.rows)]

    def path(self, segment: Segment) -> Path:
        return self.files.path(segment)

    def keep_as(self, stream: str, recording: Recording) -> None:
        self.kept[stream] = recording

    def days_fit(self, stream: str) -> float | None:
        return 3.0

    def boxes_of(self, stream: str) -> FakeBoxes:
        return self.boxes.setdefault(stream, FakeBoxes())

    def put(self, segment: Segment) -> None:
        self.rows[segment.id] = segment

    def put_now(self, segment: Segment) -> None:
        self.put(segment)

    def unended(self) -> Sequence[Segment]:
        return [each for each in self.segments if each.ended_at is None]

    def known(self, ids: Iterable[str]) -> set[str]:
        return self.rows.keys() & set(ids)

    def forget(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            del self.rows[id_]
