"""Events that were never seen, for a measurement of what keeps them, and the questions people ask of such."""

import random
import time
from collections.abc import Callable

from streamer.archive import event_table
from streamer.archive.database import Database
from streamer.archive.kept import Review
from streamer.archive.migrations import migrate
from streamer.archive.query import Query
from streamer.values.event import Event
from streamer.values.uuid7 import first_of, uuid7

DAY = 86_400.0
DAYS = 30
"""That events are spread over."""
STREAMS = tuple(f"camera-{number}" for number in range(16))
LABELS = ("person", "car", "dog", "defect", "insulator")
BATCH = 1000
"""Events in one transaction while it is filled."""
EVERY = 50
"""One in so many of the newest is judged."""


def an_event(at: float, chance: random.Random) -> Event:
    """One that began then and has ended, of a stream and a class by chance, one in ten in a zone."""
    return Event(
        id=uuid7(at),
        stream=chance.choice(STREAMS),
        label=chance.choice(LABELS),
        class_id=1,
        tracker_id=chance.randrange(10_000),
        model="insulators",
        version=1,
        began_at=at,
        last_at=at + 4,
        began_pts=10.0,
        last_pts=14.0,
        score=chance.random(),
        box=(10.0, 20.0, 110.5, 220.25),
        width=1280,
        height=720,
        ended_at=at + 5,
        zones=("gate",) if chance.random() < 0.1 else (),
    )


def fill(database: Database, events: int, chance: random.Random) -> None:
    """Make its tables, and spread so many events over the last days, a few of the newest judged."""
    migrate(database)
    began = time.time() - DAYS * DAY
    every = DAYS * DAY / events
    for start in range(0, events, BATCH):
        some = [an_event(began + number * every, chance) for number in range(start, min(start + BATCH, events))]
        with database.writing() as cursor:
            event_table.put(cursor, [(event, None) for event in some])
    with database.writing() as cursor:
        for kept in event_table.page(cursor, Query(limit=BATCH))[::EVERY]:
            event_table.review(cursor, kept.event.id, Review("confirmed", at=time.time()))


def questions(chance: random.Random) -> dict[str, Callable[[], Query]]:
    """What people filter by, and what finds little or nothing among much."""
    now = time.time()

    def day() -> float:
        return now - chance.uniform(1, DAYS) * DAY

    def stream() -> tuple[str, ...]:
        return (chance.choice(STREAMS),)

    def before() -> str:
        return first_of(day())

    return {
        "everything": Query,
        "a page far down": lambda: Query(before=before()),
        "a stream": lambda: Query(streams=stream()),
        "a stream's day": lambda: Query(streams=stream(), since=(at := day()), until=at + DAY),
        "a stream, a class and a score": lambda: Query(streams=stream(), labels=("dog",), min_score=0.9),
        "a class and a score few have": lambda: Query(labels=("dog",), min_score=0.999),
        "a score hardly any has": lambda: Query(min_score=0.9999),
        "half of the streams and a score": lambda: Query(streams=STREAMS[:8], min_score=0.99),
        "a stream that has none": lambda: Query(streams=("nowhere",)),
        "a zone": lambda: Query(zone="gate"),
        "a zone, a class and a score": lambda: Query(zone="gate", labels=("dog",), min_score=0.95),
        "what is confirmed": lambda: Query(reviewed="confirmed"),
        "what is false, which nothing is": lambda: Query(reviewed="false"),
        "what nobody judged, far down": lambda: Query(reviewed="none", labels=("car",), before=before()),
        "what is bookmarked, of a stream": lambda: Query(bookmarked=True, streams=stream()),
    }
