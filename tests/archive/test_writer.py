"""Keeping events: without waiting, each told once it is kept, and nothing lost to a database that was away."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from streamer.archive import event_table
from streamer.archive.alerts.judge import Judge
from streamer.archive.database import Database
from streamer.archive.kept import Kept
from streamer.archive.migrations import migrate
from streamer.archive.pictures import Pictures
from streamer.archive.postgresql import Postgresql
from streamer.archive.query import Query
from streamer.archive.sqlite import Sqlite
from streamer.archive.writer import Writer
from streamer.values.clock import monotonic
from streamer.values.errands import Errands
from tests.archive.events import NOON, a_picture, an_event
from tests.peers.postgresql import make_postgresql
from tests.peers.until import until


class Listening:
    """Who is told of what is kept."""

    def __init__(self) -> None:
        self.told: list[Kept] = []

    def __call__(self, kept: Sequence[Kept]) -> None:
        self.told += kept


def make_writer(database: Database, pictures: Path, on_kept: Listening) -> Writer:
    return Writer(
        database,
        Pictures(pictures),
        Errands(1, "test"),
        Judge(lambda: NOON),
        clock=monotonic,
        on_kept=on_kept,
        on_judged=lambda _: None,
    )


@asynccontextmanager
async def running(writer: Writer) -> AsyncIterator[None]:
    task = asyncio.create_task(writer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def ids(database: Database) -> set[str]:
    with database.reading() as cursor:
        return {kept.event.id for kept in event_table.page(cursor, Query(limit=1000))}


async def test_who_is_told_of_an_event_finds_it(database: Database, tmp_path: Path) -> None:
    """An event is told after it is in the database, its picture on disk before."""
    listening, event = Listening(), an_event()
    writer = make_writer(database, tmp_path / "pictures", listening)
    async with running(writer):
        writer.put(event, a_picture())
        await until(lambda: listening.told)
    assert [kept.event for kept in listening.told] == [event]
    assert ids(database) == {event.id}
    assert Pictures(tmp_path / "pictures").image(event).read_bytes() == b"image"


async def test_a_full_disk_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    """While SQLite has no room events wait, it is said why, and all of them are kept once there is room."""
    database, listening = Sqlite(tmp_path / "sightline.db"), Listening()
    migrate(database)
    with database.writing() as cursor:
        (pages,) = cursor.all("PRAGMA page_count")[0]
        cursor.run(f"PRAGMA max_page_count={pages}")
    writer = make_writer(database, tmp_path / "pictures", listening)
    events = [an_event(NOON + number, label="x" * 2000) for number in range(20)]
    async with running(writer):
        for event in events:
            writer.put(event)
        await until(lambda: writer.failing)
        assert "full" in str(writer.failing)
        assert (len(listening.told), writer.lost) == (0, 0)
        assert database._writer is not None
        database._writer.execute("PRAGMA max_page_count=100000")
        await until(lambda: len(listening.told) == len(events))
    assert ids(database) == {event.id for event in events}
    assert (writer.failing, len(writer.waiting)) == (None, 0)
    with sqlite3.connect(tmp_path / "sightline.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    database.close()


async def test_a_server_that_stops_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    """While PostgreSQL is down events wait, and all of them are kept once it is back."""
    listening = Listening()
    with make_postgresql() as server:
        with server.running():
            database = Postgresql(server.make_database())
            migrate(database)
            writer = make_writer(database, tmp_path / "pictures", listening)
            first, second = an_event(NOON), an_event(NOON + 1)
            task = asyncio.create_task(writer.run())
            writer.put(first)
            await until(lambda: len(listening.told) == 1)
        writer.put(second, a_picture())
        writer.put(replace(first, ended_at=NOON + 9))
        await until(lambda: writer.failing)
        with server.running():
            await until(lambda: len(listening.told) == 3)
            assert ids(database) == {first.id, second.id}
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            database.close()
    assert writer.lost == writer.pictures_lost == 0


async def test_one_bad_row_keeps_no_other_out(database: Database, tmp_path: Path) -> None:
    """An event that the database refuses is lost and counted, and those beside it are kept."""
    listening = Listening()
    writer = make_writer(database, tmp_path / "pictures", listening)
    good, bad, other = an_event(NOON), an_event(NOON + 1, tracker_id=1 << 70), an_event(NOON + 2)
    async with running(writer):
        for event in (good, bad, other):
            writer.put(event)
        await until(lambda: len(listening.told) == 2)
    assert ids(database) == {good.id, other.id}
    assert writer.lost == 1


async def test_an_event_without_room_for_its_picture_is_kept(database: Database, tmp_path: Path) -> None:
    """Where the pictures' folder cannot be had, the event is kept without one, and that is counted."""
    (tmp_path / "pictures").write_text("a file where the folder should be")
    listening = Listening()
    writer = make_writer(database, tmp_path / "pictures", listening)
    async with running(writer):
        writer.put(an_event(), a_picture())
        await until(lambda: listening.told)
    assert listening.told[0].picture_bytes == 0
    assert writer.pictures_lost == 1


async def test_what_waits_at_the_end_is_written(database: Database, tmp_path: Path) -> None:
    """Closing keeps what was put and not written yet."""
    listening, event = Listening(), an_event()
    writer = make_writer(database, tmp_path / "pictures", listening)
    writer.put(event)
    await writer.settle()
    assert ids(database) == {event.id}
