"""Events are unique by epoch: what begins at a replica after another's newer claim to the stream is not kept.

Who is cut off from NATS goes on with its cameras, and may reach the database all the same. Two that run a stream would
then keep, and tell, each thing twice. So whoever gains a stream writes its claim down beside the events.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from streamer.archive.database import Cursor
from streamer.values.epoch import Epoch
from streamer.values.event import Event

RESTORED = 10.0
"""Seconds after a claim, by which all have heard of it: who gains the stream by a lesser one then does so in a bucket
that was restored from a copy, and numbers go on from there."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The newest claim to a stream, as it was written down."""

    epoch: Epoch
    since: float
    """UTC, seconds since 1970."""

    def outruns(self, event: Event, epoch: Epoch | None) -> bool:
        """Whether an event that began under another claim comes too late to be kept; None: under none."""
        return epoch is not None and epoch < self.epoch and event.began_at > self.since


def note(cursor: Cursor, stream: str, claimed: Claimed) -> None:
    """Write a claim down, unless there is a newer one. Compared here: databases differ in how they order texts."""
    known = newest(cursor, [stream]).get(stream)
    if known is None or known.epoch < claimed.epoch or claimed.since > known.since + RESTORED:
        cursor.run(
            "INSERT INTO stream_claim (stream, bucket, epoch, since_ms) VALUES (?, ?, ?, ?) ON CONFLICT (stream)"
            " DO UPDATE SET bucket = excluded.bucket, epoch = excluded.epoch, since_ms = excluded.since_ms",
            (stream, claimed.epoch.bucket, claimed.epoch.number, round(claimed.since * 1000)),
        )


def newest(cursor: Cursor, streams: Collection[str]) -> Mapping[str, Claimed]:
    """Of those of these streams that a replica claimed."""
    if not streams:
        return {}
    some = ", ".join("?" * len(streams))
    sql = f"SELECT stream, bucket, epoch, since_ms FROM stream_claim WHERE stream IN ({some})"  # noqa: S608
    found = cursor.all(sql, tuple(streams))
    return {stream: Claimed(Epoch(bucket, number), since_ms / 1000) for stream, bucket, number, since_ms in found}
