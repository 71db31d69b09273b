"""What goes at once when somebody says so."""

from dataclasses import replace

from streamer.archive import event_table
from streamer.archive.kept import Review
from streamer.archive.query import Query
from streamer.archive.recordings import box_table, segment_table
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.recordings.segment import Segment
from streamer.archive.retention import RetentionRules
from streamer.archive.terminal import prune
from streamer.archive.terminal.at_rest import AtRest
from streamer.values.recording import Recording
from tests.archive.events import NOON
from tests.archive.terminal.conftest import KEPT

DAY = 86_400.0


def nothing(_: str) -> None:
    """Who does not want to know how far it is."""


def left(archive: AtRest, segments: list[Segment]) -> list[Segment]:
    with archive.database.reading() as cursor:
        rows = segment_table.sizes_of(cursor, [segment.id for segment in segments])
    assert [archive.files.is_there(segment) for segment in segments] == [segment.id in rows for segment in segments]
    return [segment for segment in segments if segment.id in rows]


def test_what_the_configuration_lets_go_goes(archive: AtRest, segments: list[Segment]) -> None:
    """Video, events and boxes, each by its own days, as the service would by and by."""
    rules = RecordingRules(2, 10, 5, min_free_bytes=0)
    archive = replace(archive, rules=RetentionRules(days=7), recording_rules=rules)
    pruned = prune.as_configured(archive, NOON + 3 * DAY, nothing)
    assert (pruned.recordings.segments, pruned.events, pruned.boxes) == (2, 0, 0)
    assert left(archive, segments) == [segments[1]]
    told: list[str] = []
    pruned = prune.as_configured(archive, NOON + 11 * DAY, told.append)
    assert (pruned.recordings.segments, pruned.events, pruned.boxes) == (1, 2, 1)
    assert told
    with archive.database.reading() as cursor:
        assert event_table.page(cursor, Query()) == []
        assert box_table.of(cursor, [segments[0].id]) == {}


def test_what_is_older_goes_but_for_bookmarks(archive: AtRest, segments: list[Segment]) -> None:
    """All video of before a time, events' only if that is said; a bookmarked one's stays, and so do events."""
    with archive.database.writing() as cursor:
        event_table.review(cursor, KEPT[1].id, Review(bookmarked=True))
    archive = replace(archive, recording_rules=RecordingRules(of_streams={"porch": Recording("continuous", 0.5, 0.5)}))
    assert prune.older_than(archive, 1, [], NOON + DAY, nothing, events=True).recordings.segments == 0
    assert prune.older_than(archive, 1, ["yard"], NOON + 3 * DAY, nothing, events=True).recordings.segments == 0
    assert prune.older_than(archive, 1, ["porch"], NOON + 3 * DAY, nothing, events=False).recordings.segments == 1
    assert left(archive, segments) == segments[1:]
    assert prune.older_than(archive, 1, [], NOON + 3 * DAY, nothing, events=True).recordings.segments == 1
    assert left(archive, segments) == [segments[2]]
    with archive.database.reading() as cursor:
        assert len(event_table.page(cursor, Query())) == 2
        assert box_table.of(cursor, [segments[0].id])
