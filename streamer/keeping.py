"""What is kept, as the configuration has it: the archive, and what makes events of each stream for it.

Nothing of it is imported where the configuration names no archive.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.config import Config
from streamer.config.archive import ArchiveSettings
from streamer.config.storage import StorageSettings
from streamer.values.alert import Telling
from streamer.values.clock import Clock
from streamer.values.epoch import Epoch
from streamer.values.errands import Errands
from streamer.values.errors import ConfigError
from streamer.values.event import Event, Picture
from streamer.values.mishaps import Mishaps
from streamer.values.recording import Recording
from streamer.values.watching import Watching

if TYPE_CHECKING:
    from streamer.archive.alerts.stored_outbox import StoredOutbox
    from streamer.archive.archive import Archive
    from streamer.archive.database import Database
    from streamer.archive.kept import Kept
    from streamer.archive.recordings.recorders import Recorders
    from streamer.archive.recordings.renders import Renders
    from streamer.archive.recordings.rules import RecordingRules
    from streamer.archive.retention import RetentionRules
    from streamer.archive.storage.bucket import Bucket
    from streamer.archive.terminal.at_rest import AtRest
    from streamer.http.announcements import Announcements
    from streamer.stream.events import StreamEvents
    from streamer.stream.recorder import Recorder

log = logging.getLogger(__name__)

DRAWING = 1
"""Threads that draw pictures of events, of all streams together."""
DATABASE = "sightline.db"
"""The file, where no server is named."""
PATIENCE = 0.5
"""Seconds that the start waits for a database server; one that is silent is waited for behind its back."""


class Keeping:
    """One service's."""

    def __init__(
        self,
        config: Config,
        path: Path | None,
        *,
        clock: Clock,
        wall: Clock = time.time,
        replica: str | None = None,
    ) -> None:
        """Join it; nothing is opened yet.

        Args:
            config: in force.
            path: the file it stands in, beside which the archive is; None: where we run.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            replica: ours, of several that share the archive's database; None: there is no cluster.
        """
        self._clock, self._wall = clock, wall
        self._drawing = Errands(DRAWING, "pictures")
        self._patience: float | None = None
        self.archive: Archive | None = None
        self._recorders: Recorders | None = None
        self.on_kept: list[Callable[[Sequence[Kept]], None]] = []
        """Told on the event loop of events that were kept here, once they are, and of each change."""
        self.kept: tuple[Archive, Announcements, Renders] | None = None
        """The archive, who is told of what it keeps, and what draws boxes into recordings."""
        if config.archive is not None:
            folder = (path.parent if path is not None else Path()) / config.archive.path
            self._patience = None if config.archive.database is None else PATIENCE
            announcements = _announcements()

            def tell(some: "Sequence[Kept]") -> None:
                announcements.tell(some)
                archive = self.archive
                if ours := [kept for kept in some if archive is not None and archive.is_to_tell(kept)]:
                    for each in self.on_kept:
                        each(ours)

            self.archive = _archive(config.archive, folder, clock, wall, tell, replica)
            self.kept = self.archive, announcements, _renders(self.archive, folder / "renders", wall)
            self._recorders = _recorders(self.archive, clock, wall)

    @property
    def outbox(self) -> "StoredOutbox | None":
        """What outlets are to be told; None: nothing is kept, and nobody told."""
        return None if self.archive is None else self.archive.outbox

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens to what is kept."""
        return self.kept is not None and len(self.kept[1]) > 0

    def look_now(self) -> None:
        """Another replica has kept something: have listeners told of it at once."""
        if self.archive is not None and self.archive.following is not None:
            self.archive.following.look_now()

    def gained(self, stream: str, epoch: Epoch) -> None:
        """A shared stream is ours to run from now on: what its former owner left open is ended. Never waits."""
        if self.archive is not None and self.archive.following is not None:
            from streamer.archive.claims import Claimed

            self.archive.following.gained(stream, Claimed(epoch, self._wall()))

    def unclaimed(self, stream: str) -> None:
        """It is published to us, and no claim to it could be made: what happens in it is kept. Never waits."""
        if self.archive is not None and self.archive.following is not None:
            self.archive.following.unclaimed(stream)

    def lost(self, stream: str) -> None:
        """It is another's, or nobody's: none of its events are ours to end. Never waits."""
        if self.archive is not None and self.archive.following is not None:
            self.archive.following.lost(stream)

    def know(self, streams: Mapping[str, Recording | None]) -> None:
        """Go by these settings in how long recordings of shared streams are kept, whoever runs them now.

        Args:
            streams: all of them; None: what one says of it cannot be read here. Until then no recording goes.
        """
        if self.archive is not None:
            self.archive.recordings.know(streams)

    def tells(self, outlet: str) -> bool:
        """Whether an outlet is told from here: of several replicas one does it."""
        leases = None if self.archive is None else self.archive.leases
        return leases is None or leases.has(outlet)

    def on_outlets(self, tell: Callable[[], None]) -> None:
        """Have it told that others are told from here than before."""
        if self.archive is not None and self.archive.leases is not None:
            self.archive.leases.on_change.append(tell)

    def tell(self, telling: Telling, outlets: Sequence[str]) -> None:
        """Judge what is kept by these rules from now on.

        Args:
            telling: what the configuration says is told to whom.
            outlets: names of all there are.
        """
        if self.archive is not None:
            self.archive.alerts.change(telling, outlets)

    async def open(self) -> None:
        """Open the database. A file is waited for, a server only so long; then it is opened while all else runs.

        Raises:
            ConfigError: it cannot be used by this Sightline, or its folder cannot be made.
        """
        if self.archive is None:
            return
        from streamer.archive.database import DatabaseAway

        try:
            async with asyncio.timeout(self._patience):
                await self.archive.open()
        except TimeoutError:
            log.warning("the archive's database has not answered yet; live video goes on, and events wait for it")
        except DatabaseAway:
            pass  # it is said, and tried again

    def kept_of(
        self, stream: str, watching: Watching, recording: Recording
    ) -> "tuple[StreamEvents | None, Recorder | None]":
        """What makes events of a stream's detections, and what records its video; neither where nothing is kept."""
        if self.archive is None or self._recorders is None:
            return None, None
        recorder = self._recorders.of(stream, recording)
        return self._events_of(stream, watching, self.archive, recorder), recorder

    def _events_of(
        self, stream: str, watching: Watching, archive: "Archive", recorder: "Recorder | None"
    ) -> "StreamEvents":
        from streamer.stream.events import StreamEvents

        def tell(event: Event, picture: Picture | None) -> None:
            archive.put(event, picture)
            if recorder is not None:
                recorder.event(event)

        mishaps = Mishaps(f"{stream}: pictures of events cannot be drawn", clock=self._clock)
        return StreamEvents(
            watching,
            clock=self._clock,
            wall=self._wall,
            errands=self._drawing,
            mishaps=mishaps,
            on_event=tell,
            dwells=lambda: archive.alerts.dwells(stream),
        )

    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs for as long as the service lives, by name."""
        if self.archive is None or self._recorders is None:
            return {}
        recordings = self.archive.recordings
        return {
            "archive": self.archive.write,
            "retention": self.archive.run,
            "recordings": recordings.write,
            "recordings-retention": recordings.tidy,
            "recovery": self._recorders.run,
            **({} if self.archive.uploads is None else {"uploads": self.archive.upload}),
            **({} if self.archive.following is None else {"archive-follow": self.archive.follow}),
        }

    async def close(self) -> None:
        """Write what waits."""
        if self.archive is not None:
            await self.archive.close()


def at_rest(config: Config, path: Path, replica: str | None = None) -> "AtRest":
    """The archive of a configuration, for who only looks, beside a service that may run.

    Args:
        config: in the file.
        path: its.
        replica: whose folder it is, of several that share the database; None: there is no cluster.

    Raises:
        ConfigError: there is none, or it is of another version.
        DatabaseAway: it cannot be read.
    """
    settings = config.archive
    if settings is None:
        raise ConfigError(f"{path} has no section archive: nothing is kept")
    folder = path.parent / settings.path
    from streamer.archive.migrations import require_current
    from streamer.archive.terminal.at_rest import AtRest

    database = _database(settings, folder)
    if settings.database is None and not (folder / DATABASE).exists():
        raise ConfigError(f"there is no archive in {folder}; a service with this configuration makes one")
    require_current(database)
    of_streams = {name: stream.record.value() for name, stream in config.streams.items()}
    recording_rules = replace(_recording_rules(settings), of_streams=of_streams)
    bucket = None if settings.storage is None else _bucket(settings.storage)
    return AtRest(database, folder, _rules(settings), recording_rules, bucket, replica)


def _announcements() -> "Announcements":
    from streamer.http.announcements import Announcements

    return Announcements()


def _renders(archive: "Archive", folder: Path, wall: Clock) -> "Renders":
    from streamer.archive.recordings.renders import Renders
    from streamer.view.annotator import annotate

    recordings = archive.recordings
    return Renders(
        folder,
        lambda part: recordings.source(part.segment),
        lambda frame, boxes, reformatter: annotate(frame, boxes, reformatter=reformatter),
        wall,
    )


def _recorders(archive: "Archive", clock: Clock, wall: Clock) -> "Recorders":
    from streamer.archive.recordings.recorders import Recorders

    return Recorders(archive.recordings, clock=clock, wall=wall)


def _archive(
    settings: ArchiveSettings,
    folder: Path,
    clock: Clock,
    wall: Clock,
    on_kept: "Callable[[Sequence[Kept]], None]",
    replica: str | None,
) -> "Archive":
    from streamer.archive.archive import Archive

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"archive.path: {folder} cannot be made: {error.strerror}") from None
    has_another = settings.database is not None and (folder / DATABASE).exists()
    if has_another:
        log.warning("archive.path: %s holds a %s too; pictures that are in neither stay", folder, DATABASE)
    return Archive(
        _database(settings, folder),
        folder / "pictures",
        _rules(settings),
        clock=clock,
        wall=wall,
        on_kept=on_kept,
        recording_rules=replace(_recording_rules(settings), are_known=replica is None),
        bucket=None if settings.storage is None else _bucket(settings.storage),
        replica=replica,
        leaves_strays=has_another,
    )


def _rules(settings: ArchiveSettings) -> "RetentionRules":
    from streamer.archive.retention import RetentionRules

    return RetentionRules(settings.days, dict(settings.days_of), settings.max_bytes, settings.max_bytes_of)


def _bucket(settings: StorageSettings) -> "Bucket":
    from streamer.archive.storage.bucket import Bucket, Place

    bucket, prefix = settings.place
    place = Place(
        bucket,
        prefix,
        settings.endpoint,
        settings.region,
        settings.access_key,
        settings.secret_key,
        settings.is_path_style,
    )
    try:
        return Bucket(place)
    except ImportError:
        raise ConfigError(
            "archive.storage: object storage needs a package that is not installed: pip install 'sightline[s3]'"
        ) from None


def _recording_rules(settings: ArchiveSettings) -> "RecordingRules":
    from streamer.archive.recordings.rules import RecordingRules

    recordings = settings.recordings
    return RecordingRules(
        recordings.keep_days,
        recordings.keep_event_days,
        recordings.keep_boxes_days,
        recordings.keep_bytes,
        recordings.min_free_bytes,
        keep_local_days=None if settings.storage is None else settings.storage.keep_local_days,
    )


def _database(settings: ArchiveSettings, folder: Path) -> "Database":
    if settings.database is None:
        from streamer.archive.sqlite import Sqlite

        return Sqlite(folder / DATABASE)
    try:
        from streamer.archive.postgresql import Postgresql
    except ImportError:
        raise ConfigError(
            "archive.database: PostgreSQL needs a package that is not installed: pip install 'sightline[postgres]'"
        ) from None
    return Postgresql(settings.database)
