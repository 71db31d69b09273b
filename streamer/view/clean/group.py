"""The pictures since the last key picture, so that whoever comes late sees something at once. Pure."""

from collections.abc import Sequence

MOST_BYTES = 8 << 20
"""Of pictures that are kept: ten seconds of 6 Mbit/s."""
MOST_PICTURES = 600


class Group:
    """One stream's group of pictures, as messages."""

    def __init__(self, *, most_bytes: int = MOST_BYTES, most_pictures: int = MOST_PICTURES) -> None:
        self._most_bytes, self._most_pictures = most_bytes, most_pictures
        self._pictures: list[bytes] = []
        self.held_bytes = 0
        """Kept now."""
        self.given_up = 0
        """Groups that became too long to be kept."""

    def __len__(self) -> int:
        return len(self._pictures)

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
        if len(self._pictures) >= self._most_pictures or self.held_bytes + len(message) > self._most_bytes:
            self.given_up += 1
            self.clear()
            return
        self._pictures.append(message)
        self.held_bytes += len(message)

    def clear(self) -> None:
        """Forget them: what comes next does not go on from them."""
        self._pictures = []
        self.held_bytes = 0
