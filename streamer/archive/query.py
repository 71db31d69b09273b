"""Which events are asked for. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from streamer.values.uuid7 import first_of

MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Query:
    """All of these at once; None and () ask for nothing."""

    streams: tuple[str, ...] | None = None
    """Any of these; () is none, and there are no events of it."""
    labels: tuple[str, ...] = ()
    without_labels: tuple[str, ...] = ()
    zone: str | None = None
    line: str | None = None
    since: float | None = None
    """Began then or later; UTC, seconds since 1970."""
    until: float | None = None
    """Began before."""
    min_score: float | None = None
    reviewed: Literal["confirmed", "false", "any", "none"] | None = None
    bookmarked: bool | None = None
    ended: bool | None = None
    replica: str | None = None
    """Whose pictures lie with this one."""
    besides_replica: str | None = None
    """Whose pictures lie with another."""
    before: str | None = None
    """The id of the last one of the page before: older ones follow."""
    limit: int = 50

    def ids(self) -> tuple[str, list[Any]]:
        """The statement that gives their ids, `FROM` and `WHERE` of it, and its values."""
        given = [(sql, values) for sql, values in self._candidates() if values is not None]
        # From the zone's own order, or the line's: a page is read off, where the events first would be all of them.
        place = self._place
        table = "event" if place is None else f"{place} JOIN event ON event.id = {place}.event_id"
        where = " AND ".join(sql for sql, _ in given)
        statement = f"FROM {table} WHERE {where}" if where else f"FROM {table}"
        return statement, [value for _, values in given for value in values]

    @property
    def column(self) -> str:
        """What they are ordered by."""
        return "id" if self._place is None else f"{self._place}.event_id"

    @property
    def _place(self) -> str | None:
        """The table they are read off; None: their own."""
        return "event_zone" if self.zone is not None else "event_line" if self.line is not None else None

    def _candidates(self) -> Iterator[tuple[str, Sequence[Any] | None]]:
        """Each condition there can be, and its values; None: it is not asked for."""
        streams, labels, others = self.streams, self.labels or None, self.without_labels or None
        yield _among("stream", len(streams or ())), streams
        yield _among("label", len(labels or ())), labels
        yield f"NOT {_among('label', len(others or ()))}", others
        yield "zone = ?", _given(self.zone)
        if self._place == "event_zone":
            crossed = "SELECT 1 FROM event_line WHERE event_line.event_id = event_zone.event_id AND line = ?"
            yield f"EXISTS ({crossed})", _given(self.line)
        else:
            yield "line = ?", _given(self.line)
        yield f"{self.column} >= ?", None if self.since is None else (first_of(self.since),)
        yield f"{self.column} < ?", None if self.until is None else (first_of(self.until),)
        yield "score >= ?", _given(self.min_score)
        # Written out, and not as values: that is how a database knows that an index of some rows will do.
        yield "review = ''", () if self.reviewed == "none" else None
        yield "review <> ''", None if self.reviewed in (None, "none") else ()
        yield "review = ?", (self.reviewed,) if self.reviewed in ("confirmed", "false") else None
        yield f"bookmarked = {int(bool(self.bookmarked))}", None if self.bookmarked is None else ()
        yield f"ended_ms IS {'NOT ' if self.ended else ''}NULL", None if self.ended is None else ()
        yield f"{self.column} < ?", _given(self.before)
        yield "replica = ?", _given(self.replica)
        yield "(replica IS NULL OR replica <> ?)", _given(self.besides_replica)


def _given(value: Any) -> tuple[Any] | None:
    return None if value is None else (value,)


def _among(column: str, count: int) -> str:
    if count == 0:
        return "1 = 0"
    return f"{column} IN ({', '.join('?' * count)})"
