"""Letters for the tests of the outbox."""

from collections.abc import Sequence

from streamer.archive.alerts import outbox_table
from streamer.archive.alerts.letter import Draft
from streamer.archive.database import Database
from streamer.values.alert import AlertRule, Telling
from streamer.values.notification import Notification
from tests.archive.events import NOON

EVERYTHING = Telling((AlertRule("any", cooldown=0, outlets=("phone",), tell_end=True),), ("mqtt",))
"""Beginning and end of each event are told to the phone, as alerts, and to the broker."""


def a_draft(stream: str = "porch", outlet: str = "phone") -> Draft:
    """What an outlet is to be told of a stream."""
    return Draft(outlet, "alert", stream, "yard", {"id": "an event", "stream": stream})


def put(database: Database, *drafts: Draft, now: float = NOON) -> list[Notification]:
    """Have them wait."""
    with database.writing() as cursor:
        return outbox_table.put(cursor, drafts, now)


def due(database: Database, now: float = NOON, limit: int = 10, besides: Sequence[str] = ()) -> list[Notification]:
    """What is to be sent to the phone."""
    with database.reading() as cursor:
        return outbox_table.due(cursor, "phone", now, limit, besides)
