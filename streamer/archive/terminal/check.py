"""Whether what is on the disk is what the database says. It only reads, and a service may run meanwhile. Blocks."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from streamer.archive import event_table, upload_table
from streamer.archive.kept import Kept
from streamer.archive.pictures import YOUNG
from streamer.archive.query import MAX_LIMIT, Query
from streamer.archive.recordings import segment_ages, segment_table
from streamer.archive.recordings.segment import Segment
from streamer.archive.terminal.at_rest import AtRest
from streamer.values.uuid7 import first_of

PAGE = 500
"""Segments of one question."""


@dataclass(slots=True)
class Recorded:
    """What there is of one stream."""

    stream: str
    segments: int = 0
    gigabytes: float = 0.0
    began_at: float | None = None
    """Of the oldest; UTC, seconds since 1970."""
    ended_at: float | None = None
    """Of the newest."""


@dataclass(slots=True)
class Found:
    """What came of it. What is younger than YOUNG may be on its way, and is no fault."""

    streams: list[Recorded] = field(default_factory=list)
    events: int = 0
    files_missing: int = 0
    """Segments of the index without a file."""
    files_unknown: int = 0
    """Files that no segment is of."""
    files_cut: int = 0
    """Files of another size than the index says."""
    unended: int = 0
    """Segments that a killed service left, or one that runs and has a clock of its own."""
    pictures_missing: int = 0
    """Events whose picture is not there."""
    pictures_unknown: int = 0
    """Pictures that no event is of."""

    @property
    def faults(self) -> int:
        """Things that are not as they should be."""
        return (
            self.files_missing + self.files_unknown + self.files_cut + self.unended
            + self.pictures_missing + self.pictures_unknown
        )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


def check(archive: AtRest, now: float, tell: Callable[[str], None]) -> Found:
    """Look at all of it.

    Args:
        archive: which.
        now: UTC, seconds since 1970.
        tell: told how far it is, often.

    Raises:
        DatabaseAway: it cannot be read.
        OSError: the disk cannot.
    """
    found = Found()
    _check_segments(archive, now, found, tell)
    _check_files(archive, now, found, tell)
    _check_events(archive, now, found, tell)
    _check_pictures(archive, now, found, tell)
    return found


def _check_segments(archive: AtRest, now: float, found: Found, tell: Callable[[str], None]) -> None:
    of_stream: dict[str, Recorded] = {}
    for number, segment in enumerate(segments(archive, now)):
        seen = of_stream.setdefault(segment.stream, Recorded(segment.stream, began_at=segment.began_at))
        seen.segments += 1
        seen.gigabytes += segment.size / 1e9
        seen.ended_at = segment.ended_at
        try:
            size = archive.files.path(segment).stat().st_size
        except FileNotFoundError:
            found.files_missing += segment.began_at < now - YOUNG
        else:
            found.files_cut += size != segment.size and segment.began_at < now - YOUNG
        tell(f"{number + 1} segments looked for")
    found.streams = [of_stream[name] for name in sorted(of_stream)]
    with archive.database.reading() as cursor:
        found.unended = sum(each.began_at < now - YOUNG for each in segment_table.unended(cursor, archive.replica))


def segments(archive: AtRest, before: float) -> Iterator[Segment]:
    """All that began before then, have ended and should be on this machine, oldest first, without `init`."""
    after, is_last = "", False
    while not is_last:
        with archive.database.reading() as cursor:
            page = segment_ages.local(cursor, after, before, PAGE, archive.replica)
        yield from page
        is_last = len(page) < PAGE
        after = page[-1].id if page else after


def _check_files(archive: AtRest, now: float, found: Found, tell: Callable[[str], None]) -> None:
    young = first_of(now - YOUNG)
    for number, day in enumerate(archive.files.days()):
        ids = [file.stem for file in day.glob("*.mp4") if file.stem < young]
        with archive.database.reading() as cursor:
            found.files_unknown += len(ids) - len(segment_table.sizes_of(cursor, ids))
        tell(f"{number + 1} days of files looked through")


def _check_events(archive: AtRest, now: float, found: Found, tell: Callable[[str], None]) -> None:
    for page in _events(archive):
        found.events += len(page)
        due = (kept.event for kept in page if kept.picture_bytes > 0 and kept.event.began_at < now - YOUNG)
        missing = [event.id for event in due if not archive.pictures.image(event).exists()]
        with archive.database.reading() as cursor:
            found.pictures_missing += len(missing) - len(upload_table.elsewhere(cursor, missing))
        tell(f"{found.events} events looked at")


def _events(archive: AtRest) -> Iterator[list[Kept]]:
    """All of them, newest first, a page at a time."""
    last: str | None = None
    is_last = False
    while not is_last:
        with archive.database.reading() as cursor:
            page = event_table.page(cursor, Query(limit=MAX_LIMIT, before=last, replica=archive.replica))
        yield page
        is_last = len(page) < MAX_LIMIT
        last = page[-1].event.id if page else last


def _check_pictures(archive: AtRest, now: float, found: Found, tell: Callable[[str], None]) -> None:
    young = first_of(now - YOUNG)
    for number, day in enumerate(archive.pictures.days()):
        ids = sorted(id_ for id_ in archive.pictures.ids_in(day, now) if id_ < young)
        with archive.database.reading() as cursor:
            found.pictures_unknown += len(ids) - len(event_table.those_of(cursor, ids))
        tell(f"{number + 1} days of pictures looked through")
