"""What the log gets of the sentences that strangers cause: none twice within a minute, and few a second. Pure."""

REPEATED = 60.0
"""Seconds after which the log may get the same again."""
AT_ONCE = 8
"""Different sentences that it gets in a row; from then on one a second."""


class Notices:
    """Of one port. What is held back is counted, and told with the next sentence or once it is quiet."""

    def __init__(self) -> None:
        self._given: dict[str, float] = {}
        """When the log got what; the oldest first. Never more than it may get within REPEATED."""
        self._earned = 0.0
        """When as much will be allowed again as at first."""
        self._held = 0

    def take(self, sentence: str, now: float) -> str | None:
        """What the log gets for a sentence; None: nothing.

        Args:
            sentence: to be said.
            now: monotonic seconds.
        """
        self._forget(now)
        if sentence in self._given:
            return None
        earned = max(self._earned, now)
        if earned - now > AT_ONCE - 1:
            self._held += 1
            return None
        self._earned = earned + 1.0
        self._given[sentence] = now
        held, self._held = self._held, 0
        return f"{sentence} ({held} more held back before)" if held else sentence

    def rest(self, now: float) -> str | None:
        """What the log gets once it is quiet; None: nothing was held back, or it is not quiet yet."""
        if not self._held or now < self._earned:
            return None
        held, self._held = self._held, 0
        return f"{held} more held back"

    def _forget(self, now: float) -> None:
        while self._given and now - self._given[first := next(iter(self._given))] >= REPEATED:
            del self._given[first]
