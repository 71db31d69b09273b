"""Keeps one stream's video as it came: taken without waiting, written by a thread of its own."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from math import inf

from streamer.archive.recordings.ring import MOST_SECONDS, Ring
from streamer.archive.recordings.segment_file import KEPT
from streamer.archive.recordings.segment_index import SegmentIndex
from streamer.archive.recordings.segment_writer import RECENT, SegmentWriter
from streamer.archive.recordings.tally import Tally
from streamer.archive.recordings.windows import Window, Windows
from streamer.archive.recordings.writing_thread import ANSWERING, Mend, WritingThread
from streamer.values.clock import Clock
from streamer.values.coded import CodedPicture, CodedSound
from streamer.values.detections import Detections
from streamer.values.event import Event
from streamer.values.frame import Frame
from streamer.values.recording import Recording, RecordState
from streamer.values.track import TrackedBox

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds from one look at the thread to the next."""
STUCK = 10.0
"""Seconds that one write may take."""
MOST_GIVEN_UP = 3
"""Threads that may hang at a time; then no more is tried."""
AGAIN = 60.0
"""Seconds from giving one up to the next, where it has not come back."""
BEHIND = 30.0
"""Seconds for which is said that pictures were lost."""
CLOSING = 3.0
"""Seconds that writing what waits may take at the end."""


