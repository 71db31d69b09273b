"""The pictures of events, as files: FOLDER/STREAM/YYYY/MM/DD/ID.jpg, and ID.thumbnail.jpg beside it.

A file is written under another name and renamed, so that what is there is whole. Everything here blocks.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from streamer.archive.storage.bucket import Bucket
from streamer.archive.storage.other_disks import OtherDisks
from streamer.values.event import Event, Picture

YOUNG = 3600.0
"""Seconds in which a file's row may be on its way: to a database that is away, for one."""

_WRITTEN = ".part"


class Pictures:
    """Those of one archive."""

    def __init__(self, folder: Path, bucket: Bucket | None = None, replica: str | None = None) -> None:
        """Keep them below this folder, which is made with the first; some are in a bucket and not here any more.

        Args:
            folder: theirs.
            bucket: object storage; None: there is none.
            replica: whose disk this is; None: there is no cluster, and all of them are here.
        """
        self.folder, self._bucket, self.replica = folder, bucket, replica
        self.others: OtherDisks | None = None
        """The other replicas' disks; None: there are none that could be read."""

    def image(self, event: Event) -> Path:
        """Where its picture is, if it has one."""
        return self._day(event) / f"{event.id}.jpg"

    def thumbnail(self, event: Event) -> Path:
        """Where the small one is."""
        return self._day(event) / f"{event.id}.thumbnail.jpg"

    def key(self, path: Path) -> str:
        """A file's name in object storage: as it lies in the archive's folder."""
        return path.relative_to(self.folder.parent).as_posix()

    def keys(self, event: Event) -> tuple[str, str]:
        """Of both."""
        return self.key(self.image(event)), self.key(self.thumbnail(event))

    def read(self, path: Path, replica: str | None = None) -> bytes:
        """One of them, wherever it is.

        Args:
            path: where it is, or would be.
            replica: on whose disk it lies; None: on ours.

        Raises:
            FileNotFoundError: it is nowhere.
            OSError: it cannot be read, or not now.
        """
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            if self._bucket is not None:
                with contextlib.suppress(FileNotFoundError):
                    return self._bucket.whole(self.key(path))
            if self.others is None or replica in (None, self.replica):
                raise
            return self.others.read(replica or "", self.key(path), 0, None)

    def write(self, event: Event, picture: Picture) -> None:
        """Keep them.

        Raises:
            OSError: they cannot be; nothing half-written stays.
        """
        self._day(event).mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self.thumbnail(event), picture.thumbnail)  # first: who sees the image finds both
        _write(self.image(event), picture.image, durably=True)

    def remove(self, events: Iterable[Event]) -> None:
        """Let go of theirs, and of folders that are empty then."""
        days = set()
        for event in events:
            self.image(event).unlink(missing_ok=True)
            self.thumbnail(event).unlink(missing_ok=True)
            days.add(self._day(event))
        for day in days:
            with contextlib.suppress(OSError):  # it is not empty, or not there
                for folder in (day, *list(day.parents)[:3]):
                    folder.rmdir()

    def days(self) -> Iterator[Path]:
        """The folders there are."""
        yield from sorted(self.folder.glob("*/[0-9]*/[0-9]*/[0-9]*"))

    def ids_in(self, day: Path, now: float) -> set[str]:
        """Of the events whose pictures lie in one of them. What was never finished is removed.

        Args:
            day: the folder.
            now: UTC, seconds since 1970. What is younger than YOUNG may be just being written.
        """
        found = set()
        for file in day.iterdir():
            if file.name.endswith(_WRITTEN):
                if file.stat().st_mtime < now - YOUNG:
                    file.unlink(missing_ok=True)
            elif file.name.endswith(".jpg"):
                found.add(file.name.removesuffix(".jpg").removesuffix(".thumbnail"))
        return found

    def remove_strays(self, day: Path, ids: Iterable[str]) -> None:
        """Let go of files that belong to no event any more."""
        for id_ in ids:
            (day / f"{id_}.jpg").unlink(missing_ok=True)
            (day / f"{id_}.thumbnail.jpg").unlink(missing_ok=True)

    def _day(self, event: Event) -> Path:
        began = datetime.fromtimestamp(event.began_at, UTC)
        return self.folder / event.stream / f"{began:%Y}" / f"{began:%m}" / f"{began:%d}"


def _write(path: Path, data: bytes, *, durably: bool = False) -> None:
    part = path.with_name(path.name + _WRITTEN)
    try:
        with part.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            if durably:  # a power cut leaves it whole or not at all
                file.flush()
                os.fdatasync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
