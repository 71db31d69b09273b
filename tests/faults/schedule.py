"""Which faults come when: the same for the same seed. Pure."""

from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

Kind = Literal["kill", "stop", "cut", "leave", "store"]
"""kill -9 of a replica, which is started again; SIGSTOP and SIGCONT; its machine cut off from the others', NATS server
and all; SIGTERM, and started again; kill -9 of its NATS server, which is started again."""
SHORTEST, LONGEST = 3.0, 30.0
"""Seconds that a fault may last."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One."""

    at: float
    """Seconds after the run's beginning."""
    kind: Kind
    machine: int
    seconds: float
    """Until it is mended."""

    def __str__(self) -> str:
        return f"{self.at:.1f} s: {self.kind} r{self.machine + 1} for {self.seconds:.1f} s"


def faults(seed: int, machines: int, within: float) -> list[Fault]:
    """Draw one to four, of which those of one machine do not overlap.

    Args:
        seed: of the run.
        machines: how many there are.
        within: seconds in which they begin.
    """
    random, drawn = Random(seed), list[Fault]()
    for _ in range(random.randint(1, 4)):
        at, machine = random.uniform(0, within), random.randrange(machines)
        seconds = random.uniform(SHORTEST, LONGEST)
        fault = Fault(at, random.choice(get_args(Kind)), machine, seconds)
        if not any(_meet(fault, other) for other in drawn):
            drawn.append(fault)
    return sorted(drawn, key=lambda fault: fault.at)


def _meet(one: Fault, other: Fault) -> bool:
    return one.machine == other.machine and one.at < other.at + other.seconds and other.at < one.at + one.seconds
