"""An archive as it lies there, without the service that fills it. A value."""

from dataclasses import dataclass
from pathlib import Path

from streamer.archive.database import Database
from streamer.archive.pictures import Pictures
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.retention import RetentionRules
from streamer.archive.storage.bucket import Bucket


@dataclass(frozen=True, slots=True)
class AtRest:
    """One archive."""

    database: Database
    folder: Path
    """Of the pictures and the recordings."""
    rules: RetentionRules
    """How long events stay."""
    recording_rules: RecordingRules
    """How long recordings stay."""
    bucket: Bucket | None = None
    """Object storage that some of it is in."""
    replica: str | None = None
    """Whose folder that is, of a cluster that shares the database; None: there is none."""

    @property
    def pictures(self) -> Pictures:
        """Of events."""
        return Pictures(self.folder / "pictures", self.bucket, self.replica)

    @property
    def files(self) -> RecordingFiles:
        """Of recordings."""
        return RecordingFiles(self.folder / "recordings", self.replica)
