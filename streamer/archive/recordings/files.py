"""Where recordings lie: FOLDER/STREAM/YYYY/MM/DD/ID.mp4, by the UTC day a segment begins in. Everything here blocks."""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from streamer.archive.recordings.segment import Segment
from streamer.archive.storage.bucket import Bucket
from streamer.archive.storage.object_file import ObjectFile
from streamer.archive.storage.other_disks import OtherDisk, OtherDisks


class RecordingFiles:
    """Those of one archive."""

    def __init__(self, folder: Path, replica: str | None = None) -> None:
        """Keep them below this folder, which is made with the first.

        Args:
            folder: theirs.
            replica: whose disk this is; None: there is no cluster, and all that are on a disk are on this one.
        """
        self.folder, self.replica = folder, replica
        self.others: OtherDisks | None = None
        """The other replicas' disks; None: there are none that could be read."""

    def are_of(self, segment: Segment) -> bool:
        """Whether its file lies here, if it is on a disk at all."""
        return self.replica is None or segment.replica == self.replica

    def lie_here(self, segment: Segment) -> bool:
        """Whether it is ours to remove: by its row's word, or, where that names nobody, as its file is here.

        Raises:
            OSError: that cannot be told.
        """
        return self.are_of(segment) or (segment.replica is None and self.is_there(segment))

    def path(self, segment: Segment) -> Path:
        """Where its file is, if it is on this machine."""
        return self.day(segment.stream, segment.began_at) / f"{segment.id}.mp4"

    def day(self, stream: str, at: float) -> Path:
        """The folder of what begins then: UTC, seconds since 1970."""
        began = datetime.fromtimestamp(at, UTC)
        return self.folder / stream / f"{began:%Y}" / f"{began:%m}" / f"{began:%d}"

    def days(self) -> Iterator[Path]:
        """The folders there are, each a stream's and a day's."""
        yield from sorted(self.folder.glob("*/[0-9]*/[0-9]*/[0-9]*"))

    def key(self, segment: Segment) -> str:
        """Its file's name in object storage: as it lies in the archive's folder."""
        return self.path(segment).relative_to(self.folder.parent).as_posix()

    def source(self, segment: Segment, bucket: Bucket | None) -> Path | ObjectFile:
        """What it is read from: a file here, in object storage, or with another replica. Looks only here.

        A copy's file goes before its row says so, and the row may have been read a while ago.
        """
        path, elsewhere = self.path(segment), self.elsewhere(segment, bucket)
        return path if elsewhere is None or (segment.is_local and path.exists()) else elsewhere

    def elsewhere(self, segment: Segment, bucket: Bucket | None) -> ObjectFile | None:
        """Its file where it is not here, object storage first; None: it is here or nowhere."""
        if bucket is not None and segment.is_remote:
            return ObjectFile(bucket, self.key(segment), segment.size)
        if self.others is None or self.are_of(segment) or segment.replica is None:
            return None
        return ObjectFile(OtherDisk(self.others, segment.replica), self.key(segment), segment.size)

    def is_unreachable(self, segment: Segment) -> bool:
        """Whether it lies with a replica alone that is away, as far as is known; does not block."""
        if self.are_of(segment) or segment.is_remote:
            return False
        return self.others is None or segment.replica is None or not self.others.answers(segment.replica)

    def remove(self, segment: Segment) -> None:
        """Let go of its file, and of folders that are empty then.

        Raises:
            OSError: it cannot be.
        """
        self.path(segment).unlink(missing_ok=True)
        folder = self.day(segment.stream, segment.began_at)
        with contextlib.suppress(OSError):  # it is not empty, or not there
            for each in (folder, *list(folder.parents)[:3]):
                each.rmdir()

    def is_there(self, segment: Segment) -> bool:
        """Whether its file is on this machine.

        Raises:
            OSError: that cannot be told.
        """
        try:
            return self.path(segment).stat().st_size > 0
        except (FileNotFoundError, NotADirectoryError):
            return False

    def free(self) -> tuple[int, int]:
        """(bytes that can still be written, bytes of the whole disk) where they lie, or will.

        Raises:
            OSError: that cannot be told.
        """
        folder = next(each for each in (self.folder, *self.folder.parents) if each.exists())
        disk = os.statvfs(folder)
        return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
