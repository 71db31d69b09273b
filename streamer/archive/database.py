"""What the archive needs of a database; SQLite and PostgreSQL are the two there are.

One dialect serves both: `?` for values, BIGINT, DOUBLE PRECISION, TEXT, `ON CONFLICT`. All of it blocks.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class DatabaseAway(Exception):
    """It cannot be used for now: the disk is full, the server is gone. The text says which, in one clause."""


class BadRow(Exception):
    """It refuses what it was given, and would again."""


class Cursor(Protocol):
    """Within one transaction."""

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows a statement gives."""

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Execute a statement; returns the rows it changed."""

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute it for each."""


class Database(Protocol):
    """One archive's. From several threads; one of them at a time writes."""

    def writing(self, *, at_length: bool = False) -> AbstractContextManager[Cursor]:
        """A transaction, which is kept at the block's end, or not at all.

        Args:
            at_length: a statement in it may take as long as it does, as an index of millions of rows.

        Raises:
            DatabaseAway: and nothing of it was kept.
            BadRow: the same.
        """

    def reading(self) -> AbstractContextManager[Cursor]:
        """One that sees what was kept before it began.

        Raises:
            DatabaseAway: it cannot be read.
        """

    def close(self) -> None:
        """Let go of it."""
