"""All streams' recorders, and what there was before them: what a killed service left is made whole behind the start."""

import asyncio
import logging

from streamer.archive.database import DatabaseAway
from streamer.archive.recordings.mending import mend
from streamer.archive.recordings.recorder import StreamRecorder
from streamer.archive.recordings.recovery import Recovery
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_index import SegmentIndex
from streamer.values.clock import Clock
from streamer.values.errands import Errands
from streamer.values.recording import Recording

log = logging.getLogger(__name__)

AGAIN = 10.0
"""Seconds from one try to read the index to the next, where it cannot be read."""


class Recorders:
    """One service's."""

    def __init__(self, index: SegmentIndex, *, clock: Clock, wall: Clock) -> None:
        """Have none yet.

        Args:
            index: of segments.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
        """
        self._index, self._clock, self._wall = index, clock, wall
        self._errands = Errands(1, "recovery")
        self._begun: set[str] | None = set()
        """Ids of segments of this service, for as long as others' are looked for; None: not any more."""

    def of(self, stream: str, recording: Recording) -> StreamRecorder:
        """A new one."""
        return StreamRecorder(
            stream,
            recording,
            self._index,
            clock=self._clock,
            wall=self._wall,
            mend=self._mend,
            on_begin=self._know,
        )

    async def run(self) -> None:
        """Make whole what was left, then wait to be cancelled."""
        while self._begun is not None:
            begun = self._begun
            try:
                await self._errands.run(Recovery(self._index, begun.__contains__).run)
            except (DatabaseAway, OSError) as error:
                log.debug("recordings that were left cannot be looked for now: %s", error)
                await asyncio.sleep(AGAIN)
            else:
                self._begun = None
        await asyncio.Event().wait()

    def _know(self, id_: str) -> None:
        """In a recorder's thread."""
        if (begun := self._begun) is not None:
            begun.add(id_)

    def _mend(self, segment: Segment) -> None:
        """In a recorder's thread: of one that could not be ended."""
        try:
            whole = mend(self._index.path(segment), segment)
        except (ValueError, FileNotFoundError) as error:
            log.warning("a recording is left as it is, %s: %s", segment.id, error)
            return
        if whole is not None:
            self._index.put(whole)
