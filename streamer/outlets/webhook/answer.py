"""What a receiver's answer means. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from streamer.outlets.sender import Gone, Undelivered, Unwelcome

UNWELCOME = frozenset({400, 413, 415, 422})
"""What is about this letter, and not about the receiver (RFC 9110 section 15.5)."""
LONGEST_WORDS = 160
"""Characters of what a receiver says of a failure that are shown."""
MOST_SECONDS = 1e9
SPOKEN = ("text/plain", "application/json", "application/problem+json")


def require_taken(
    status: int, headers: Mapping[str, str], body: bytes, now: float, redact: Callable[[str], str]
) -> None:
    """Nothing, if the receiver has it.

    Args:
        status: of the answer.
        headers: of the answer, by whatever case.
        body: as much of it as was read.
        now: UTC, seconds since 1970.
        redact: takes secrets out of what the receiver says: it may quote what it was asked.

    Raises:
        Undelivered: what it is.
    """
    if 200 <= status < 300:
        return
    # Whole, and then cut: of half a secret nobody knows that it is one.
    words = redact(_words(headers.get("Content-Type", ""), body))[:LONGEST_WORDS]
    said = f"it answers {status}" + (f" ({words})" if words else "")
    if status == 410:
        raise Gone("it answers 410: it wants nothing any more")
    if status in UNWELCOME:
        raise Unwelcome(said)
    if 300 <= status < 400:
        raise Undelivered(f"it answers {status} and leads elsewhere, which is not followed")
    raise Undelivered(said, _retry_after(headers.get("Retry-After"), body, now))


def _retry_after(said: str | None, body: bytes, now: float) -> float | None:
    """Seconds (RFC 9110 section 10.2.3); in Telegram's answers also in the body."""
    if said is None:
        parameters = _json(body).get("parameters")
        wanted = parameters.get("retry_after") if isinstance(parameters, dict) else None
        return float(wanted) if isinstance(wanted, int | float) and 0 <= wanted < MOST_SECONDS else None
    if re.fullmatch("[0-9]+", said.strip(), re.ASCII):
        return min(float(said.strip()[:12]), MOST_SECONDS)
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now)


def _words(kind: str, body: bytes) -> str:
    """What it says, on one line; of a page for browsers nothing."""
    if kind.partition(";")[0].strip().lower() not in SPOKEN:
        return ""
    found = _json(body)
    text = next(
        (said for key in ("description", "detail", "error", "message") if isinstance(said := found.get(key), str)), None
    )
    text = body.decode(errors="replace") if text is None else text
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
