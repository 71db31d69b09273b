"""The stages of a picture's way from its camera to an eye, each between two stamps. Values, and pure.

    arrival ─ decode ─ queue ─ model ─ hold ─ encode ─ send ─ network ─ paint ─ seen

Each begins where the one before it ends, so that they add up to the whole way, whatever the stamps say.
"""

from collections.abc import Sequence
from typing import Literal

Stage = Literal["decode", "queue", "model", "hold", "encode", "send", "network", "paint"]
STAGES: tuple[Stage, ...] = ("decode", "queue", "model", "hold", "encode", "send", "network", "paint")
"""In the order they are passed in. docs/latency.md says from where to where each goes."""
Way = Literal["answer", "viewer", "glass"]
WAYS: tuple[Way, ...] = ("answer", "viewer", "glass")
"""How far a picture is followed: to the model's answer, to the first viewer's connection, to a screen."""
LENGTH: dict[Way, int] = {"answer": 3, "viewer": 6, "glass": 8}
"""How many of STAGES each way has."""

Stamps = Sequence[float | None]
"""Monotonic seconds: of the arrival, and of the end of each stage; None: it was not told, and its stage is part of the
next."""


def durations(stamps: Stamps) -> list[float | None]:
    """Seconds of each stage; they add up to the last stamp less the first, and none is negative.

    A stamp that lies before an earlier one, as that of another machine's clock may, counts as that one, and none counts
    as later than the last.

    Args:
        stamps: the first and the last are told.
    """
    first, last = stamps[0], stamps[-1]
    if first is None or last is None:
        raise ValueError("a way has a beginning and an end")
    before, end = first, max(first, last)
    found: list[float | None] = []
    for stamp in stamps[1:-1]:
        if stamp is None:
            found.append(None)
            continue
        reached = min(max(stamp, before), end)
        found.append(reached - before)
        before = reached
    return [*found, end - before]
