"""On which replica's disk the files of rows lie: of one database that all share, each touches what lies with it.

A row's `replica` is the name of the one that wrote its file. NULL is of before there was a cluster.
"""

from collections.abc import Iterable, Sequence

from streamer.archive.database import Cursor

Clause = tuple[str, tuple[str, ...]]
"""What is appended to a condition, and its values."""
LEFT_DAYS = 1.0
"""Days after which others let go of what a replica has not: it is gone for good, or away for long."""
NOBODY = ""
"""In the place of a replica's name among doomed files: whoever has one lets go of it."""


def here(replica: str | None) -> Clause:
    """Those with this replica; None: there is no cluster, and all are here."""
    return ("", ()) if replica is None else (" AND replica = ?", (replica,))


def there(replica: str) -> Clause:
    """Those with another, or with nobody any more."""
    return " AND (replica IS NULL OR replica <> ?)", (replica,)


def left_open(replica: str | None) -> Clause:
    """Those that this replica left as they were when it ended: its own, and those of before there was a cluster."""
    return ("", ()) if replica is None else (" AND (replica = ? OR replica IS NULL)", (replica,))


def doom(cursor: Cursor, files: Iterable[tuple[str, str]]) -> None:
    """Have replicas let go of files, each (replica, key): their rows are gone. The replica may be NOBODY."""
    sql = "INSERT INTO doomed_file (replica, key) VALUES (?, ?) ON CONFLICT DO NOTHING"
    cursor.run_many(sql, list(files))


def doomed(cursor: Cursor, replica: str, limit: int) -> list[str]:
    """Keys of some files that this replica is to let go of."""
    sql = "SELECT key FROM doomed_file WHERE replica = ? ORDER BY key LIMIT ?"
    return [row[0] for row in cursor.all(sql, (replica, limit))]


def doomed_elsewhere(cursor: Cursor, replica: str, limit: int) -> list[str]:
    """Keys of some files that others are to let go of, or NOBODY: they may lie here by another name of ours."""
    sql = "SELECT key FROM doomed_file WHERE replica <> ? LIMIT ?"
    return [row[0] for row in cursor.all(sql, (replica, limit))]


def take(cursor: Cursor, replica: str, keys: Sequence[str]) -> None:
    """These lie with this replica, as it has just seen, and it lets go of them."""
    doom(cursor, ((replica, key) for key in keys))
    cursor.run_many("DELETE FROM doomed_file WHERE replica <> ? AND key = ?", [(replica, key) for key in keys])


def let_go(cursor: Cursor, replica: str, keys: Iterable[str]) -> None:
    """These are gone."""
    cursor.run_many("DELETE FROM doomed_file WHERE replica = ? AND key = ?", [(replica, key) for key in keys])
