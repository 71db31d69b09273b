"""A notification as one JSON document, as docs/notification.schema.json describes it."""

from typing import Any
from urllib.parse import quote

from streamer.outlets.words import message, title
from streamer.values.notification import Notification

SCHEMA = 1
"""Of the document. Keys may be added to a version; none goes, and none comes to mean something else."""


def document(
    notification: Notification, picture: dict[str, Any] | None = None, base: str | None = None
) -> dict[str, Any]:
    """Ready for JSON.

    Args:
        notification: what is told.
        picture: how it comes with it, or where it is; None: there is none.
        base: where browsers find the page, without a slash at its end; None: nobody said.
    """
    event = dict(notification.event) or None
    if event is not None and picture is not None:
        event["has_picture"] = True  # by now
    return {
        "schema": SCHEMA,
        "id": notification.id,
        "kind": notification.kind,
        "made_at": round(notification.made_at, 3),
        "outlet": notification.outlet,
        "stream": notification.stream or None,
        "rule": notification.rule,
        "title": title(notification),
        "message": message(notification),
        "event": event,
        "picture": picture,
        "url": page_of(notification, base),
    }


def page_of(notification: Notification, base: str | None) -> str | None:
    """Where a person looks at its event; None: there is none, or nobody said where the page is."""
    event = notification.event.get("id")
    if base is None:
        return None
    return f"{base}/" if event is None else f"{base}/#+events?event={quote(str(event))}"
