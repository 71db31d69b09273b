"""What decides which frames go to the model, and when: in `scheduler.py`, and as it was before, in `batcher.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streamer.inference.slot import DropReason, Slot

Told = tuple[Slot, DropReason]
"""A slot that is over without an answer, and why."""


@dataclass(slots=True, eq=False)
class Call:
    """One that is under way."""

    slots: Sequence[Slot]
    """None of them: it is about pictures that somebody sent."""
    pictures: int
    taken_at: float
    deadline: float
    """Monotonic time from which its answer is worth nothing."""
    ends_at: float = 0.0
    """When it is thought to be answered."""
    area: float = 0.0
    """Seconds of all calls of the model when it was taken."""
    lanes: int = 0
    """Calls that were to run at once then."""
    ahead: "Call | None" = None
    """The one that it waits for in front of the model; None: none, or it is over itself."""
    ended_at: float | None = None
    """When it was answered; None while it is not."""
    is_try: bool = False
    """Whether it was thought to be answered too late, and left to learn whether that is still so."""


class Discipline(Protocol):
    """One model's. Time is an argument; who is over is returned, and told by whoever asked."""

    max_batch_size: int

    def __len__(self) -> int:
        """Slots that are open."""

    @property
    def has_place(self) -> bool:
        """Whether one call more may be under way."""

    def put(self, slot: Slot) -> Told | None:
        """A stream is due; what it had open is over."""

    def withdraw(self, slot: Slot) -> bool:
        """Take a slot out; whether it was still open."""

    def leaves_at(self, now: float) -> float | None:
        """When a call about frames may leave if nothing else happens, `now` at the earliest; None: not before that."""

    def take(self, now: float) -> tuple[Call | None, list[Told]]:
        """The call that leaves now, if one does."""

    def begin(self, pictures: int, deadline: float, now: float) -> Call:
        """A call about other pictures leaves."""

    def sent(self, call: Call, now: float) -> None:
        """Its samples are made, and on their way to the model."""

    def end(self, call: Call, now: float, *, is_measure: bool) -> None:
        """It is over; `is_measure`: it took as long as such calls take."""

    def clear(self) -> list[Slot]:
        """All that are open, who are no longer."""
