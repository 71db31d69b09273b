"""A clock that stands still until a test moves it."""


class FakeClock:
    """Stands in for `streamer.values.clock.monotonic`: call it for the time, `advance` it by hand."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        """Monotonic seconds."""

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Move on; gives the new time."""
        self.now += seconds
        return self.now
