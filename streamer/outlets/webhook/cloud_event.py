"""The headers of a CloudEvent whose data is the body (CloudEvents 1.0.2, HTTP binding, binary mode). Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from streamer.values.notification import Notification

TYPES = {
    "alert": "sightline.alert",
    "alert_ended": "sightline.alert.ended",
    "event_began": "sightline.event.began",
    "event_ended": "sightline.event.ended",
    "test": "sightline.test",
}


def attributes(notification: Notification, base: str | None) -> Mapping[str, str]:
    """As headers.

    Args:
        notification: what is told.
        base: where browsers find the page, without a slash at its end; None: nobody said.
    """
    made_at = datetime.fromtimestamp(notification.made_at, UTC).isoformat(timespec="milliseconds")
    source = f"{base or ''}/api/streams"
    headers = {
        "ce-specversion": "1.0",
        "ce-id": notification.id,
        "ce-type": TYPES[notification.kind],
        "ce-time": made_at.replace("+00:00", "Z"),
    }
    if not notification.stream:
        return {**headers, "ce-source": source}
    stream = quote(notification.stream, safe="")
    return {**headers, "ce-source": f"{source}/{stream}", "ce-subject": stream}
