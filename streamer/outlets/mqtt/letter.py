"""A notification as a message: where it goes, and what it says. Pure."""

from streamer.outlets.document import document
from streamer.outlets.mqtt.retained import compact
from streamer.outlets.mqtt.topics import Topics
from streamer.values.notification import Notification


def topic_of(notification: Notification, topics: Topics) -> str:
    """Where it is told."""
    if notification.kind == "test":
        return topics.test
    if notification.kind in ("alert", "alert_ended") and notification.rule is not None:
        return topics.alert(notification.rule)
    return topics.stream(notification.stream, "event")


def payload_of(notification: Notification, base: str | None = None) -> bytes:
    """What is said: the document that webhooks are sent, too.

    Args:
        notification: what is told.
        base: where browsers find the page, without a slash at its end; None: nobody said.
    """
    return compact(document(notification, base=base))
