"""The archive as the service has it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.archive import archive as archive_file
from streamer.archive.archive import Archive
from streamer.archive.database import Database, DatabaseAway
from streamer.archive.kept import Kept
from streamer.archive.query import Query
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.values.alert import Telling
from streamer.values.clock import monotonic
from streamer.values.errors import Overloaded
from streamer.values.event import Event
from tests.archive.events import NOON, a_picture, an_event
from tests.peers.until import until


@asynccontextmanager
async def opened(
    database: Database,
    folder: Path,
    told: list[Kept],
    at: float = NOON + 60,
    telling: tuple[Telling, Sequence[str]] = (Telling(), ()),
) -> AsyncIterator[Archive]:
    """An archive that runs; who is told of what, and the names of all who can be, are `telling`'s."""
    archive = Archive(
        database, folder, RetentionRules(), clock=monotonic, wall=lambda: at, on_kept=lambda kept: told.extend(kept)
    )
    archive.alerts.change(*telling)
    await archive.open()
    tasks = [asyncio.create_task(each()) for each in (archive.run, archive.write)]
    try:
        yield archive
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await archive.close()


async def put(archive: Archive, told: list[Kept], *events: Event) -> None:
    before = len(told)
    for event in events:
        archive.put(event, a_picture())
    await until(lambda: len(told) == before + len(events))


async def test_a_review_is_kept_and_told(empty: Database, tmp_path: Path) -> None:
    """What a person says of an event is found with it, and whoever listens learns of it."""
    told: list[Kept] = []
    async with opened(empty, tmp_path / "pictures", told) as archive:
        event = an_event()
        await put(archive, told, event)
        judged = await archive.review(event.id, lambda review: replace(review, verdict="false", by="anna"))
        assert judged is not None
        assert told[-1] == judged == await archive.one(event.id)
        assert judged.review.verdict == "false"
        assert await archive.since(told[0].changed) == [judged]
        assert await archive.review("nobody", lambda review: review) is None


async def test_what_is_removed_is_gone_with_its_files(empty: Database, tmp_path: Path) -> None:
    """Removing answers whether there was something, and leaves nothing."""
    told: list[Kept] = []
    async with opened(empty, tmp_path / "pictures", told) as archive:
        event = an_event()
        await put(archive, told, event)
        assert archive.pictures.image(event).exists()
        assert [await archive.remove(event.id), await archive.remove(event.id)] == [True, False]
        assert await archive.page(Query()) == []
        assert not archive.pictures.image(event).exists()


async def test_pictures_of_no_event_are_swept_and_young_ones_wait(empty: Database, tmp_path: Path) -> None:
    """A file that a killed service left goes at the next start; one whose row may be on its way stays."""
    told: list[Kept] = []
    folder = tmp_path / "pictures"
    old, young = an_event(NOON - 7200), an_event(NOON)
    async with opened(empty, folder, told) as archive:
        for event in (old, young):
            archive.pictures.write(event, a_picture())
    async with opened(empty, folder, told) as archive:
        await until(lambda: not archive.pictures.image(old).exists())
        assert archive.pictures.image(young).exists()


async def test_a_database_that_is_away_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Who asks is told to come back, and why."""
    archive = Archive(Sqlite(tmp_path / "none" / "sightline.db"), tmp_path, RetentionRules(), clock=monotonic)
    with pytest.raises(Overloaded, match="the archive cannot be used now: it is being opened"):
        await archive.page(Query())
    with pytest.raises(DatabaseAway):
        await archive.open()
    with pytest.raises(Overloaded, match="the archive cannot be used now: unable to open database file"):
        await archive.page(Query())


async def test_a_disk_that_hangs_holds_no_exit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing ends in its time while a write goes on for ever, and says what was lost by that."""
    monkeypatch.setattr(archive_file, "CLOSING", 0.05)
    hangs = threading.Event()
    archive = Archive(Sqlite(tmp_path / "sightline.db"), tmp_path, RetentionRules(), clock=monotonic)
    await archive.open()
    hanging = asyncio.create_task(archive._writing.run(hangs.wait))
    archive.put(an_event())
    await asyncio.sleep(0)
    await archive.close()
    assert len(archive.writer.waiting) == 1
    hangs.set()
    await hanging
