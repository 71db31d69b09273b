"""What brings an archive's closed files to object storage, and lets go there of what is let go here.

What is to be done stands in the database alone, so that neither an object storage that is away for days nor `kill -9`
loses any of it: what was under way is done once more, under the same name. Files leave this machine only after that.
"""

import asyncio
import logging
from itertools import takewhile
from pathlib import Path

from streamer.archive import event_table, upload_table
from streamer.archive.database import Database, DatabaseAway
from streamer.archive.kept import Kept
from streamer.archive.pictures import Pictures
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.segment import Segment
from streamer.archive.storage import doomed_table
from streamer.archive.storage.bucket import Bucket, StorageAway
from streamer.archive.upload_table import Backlog
from streamer.values.clock import Clock
from streamer.values.errands import Errands

log = logging.getLogger(__name__)

PAGE = 20
"""Rows that are looked at together."""
INTERVAL = 5.0
"""Seconds from one look for something to do to the next."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds to the next try where the object storage is away; each is twice the one before."""
DAY = 86_400.0


class Uploads:
    """One archive's. One file at a time, in a thread of its own."""

    def __init__(
        self,
        bucket: Bucket,
        database: Database,
        pictures: Pictures,
        recordings: RecordingFiles,
        keep_local_days: float,
        *,
        wall: Clock,
    ) -> None:
        """Upload nothing yet.

        Args:
            bucket: to this.
            database: says what is there.
            pictures: of events.
            recordings: files of segments.
            keep_local_days: that pictures stay here as well. Segments' are RecordingRules'.
            wall: UTC, seconds since 1970.
        """
        self._bucket, self._database, self._pictures, self._files = bucket, database, pictures, recordings
        self._keep_local_days, self._wall = keep_local_days, wall
        self._replica = pictures.replica
        self._errands = Errands(1, "uploads")
        self._after_segment = self._after_event = self._after_doomed = ""
        self.failing: str | None = None
        """Why nothing can be uploaded, as a clause; None while it can, or there was nothing yet."""
        self.failures = 0
        """Tries that failed."""
        self._done = 0
        """What the object storage has taken and let go of."""
        self.uploaded = {"segment": 0, "pictures": 0}
        self.uploaded_bytes = 0
        self.removed = 0
        """Objects."""
        self.backlog = Backlog()
        """As of the last look."""

    async def run(self) -> None:
        """Do what there is to do, until cancelled."""
        pause = FIRST_PAUSE
        while True:
            before = self._done
            try:
                more = await self._errands.run(self.step)
            except (DatabaseAway, OSError) as error:
                log.debug("nothing can be uploaded now: %s", error)
                more = False
            if self.failing is not None:
                pause = FIRST_PAUSE if self._done > before else min(2 * pause, LONGEST_PAUSE)
                await asyncio.sleep(pause)
            elif not more:
                await asyncio.sleep(INTERVAL)

    def step(self) -> bool:
        """Do a page of each kind, as far as the object storage lets us; whether something was done. Blocks.

        What it does not take keeps nothing else: the next step begins behind it, and it comes again in its turn.

        Raises:
            DatabaseAway: it waits.
            OSError: a file cannot be read or removed.
        """
        before, why = self._done, None
        for do in (self._remove, self._upload_pictures, self._upload_segments):
            try:
                do()
            except StorageAway as error:
                why = str(error)
        more = self._let_go_pictures() or self._done > before
        if why is not None:
            self._failed(why)
        elif self.failing is not None and self._done > before:
            log.info("the object storage takes files again")
            self.failing = None
        with self._database.reading() as cursor:
            self.backlog = upload_table.backlog(cursor, self._replica)
        return more

    # ---- each kind

    def _remove(self) -> None:
        with self._database.reading() as cursor:
            keys = doomed_table.some(cursor, PAGE, self._after_doomed) or doomed_table.some(cursor, PAGE)
        for key in keys:
            self._after_doomed = key
            self._bucket.remove(key)
            with self._database.writing() as cursor:
                doomed_table.remove(cursor, [key])
            self.removed += 1
            self._done += 1

    def _upload_pictures(self) -> None:
        me = self._replica
        with self._database.reading() as cursor:
            some = upload_table.events(cursor, self._after_event, PAGE, me) or upload_table.events(cursor, "", PAGE, me)
        for kept in some:
            self._after_event = kept.event.id
            paths = (self._pictures.thumbnail(kept.event), self._pictures.image(kept.event))
            sent = list(takewhile(lambda path: self._upload(self._pictures.key(path), path), paths))
            if sent:
                self._mark_pictures(kept, is_whole=len(sent) == len(paths))

    def _mark_pictures(self, kept: Kept, *, is_whole: bool) -> None:
        with self._database.writing() as cursor:
            if not event_table.those_of(cursor, [kept.event.id]):  # it was removed meanwhile
                doomed_table.add(cursor, self._pictures.keys(kept.event))
            elif is_whole:
                upload_table.mark_pictures(cursor, kept.event.id, kept.changed)
                self.uploaded["pictures"] += 1

    def _upload_segments(self) -> None:
        me = self._replica
        with self._database.reading() as cursor:
            some = upload_table.segments(cursor, self._after_segment, PAGE, me)
            some = some or upload_table.segments(cursor, "", PAGE, me)
        for segment in some:
            self._after_segment = segment.id
            if self._upload(self._files.key(segment), self._files.path(segment)):
                self._mark(segment)

    def _mark(self, segment: Segment) -> None:
        with self._database.writing() as cursor:
            if upload_table.mark_segment(cursor, segment.id):
                self.uploaded["segment"] += 1
            else:  # it was let go meanwhile
                doomed_table.add(cursor, [self._files.key(segment)])

    def _let_go_pictures(self) -> bool:
        """Of those that have been here for long enough; files before rows."""
        with self._database.reading() as cursor:
            some = upload_table.copied_events(cursor, self._wall() - self._keep_local_days * DAY, PAGE, self._replica)
        if some:
            self._pictures.remove(kept.event for kept in some)
            with self._database.writing() as cursor:
                upload_table.mark_pictures_gone(cursor, [kept.event.id for kept in some])
        return bool(some)

    # ---- one file

    def _upload(self, key: str, path: Path) -> bool:
        """Whether it is there now; one that is gone here is somebody else's to find."""
        try:
            size = path.stat().st_size
            self._bucket.upload(key, path)
        except FileNotFoundError:
            log.debug("%s is not there to be uploaded", path.name)
            return False
        self.uploaded_bytes += size
        self._done += 1
        return True

    def _failed(self, why: str) -> None:
        self.failures += 1
        if self.failing is None:
            log.error("nothing can be uploaded: %s; files wait on this machine, and it is tried again", why)
        self.failing = why
