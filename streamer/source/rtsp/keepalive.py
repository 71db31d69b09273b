"""What keeps a session alive, and when (RFC 2326 section 12.37, RFC 7826 section 10.5). Pure; time is an argument."""

import re
from dataclasses import dataclass

TIMEOUT = 60.0
"""Seconds of a session where the camera names none (RFC 2326 section 12.37)."""
SOONEST, LATEST = 2.0, 3600.0
"""Seconds a session's timeout is taken for at the least and at the most."""


@dataclass
class Habits:
    """What a camera showed in the attempts before. For one camera; kept by whoever tries again."""

    other_keepalive: bool = False
    """A session ended for want of the keepalive that a camera's list did not ask for: use the other one."""


class Keepalive:
    """Of one session.

    Args:
        listed: GET_PARAMETER is among the methods that the camera lists.
        habits: of the camera; what this session shows is noted there.
    """

    def __init__(self, listed: bool, habits: Habits) -> None:
        self._habits = habits
        self.method = "GET_PARAMETER" if listed != habits.other_keepalive else "OPTIONS"
        """What is sent next."""
        self.timeout = TIMEOUT
        """Seconds the camera waits for one."""
        self._began = self._sent = 0.0

    def begin(self, session: str, now: float) -> None:
        """The camera has named its session, which plays from now on."""
        said = re.search(r";\s*timeout\s*=\s*(\d{1,9})", session, re.ASCII | re.IGNORECASE)
        if said and int(said[1]):
            self.timeout = min(max(SOONEST, float(said[1])), LATEST)
        self._began = self._sent = now

    def due(self, now: float) -> bool:
        """Whether one is to be sent now; it is then taken for sent."""
        if now - self._sent < self.timeout / 2:
            return False
        self._sent = now
        return True

    def answered(self, status: int) -> None:
        """The camera's answer to one."""
        if status in (405, 454, 501, 551) and self.method == "GET_PARAMETER":
            self.method = "OPTIONS"

    def ended(self, now: float) -> None:
        """The camera has ended the session, or fallen silent.

        After about as long as it waits for a keepalive, that is what it missed.
        """
        if self.timeout / 2 < now - self._began < 2 * self.timeout:
            self._habits.other_keepalive = not self._habits.other_keepalive
