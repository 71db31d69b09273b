"""The archive as the configuration has it, opened while all else starts."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer import config, keeping
from streamer.archive import archive as archive_file
from streamer.archive.archive import Archive
from streamer.archive.query import Query
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.keeping import Keeping
from streamer.values.clock import monotonic
from streamer.values.errors import ConfigError, Overloaded
from tests.archive.events import an_event
from tests.peers.postgresql import make_postgresql
from tests.peers.until import until


def make_keeping(folder: Path, database: str | None = None) -> tuple[Keeping, Archive]:
    """What is kept in that folder, and in that database."""
    settings = {"path": str(folder)} | ({} if database is None else {"database": database})
    made = Keeping(config.parse({"archive": settings}), None, clock=monotonic)
    assert made.archive is not None
    return made, made.archive


@asynccontextmanager
async def running(made: Keeping) -> AsyncIterator[None]:
    """Its tasks, for as long as the block lasts; then it is closed."""
    tasks = [asyncio.ensure_future(run()) for run in made.tasks().values()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await made.close()


def test_pictures_of_a_database_of_before_are_left_alone(tmp_path: Path) -> None:
    """Who goes over to PostgreSQL and keeps the folder has events in SQLite that PostgreSQL knows nothing of."""
    address = "postgresql://127.0.0.1:1/nobody"
    assert not make_keeping(tmp_path, address)[1].leaves_strays
    (tmp_path / keeping.DATABASE).touch()
    assert make_keeping(tmp_path, address)[1].leaves_strays
    assert not make_keeping(tmp_path)[1].leaves_strays


async def test_a_silent_server_holds_up_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While it takes connections and says nothing events wait, who asks is told so; once it speaks all are kept."""
    monkeypatch.setattr(archive_file, "RETRY", 0.05)
    with ThreadPoolExecutor(1) as starter, make_postgresql() as server:
        loop = asyncio.get_running_loop()
        with server.running():
            address = server.make_database()
        with socket.create_server(("127.0.0.1", server.port)):  # the system takes connections, nobody reads them
            made, archive = make_keeping(tmp_path, address)
            await made.open()
            assert not archive.is_ok
            assert "has not answered yet" in caplog.text
            event = an_event()
            archive.put(event)
            with pytest.raises(Overloaded, match="the archive cannot be used now: it is being opened"):
                await archive.page(Query())
        real = server.running()
        await loop.run_in_executor(starter, real.__enter__)
        async with running(made):
            await until(lambda: archive.is_ok and archive.writer.kept)
            assert [kept.event.id for kept in await archive.page(Query())] == [event.id]
        await loop.run_in_executor(starter, real.__exit__, None, None, None)
    assert archive.writer.lost == 0


async def test_a_server_that_refuses_is_tried_again_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason stands in the log once, however often it is tried, and in the answer to whoever asks."""
    monkeypatch.setattr(archive_file, "RETRY", 0.001)
    tries = 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        made, archive = make_keeping(tmp_path, f"postgresql://somebody:secret@127.0.0.1:{taken.getsockname()[1]}/none")
        opening = archive._open

        def counted() -> tuple[int, Callable[[], None]]:
            nonlocal tries
            tries += 1
            return opening()

        monkeypatch.setattr(archive, "_open", counted)
        await made.open()
        async with running(made):
            await until(lambda: tries > 3)
            with pytest.raises(Overloaded, match="refused"):
                await archive.page(Query())
    assert caplog.text.count("the archive cannot be opened") == 1
    assert "secret" not in caplog.text


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_newer_database_ends_the_start(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that this Sightline will never understand is no outage, and is said at once."""
    monkeypatch.setattr(keeping, "PATIENCE", None)  # however busy the machine is
    with contextlib.ExitStack() as stack:
        address = None
        if kind == "postgresql":
            server = stack.enter_context(make_postgresql())
            stack.enter_context(server.running())
            address = server.make_database()
        made, archive = make_keeping(tmp_path, address)
        await made.open()
        with archive._database.writing() as cursor:
            cursor.run("UPDATE schema_version SET version = 1000")
        await made.close()
        again, _ = make_keeping(tmp_path, address)
        with pytest.raises(ConfigError, match="is newer"):
            await again.open()
        await again.close()


async def test_a_file_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's file is of this machine: whatever is wrong with it is known before anything else starts."""
    monkeypatch.setattr(keeping, "PATIENCE", 0)
    made, archive = make_keeping(tmp_path)
    await made.open()
    assert archive.is_ok
    await made.close()


async def test_what_was_never_open_is_closed_without_waiting(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Events that waited for a database that never came are said to be lost."""
    archive = Archive(Sqlite(tmp_path / "none" / "a.db"), tmp_path, RetentionRules(), clock=monotonic)
    archive.put(an_event())
    with caplog.at_level(logging.ERROR):
        await archive.close()
    assert "the archive was never open; 1 events were not kept" in caplog.text
