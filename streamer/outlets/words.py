"""A notification in a sentence, for people who have it on their telephone. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from streamer.values.notification import Notification

LONGEST = 200
"""Characters of a name that somebody else gave, of a class say."""


def title(notification: Notification) -> str:
    """Such as "person in yard"."""
    if notification.kind == "test":
        return "A test"
    what = f"{_legible(notification.event.get('label', 'something'))} in {notification.stream}"
    return f"{what} has gone" if notification.kind in ("alert_ended", "event_ended") else what


def message(notification: Notification, zone: tzinfo | None = None) -> str:
    """Such as "night: since 22:14:05, 87 %, gate".

    Args:
        notification: what is told.
        zone: whose wall the clock hangs on; None: this machine's.
    """
    if notification.kind == "test":
        return "Sightline reaches this place."
    event = notification.event
    score, zones = f"{100 * float(event.get('score', 0.0)):.0f} %", map(_legible, event.get("zones", ()))
    parts = [_times(event, zone), score, *zones]
    said = ", ".join(part for part in parts if part)
    return said if notification.rule is None else f"{notification.rule}: {said}"


def _times(event: Mapping[str, Any], zone: tzinfo | None) -> str:
    began, ended = event.get("began_at"), event.get("ended_at")
    if began is None:
        return ""
    since = f"{datetime.fromtimestamp(began, UTC).astimezone(zone):%H:%M:%S}"
    return f"since {since}" if ended is None else f"from {since}, for {_seconds(ended - began)}"


def _seconds(duration: float) -> str:
    return f"{duration:.0f} s" if duration < 120 else f"{duration / 60:.0f} min"


def _legible(text: str) -> str:
    """On one line, and of a length that a line has: models name classes as they like."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())[:LONGEST]
