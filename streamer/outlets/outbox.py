"""What senders need of the outbox, which the archive keeps in its database. Every question may raise Overloaded."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from streamer.values.event import Picture
from streamer.values.notification import Notification


class Outbox(Protocol):
    """All outlets'."""

    def on_filled(self, outlet: str, tell: Callable[[], None]) -> None:
        """Have `tell` called on the event loop when there is something new for an outlet, resent letters among it."""

    async def due(self, outlet: str, now: float, limit: int, besides: Collection[str] = ()) -> Sequence[Notification]:
        """The oldest of each stream that wait and are due, in order; none of a stream whose oldest is not due.

        Args:
            outlet: whose.
            now: UTC, seconds since 1970.
            limit: at the most so many.
            besides: streams that are left out: somebody is at them.
        """

    async def next_due(self, outlet: str, besides: Collection[str] = ()) -> float | None:
        """When the first of these oldest is due: UTC, seconds since 1970; None: none waits."""

    async def sent(self, numbers: Sequence[int]) -> None:
        """These were told, and are no more."""

    async def postponed(self, number: int, due_at: float, error: str) -> None:
        """One attempt failed; the next is due then."""

    async def dead(self, number: int, error: str) -> None:
        """It was given up: it waits among the dead letters for a person."""

    async def picture(self, event: str) -> Picture | None:
        """The event's, as far as it is kept; None: there is none, or not yet."""
