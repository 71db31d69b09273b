"""What is worth a line in the log, of something that is asked five times a second and may answer anything each time."""

from streamer.values.clock import Clock

PAUSE = 1.0
"""Seconds between two lines, whatever they say."""


class News:
    """Of one thing: a sentence is news until another is, or until it is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: str | None = None
        self._said_at: float | None = None

    def is_news(self, sentence: str) -> bool:
        """Whether it is time to say this, which counts as said then."""
        now = self._clock()
        if sentence == self._said or (self._said_at is not None and now - self._said_at < PAUSE):
            return False
        self._said, self._said_at = sentence, now
        return True

    def over(self) -> None:
        """What was said last is true no more: it is news when it comes back."""
        self._said = None
