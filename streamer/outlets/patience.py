"""How long a receiver that fails is waited for, and when a notification is given up. Pure; the dice are given."""

from collections.abc import Callable

FIRST_PAUSE = 1.0
"""Seconds after the first failure; twice as long after each that follows."""
LONGEST_PAUSE = 600.0
JITTER = 0.2
"""Share of a pause that is random, so that all who failed together do not come back together."""
LONGEST_SAID = 3600.0
"""Seconds of pause that a receiver may ask for (Retry-After, RFC 9110 section 10.2.3)."""

GIVEN_UP = 86_400.0
"""Seconds that a notification waits."""
LEAST_ATTEMPTS = 12
"""Of one, before it is given up: who was switched off for two days has old ones to tell, to receivers just starting."""
OUTAGE = 3600.0
"""Seconds that a receiver has failed for, after which old ones are given up without an attempt of their own."""
UNWELCOME_ATTEMPTS = 3
"""Of one that the receiver does not take: what it says of it is seldom otherwise a minute later."""


def pause_after(failures: int, dice: Callable[[], float]) -> float:
    """Seconds to wait after so many failures in a row.

    Args:
        failures: one or more.
        dice: gives 0 to 1.
    """
    whole = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 30), LONGEST_PAUSE)
    return whole * (1 - JITTER * dice())


def as_asked(seconds: float) -> float:
    """For how long a receiver is left alone that says for how long."""
    return min(max(FIRST_PAUSE, seconds), LONGEST_SAID)


def is_given_up(waits: float, attempts: int, failing: float) -> bool:
    """Whether a notification is not tried again.

    Args:
        waits: seconds since it was put into the outbox.
        attempts: made so far.
        failing: seconds since the receiver took anything while it was tried; 0: it does take things.
    """
    return waits >= GIVEN_UP and (attempts >= LEAST_ATTEMPTS or failing >= OUTAGE)
