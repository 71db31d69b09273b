"""By which claim what happens in a stream is kept."""

from streamer.archive import claims
from streamer.archive.claims import RESTORED, Claimed
from streamer.archive.database import Database
from streamer.values.epoch import Epoch
from tests.archive.events import NOON, an_event

FIRST, SECOND = Epoch("2025-11-29 10:00", 8), Epoch("2025-11-29 10:00", 9)
NEXT_BUCKET = Epoch("2025-11-29 11:00", 2)


def test_only_what_began_after_a_newer_claim_comes_too_late() -> None:
    """What waited for the database is kept; so is what belongs to no claim, for NATS was away when it was published."""
    claimed = Claimed(SECOND, NOON)
    assert claimed.outruns(an_event(NOON + 1), FIRST)
    assert not claimed.outruns(an_event(NOON - 1), FIRST)
    assert not claimed.outruns(an_event(NOON + 1), SECOND)
    assert not claimed.outruns(an_event(NOON + 1), NEXT_BUCKET)
    assert not claimed.outruns(an_event(NOON + 1), None)


def test_the_newest_claim_is_written_down_in_whatever_order_they_come(database: Database) -> None:
    """Numbers begin again in another bucket, and go on from lesser ones in one that was restored."""
    for epoch, since, now in (
        (SECOND, NOON, SECOND),
        (FIRST, NOON + 1, SECOND),
        (NEXT_BUCKET, NOON + 2, NEXT_BUCKET),
        (SECOND, NOON + 3, NEXT_BUCKET),
        (FIRST, NOON + 3 + RESTORED, FIRST),
    ):
        with database.writing() as cursor:
            claims.note(cursor, "porch", Claimed(epoch, since))
            found = claims.newest(cursor, ["porch", "yard"])
        assert {stream: claimed.epoch for stream, claimed in found.items()} == {"porch": now}
