"""What a stream's settings say of its samples, and of what is drawn. A value, handed on whole by the configuration."""

from dataclasses import dataclass

from streamer.values.tiles import Tiles


@dataclass(frozen=True, slots=True)
class Sampling:
    """How often frames go to which model, and what of its answer counts and is shown."""

    fps: float
    """Samples a second."""
    min_score: float | None = None
    """Detections below it are of no interest, 0..1. None: what the model's contract says."""
    model: str | None = None
    """As the model server knows it. None: the service's own."""
    show_ids: bool = False
    """Whether what is drawn says which thing is which."""
    tiles: Tiles = "off"
    """How frames are cut, for what is small in them."""
    priority: float = 1.0
    """Its weight where the model cannot serve all streams as often as they wish: twice as often for twice as much."""
