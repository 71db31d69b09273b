"""Events for other programs: as CSV and as JSON, a page at a time, so that no amount of them is held at once.

A page's text takes milliseconds, which is long for an event loop: it is made in a thread.
"""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from streamer.archive.kept import Kept

Pages = AsyncIterator[Sequence[Kept]]

_COLUMNS = (
    "id", "stream", "label", "class_id", "tracker_id", "began", "ended", "score", "x_min", "y_min", "x_max", "y_max",
    "width", "height", "zones", "crossings", "reviewed", "note", "bookmarked", "reviewed_by", "model", "version",
)  # fmt: skip


async def csv_of(pages: Pages) -> AsyncIterator[bytes]:
    """RFC 4180, a head and a row an event; times as ISO 8601 in UTC, ended empty while it goes on."""
    yield _lines([_COLUMNS])
    async for page in pages:
        yield await asyncio.to_thread(lambda page: _lines([_row(kept) for kept in page]), page)


async def json_of(pages: Pages) -> AsyncIterator[bytes]:
    """`{"events": […]}`, each as the API shows it, and `detections`: of its picture, by Supervision's names.

    supervision.Detections takes xyxy, confidence, class_id and tracker_id as they are, made arrays, and class_name in
    its `data`.
    """
    before = '{"events": [\n'
    async for page in pages:
        yield before.encode() + await asyncio.to_thread(joined, (_document(kept) for kept in page))
        before = ",\n"
    yield ("]}\n" if before == ",\n" else before + "]}\n").encode()


def joined(documents: Iterable[Any]) -> bytes:
    """What stands between the brackets of a JSON list of these; a line each."""
    return ",\n".join(map(json.dumps, documents)).encode()


def _document(kept: Kept) -> dict[str, Any]:
    return {**kept.document(), "detections": detections(kept)}


def detections(kept: Kept) -> dict[str, Any]:
    """All that was detected in its picture, column by column; row k of each belongs to one thing."""
    return {
        "xyxy": [list(each.box) for each in kept.boxes],
        "confidence": [each.score for each in kept.boxes],
        "class_id": [each.class_id for each in kept.boxes],
        "tracker_id": [each.tracker_id for each in kept.boxes],
        "class_name": [each.label for each in kept.boxes],
    }


def _row(kept: Kept) -> tuple[object, ...]:
    event, review = kept.event, kept.review
    crossings = (f"{mark.where} {mark.direction}" for mark in event.marks if mark.kind == "cross")
    return (
        event.id,
        _text(event.stream),
        _text(event.label),
        event.class_id,
        event.tracker_id,
        _time(event.began_at),
        "" if event.ended_at is None else _time(event.ended_at),
        round(event.score, 5),
        *(round(edge, 2) for edge in event.box),
        event.width,
        event.height,
        _text("; ".join(event.zones)),
        _text("; ".join(crossings)),
        review.verdict,
        _text(review.note),
        int(review.bookmarked),
        _text(review.by),
        _text(event.model),
        event.version,
    )


def _text(said: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection"): people and models name things."""
    return f"'{said}" if said.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else said


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