class StreamRecorder:
    """One stream's."""

    def __init__(
        self,
        stream: str,
        recording: Recording,
        index: SegmentIndex,
        *,
        clock: Clock,
        wall: Clock,
        mend: Mend,
        on_begin: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Record nothing yet.

        Args:
            stream: its name.
            recording: what of it is kept.
            index: where segments are written down, and their boxes.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            mend: of files that could not be ended.
            on_begin: told each segment's id before there is a file of it, in the thread.
        """
        self.stream, self.recording = stream, recording
        self._tally = Tally()
        self._index, self._clock, self._wall = index, clock, wall
        self._mend, self._on_begin = mend, on_begin
        self._boxes = index.boxes_of(stream)
        self._ring, self._windows = Ring(), Windows()
        self._thread: WritingThread | None = None
        self._given_up: list[WritingThread] = []
        self._given_up_at = -AGAIN
        self._unsupported: str | None = None
        """The codec that has no place in MP4; None: the one that came last has."""
        self._lost = 0
        """What the ring had lost at the last look."""
        self._lost_at = -BEHIND
        self._ended = asyncio.Event()
        self._acting = recording
        """What the thread goes by: where no more is wanted, what came before is written as it was."""
        self._take_over()

    # ---- what is known of it

    @property
    def wants(self) -> bool:
        """Whether pictures are of use to it."""
        return self.recording.mode != "off"

    @property
    def taken(self) -> int:
        """Pictures that came while there was anything to record."""
        return self._tally.taken

    @property
    def written(self) -> int:
        """Of these, in files."""
        return self._tally.written

    @property
    def written_bytes(self) -> int:
        """On disk."""
        return self._tally.bytes

    @property
    def segments(self) -> int:
        """Files begun."""
        return self._tally.segments

    @property
    def dropped(self) -> Counter[str]:
        """Pictures that were to be kept and were not, by reason."""
        return self._tally.dropped + Counter(no_room=self._ring.lost)

    @property
    def days_fit(self) -> float | None:
        """Days of it that there is room for, as its index reckons."""
        return self._index.days_fit(self.stream)

    @property
    def state(self) -> RecordState:
        """What becomes of the video now."""
        thread, now = self._thread, self._clock()
        if not self.wants:
            return RecordState("off")
        if self._unsupported is not None:
            return RecordState("unsupported", f"{self._unsupported} cannot be kept in MP4; H.264, H.265 and MJPEG can")
        if self._given_up and (thread is None or not thread.is_writing):
            return RecordState("stuck", f"the disk that recordings are on has not answered for {STUCK:.0f} s and more")
        if thread is not None and thread.failure is not None:
            return thread.failure
        if now - self._lost_at < BEHIND:
            return RecordState("behind", "the disk that recordings are on is too slow: some video was not kept")
        if thread is not None and thread.is_writing and self._ring.is_wanted:
            return RecordState("recording")
        waits_for = "an event that is to be recorded" if self.recording.mode == "events" else "video"
        return RecordState("waiting", f"waiting for {waits_for}")

    # ---- in any thread

    def put(self, picture: CodedPicture) -> None:
        """Take in one encoded picture; neither waits nor raises."""
        if not self.wants:
            return  # the source is told later than we are
        if picture.form.codec not in KEPT:
            self._unsupported = picture.form.codec
            return
        self._unsupported = None
        self._tally.taken += 1
        self._ring.put(picture)

    def put_sound(self, sound: CodedSound) -> None:
        """The same with sound, where that is asked for."""
        if self.recording.sound:
            self._ring.put(sound)

    # ---- on the event loop

    def answered(self, frame: Frame, answer: Detections, drawn: Sequence[TrackedBox] = ()) -> None:
        """Take in one answered sample, and what was drawn for it."""
        if self.wants:
            self._boxes.answered(frame.opening, frame.coded_at, (answer.width, answer.height), drawn)

    def event(self, event: Event) -> None:
        """Be told of an event as it begins, changes and ends."""
        recording, now = self.recording, self._clock()
        if not self.wants or not recording.wants(event.label, event.zones):
            return
        offset = now - self._wall()  # pictures are known by when they came, on the monotonic clock
        until = inf if event.ended_at is None else event.ended_at + recording.after + offset
        self._windows.forget(now - RECENT)
        self._windows.put(event.id, Window(event.began_at - recording.before + offset, until))

    def change(self, recording: Recording) -> None:
        """Go by these settings from the next picture on."""
        before, self.recording = self.recording, recording
        if recording == before:
            return
        self._take_over()
        if not self.wants:
            self.end()
            if self._thread is not None:
                self._thread.stop()

    def end(self) -> None:
        """Close what is being written; nothing comes until the source is run anew."""
        self._windows.end(self._clock())
        if self._thread is not None:
            self._thread.close()

    async def run(self) -> None:
        """Write what was put, until cancelled; then close what is being written."""
        try:
            while True:
                self.look()
                await asyncio.sleep(LOOK)
        finally:
            await self._stop()

    def look(self) -> None:
        """See to it that somebody writes, and that nobody hangs."""
        now = self._clock()
        if self._ring.lost != self._lost:
            self._lost, self._lost_at = self._ring.lost, now
        self._given_up = [each for each in self._given_up if each.is_alive]
        thread = self._thread
        if thread is not None and thread.busy_since is not None and now - thread.busy_since > STUCK:
            log.error("%s: %s; live video goes on", self.stream, "the disk that recordings are on does not answer")
            thread.give_up()
            self._given_up.append(thread)
            self._thread, self._given_up_at = None, now
        elif thread is not None and not thread.is_alive:
            self._thread = None
        if self._thread is None and self.wants and self._may_begin(now):
            self._begin()
        elif self._thread is None and not self.wants:
            self._ring.clear()

    def _may_begin(self, now: float) -> bool:
        if not self._given_up:
            return True
        return len(self._given_up) < MOST_GIVEN_UP and now - self._given_up_at > AGAIN

    def _begin(self) -> None:
        loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        ended = self._ended

        def on_end() -> None:
            with contextlib.suppress(RuntimeError):  # the service has ended meanwhile
                loop.call_soon_threadsafe(ended.set)

        writer = SegmentWriter(
            self.stream,
            self._index,
            self._boxes,
            clock=self._clock,
            wall=self._wall,
            tally=self._tally,
            on_begin=self._on_begin,
        )
        self._thread = WritingThread(
            self._ring,
            self._windows,
            writer,
            lambda: self._acting,
            folder=self._index.folder,
            mend=self._mend,
            clock=self._clock,
            on_end=on_end,
        )
        self._thread.start()

    def _take_over(self) -> None:
        if self.wants:
            self._acting = self.recording
        self._ring.most_seconds = max(MOST_SECONDS, self.recording.before + 2 * ANSWERING)
        self._index.keep_as(self.stream, self.recording)

    async def _stop(self) -> None:
        """Have the thread write what waits; one that hangs holds no exit."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.stop()
        try:
            async with asyncio.timeout(CLOSING):
                await self._ended.wait()
        except TimeoutError:
            log.error("%s: its recording did not end within %g s; it is mended at the next start", self.stream, CLOSING)
            thread.give_up()
