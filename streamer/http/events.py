"""Detections fanned out as server-sent events: one JSON text a sampled frame, made once for all subscribers."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from streamer.values.buffer import Buffer
from streamer.values.detections import Detections

BUFFERED_EVENTS = 256
"""Events a slow subscriber may be behind; then the oldest are dropped."""


class Events:
    """Who listens to which stream."""

    def __init__(self) -> None:
        self._subscribers: dict[Buffer[bytes], tuple[str | None, Callable[[str], bool]]] = {}
        self._dropped: Counter[str | None] = Counter()

    def count(self, stream: str | None) -> int:
        """Subscribers of one stream, or of all streams at once for None."""
        return sum(wanted == stream for wanted, _ in self._subscribers.values())

    def dropped(self, stream: str | None) -> int:
        """Events that subscribers of one stream were too slow for, or, for None, those of all streams at once."""
        return self._dropped[stream]

    def forget(self, stream: str) -> None:
        """A stream is no more, and what was dropped of it is forgotten."""
        del self._dropped[stream]

    @contextmanager
    def subscribe(self, stream: str | None, sees: Callable[[str], bool] = lambda _: True) -> Iterator[Buffer[bytes]]:
        """Receive one stream's events, or for None those of every stream that one sees, as ready `data:` lines."""
        buffer: Buffer[bytes] = Buffer(BUFFERED_EVENTS)
        self._subscribers[buffer] = stream, sees
        try:
            yield buffer
        finally:
            del self._subscribers[buffer]

    def wants_all(self) -> bool:
        """Whether anybody wants those of all streams, wherever they run."""
        return any(wanted is None for wanted, _ in self._subscribers.values())

    def publish(self, detections: Detections) -> None:
        """Send one frame's detections to whoever wants them."""
        self._send(detections.stream, detections.event)

    def publish_heard(self, stream: str, event: Mapping[str, Any]) -> None:
        """Send those of a stream that another replica runs to who wants all: of one stream, its replica is asked."""
        self._send(stream, lambda: event, of_all=True)

    def _send(self, name: str, made: Callable[[], Mapping[str, Any]], *, of_all: bool = False) -> None:
        wanting = [
            (each, stream)
            for each, (stream, sees) in self._subscribers.items()
            if (stream == name and not of_all) or (stream is None and sees(name))
        ]
        if wanting:
            # HTML Living Standard section 9.2: a field name, a colon, the value, and an empty line to dispatch.
            event = b"data: " + json.dumps(made(), separators=(",", ":")).encode() + b"\n\n"
            for buffer, stream in wanting:
                before = buffer.dropped
                buffer.put(event)
                self._dropped[stream] += buffer.dropped - before  # here: a subscriber outlives its stream's numbers
