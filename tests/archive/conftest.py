"""Both databases, for every test of the archive."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.archive.database import Database
from streamer.archive.migrations import migrate
from streamer.archive.sqlite import Sqlite
from tests.archive.replicas import Replicas
from tests.peers.postgresql import PostgresqlServer, make_postgresql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A server that runs."""
    with make_postgresql() as server, server.running():
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a schema."""
    if request.param == "sqlite":
        database: Database = Sqlite(tmp_path / "sightline.db")
    else:
        from streamer.archive.postgresql import Postgresql

        database = Postgresql(request.getfixturevalue("postgresql").make_database())
    yield database
    database.close()


@pytest.fixture
def database(empty: Database) -> Database:
    """One that is up to date."""
    migrate(empty)
    return empty


@pytest.fixture
def two(postgresql: PostgresqlServer, tmp_path: Path) -> Iterator[Replicas]:
    replicas = Replicas(postgresql.make_database(), tmp_path)
    yield replicas
    replicas.close()
