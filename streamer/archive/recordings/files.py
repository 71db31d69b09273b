"""Where recordings lie: FOLDER/STREAM/YYYY/MM/DD/ID.mp4, by the UTC day a segment begins in. Everything here blocks."""

from datetime import UTC, datetime
from pathlib import Path

from streamer.archive.recordings.segment import Segment


class RecordingFiles:
    """Those of one archive."""

    def __init__(self, folder: Path) -> None:
        """Keep them below this folder, which is made with the first."""
        self.folder = folder

    def path(self, segment: Segment) -> Path:
        """Where its file is, if it is on this machine."""
        return self.day(segment.stream, segment.began_at) / f"{segment.id}.mp4"

    def day(self, stream: str, at: float) -> Path:
        """The folder of what begins then: UTC, seconds since 1970."""
        began = datetime.fromtimestamp(at, UTC)
        return self.folder / stream / f"{began:%Y}" / f"{began:%m}" / f"{began:%d}"

    def remove(self, segment: Segment) -> None:
        """Let go of its file, and of folders that are empty then.

        Raises:
            OSError: it cannot be.
        """
        raise NotImplementedError
