"""Recordings as the service has them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer.archive.archive import Archive
from streamer.archive.database import Database
from streamer.archive.recordings import recordings as recordings_file
from streamer.archive.recordings.found import Removed, Span
from streamer.archive.recordings.recordings import Recordings
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.values.clock import monotonic
from streamer.values.errors import Overloaded
from tests.archive.events import NOON, an_event
from tests.archive.recordings.segments import SIZE, a_box, a_segment
from tests.peers.until import until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings_file, "WRITE_INTERVAL", 0.01)


@asynccontextmanager
async def opened(database: Database, folder: Path, at: float = NOON + 3600) -> AsyncIterator[Archive]:
    """An archive that runs."""
    archive = Archive(database, folder / "pictures", RetentionRules(), clock=monotonic, wall=lambda: at)
    await archive.open()
    parts = (archive.run, archive.write, archive.recordings.write, archive.recordings.tidy)
    tasks = [asyncio.create_task(each()) for each in parts]
    try:
        yield archive
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await archive.close()


async def test_what_a_recorder_says_is_found_soon(empty: Database, tmp_path: Path) -> None:
    """Segments, their boxes and what was seen in them are answered of once they are written down."""
    async with opened(empty, tmp_path) as archive:
        recordings = archive.recordings
        segment = a_segment(fragments=())
        recordings.path(segment).parent.mkdir(parents=True)
        recordings.path(segment).write_bytes(b"video")  # whoever looks for strays meanwhile leaves it alone
        recordings.put(segment)
        boxes = recordings.boxes_of("porch")
        boxes.begun(segment, 1)
        boxes.answered(1, segment.first_time + 7, SIZE, [a_box()])
        assert (await recordings.boxes([segment.id]))[segment.id].times.tolist() == [7]
        while await recordings.one(segment.id) is None:  # noqa: ASYNC110  what is being written is known before it is there
            await asyncio.sleep(0.01)
        await until(lambda: not recordings.writer.waiting)
        assert await recordings.one(segment.id) == segment
        assert await recordings.at("porch", NOON + 1) == segment
        assert await recordings.segments("porch", NOON, NOON + 1, 5) == [segment]
        assert [each.id for each in await recordings.outlines("porch", NOON, NOON + 1, 5)] == [segment.id]
        assert await recordings.spans("porch", NOON, NOON + 60) == [Span(NOON, NOON + 60, False)]
        assert [day.day for day in await recordings.days("porch", NOON, NOON + 60)] == ["2025-11-29"]
        assert await recordings.streams() == ["porch"]
        assert recordings.days_fit("nobody") is None
        (seen,) = await recordings.seen("porch", NOON, NOON + 60, 60)
        assert (seen.at, seen.label, seen.samples) == (NOON, "person", 1)
        assert recordings.path(segment) == tmp_path / "recordings/porch/2025/11/29" / f"{segment.id}.mp4"


async def test_the_end_writes_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that ends has every segment written down, the one it closed last too."""
    monkeypatch.setattr(recordings_file, "WRITE_INTERVAL", 3600)
    segment = a_segment()
    async with opened(Sqlite(tmp_path / "one.db"), tmp_path) as archive:
        archive.recordings.put(segment)
    async with opened(Sqlite(tmp_path / "one.db"), tmp_path) as archive:
        assert await archive.recordings.one(segment.id) == segment


async def test_a_span_that_is_removed_is_gone_but_for_what_is_marked(empty: Database, tmp_path: Path) -> None:
    """Segments that lie wholly in it go with their files; a bookmarked event's stay, and what is still written."""
    async with opened(empty, tmp_path) as archive:
        recordings = archive.recordings
        segments = [a_segment(NOON + 60 * number) for number in range(5)]
        going_on = a_segment(NOON + 300, ended_at=None)
        for segment in (*segments, going_on):
            recordings.put_now(segment)
            recordings.path(segment).parent.mkdir(parents=True, exist_ok=True)
            recordings.path(segment).write_bytes(b"video")
        event = an_event(NOON + 130, last_at=NOON + 131, ended_at=NOON + 131)
        archive.put(event)
        await until(lambda: archive.writer.kept)
        await archive.review(event.id, lambda review: type(review)(bookmarked=True))
        assert await recordings.remove("porch", NOON + 30, NOON + 1000) == Removed(3, 3000)
        left = await recordings.outlines("porch", NOON, NOON + 1000, 10)
        assert [each.id for each in left] == [segments[0].id, segments[2].id, going_on.id]
        assert [recordings.path(segment).exists() for segment in segments] == [True, False, True, False, False]
        assert await recordings.remove("yard", NOON, NOON + 1000) == Removed(0, 0)


async def test_before_the_database_is_open_questions_are_put_off(tmp_path: Path) -> None:
    """Whoever asks then is told to come back, and recorders are not held up."""
    recordings = Archive(Sqlite(tmp_path / "one.db"), tmp_path, RetentionRules(), clock=monotonic).recordings
    recordings.put(a_segment())
    with pytest.raises(Overloaded, match="not open yet"):
        await recordings.streams()


async def test_a_killed_services_rows_are_settled(empty: Database, tmp_path: Path) -> None:
    """What has no end is told of, can be ended at once, and is forgotten with its boxes where nothing is in it."""
    async with opened(empty, tmp_path) as archive:
        recordings: Recordings = archive.recordings
        left, nothing = a_segment(NOON, ended_at=None), a_segment(NOON + 60, ended_at=None)
        for segment in (left, nothing):
            recordings.put_now(segment)
        boxes = recordings.boxes_of("porch")
        boxes.begun(nothing, 1)
        boxes.answered(1, nothing.first_time, SIZE, [])
        assert list(recordings.unended()) == [left, nothing]
        recordings.put_now(a_segment(NOON, id=left.id))
        recordings.forget([nothing.id])
        assert list(recordings.unended()) == []
        assert recordings.known([left.id, nothing.id]) == {left.id}
        assert await recordings.boxes([nothing.id]) == {}
