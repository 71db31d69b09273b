"""Events on their way to the database: bounded, the newest state of each in the place of those before. Pure.

An hour's outage costs a place for each event, and not for each change of it.
"""

from dataclasses import dataclass

from streamer.values.epoch import Epoch
from streamer.values.event import Event, Picture

MAX_WAITING = 10_000
"""Events; then those that changed longest ago are lost, and counted."""
MAX_PICTURE_BYTES = 64 << 20
"""Of pictures that wait; then the oldest are lost, and counted, and their events are not."""


@dataclass(slots=True)
class Entry:
    """One event that is to be kept."""

    event: Event
    picture: Picture | None = None
    is_written: bool = False
    """Whether the picture is on disk already."""
    epoch: Epoch | None = None
    """Of the claim by which the stream was ours when it was put first; None: there is no cluster, or no claim."""

    @property
    def picture_bytes(self) -> int:
        """In memory."""
        return 0 if self.picture is None else len(self.picture)


class Waiting:
    """All of them."""

    def __init__(self, most: int = MAX_WAITING, most_picture_bytes: int = MAX_PICTURE_BYTES) -> None:
        """Have none."""
        self._entries: dict[str, Entry] = {}
        self._most, self._most_picture_bytes = most, most_picture_bytes
        self.picture_bytes = 0
        self.lost = 0
        """Events there was no room for."""
        self.pictures_lost = 0
        """Pictures there was no room for, those of lost events among them."""

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry) -> None:
        """Hold it, as the newest."""
        former = self._entries.pop(entry.event.id, None)
        if former is not None:
            self.picture_bytes -= former.picture_bytes
            entry.epoch = former.epoch
            if entry.picture is None:
                entry.picture, entry.is_written = former.picture, former.is_written
        self._entries[entry.event.id] = entry
        self.picture_bytes += entry.picture_bytes
        while len(self._entries) > self._most:
            gone = self._entries.pop(next(iter(self._entries)))
            self.picture_bytes -= gone.picture_bytes
            self.lost += 1
            self.pictures_lost += gone.picture is not None
        self._drop_pictures()

    def take(self, count: int) -> list[Entry]:
        """The oldest; they wait no longer."""
        taken = [self._entries.pop(id_) for id_ in list(self._entries)[:count]]
        self.picture_bytes -= sum(entry.picture_bytes for entry in taken)
        return taken

    def put_back(self, taken: list[Entry]) -> None:
        """Hold them again, before what came meanwhile, which is newer."""
        newer, self._entries, self.picture_bytes = self._entries, {}, 0
        for entry in (*taken, *newer.values()):
            self.put(entry)

    def _drop_pictures(self) -> None:
        if self.picture_bytes <= self._most_picture_bytes:
            return
        for entry in self._entries.values():
            if entry.picture is not None:
                self.picture_bytes -= entry.picture_bytes
                entry.picture = None
                self.pictures_lost += 1
            if self.picture_bytes <= self._most_picture_bytes:
                return
