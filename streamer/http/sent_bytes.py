"""How much of what people send may be held at a time, by all of them together: counted as it comes, not as promised.

Who sends slowly holds what he has sent, and no more. Where all hold too much, whoever has been sending for the longest
gives way to who came later.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streamer.values.errors import Overloaded


class SentBytes:
    """What all hold."""

    def __init__(self, limit: int) -> None:
        """Hold nothing yet; `limit`: bytes."""
        self.limit = limit
        self._shares: list[Share] = []
        """The first began first."""

    @property
    def held(self) -> int:
        """Bytes."""
        return sum(share.held for share in self._shares)

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """What one of them holds, for as long as the block lasts."""
        share = Share(self)
        self._shares.append(share)
        try:
            yield share
        finally:
            self._shares.remove(share)

    def make_room(self, share: "Share", count: int) -> None:
        """Have those who began before it give way until `share` can hold as many bytes more.

        Raises:
            Overloaded: that would not do.
        """
        before = [other for other in self._shares[: self._shares.index(share)] if other.is_coming]
        if self.held + count - sum(other.held for other in before) > self.limit:
            raise Overloaded("as much as may be of what people send is being held", 2)
        for other in before:
            if self.held + count <= self.limit:
                break
            other.give_way()


class Share:
    """What one sender's pictures take."""

    def __init__(self, of: SentBytes) -> None:
        self._of = of
        self._stop: Callable[[], None] | None = None
        self.held = 0
        """Bytes."""
        self.gave_way = False
        """Whether he was sent away, for others' sake."""

    @property
    def is_coming(self) -> bool:
        """Whether there is more to come of it."""
        return self._stop is not None

    def take(self, count: int) -> None:
        """Hold as many bytes more.

        Raises:
            Overloaded: there is no room for them.
        """
        if self.gave_way:  # and is not stopped yet
            raise Overloaded("it comes slowly, and its room is needed", 2)
        self._of.make_room(self, count)
        self.held += count

    @contextmanager
    def coming(self, stop: Callable[[], None]) -> Iterator[None]:
        """There is more to come, until `stop` is called: what is held is then let go of in the loop's next round."""
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None

    def give_way(self) -> None:
        """Hold nothing; of what is still coming alone: what has come as a whole is looked at."""
        if self._stop is not None:
            self._stop()
            self._stop, self.held, self.gave_way = None, 0, True
