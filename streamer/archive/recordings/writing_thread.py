"""The thread in which one stream's pictures are written. A disk that hangs holds it, and nothing else."""

import errno
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from streamer.archive.recordings.ring import Ring
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_writer import SegmentWriter
from streamer.archive.recordings.windows import ALWAYS, Window, Windows
from streamer.values.clock import Clock
from streamer.values.coded import CodedSound
from streamer.values.recording import Recording, RecordState

log = logging.getLogger(__name__)

PAUSE = 0.5
"""Seconds in which pictures are gathered: a thread that wakes for each costs more than what it does."""
RETRY = 5.0
"""Seconds from a failure to the next attempt, in which pictures wait."""
LOOK = 10.0
"""Seconds from one look at the room there is on the disk to the next."""
LEAST_FREE = 256 << 20
"""Bytes that are left to others, the database for one; of a small disk a fortieth."""
ANSWERING = 5.0
"""Seconds by which an event may be known after its beginning: what came before stays in memory for that long."""

Mend = Callable[[Segment], None]
"""Makes of a file that was left as it was one that plays, and has the index know. Blocks; raises OSError."""


class WritingThread:
    """One life of it."""

    def __init__(
        self,
        ring: Ring,
        windows: Windows,
        writer: SegmentWriter,
        recording: Callable[[], Recording],
        *,
        folder: Path,
        mend: Mend,
        clock: Clock,
        on_end: Callable[[], None],
    ) -> None:
        """Write nothing yet.

        Args:
            ring: where pictures wait.
            windows: around events.
            writer: this thread's alone.
            recording: what is kept, as it is set now.
            folder: whose disk it is about.
            mend: of files that could not be ended.
            clock: monotonic seconds.
            on_end: told in the thread that it is over.
        """
        self._ring, self._windows, self._writer, self._recording = ring, windows, writer, recording
        self._folder, self._mend, self._clock, self._on_end = folder, mend, clock, on_end
        self._woken = threading.Event()
        self._ending = self._closing = False
        self.is_given_up = False
        """Whether nobody waits for it any more; it takes no more pictures then."""
        self.busy_since: float | None = None
        """When it began what it is at; None: it waits for pictures."""
        self.failure: RecordState | None = None
        """Why nothing can be written; None while it can."""
        self._retry_at = self._looked_at = -LOOK
        self._thread = threading.Thread(target=self._work, name=f"record-{writer.stream}", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether it has begun and not ended."""
        return self._thread.is_alive()

    @property
    def is_writing(self) -> bool:
        """Whether a segment goes on."""
        return self._writer.is_writing

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Have it end its segment once everything that came is written."""
        self._closing = True
        self._woken.set()

    def stop(self) -> None:
        """Have it do that and end."""
        self._ending = True
        self.close()

    def give_up(self) -> None:
        """Take it for lost: should it come back, it ends its file and itself."""
        self.is_given_up = True
        self.stop()

    def once(self) -> None:
        """Write what there is; says why it could not in `failure`."""
        now = self._clock()
        closing, self._closing = self._closing, False
        if now < self._retry_at and not self._ending:
            return
        self.busy_since = now
        try:
            while self._writer.torn:
                self._mend(self._writer.torn[0])
                del self._writer.torn[0]
            self._look(now)
            self._write(now)
            if closing or self._is_over(now):
                self._writer.close()
        except Exception as error:  # noqa: BLE001  whatever it is, the next attempt is another
            self._failed(error)
        else:
            self._worked()
        finally:
            self.busy_since = None

    def _work(self) -> None:
        try:
            while not self._ending:
                self._woken.wait(PAUSE)
                self._woken.clear()
                self.once()
            self._closing = True
            self.once()
        finally:
            self._on_end()

    def _write(self, now: float) -> None:
        recording = self._recording()
        while not self.is_given_up:
            window = self._window(recording, now)
            self._ring.is_wanted = window is not None
            if window is None:
                self._ring.trim(now - recording.before - ANSWERING)
                break
            self._ring.trim(window.since)
            coded = self._ring.first(window.until)
            if coded is None:
                break
            if not self._ring.mend():
                self._writer.close()
            if isinstance(coded, CodedSound):
                self._writer.put_sound(coded)
            else:
                self._writer.put(coded, has_event=window is not ALWAYS)
            self._ring.take(coded)
            self.busy_since = self._clock()
        if self._ring.is_broken:
            self._writer.close()
        self._writer.mark(self._windows.touch)

    def _window(self, recording: Recording, now: float) -> Window | None:
        """The time that is to be written; None: nothing, for now."""
        if recording.mode == "continuous":
            return ALWAYS
        if recording.mode == "off":
            return None
        oldest = self._ring.first()
        return self._windows.first(now if oldest is None else oldest.received_at)

    def _is_over(self, now: float) -> bool:
        """Whether nothing has come for so long that what is written goes on no more."""
        last = self._writer.last_at
        return last is not None and now - last > self._writer.patience + self._recording().before + ANSWERING

    def _look(self, now: float) -> None:
        """See to it that there is room.

        Raises:
            OSError: there is none.
        """
        if now - self._looked_at < LOOK and self.failure is None:
            return
        self._looked_at = now
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < min(LEAST_FREE, disk.f_blocks * disk.f_frsize // 40):
            self._writer.close()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _failed(self, error: Exception) -> None:
        self._retry_at = self._clock() + RETRY
        if not isinstance(error, OSError):
            log.error("%s: recording failed in a way nobody foresaw", self._writer.stream, exc_info=error)
            state = RecordState("failing", "writing recordings failed in a way nobody foresaw; the log says more")
        elif error.errno in (errno.ENOSPC, errno.EDQUOT):
            state = RecordState("full", "the disk that recordings are on is full; they go on once there is room")
        else:
            state = RecordState("failing", f"recordings cannot be written: {error.strerror or error}")
        if self.failure is None or self.failure.word != state.word:
            log.error("%s: %s; live video goes on", self._writer.stream, state.reason)
        self.failure = state

    def _worked(self) -> None:
        if self.failure is not None:
            log.info("%s: recordings are written again", self._writer.stream)
        self.failure = None
