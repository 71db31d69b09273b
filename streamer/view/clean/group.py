"""The pictures since the last key picture, so that whoever comes late sees something at once. Pure."""

from collections.abc import Sequence

from streamer.view.clean.room import Room


class Group:
    """One stream's group of pictures, as messages."""

    def __init__(self, room: Room | None = None) -> None:
        """Keep as much as there is room for; None: what each has for itself."""
        self._room = Room() if room is None else room
        self._pictures: list[bytes] = []
        self.given_up = 0
        """Groups that became too long to be kept."""

    def __len__(self) -> int:
        return len(self._pictures)

    @property
    def held_bytes(self) -> int:
        """Kept now."""
        return self._room.bytes

    @property
    def pictures(self) -> Sequence[bytes]:
        """In the order they came in; the first is a key picture. Empty while there is none, or there are too many."""
        return self._pictures

    def put(self, message: bytes, *, is_key: bool) -> None:
        """Keep the newest picture; a key picture begins anew."""
        if is_key:
            self.clear()
        elif not self._pictures:
            return
        if self._room.take(len(message)):
            self._pictures.append(message)
        else:
            self.given_up += 1
            self.clear()

    def clear(self) -> None:
        """Forget them: what comes next does not go on from them."""
        self._pictures = []
        self._room.clear()
