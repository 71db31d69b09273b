"""What is seen of replicas from outside: what each says that it runs, and what was done to it. Values."""

import re
from dataclasses import dataclass
from typing import Literal

State = Literal["up", "cut", "stopped", "dead"]
"""Of a replica: it runs and reaches the others; it runs and does not; it is frozen; there is none."""

_GAINED = re.compile(r"\bruns (\S+) from now on, by claim (\d+)$")
_LOST = re.compile(r"\bruns (\S+) no more$")


@dataclass(frozen=True, slots=True)
class Gained:
    """A replica runs a stream from now on."""

    at: float
    """Monotonic seconds of the machine, as of everything here."""
    replica: str
    stream: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Lost:
    """It runs it no more."""

    at: float
    replica: str
    stream: str


@dataclass(frozen=True, slots=True)
class Turned:
    """Something was done to a replica, or it has begun."""

    at: float
    replica: str
    state: State


@dataclass(frozen=True, slots=True)
class Saw:
    """A replica says that NATS is back, or away."""

    at: float
    replica: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """The NATS server on a replica's machine was started, or killed."""

    at: float
    replica: str
    is_up: bool


Observed = Gained | Lost | Turned | Saw | Stored


def understood(at: float, replica: str, line: str) -> Observed | None:
    """What a line of a replica's log says of what it runs and sees; None: nothing.

    Args:
        at: when it was read.
        replica: whose it is.
        line: without its end.
    """
    if found := _GAINED.search(line):
        return Gained(at, replica, found[1], int(found[2]))
    if found := _LOST.search(line):
        return Lost(at, replica, found[1])
    if "NATS is away: " in line:
        return Saw(at, replica, is_there=False)
    if line.endswith("NATS is back"):
        return Saw(at, replica, is_there=True)
    return None
