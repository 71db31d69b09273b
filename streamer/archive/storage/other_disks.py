"""Files that lie on other replicas' disks, as far as they answer. Everything here blocks."""

from dataclasses import dataclass
from typing import Protocol


class OtherDisks(Protocol):
    """Those of a cluster."""

    def read(self, replica: str, key: str, offset: int, size: int | None) -> bytes:
        """A part of a file, or all from there on.

        Args:
            replica: whose disk it is on.
            key: its name, as it lies in an archive's folder.
            offset: bytes from its beginning.
            size: bytes; None: all there are.

        Raises:
            StorageAway: the replica does not answer.
            FileNotFoundError: it is not there.
        """

    def answers(self, replica: str) -> bool:
        """Whether it can be asked now, as far as is known; does not block."""


@dataclass(frozen=True, slots=True)
class OtherDisk:
    """One of them, which is read as a bucket is."""

    disks: OtherDisks
    replica: str

    def read(self, key: str, offset: int, size: int) -> bytes:
        """A part of a file; raises as `OtherDisks.read`."""
        return self.disks.read(self.replica, key, offset, size)
