"""A service that is killed: what it announced is there."""

import random
import sqlite3
import sys
from pathlib import Path

import pytest

from streamer.archive import event_table
from streamer.archive.database import Database
from streamer.archive.pictures import Pictures
from streamer.archive.query import Query
from streamer.archive.sqlite import Sqlite
from tests.peers.postgresql import PostgresqlServer
from tests.peers.process import Process, run_process
from tests.peers.required import REPOSITORY
from tests.peers.until import wait_until

KILLS = 20
ENVIRONMENT = {"PYTHONPATH": f"{REPOSITORY / 'site'}:{REPOSITORY}"}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.timeout(180)
def test_no_announced_event_is_missing_after_any_of_twenty_kills(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Killed at random under load, again and again: every id it printed is found, with its picture, at the end."""
    dice = random.Random(15)
    database: Database
    if kind == "sqlite":
        address = str(tmp_path / "sightline.db")
        database = Sqlite(Path(address))
    else:
        from streamer.archive.postgresql import Postgresql

        server: PostgresqlServer = request.getfixturevalue("postgresql")
        address = server.make_database()
        database = Postgresql(address)
    announced: set[str] = set()
    program = [sys.executable, "-m", "tests.archive.announcer"]
    for _ in range(KILLS):
        with run_process([*program, address, tmp_path / "pictures"], ENVIRONMENT) as process:
            _wait_for_ids(process, dice.randint(1, 80))
            process.kill()
            output = process.output
        whole, _, _ = output.rpartition("\n")
        assert "Error" not in whole, whole
        announced |= set(whole.split())
    assert len(announced) > KILLS
    with database.reading() as cursor:
        assert announced == event_table.those_of(cursor, sorted(announced))
        missing = [
            kept.event.id
            for kept in event_table.page(cursor, Query(limit=1000))
            if kept.picture_bytes and not Pictures(tmp_path / "pictures").image(kept.event).exists()
        ]
    assert missing == []
    database.close()
    if kind == "sqlite":
        with sqlite3.connect(address) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


def _wait_for_ids(process: Process, count: int) -> None:
    wait_until(lambda: len(process.output.split()) >= count or process.returncode is not None)
