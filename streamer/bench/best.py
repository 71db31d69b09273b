"""What a model gives at best: its SavedModel alone in a process, with no gRPC around it and no cameras beside it.

Throughput is told as a share of it, so it is measured before and after each window of the same run. On a machine that
others use too it moves; a run in which it moved too far says nothing, and says so.
"""

from pathlib import Path
from typing import Any

from streamer.tools.child import Say
from streamer.tools.processes import ask

MOST_MOVED = 0.2
"""By how much of its least the best may move within a run that is quoted."""
TRIED = 2.0
"""Seconds for each combination of batch size and callers, to find the best."""


class Best:
    """One model's best, measured again and again with the batch size and the callers that gave it first."""

    def __init__(self, version: Path, seconds: float, say: Say) -> None:
        self._version, self._seconds, self._say = version, seconds, say
        self._with: tuple[str, ...] = ()
        self.figures: list[float] = []
        """Images a second, each time it was measured."""

    def last(self) -> float:
        """The last figure; measured now where there is none yet."""
        return self.figures[-1] if self.figures else self.measure()

    def measure(self) -> float:
        """Images a second, now."""
        if not self._with:
            self._say("the model alone, to find its best batch size and callers")
            found = ask("serving.throughput", self._version, "--seconds", str(TRIED))["best"]
            self._with = ("--batch", str(found["batch"]), "--callers", str(found["callers"]))
        self._say("the model alone")
        answer = ask("serving.throughput", self._version, "--seconds", str(self._seconds), *self._with)
        self.figures.append(float(answer["best"]["images_per_second"]))
        return self.figures[-1]

    def moved(self) -> float:
        """By which share of its least it moved from one measurement to another."""
        return max(self.figures) / min(self.figures) - 1

    def said(self) -> dict[str, Any]:
        """What a part says of it: each figure, how far it moved, and why the run is not to be quoted, if so."""
        moved = round(self.moved(), 3)
        said: dict[str, Any] = {"model_alone_per_second": self.figures, "model_alone_moved": moved}
        if moved > MOST_MOVED:
            said["void"] = f"the model alone moved by {moved:.0%} meanwhile; allowed are {MOST_MOVED:.0%}"
        return said
