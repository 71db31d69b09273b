"""The times around events in which video is kept, on the clock that pictures arrive by. Pure."""

from dataclasses import dataclass
from math import inf

MOST = 1000
"""Events that are remembered at a time; then the oldest is not."""


@dataclass(frozen=True, slots=True)
class Window:
    """From an event's beginning to its end, with the seconds before and after."""

    since: float
    until: float
    """Infinite while it goes on."""


class Windows:
    """One stream's; changed in one thread, read in any."""

    def __init__(self) -> None:
        """Have seen no event."""
        self._windows: dict[str, Window] = {}

    def put(self, id_: str, window: Window) -> None:
        """Know an event as it is now."""
        others = [(other, each) for other, each in self._windows.items() if other != id_]
        self._windows = dict([*others[1 - MOST :], (id_, window)])

    def end(self, until: float) -> None:
        """Have none go on beyond that."""
        self._windows = {id_: Window(each.since, min(each.until, until)) for id_, each in self._windows.items()}

    def forget(self, before: float) -> None:
        """Those that ended before."""
        self._windows = {id_: each for id_, each in self._windows.items() if each.until >= before}

    def first(self, since: float) -> Window | None:
        """The first that has not ended by then, with those it runs into; None: there is none."""
        left = sorted((each for each in self._windows.values() if each.until >= since), key=lambda each: each.since)
        if not left:
            return None
        until = left[0].until
        for each in left[1:]:
            if each.since > until:
                break
            until = max(until, each.until)
        return Window(left[0].since, until)

    def touch(self, since: float, until: float) -> bool:
        """Whether any holds a moment of that time."""
        return any(each.since <= until and each.until >= since for each in self._windows.values())


ALWAYS = Window(-inf, inf)
"""Of a stream that is recorded whatever happens."""
