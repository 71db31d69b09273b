"""What a stream needs of what makes events of its answers, and others ask of it."""

from collections.abc import Mapping
from typing import Protocol

from streamer.values.detections import Detections
from streamer.values.frame import Frame
from streamer.values.watching import Watching


class EventMaker(Protocol):
    """One stream's."""

    @property
    def begun(self) -> Mapping[str, int]:
        """Events, by label."""

    @property
    def ended(self) -> Mapping[str, int]:
        """The same of those that have ended."""

    @property
    def crossings(self) -> Mapping[tuple[str, str, str], int]:
        """Of lines, by (line, direction, label)."""

    @property
    def pictures_dropped(self) -> Mapping[str, int]:
        """Frames that were to be pictured and were not, by reason; each reason is there."""

    def occupancy(self) -> Mapping[tuple[str, str], int]:
        """Confirmed things by (zone, label)."""

    def present(self) -> Mapping[str, int]:
        """Confirmed things by label, wherever they are."""

    def change(self, watching: Watching) -> None:
        """Go by these settings from the next sample on."""

    def answered(self, frame: Frame, answer: Detections, min_score: float) -> None:
        """Take in one answered sample, what was half seen too."""

    def end(self) -> None:
        """End what goes on."""

    async def run(self) -> None:
        """Do what takes time, until cancelled."""
