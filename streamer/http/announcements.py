"""Events told as server-sent events once they are kept: each as one text, made once for all who listen.

What has not been kept is told to nobody: who is told of an event finds it, whenever the service was killed.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from aiohttp import web

from streamer.archive.kept import Kept
from streamer.values.buffer import Buffer

BUFFERED = 256
"""Events a slow listener may be behind; then the oldest are dropped, and he is told of them from the database."""


class Announcements:
    """Who listens."""

    def __init__(self) -> None:
        self._listeners: dict[Buffer[Kept], Callable[[str], bool]] = {}
        self.dropped = 0
        """Events that listeners were too slow for."""

    def __len__(self) -> int:
        return len(self._listeners)

    @contextmanager
    def listen(self, sees: Callable[[str], bool]) -> Iterator[Buffer[Kept]]:
        """Be told of events of streams that one sees."""
        buffer: Buffer[Kept] = Buffer(BUFFERED)
        self._listeners[buffer] = sees
        try:
            yield buffer
        finally:
            del self._listeners[buffer]

    def tell(self, kept: Sequence[Kept]) -> None:
        """These are kept now, or have changed."""
        for each in kept:
            for buffer, sees in self._listeners.items():
                if sees(each.event.stream):
                    before = buffer.dropped
                    buffer.put(each)
                    self.dropped += buffer.dropped - before


def text_of(kept: Kept) -> bytes:
    """One event as it is sent (HTML Living Standard section 9.2): its number is the id to go on from."""
    document = json.dumps(kept.document(), separators=(",", ":"))
    return f"id: {kept.changed}\nevent: {kept.news}\ndata: {document}\n\n".encode()


ANNOUNCEMENTS: web.AppKey[Announcements] = web.AppKey("announcements", Announcements)
