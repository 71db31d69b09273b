"""The table of alerts. All of it within somebody's transaction."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from streamer.archive import event_table
from streamer.archive.alerts.alert import Alert, AlertQuery, FoundAlert
from streamer.archive.database import Cursor, Row
from streamer.archive.query import MAX_LIMIT
from streamer.values.alert import AlertRule
from streamer.values.event import Event
from streamer.values.uuid7 import first_of, time_of, uuid7

_COLUMNS = "id, rule, event_id, stream, label, outcome, outlets, ends"
_COOLING = "outcome IN ('told', 'noted')"
"""What begins a cool-down: where nobody was to hear of an alert, the next one is not the second."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one rule."""

    alerts: int = 0
    """Since some time."""
    told: int = 0
    last_at: float | None = None
    """Of all time."""
    last_told_at: float | None = None


def new_id(at: float) -> str:
    """One of that millisecond, which `time_of` gives back."""
    return uuid7(_inside(_ms(at)))


def put(cursor: Cursor, alerts: Iterable[Alert]) -> None:
    """Note them."""
    rows = [
        (
            each.id,
            each.rule,
            each.event_id,
            each.stream,
            each.label,
            each.outcome,
            json.dumps(each.outlets),
            json.dumps(each.ends),
        )
        for each in alerts
    ]
    cursor.run_many(f"INSERT INTO alert ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608


def of_events(cursor: Cursor, ids: Sequence[str]) -> dict[str, list[Alert]]:
    """All that these events made, by event, in the order they were met."""
    found: dict[str, list[Alert]] = {}
    if ids:
        among = ", ".join("?" * len(ids))
        sql = f"SELECT {_COLUMNS} FROM alert WHERE event_id IN ({among}) ORDER BY id"  # noqa: S608
        for alert in map(_alert, cursor.all(sql, ids)):
            found.setdefault(alert.event_id, []).append(alert)
    return found


def is_cooling(cursor: Cursor, rule: AlertRule, event: Event, at: float) -> bool:
    """Whether an alert of that moment is too close to another: of the rule, or of the rule and the same thing.

    The same thing is one of the same class in the same stream: nobody can tell whether it is the same person. Closer is
    before or after, for events are not always kept in the order their alerts were met.
    """
    return _is_near(cursor, rule.name, at, rule.rule_cooldown) or _is_near(
        cursor, rule.name, at, rule.cooldown, event.stream, event.label
    )


def _is_near(cursor: Cursor, rule: str, at: float, seconds: float, *thing: str) -> bool:
    if seconds <= 0:
        return False
    same = " AND stream = ? AND label = ?" if thing else ""
    sql = f"SELECT 1 FROM alert WHERE rule = ? AND id >= ? AND id < ? AND {_COOLING}{same} LIMIT 1"  # noqa: S608
    now, span = _ms(at), math.ceil(seconds * 1000)
    return bool(cursor.all(sql, (rule, _first_of(now - span + 1), _first_of(now + span), *thing)))


def ended(cursor: Cursor, ids: Sequence[str]) -> None:
    """Whoever was to be told of the end of these alerts is."""
    cursor.run_many("UPDATE alert SET ends = '[]' WHERE id = ?", [(id_,) for id_ in ids])


def remove(cursor: Cursor, event_ids: Sequence[str]) -> None:
    """Without those of these events, which go."""
    cursor.run_many("DELETE FROM alert WHERE event_id = ?", [(id_,) for id_ in event_ids])


def page(cursor: Cursor, query: AlertQuery) -> list[FoundAlert]:
    """Newest first, as many as it asks for."""
    where, values = _chosen(query)
    sql = f"SELECT {_COLUMNS} FROM alert{where} ORDER BY id DESC LIMIT ?"  # noqa: S608  of our own words
    found = [_alert(row) for row in cursor.all(sql, (*values, max(0, min(query.limit, MAX_LIMIT))))]
    kept = {each.event.id: each for each in event_table.of_ids(cursor, {alert.event_id for alert in found})}
    return [FoundAlert(alert, kept[alert.event_id]) for alert in found if alert.event_id in kept]


def tallies(cursor: Cursor, since: float, streams: Sequence[str] | None) -> dict[str, Tally]:
    """Of all rules that were ever met, by name.

    Args:
        cursor: of the transaction.
        since: from when on alerts are counted; UTC, seconds since 1970.
        streams: of which alone; None: of all.
    """
    where, among = ("", ()) if streams is None else (f" WHERE {_among(streams)}", tuple(streams))
    sql = (
        "SELECT rule, COALESCE(SUM(CASE WHEN id >= ? THEN 1 ELSE 0 END), 0),"  # noqa: S608  of our own words
        " COALESCE(SUM(CASE WHEN id >= ? AND outcome = 'told' THEN 1 ELSE 0 END), 0),"
        f" MAX(id), MAX(CASE WHEN outcome = 'told' THEN id END) FROM alert{where} GROUP BY rule"
    )
    first = first_of(since)
    return {
        rule: Tally(int(alerts), int(told), _time(last), _time(last_told))
        for rule, alerts, told, last, last_told in cursor.all(sql, (first, first, *among))
    }


def _chosen(query: AlertQuery) -> tuple[str, list[Any]]:
    """`WHERE` and its values."""
    since = None if query.since is None else first_of(query.since)
    until = None if query.until is None else first_of(query.until)
    candidates = (
        ("rule = ?", query.rule),
        ("outcome = ?", query.outcome),
        ("id >= ?", since),
        ("id < ?", until),
        ("id < ?", query.before),
    )
    given = [(sql, [value]) for sql, value in candidates if value is not None]
    if query.streams is not None:
        given.append((_among(query.streams), list(query.streams)))
    where = " AND ".join(sql for sql, _ in given)
    return (f" WHERE {where}" if where else ""), [value for _, values in given for value in values]


def _among(streams: Sequence[str]) -> str:
    return f"stream IN ({', '.join('?' * len(streams))})" if streams else "1 = 0"


def _ms(at: float) -> int:
    return round(at * 1000)


def _inside(ms: int) -> float:
    """A moment of that millisecond: no rounding takes it into another."""
    return (ms + 0.5) / 1000


def _first_of(ms: int) -> str:
    return first_of(_inside(ms))


def _time(id_: str | None) -> float | None:
    return None if id_ is None else time_of(id_)


def _alert(row: Row) -> Alert:
    id_, rule, event_id, stream, label, outcome, outlets, ends = row
    return Alert(
        id_,
        rule,
        event_id,
        stream,
        label,
        time_of(id_),
        outcome,
        tuple(json.loads(outlets)),
        tuple(json.loads(ends)),
    )
