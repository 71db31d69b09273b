"""What one viewer is still to be sent. Pure.

A gap would break his decoder: who is too slow loses everything up to a key picture, and goes on from there.
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum

from streamer.view.clean.wire import gap_message, group_message

MOST_PICTURES = 90
"""Pictures that may wait beside those he began with: three seconds at 30 a second."""
MOST_BYTES = 4 << 20
"""The same in bytes, of everything that waits."""
MOST_MESSAGES = 1024
"""Messages of any kind that may wait beside those he began with."""
BEHIND = 30
"""Pictures that may wait when a key picture comes: whoever is further behind goes on with that one."""


class Kind(Enum):
    """What a message is to who may have to leave it out."""

    FORM = "form"
    """Never left out, but for a newer one."""
    PICTURE = "picture"
    OTHER = "other"
    """Of no use without the pictures around it."""


class Backlog:
    """One viewer's."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Kind, bytes]] = deque()
        self._bytes = self._pictures = 0
        self._spare_bytes = self._spare_pictures = 0
        """What he began with, until all of it is sent."""
        self._needs_key = True
        self._slow = False
        """Whether the key picture is needed because something was left out."""
        self._gap = 0
        """Pictures left out since the last that was not."""
        self.dropped = 0
        """Pictures left out because he was too slow."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """Of everything."""
        return self._bytes

    @property
    def waiting_pictures(self) -> int:
        """Of what waits."""
        return self._pictures

    def begin(self, form: bytes | None, group: Sequence[bytes], others: Sequence[bytes] = ()) -> None:
        """Begin, or begin anew: forget what waits, and send these.

        Args:
            form: of the pictures; None: it is not known.
            group: pictures from a key picture on; none: he waits for one.
            others: what is known of them.
        """
        self._forget()
        self._gap, self._slow = 0, False
        self._needs_key = not group
        if form is not None:
            self._add(Kind.FORM, form)
        if group:
            self._add(Kind.OTHER, group_message(len(group)))
            for picture in group:
                self._add(Kind.PICTURE, picture)
            for other in others:
                self._add(Kind.OTHER, other)
        self._spare_bytes, self._spare_pictures = self._bytes, self._pictures

    def put_form(self, message: bytes) -> None:
        """What follows is of another form, and begins with a key picture."""
        self._add(Kind.FORM, message)
        self._needs_key = True

    def put_picture(self, message: bytes, *, is_key: bool) -> None:
        """Have the newest picture sent, unless it cannot be decoded without one that was left out."""
        if (is_key and self._pictures > BEHIND) or not self._has_room(message):
            self._leave_out()
        if self._needs_key and not is_key:
            self._left_out(1 if self._slow else 0)
            return
        if self._gap:
            self._add(Kind.OTHER, gap_message(self._gap))
        self._needs_key, self._slow, self._gap = False, False, 0
        self._add(Kind.PICTURE, message)

    def put(self, message: bytes) -> None:
        """Have something sent that belongs to the pictures around it."""
        if self._needs_key:
            return
        if self._has_room(message):
            self._add(Kind.OTHER, message)
        else:
            self._leave_out()

    def take(self) -> bytes | None:
        """What is to be sent next; None: nothing waits."""
        if not self._waiting:
            return None
        kind, message = self._waiting.popleft()
        self._bytes -= len(message)
        self._pictures -= kind is Kind.PICTURE
        if not self._waiting:
            self._spare_bytes = self._spare_pictures = 0
        return message

    def clear(self) -> None:
        """Nothing is to be sent, until he begins anew."""
        self._forget()
        self._needs_key, self._slow, self._gap = True, False, 0

    def _has_room(self, message: bytes) -> bool:
        return (
            self._pictures < MOST_PICTURES + self._spare_pictures
            and self._bytes + len(message) <= max(MOST_BYTES, len(message)) + self._spare_bytes
            and len(self._waiting) < MOST_MESSAGES + self._spare_pictures
        )

    def _add(self, kind: Kind, message: bytes) -> None:
        self._waiting.append((kind, message))
        self._bytes += len(message)
        self._pictures += kind is Kind.PICTURE

    def _leave_out(self) -> None:
        """Everything that waits, but for the form of what will come."""
        forms = [message for kind, message in self._waiting if kind is Kind.FORM]
        left_out = self._pictures
        self._forget()
        if forms:
            self._add(Kind.FORM, forms[-1])
        self._needs_key = self._slow = True
        self._left_out(left_out)

    def _left_out(self, pictures: int) -> None:
        self._gap += pictures
        self.dropped += pictures

    def _forget(self) -> None:
        self._waiting.clear()
        self._bytes = self._pictures = self._spare_bytes = self._spare_pictures = 0
