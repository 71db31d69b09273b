"""What there is to look for: the classes, zones and lines that events of some streams have."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.archive.database import Cursor

MOST = 1000
"""Names of each kind."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Names, each once and in order."""

    labels: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def facets(cursor: Cursor, streams: Sequence[str]) -> Facets:
    """Those of events of these streams."""
    if not streams:
        return Facets()
    return Facets(
        _names(cursor, "event", "stream", "label", streams),
        _names(cursor, "event_zone", "of_stream", "zone", streams),
        _names(cursor, "event_line", "of_stream", "line", streams),
    )


def _names(cursor: Cursor, table: str, stream: str, name: str, streams: Sequence[str]) -> tuple[str, ...]:
    """From name to name by the index of both columns: as many steps as there are names, however many events."""
    least = f"SELECT MIN({name}) FROM {table} WHERE {stream}"  # noqa: S608  of our own words
    sql = (
        f"WITH RECURSIVE wanted (stream) AS (VALUES {', '.join(['(CAST(? AS TEXT))'] * len(streams))}),"  # noqa: S608
        f" found (stream, name) AS (SELECT stream, ({least} = wanted.stream) FROM wanted UNION ALL"
        f" SELECT stream, ({least} = found.stream AND {name} > found.name) FROM found WHERE found.name IS NOT NULL)"
        f" SELECT DISTINCT name FROM found WHERE name IS NOT NULL ORDER BY name LIMIT {MOST}"
    )
    return tuple(row[0] for row in cursor.all(sql, streams))
