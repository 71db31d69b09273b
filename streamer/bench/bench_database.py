"""A database of its own on somebody's PostgreSQL server, for a measurement, and gone after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streamer.values import url
from streamer.values.errors import ConfigError

if TYPE_CHECKING:
    from streamer.archive.postgresql import Postgresql

NAME = "sightline_bench"


@contextmanager
def bench_database(address: str) -> "Iterator[Postgresql]":
    """Make it, for as long as the block lasts; what is in other databases of that server is not touched.

    Args:
        address: of the server, with a database to connect to: postgresql://user:password@host/name.

    Raises:
        ConfigError: there is no such server, it lets this user make none, or there is one of that name.
    """
    try:
        import psycopg
        from psycopg.conninfo import make_conninfo

        from streamer.archive.postgresql import CONNECT_SECONDS, Postgresql
    except ImportError:
        raise ConfigError(
            "--database: PostgreSQL needs a package that is not installed: pip install 'sightline[postgres]'"
        ) from None

    def run(statement: bytes) -> None:
        try:
            with psycopg.connect(address, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
                connection.execute(statement)
        except psycopg.Error as error:
            raise ConfigError(f"--database: {url.redact(' '.join(str(error).split()))}") from None

    run(f"CREATE DATABASE {NAME}".encode())
    try:
        database = Postgresql(make_conninfo(address, dbname=NAME))
        try:
            yield database
        finally:
            database.close()
    finally:
        run(f"DROP DATABASE {NAME}".encode())
