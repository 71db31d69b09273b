"""Keeps one stream's video as it came: taken without waiting, written by a thread of its own."""

from collections import Counter
from pathlib import Path

from streamer.archive.recordings.segment_index import SegmentIndex, StreamBoxes
from streamer.values.clock import Clock
from streamer.values.coded import CodedPicture, CodedSound
from streamer.values.detections import Detections
from streamer.values.event import Event
from streamer.values.frame import Frame
from streamer.values.recording import Recording, RecordState


class StreamRecorder:
    """One stream's."""

    def __init__(
        self,
        stream: str,
        recording: Recording,
        folder: Path,
        index: SegmentIndex,
        boxes: StreamBoxes,
        *,
        clock: Clock,
        wall: Clock,
    ) -> None:
        """Record nothing yet.

        Args:
            stream: its name.
            recording: what of it is kept.
            folder: of all recordings; the stream's is below it.
            index: where segments are written down.
            boxes: where the samples' boxes go.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
        """
        self.stream, self.recording = stream, recording
        self.taken = self.written = self.bytes = self.segments = 0
        self.dropped: Counter[str] = Counter()
        """Pictures that were to be kept and were not, by reason."""

    @property
    def wants(self) -> bool:
        """Whether pictures are of use to it."""
        return self.recording.mode != "off"

    @property
    def state(self) -> RecordState:
        """What becomes of the video now."""
        raise NotImplementedError

    def put(self, picture: CodedPicture) -> None:
        """Take in one encoded picture, from any thread; neither waits nor raises."""

    def put_sound(self, sound: CodedSound) -> None:
        """The same with sound."""

    def answered(self, frame: Frame, answer: Detections) -> None:
        """Take in one answered sample, on the event loop."""

    def event(self, event: Event) -> None:
        """Be told of an event as it begins, changes and ends, on the event loop."""

    def change(self, recording: Recording) -> None:
        """Go by these settings from the next picture on."""

    def end(self) -> None:
        """Close what is being written."""

    async def run(self) -> None:
        """Write what was put, until cancelled; then close what is being written."""
