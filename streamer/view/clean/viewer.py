"""One viewer of a clean video: what is for him is written as soon as his connection takes it."""

import secrets
from collections.abc import Sequence
from typing import Protocol

from streamer.values.receipts import Receipts
from streamer.view.clean.backlog import Backlog


class Pipe(Protocol):
    """The way to him."""

    @property
    def is_full(self) -> bool:
        """Whether it takes nothing now: whoever owns it calls `CleanViewer.flush` when it does again."""

    def write(self, data: bytes) -> None:
        """Take some whole messages. Neither waits nor raises, and does nothing once the way has ended."""


class CleanViewer:
    """On the event loop."""

    def __init__(self, pipe: Pipe, now: float = 0.0) -> None:
        self.id = secrets.token_urlsafe(18)
        """Unguessable: whoever knows it may say what this viewer has seen."""
        self.receipts = Receipts(now)
        """Of what he was sent, by its time."""
        self._pipe = pipe
        self._backlog = Backlog()
        self.paused = False
        """Whether he wants nothing now."""

    @property
    def dropped(self) -> int:
        """Pictures left out because he was too slow."""
        return self._backlog.dropped

    @property
    def waiting_bytes(self) -> int:
        """Of what he is still to be sent."""
        return self._backlog.waiting_bytes

    def begin(self, form: bytes | None, group: Sequence[bytes], others: Sequence[bytes]) -> None:
        """Begin, or go on after a pause; as `Backlog.begin`."""
        self.paused = False
        self._backlog.begin(form, group, others)
        self.flush()

    def pause(self) -> None:
        """Send nothing until `begin`."""
        self.paused = True
        self._backlog.clear()

    def form(self, message: bytes) -> None:
        """Pictures of another form follow."""
        if not self.paused:
            self._backlog.put_form(message)
            self.flush()

    def picture(self, message: bytes, *, is_key: bool) -> None:
        """The newest picture, and what is known of it."""
        if not self.paused:
            self._backlog.put_picture(message, is_key=is_key)
            self.flush()

    def other(self, message: bytes) -> None:
        """Something that belongs to the pictures."""
        if not self.paused:
            self._backlog.put(message)
            self.flush()

    def flush(self) -> None:
        """Write what waits, as far as it is taken."""
        while not self._pipe.is_full:
            data = self._backlog.take()
            if data is None:
                break
            self._pipe.write(data)
