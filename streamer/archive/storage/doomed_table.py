"""The table of objects that are to go: written with the end of their rows, struck once the object storage has let go.

It may be away when that is decided. All of it within somebody's transaction.
"""

from collections.abc import Iterable, Sequence

from streamer.archive.database import Cursor


def add(cursor: Cursor, keys: Iterable[str]) -> None:
    """These are to go."""
    cursor.run_many("INSERT INTO doomed_object (key) VALUES (?) ON CONFLICT DO NOTHING", [(key,) for key in keys])


def some(cursor: Cursor, limit: int, after: str = "") -> list[str]:
    """Some of them, in order."""
    return [
        row[0] for row in cursor.all("SELECT key FROM doomed_object WHERE key > ? ORDER BY key LIMIT ?", (after, limit))
    ]


def count(cursor: Cursor) -> int:
    """How many there are."""
    return int(cursor.all("SELECT COUNT(*) FROM doomed_object")[0][0])


def remove(cursor: Cursor, keys: Sequence[str]) -> None:
    """These are gone."""
    cursor.run_many("DELETE FROM doomed_object WHERE key = ?", [(key,) for key in keys])
