"""The table of leases: which replica tells an outlet, for some seconds. All of it within somebody's transaction.

Times are the database's own: replicas' clocks need not agree. Only PostgreSQL has a cluster, and this is its dialect.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamer.archive.database import Cursor

_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
_TAKE = (
    "INSERT INTO outlet_lease (outlet, replica, until_ms)"  # noqa: S608  of our own words
    f" VALUES (?, ?, {_NOW} + ?) ON CONFLICT (outlet) DO UPDATE"
    " SET replica = excluded.replica, until_ms = excluded.until_ms"
    f" WHERE outlet_lease.replica = excluded.replica OR outlet_lease.until_ms < {_NOW}"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """One."""

    replica: str
    left: float
    """Seconds; less than 0: it is over."""


def all_(cursor: Cursor) -> Mapping[str, Lease]:
    """By outlet."""
    rows = cursor.all(f"SELECT outlet, replica, until_ms - {_NOW} FROM outlet_lease")  # noqa: S608  of our own words
    return {outlet: Lease(replica, left_ms / 1000) for outlet, replica, left_ms in rows}


def take(cursor: Cursor, outlet: str, replica: str, seconds: float) -> bool:
    """Have it for so long, unless another has it; whether we have it."""
    return bool(cursor.run(_TAKE, (outlet, replica, round(seconds * 1000))))


def give_up(cursor: Cursor, outlets: Iterable[str], replica: str) -> None:
    """Others may have these at once."""
    cursor.run_many("DELETE FROM outlet_lease WHERE outlet = ? AND replica = ?", [(each, replica) for each in outlets])
