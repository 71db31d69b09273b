"""How many messages one peer may send: some at once, and then so many a second. Pure."""


class Allowance:
    """One peer's."""

    def __init__(self, burst: int, per_second: float, now: float) -> None:
        """Begin with all of it; `now`: monotonic seconds."""
        self._burst, self._per_second = burst, per_second
        self._left, self._at = float(burst), now

    def take(self, now: float) -> bool:
        """Use one; gives whether there was one left."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
