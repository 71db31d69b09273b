"""What a stream needs of what keeps its source's video as it came, with its answers beside it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from streamer.values.coded import CodedPicture, CodedSound
from streamer.values.detections import Detections
from streamer.values.event import Event
from streamer.values.frame import Frame
from streamer.values.recording import Recording, RecordState
from streamer.values.track import TrackedBox


class Recorder(Protocol):
    """One stream's."""

    @property
    def wants(self) -> bool:
        """Whether pictures are of use to it; changed by `change` only."""

    @property
    def recording(self) -> Recording:
        """What is to be kept."""

    @property
    def state(self) -> RecordState:
        """What becomes of it."""

    @property
    def taken(self) -> int:
        """Pictures that came while there was anything to record."""

    @property
    def written(self) -> int:
        """Of these, in files."""

    @property
    def written_bytes(self) -> int:
        """On disk."""

    @property
    def segments(self) -> int:
        """Files begun."""

    @property
    def dropped(self) -> Mapping[str, int]:
        """Pictures that were to be kept and were not, by reason."""

    @property
    def days_fit(self) -> float | None:
        """Days of it that there is room for at the rate of the last day; None while that is not known."""

    def put(self, picture: CodedPicture) -> None:
        """Take in one encoded picture, in the source's thread. Neither waits nor raises."""

    def put_sound(self, sound: CodedSound) -> None:
        """The same with sound, which comes only where it is asked for."""

    def answered(self, frame: Frame, answer: Detections, drawn: Sequence[TrackedBox]) -> None:
        """Take in one answered sample, on the event loop.

        Args:
            frame: it was made of; its `opening` and `coded_at` say where it belongs.
            answer: as others are told it.
            drawn: what is drawn on that frame: half-seen things too, each as its track is called.
        """

    def event(self, event: Event) -> None:
        """Take in an event as it begins, changes and ends, on the event loop."""

    def change(self, recording: Recording) -> None:
        """Go by these settings from the next picture on, on the event loop."""

    def end(self) -> None:
        """Close what is being written, on the event loop: nothing more comes until the source is run anew."""

    async def run(self) -> None:
        """Write what has been put, until cancelled; then close what is being written."""
