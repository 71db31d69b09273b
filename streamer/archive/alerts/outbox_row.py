"""A letter as a row of the outbox, and back. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from streamer.archive.alerts.letter import Letter
from streamer.archive.database import Row
from streamer.values.notification import Notification

COLUMNS = (
    "number", "id", "outlet", "stream", "kind", "rule", "event", "made_ms", "queued_ms", "due_ms", "attempts", "error",
    "died_ms",
)  # fmt: skip


def text_of(event: Mapping[str, Any]) -> str:
    """An event as its cell has it."""
    return json.dumps(event)


def row_of(letter: Letter, event: str) -> tuple[Any, ...]:
    """Its cells, in the order of COLUMNS; the event as `text_of` has it."""
    told = letter.notification
    return (
        told.number,
        told.id,
        told.outlet,
        told.stream,
        told.kind,
        told.rule,
        event,
        ms(told.made_at),
        ms(told.queued_at),
        ms(letter.due_at),
        told.attempts,
        told.error,
        None if letter.died_at is None else ms(letter.died_at),
    )


def letter_of(row: Row) -> Letter:
    """What such cells say."""
    number, id_, outlet, stream, kind, rule, event, made_ms, queued_ms, due_ms, attempts, error, died_ms = row
    told = Notification(
        id=id_,
        number=number,
        outlet=outlet,
        kind=kind,
        stream=stream,
        rule=rule,
        event=json.loads(event),
        made_at=made_ms / 1000,
        attempts=attempts,
        error=error,
        queued_at=queued_ms / 1000,
    )
    return Letter(told, due_ms / 1000, None if died_ms is None else died_ms / 1000)


def ms(at: float) -> int:
    """UTC in milliseconds since 1970."""
    return round(at * 1000)
