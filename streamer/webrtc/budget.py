"""How much of a thing a peer may have in a second, and how much at once. Pure: time is an argument."""


class Budget:
    """A token bucket: full at first, and filled again as time passes."""

    def __init__(self, rate: float, burst: float) -> None:
        """Allow `rate` a second over time, and never more than `burst` at once."""
        self._rate, self._burst = rate, burst
        self._left = burst
        self._at: float | None = None
        """When it was last filled, in monotonic seconds."""

    def spend(self, amount: float, now: float) -> bool:
        """Take so much; False: there is not so much left, and none of it was taken."""
        if self._at is not None:
            self._left = min(self._burst, self._left + self._rate * max(0.0, now - self._at))
        self._at = now
        if amount > self._left:
            return False
        self._left -= amount
        return True
