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
    since: float | None = None
    """Began then or later; UTC, seconds since 1970."""
    until: float | None = None
    """Began before."""
    min_score: float | None = None
    reviewed: Literal["confirmed", "false", "any", "none"] | None = None
    bookmarked: bool | None = None
    before: str | None = None
    """The id of the last one of the page before: older ones follow."""
    limit: int = 50

    def conditions(self) -> tuple[str, list[Any]]:
        """The `WHERE` of it, and its values."""
        given = [(sql, values) for sql, values in self._candidates() if values is not None]
        where = " AND ".join(sql for sql, _ in given)
        return (f"WHERE {where}" if where else ""), [value for _, values in given for value in values]

    def _candidates(self) -> Iterator[tuple[str, Sequence[Any] | None]]:
        """Each condition there can be, and its values; None: it is not asked for."""
        streams, labels, others = self.streams, self.labels or None, self.without_labels or None
        yield _among("stream", len(streams or ())), streams
        yield _among("label", len(labels or ())), labels
        yield f"NOT {_among('label', len(others or ()))}", others
        yield "id IN (SELECT event FROM event_zone WHERE zone = ?)", _given(self.zone)
        yield "id >= ?", None if self.since is None else (first_of(self.since),)
        yield "id < ?", None if self.until is None else (first_of(self.until),)
        yield "score >= ?", _given(self.min_score)
        yield "review <> ''", () if self.reviewed == "any" else None
        verdict = "" if self.reviewed == "none" else self.reviewed
        yield "review = ?", None if verdict == "any" else _given(verdict)
        yield "bookmarked = ?", None if self.bookmarked is None else (int(self.bookmarked),)
        yield "id < ?", _given(self.before)


def _given(value: Any) -> tuple[Any] | None:
    return None if value is None else (value,)


def _among(column: str, count: int) -> str:
    if count == 0:
        return "1 = 0"
    return f"{column} IN ({', '.join('?' * count)})"
