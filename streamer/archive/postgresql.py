"""The archive in PostgreSQL, by psycopg 3: for those who have a server, and for several machines.

A connection that broke is dropped, and the next use connects anew. Imported only where the configuration names a
server: psycopg takes 11 MB.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from streamer.archive.database import BadRow, Cursor, DatabaseAway, Row
from streamer.values import url

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
"""That a server may think about a statement: one that hangs must not hold the writer for good."""
WRITERS = 0x5167_4C69
"""The lock that who writes holds, of all services of one database: changes are numbered in the order they are kept."""
CONNECTIONS = 5
"""That are kept: one writes, the others read."""


class Postgresql:
    """One database of one server."""

    def __init__(self, address: str) -> None:
        """Connect at the first use.

        Args:
            address: such as postgresql://user:password@host/name.
        """
        self._address = address
        self._idle: list[psycopg.Connection[Row]] = []
        self._lock = threading.Lock()
        self._closings = 0
        """Times all was closed: a connection that was in use then is not kept."""

    @contextlib.contextmanager
    def writing(self, *, at_length: bool = False) -> Iterator[Cursor]:
        with _told(), self._connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS,))
            if at_length:
                connection.execute("SET LOCAL statement_timeout = 0")
            yield _Cursor(connection)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Cursor]:
        with _told(), self._connection() as connection, connection.transaction():
            yield _Cursor(connection)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
            self._closings += 1
        for connection in idle:
            connection.close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Row]]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
            closings = self._closings
        if connection is None or connection.broken or connection.closed:
            connection = psycopg.connect(
                self._address,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                options=f"-c statement_timeout={STATEMENT_SECONDS * 1000} -c timezone=UTC",
                application_name="sightline",
                keepalives_idle=10,
                tcp_user_timeout=10_000,
            )
        try:
            yield connection
        except BaseException:
            if connection.broken:
                # Those beside it went with the server.
                self.close()
            raise
        finally:
            with self._lock:
                is_well = not connection.broken and not connection.closed
                keep = is_well and self._closings == closings and len(self._idle) < CONNECTIONS
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()


class _Cursor:
    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(_placed(sql), values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        return self._connection.execute(_placed(sql), values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_placed(sql), rows)


def _placed(sql: str) -> bytes:
    """The archive's own statements hold no `?` and no `%` but for values."""
    return sql.replace("?", "%s").encode()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """The server's errors in our two words."""
    try:
        yield
    except (psycopg.IntegrityError, psycopg.DataError, UnicodeError) as error:
        raise BadRow(_sentence(error)) from None
    except (psycopg.Error, OSError) as error:
        raise DatabaseAway(_sentence(error)) from None


def _sentence(error: Exception) -> str:
    """In one line, without what the address keeps to itself."""
    return url.redact(" ".join(str(error).split())[:300]) or type(error).__name__
