"""What is asked of recordings. Each is answered in threads of the archive's, or is `Overloaded` (values/errors.py)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from streamer.archive.recordings.found import RecordedDay, Removed, Seen, Span
from streamer.archive.recordings.segment import Segment


class Boxes(Protocol):
    """The boxes of one segment's samples, unpacked."""

    def document(self) -> Mapping[str, Any]:
        """In columns, ready for JSON: what `…/recordings/{segment}/boxes` answers says which."""


class Recordings(Protocol):
    """One archive's. A time is UTC, seconds since 1970; a span holds its beginning and not its end."""

    async def spans(self, stream: str, began: float, ended: float) -> Sequence[Span]:
        """In order, cut to what is asked for; of a day at the most some thousands, however it is recorded."""

    async def segments(self, stream: str, began: float, ended: float, limit: int) -> Sequence[Segment]:
        """Those of which some lies in the span, in order, with their fragments; the first `limit` of them."""

    async def outlines(self, stream: str, began: float, ended: float, limit: int) -> Sequence[Segment]:
        """The same with `init` and `fragments` empty: a day of them costs next to nothing."""

    async def one(self, id_: str) -> Segment | None:
        """The segment of that id; None: there is none."""

    async def at(self, stream: str, time: float) -> Segment | None:
        """The one that holds this moment, else the next that begins within 2 s of it; None: there is none."""

    async def days(self, stream: str, began: float, ended: float, offset: int = 0) -> Sequence[RecordedDay]:
        """In order, those with something. `offset`: seconds by which their midnight is before that of UTC."""

    async def seen(self, stream: str, began: float, ended: float, step: int) -> Sequence[Seen]:
        """In steps of so many seconds, whole minutes, counted from 1970; by time, then class."""

    async def boxes(self, ids: Sequence[str]) -> Mapping[str, Boxes]:
        """By segment, of those that have some; what still waits to be written too."""

    async def remove(self, stream: str, began: float, ended: float) -> Removed:
        """Let go of every closed segment that lies wholly in the span; of bookmarked events' none."""

    def path(self, segment: Segment) -> Path:
        """Where its file is, or would be."""
