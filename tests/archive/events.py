"""Events for the tests of the archive."""

from dataclasses import replace
from typing import Any

from streamer.values.event import Boxed, Event, Mark, Picture
from streamer.values.uuid7 import uuid7

NOON = 1_764_417_600.0
"""2025-11-29, 12:00 UTC."""


def an_event(at: float = NOON, **given: Any) -> Event:
    """One that began then and goes on; `given` is otherwise."""
    event = Event(
        id=uuid7(at),
        stream="porch",
        label="person",
        class_id=1,
        tracker_id=7,
        model="insulators",
        version=2,
        began_at=at,
        last_at=at + 1,
        began_pts=10.0,
        last_pts=11.0,
        score=0.75,
        box=(10.0, 20.0, 110.5, 220.25),
        width=1280,
        height=720,
    )
    return replace(event, **given)


def a_picture(image: bytes = b"image") -> Picture:
    """One of an event."""
    return Picture(image, b"thumbnail", (Boxed("person", 1, 0.75, (10.0, 20.0, 110.5, 220.25), 7),))


A_CROSSING = Mark("cross", "gate", NOON + 1, "forward")
