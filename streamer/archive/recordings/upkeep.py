"""What is done to recordings while nobody asks: let go of, looked for on the disk, counted. Blocks."""

from collections.abc import Mapping
from math import inf

from streamer.archive.database import Database
from streamer.archive.recordings import segment_sums
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.forecast import days_that_fit, rate
from streamer.archive.recordings.held import Held
from streamer.archive.recordings.retention import BOX_STEP, STEP, RecordingRetention
from streamer.archive.recordings.rules import DAY
from streamer.archive.recordings.strays import Strays

COUNT_INTERVAL = 600.0
"""Seconds from one count of all there is to the next."""


class Upkeep:
    """One archive's, in one thread."""

    def __init__(self, database: Database, files: RecordingFiles, held: Held, retention: RecordingRetention) -> None:
        """Have done nothing."""
        self._database, self._files, self._held, self._retention = database, files, held, retention
        self._strays: Strays | None = None
        self._counted_at = -inf
        self.days_fit: Mapping[str, float] = {}
        """That there is room for at the rate of the last day, by stream, as of the last count."""

    def step(self, now: float) -> bool:
        """Do some of it; whether there is more to do at once.

        Args:
            now: UTC, seconds since 1970.

        Raises:
            DatabaseAway: nothing can be done for now.
            OSError: the disk does not answer as it should.
        """
        if self._strays is None:
            self._strays = Strays(self._database, self._files, self._held, now)
        is_full = self._retention.step(now) == STEP
        if not is_full and not self._strays.is_done:
            self._strays.step()
        if not 0 <= now - self._counted_at < COUNT_INTERVAL:
            self._count(now)
            self._counted_at = now
        return is_full or not self._strays.is_done

    def _count(self, now: float) -> None:
        """What takes longer, and is not needed as often."""
        with self._database.reading() as cursor:
            me = self._files.replica
            sizes = segment_sums.sizes(cursor, me)
            recent = {stream: segment_sums.recent(cursor, stream, now - DAY, me) for stream in sizes}
        self._held.count(sizes)
        rates = {stream: rate(size, now if since is None else since, now) for stream, (size, since) in recent.items()}
        rules, (free, disk) = self._retention.rules, self._files.free()
        room: float = max(0, self._held.size + free - rules.least_free(disk))
        if rules.keep_local_days is not None:
            room = inf  # object storage does not say
        fit = days_that_fit({name: each for name, each in rates.items() if each is not None}, rules, room)
        self.days_fit = {stream: days for stream, days in fit.items() if days < inf}
        while self._retention.remove_old_boxes(now) == BOX_STEP:
            pass
