"""How much of each stream's video is held. A running total: a sum over a month of segments takes a while."""

import threading
from collections.abc import Mapping


class Held:
    """One archive's; from any thread."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._sizes: dict[str, int] | None = None

    @property
    def is_known(self) -> bool:
        """Whether it was counted once."""
        return self._sizes is not None

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes, by stream."""
        with self._lock:
            return dict(self._sizes or {})

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(self.sizes.values())

    def count(self, sizes: Mapping[str, int]) -> None:
        """These are all there are, as the database says."""
        with self._lock:
            self._sizes = dict(sizes)

    def add(self, stream: str, size: int) -> None:
        """So many bytes more, or less; of no account before they were counted once."""
        with self._lock:
            if self._sizes is not None:
                self._sizes[stream] = max(0, self._sizes.get(stream, 0) + size)
