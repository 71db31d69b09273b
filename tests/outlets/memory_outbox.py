"""An outbox in memory, which stands in for the archive's where the rule that is tested is a sender's own."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from streamer.values.errors import Overloaded
from streamer.values.event import Picture
from streamer.values.notification import Notification, NotificationKind
from streamer.values.uuid7 import uuid7
from tests.peers.clock import FakeClock

EVENT = {
    "id": "019ad000-0000-7000-8000-000000000001",
    "stream": "yard",
    "label": "person",
    "class_id": 1,
    "tracker_id": 7,
    "model": "demo",
    "version": 3,
    "began_at": 1_800_000_000.0,
    "last_at": 1_800_000_004.0,
    "ended_at": None,
    "began_pts": 4.0,
    "last_pts": 8.0,
    "score": 0.87,
    "box": [1.0, 2.0, 30.0, 40.0],
    "width": 640,
    "height": 360,
    "zones": ["gate"],
    "marks": [],
    "has_picture": False,
    "reviewed": None,
    "note": "",
    "bookmarked": False,
    "reviewed_by": None,
    "reviewed_at": None,
    "changed": 5,
}
"""As the API shows one."""
PICTURE = Picture(b"\xff\xd8 an image \xff\xd9", b"\xff\xd8 a thumbnail \xff\xd9")


def told(
    number: int = 1, stream: str = "yard", kind: NotificationKind = "alert", at: float = 1_800_000_000.0, **event: Any
) -> Notification:
    """A notification of the outlet "phone"."""
    said = {} if kind == "test" else {**EVENT, "stream": stream, **event}
    rule = "night" if kind.startswith("alert") else None
    where = "" if kind == "test" else stream
    return Notification(uuid7(at), number, "phone", kind, where, rule, said, at, queued_at=at)


@dataclass
class Row:
    """One notification."""

    letter: Notification
    due_at: float
    state: str = "waiting"


class MemoryOutbox:
    """See streamer/outlets/outbox.py."""

    def __init__(self, wall: FakeClock) -> None:
        self.rows: dict[int, Row] = {}
        self.pictures: dict[str, Picture] = {}
        self.is_away = False
        """Whether each question is Overloaded."""
        self._wall = wall
        self._tell: Callable[[], None] = lambda: None

    def put(self, *letters: Notification) -> None:
        """Have these wait."""
        for letter in letters:
            self.rows[letter.number] = Row(letter, letter.made_at)
        self._tell()

    def nudge(self) -> None:
        """Have the sender look, as it does when a pause ends: the clock was moved."""
        self._tell()

    def states(self) -> list[str]:
        """Of all, by number."""
        return [row.state for _, row in sorted(self.rows.items())]

    def on_filled(self, outlet: str, tell: Callable[[], None]) -> None:
        self._tell = tell

    async def due(self, outlet: str, now: float, limit: int, besides: Collection[str] = ()) -> Sequence[Notification]:
        self._answer()
        return [row.letter for row in self._oldest(besides) if row.due_at <= now][:limit]

    async def next_due(self, outlet: str, besides: Collection[str] = ()) -> float | None:
        self._answer()
        return min((row.due_at for row in self._oldest(besides)), default=None)

    async def sent(self, numbers: Sequence[int]) -> None:
        self._answer()
        for number in numbers:
            self.rows[number].state = "sent"

    async def postponed(self, number: int, due_at: float, error: str) -> None:
        self._answer()
        row = self.rows[number]
        row.letter = replace(row.letter, attempts=row.letter.attempts + 1, error=error)
        row.due_at = due_at

    async def dead(self, number: int, error: str) -> None:
        self._answer()
        self.rows[number].state = f"dead: {error}"

    async def picture(self, event: str) -> Picture | None:
        self._answer()
        return self.pictures.get(event)

    def _oldest(self, besides: Collection[str]) -> list[Row]:
        first: dict[str, Row] = {}
        for _, row in sorted(self.rows.items()):
            if row.state == "waiting" and row.letter.stream not in besides:
                first.setdefault(row.letter.stream, row)
        return list(first.values())

    def _answer(self) -> None:
        if self.is_away:
            raise Overloaded("the archive cannot be used now: it is away", 0)
