"""The archive in a file: SQLite with a write-ahead log, for one service on one machine.

One connection writes, and begins each transaction as a writer: one that has read first and writes then fails at once
when another has written meanwhile (SQLITE_BUSY_SNAPSHOT). What reads is fetched whole, since a reader that lingers
keeps the log from being folded back (sqlite.org/wal.html, "Avoiding Excessively Large WAL Files").
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from streamer.archive.database import BadRow, Cursor, DatabaseAway, Row
from streamer.values.errors import ConfigError

BUSY_SECONDS = 5.0
"""That another process (a backup, say) may hold the file."""
READERS = 4
"""Connections that are kept for reading."""


class Sqlite:
    """One file; made where it is not there."""

    def __init__(self, path: Path) -> None:
        """Open it at the first use.

        Args:
            path: of the database; its folder must be there. Not on NFS or SMB: the log needs shared memory.
        """
        self.path = path
        self._writer: sqlite3.Connection | None = None
        self._writing = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def writing(self, *, at_length: bool = False) -> Iterator[Cursor]:
        with self._writing, _told():
            if self._writer is None:
                self._writer = self._connect()
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Cursor(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[Cursor]:
        with _told():
            with self._lock:
                connection = self._readers.pop() if self._readers else None
            if connection is None:
                connection = self._connect()
                connection.execute("PRAGMA query_only=1")
            connection.execute("BEGIN")
            try:
                yield _Cursor(connection)
            finally:
                connection.execute("ROLLBACK")
                with self._lock:
                    if len(self._readers) < READERS:
                        self._readers.append(connection)
                        connection = None
                if connection is not None:
                    connection.close()

    def close(self) -> None:
        with self._writing, self._lock:
            for connection in (*self._readers, *([self._writer] if self._writer else [])):
                connection.close()
            self._readers, self._writer = [], None

    def _connect(self) -> sqlite3.Connection:
        made = not self.path.exists()
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            if made:
                self.path.chmod(0o600)
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            if mode != "wal":
                raise ConfigError(f"{self.path}: its file system has no shared memory, which SQLite's log needs; NFS?")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA foreign_keys=1")
        except BaseException:
            connection.close()
            raise
        return connection


class _Cursor:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        rows: list[Row] = self._connection.execute(sql, values).fetchall()
        return rows

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """SQLite's errors in our two words."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, OverflowError, UnicodeError) as error:
        raise BadRow(str(error)) from error
    except (sqlite3.Error, OSError) as error:
        raise DatabaseAway(str(error)) from error
