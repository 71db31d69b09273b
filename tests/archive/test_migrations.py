"""The schema, brought up to date."""

import contextlib
import threading

import pytest

from streamer.archive import migrations
from streamer.archive.database import Database
from streamer.archive.migrations import migrate
from streamer.archive.postgresql import STATEMENT_SECONDS, Postgresql
from streamer.values.errors import ConfigError
from tests.peers.postgresql import PostgresqlServer


def test_an_empty_database_gets_the_newest_schema_once(empty: Database) -> None:
    """Migrating again changes nothing."""
    version = migrate(empty)
    assert migrate(empty) == version
    with empty.reading() as cursor:
        assert cursor.all("SELECT version FROM schema_version") == [(version,)]
        assert cursor.all("SELECT COUNT(*) FROM event") == [(0,)]


def test_a_newer_database_is_refused_in_a_sentence(database: Database) -> None:
    """One that a newer Sightline wrote is left as it is."""
    with database.writing() as cursor:
        cursor.run("UPDATE schema_version SET version = 999")
    with pytest.raises(ConfigError, match="version 999"):
        migrate(database)


def test_two_who_migrate_at_once_make_one_schema(empty: Database) -> None:
    """Services that start together do not fail on each other."""
    failures: list[BaseException] = []

    def begin() -> None:
        try:
            migrate(empty)
        except BaseException as error:  # noqa: BLE001  told below
            failures.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with empty.reading() as cursor:
        assert len(cursor.all("SELECT version FROM schema_version")) == 1


def test_a_step_may_take_longer_than_any_other_statement(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index of millions of rows does; what is asked after is limited as ever."""
    said = "current_setting('statement_timeout')"
    monkeypatch.setattr(migrations, "steps", lambda: {1: f"CREATE TABLE step AS SELECT {said} AS said"})
    with contextlib.closing(Postgresql(postgresql.make_database())) as database:
        assert migrate(database) == 1
        with database.reading() as cursor:
            assert cursor.all(f"SELECT said, {said} FROM step") == [("0", f"{STATEMENT_SECONDS}s")]  # noqa: S608
