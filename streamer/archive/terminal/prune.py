"""Lets go of what may go, at once; a service may run meanwhile. Blocks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from streamer.archive.recordings import segment_sums
from streamer.archive.recordings.found import Removed
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.index_writer import IndexWriter
from streamer.archive.recordings.retention import BOX_STEP, RecordingRetention
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.retention import Retention
from streamer.archive.terminal.at_rest import AtRest
from streamer.values.recording import Recording

FOREVER = 365_000.0
"""Days that nothing is old by."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went."""

    recordings: Removed
    events: int
    boxes: int
    """Segments whose boxes had outlived them, and were too old themselves."""


def as_configured(archive: AtRest, now: float, tell: Callable[[str], None]) -> Pruned:
    """Do what a service does by and by: whatever had its days, or has no room, goes.

    What other replicas' files and the API say of their streams is not known here: theirs is left to services.

    Args:
        archive: which.
        now: UTC, seconds since 1970.
        tell: told how far it is, often.

    Raises:
        DatabaseAway: it cannot be written.
        OSError: the disk cannot.
    """
    retention = _retention(archive, _rules_known(archive))
    recordings = _recordings(retention, now, tell)
    boxes = 0
    while gone := retention.remove_old_boxes(now):
        boxes += gone
        tell(f"{boxes} segments' boxes removed")
        if gone < BOX_STEP:
            break
    events = Retention(archive.rules, archive.database, archive.pictures)
    while events.step(now):
        tell(f"{events.removed} events removed")
    return Pruned(recordings, events.removed, boxes)


def older_than(
    archive: AtRest, days: float, streams: Iterable[str], now: float, tell: Callable[[str], None], *, events: bool
) -> Pruned:
    """Let go of video that is older, but for bookmarked events'.

    Args:
        archive: which.
        days: their most.
        streams: of these; none: of all.
        now: UTC, seconds since 1970.
        tell: told how far it is, often.
        events: of recorded events too.

    Raises:
        DatabaseAway: it cannot be written.
    """
    of_streams = {name: replace(each, keep_days=None, keep_bytes=None) for name, each in _known(archive)}
    named = {name: replace(of_streams.get(name, Recording()), keep_days=days) for name in streams}
    rules = RecordingRules(
        FOREVER if named else days,
        days if events else FOREVER,
        min_free_bytes=0,
        of_streams={**of_streams, **named},
    )
    return Pruned(_recordings(_retention(archive, rules), now, tell), 0, 0)


def _known(archive: AtRest) -> Iterable[tuple[str, Recording]]:
    return archive.recording_rules.of_streams.items()


def _rules_known(archive: AtRest) -> RecordingRules:
    rules = archive.recording_rules
    if archive.replica is None:
        return rules
    with archive.database.reading() as cursor:
        recorded = segment_sums.sizes(cursor).keys()
    return replace(rules, unknown=frozenset(recorded - rules.of_streams.keys()))


def _retention(archive: AtRest, rules: RecordingRules) -> RecordingRetention:
    held = Held()
    return RecordingRetention(rules, archive.database, archive.files, IndexWriter(archive.database, held), held)


def _recordings(retention: RecordingRetention, now: float, tell: Callable[[str], None]) -> Removed:
    while retention.step(now):
        tell(f"{retention.removed.segments} segments removed, {retention.removed.bytes / 1e9:.1f} GB")
    return retention.removed
