"""Segments and boxes for the tests of recordings."""

from dataclasses import replace
from typing import Any

from streamer.archive.recordings.segment import Fragment, Segment
from streamer.values.track import TrackedBox
from streamer.values.uuid7 import uuid7
from tests.archive.events import NOON

MINUTE = 60.0
SIZE = (1280, 720)


def a_segment(at: float = NOON, seconds: float = MINUTE, **given: Any) -> Segment:
    """One that began then and has ended; `given` is otherwise."""
    segment = Segment(
        id=uuid7(at),
        stream="porch",
        began_at=at,
        ended_at=at + seconds,
        codec="h264",
        mime='video/mp4; codecs="avc1.64001f"',
        width=1280,
        height=720,
        pictures=round(seconds * 30),
        size=1000,
        first_time=90_000_000,
        camera_at=None,
        follows=False,
        has_event=False,
        init=b"ftyp and moov",
        fragments=tuple(Fragment(100 * number, 100, 1000 * number, 1000, True) for number in range(round(seconds))),
    )
    return replace(segment, **given)


def a_box(tracker_id: int = 7, label: str = "person", score: float = 0.75) -> TrackedBox:
    """One thing in a frame of SIZE."""
    return TrackedBox(tracker_id, (100.0, 50.0, 300.0, 450.0), label, 1, score)
