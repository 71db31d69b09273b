"""The keys that say how a stream is sampled and drawn, for those that are pulled and those that are published."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from streamer.config.section import Name, Section
from streamer.values.sampling import Sampling
from streamer.values.tiles import Tiles


def _spelt(value: object) -> object:
    return "off" if value is False else value  # YAML 1.1 reads a bare `off` as that


class SamplingSettings(Section):
    """How often frames go to which model, and what is drawn of its answers."""

    sample_fps: Annotated[float, Field(gt=0, le=120)] = 5.0
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """None: what the model's contract says."""
    model: Name | None = None
    """None: the model of `serving`."""
    show_ids: bool = False
    """Whether the video says which thing is which: `defect #7 0.91`."""
    tiles: Annotated[Tiles, BeforeValidator(_spelt)] = "off"
    """Whether frames go to the model in parts too, for what is small in them: each part costs as much as a frame."""

    priority: Annotated[float, Field(ge=0.1, le=100)] = 1.0
    """Its weight where the model cannot serve all as often as they wish: twice as often for twice as much."""

    @property
    def sampling(self) -> Sampling:
        """All of it, as it is handed on."""
        return Sampling(self.sample_fps, self.min_score, self.model, self.show_ids, self.tiles, self.priority)
