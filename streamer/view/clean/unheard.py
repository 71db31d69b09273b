"""Pictures that come while nobody takes the clean video: they stay in the source's thread, and wake nobody.

The event loop would be woken for each, only to put it beside those before it.
"""

from threading import Lock
from typing import Generic, Protocol, TypeVar

from streamer.view.clean.room import Room


class Kept(Protocol):
    """A picture as it is kept."""

    @property
    def is_key(self) -> bool:
        """Decoding can begin with it."""

    @property
    def message(self) -> bytes:
        """What viewers will be sent."""


K = TypeVar("K", bound=Kept)


class Unheard(Generic[K]):
    """One stream's."""

    def __init__(self, room: Room | None = None) -> None:
        """Keep as much as there is room for; None: what each has for itself."""
        self._pictures: list[K] = []
        self._room = Room() if room is None else room
        self._is_heard = self._lacks_some = False
        self._lock = Lock()

    @property
    def is_group(self) -> bool:
        """Whether what is kept begins with a key picture, so that nothing of before is of use."""
        pictures = self._pictures
        return bool(pictures) and pictures[0].is_key

    @property
    def newest(self) -> K | None:
        """Of what is kept."""
        with self._lock:
            return self._pictures[-1] if self._pictures else None

    def put(self, picture: K) -> bool:
        """Keep a picture, of any thread; False: somebody listens, and it is his."""
        with self._lock:
            if self._is_heard:
                return False
            if picture.is_key:
                self._clear()
                self._lacks_some = False
            if self._lacks_some:
                return True
            if self._room.take(len(picture.message)):
                self._pictures.append(picture)
            else:
                self._clear()
                self._lacks_some = True  # as `Group`: the rest is of no use
            return True

    def hear(self) -> tuple[list[K], bool]:
        """Listen from now on.

        Returns:
            What came since the last key picture, or since somebody listened; and whether nothing behind it was kept,
            as it became too much.
        """
        with self._lock:
            self._is_heard = True
            pictures, lacked_some = self._pictures, self._lacks_some
            self._clear()
            self._lacks_some = False
            return pictures, lacked_some

    def rest(self) -> None:
        """Listen no more."""
        with self._lock:
            self._is_heard = False

    def _clear(self) -> None:
        self._pictures = []
        self._room.clear()
