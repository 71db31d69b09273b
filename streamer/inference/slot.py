"""A slot: one turn at which a stream is due, and what it is told of it. Who makes it goes on giving it newer frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from serving.signature import Contract
from streamer.values.detections import Detections
from streamer.values.frame import Frame, Sample
from streamer.values.tiles import Tiles

DropReason = Literal[
    "superseded", "capacity", "late", "withdrawn", "failed", "expired", "predict_failed", "model_ended"
]
"""Why there are no detections. superseded: its stream was due again at once, as a camera that sends in bursts is.
capacity: it was due again before its turn came. late: the answer would come too late, or the frame had waited too long.
withdrawn: its stream does not want it any more. failed: no sample could be made. expired: a picture waited too long."""

Make = Callable[[Frame, Contract, bool], Sample | None]
"""Makes the sample of a frame, in a thread: as this contract wants it, and whether there is room for tiles.
None: it could not, which its stream has said."""
SlotAnswer = Callable[[Sample | None, Detections | DropReason], None]
"""Told once of every slot, on the event loop: its sample, where one was made; and detections, or why there are none."""


@dataclass(slots=True, eq=False)
class Slot:
    """One stream's, open until it is answered."""

    stream: str
    frame: Frame
    """That is asked about: its stream puts a newer one in its place as long as it may."""
    opened_at: float
    """Monotonic time at which its stream came to be due."""
    make: Make
    follow: Callable[[Frame], None]
    """What else is done with the frame by the time of its answer: in a thread, while the model looks."""
    answer: SlotAnswer
    chosen: Callable[[Frame], None]
    """Told of the frame when it is taken, on the event loop."""
    period: float = 0.2
    """Seconds to its stream's next."""
    weight: float = 1.0
    """How often its stream is served where not all can be: twice as often for twice as much."""
    tiles: Tiles = "off"
    """How its stream wishes its frames to be cut."""
    pictures: int = 1
    """That the model will look at for it."""
    is_settled: bool = False
    """Whether its frame is the one that is asked about, and no newer one may take its place."""

    def age(self, now: float) -> float:
        """Seconds since its frame's arrival."""
        return now - self.frame.received_at
