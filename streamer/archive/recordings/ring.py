"""Encoded pictures and sound that came and are not on disk yet: bounded, and what must go goes up to a keyframe."""

import threading
from collections import deque
from math import inf

from streamer.values.coded import CodedPicture, CodedSound

Coded = CodedPicture | CodedSound

MOST_BYTES = 32 << 20
"""Of one stream's pictures in memory."""
MOST_SECONDS = 20.0
"""That they may wait for a disk."""


class Ring:
    """One stream's. From any thread; nothing of it waits."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS) -> None:
        """Hold nothing.

        Args:
            most_bytes: of pictures that are held.
            most_seconds: from the arrival of the oldest to that of the newest, where more than one keyframe is held.
        """
        self.most_seconds = most_seconds
        self.is_wanted = False
        """Whether all that is held is to be written, and so is lost where there is no room for it."""
        self.lost = 0
        """Pictures that were wanted and that there was no room for."""
        self.bytes = 0
        self._most_bytes = most_bytes
        self._held: deque[Coded] = deque()
        self._keys: deque[float] = deque()
        """Arrivals of keyframes that are held."""
        self._broken = False
        """Whether anything was let go since pictures were taken: what is held does not follow them."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def is_broken(self) -> bool:
        """Whether what is held, or comes next, does not follow what was taken."""
        return self._broken

    def put(self, coded: Coded) -> None:
        """Hold one more."""
        with self._lock:
            if self._broken and not self._held and not _is_key(coded):
                # Nothing can be made of it without what was let go.
                self.lost += self.is_wanted and isinstance(coded, CodedPicture)
                return
            self._held.append(coded)
            self.bytes += len(coded.data)
            if _is_key(coded):
                self._keys.append(coded.received_at)
            while self._held and (self.bytes > self._most_bytes or self._spans_too_much()):
                self.lost += self._let_go() * self.is_wanted

    def trim(self, since: float) -> None:
        """Let go of what decoding from that arrival on does not need."""
        with self._lock:
            while (key := self._next_key()) is not None and key <= since:
                self._let_go()

    def first(self, until: float = inf) -> Coded | None:
        """The oldest, where it came by then; it is held on."""
        with self._lock:
            return self._held[0] if self._held and self._held[0].received_at <= until else None

    def take(self, coded: Coded) -> None:
        """Hold the oldest no longer, for it is written; nothing where it had to go meanwhile."""
        with self._lock:
            if self._held and self._held[0] is coded:
                self._pop()

    def mend(self) -> bool:
        """Whether what is held follows what was taken; from now on it counts as if it did."""
        with self._lock:
            follows, self._broken = not self._broken, self._broken and not self._held
            return follows

    def clear(self) -> None:
        """Hold nothing."""
        with self._lock:
            while self._held:
                self._pop()
            self._broken = True

    def _spans_too_much(self) -> bool:
        span = self._held[-1].received_at - self._held[0].received_at
        return span > self.most_seconds and self._next_key() is not None

    def _next_key(self) -> float | None:
        """When the keyframe came before which all may go, without what is held beginning in the middle."""
        behind = 1 if self._held and _is_key(self._held[0]) else 0
        return self._keys[behind] if len(self._keys) > behind else None

    def _let_go(self) -> int:
        """Of what comes before the next keyframe; how many pictures that was."""
        gone, count = 0, 0
        while self._held and (not gone or not _is_key(self._held[0])):
            count += isinstance(self._pop(), CodedPicture)
            gone += 1
        self._broken = True
        return count

    def _pop(self) -> Coded:
        coded = self._held.popleft()
        self.bytes -= len(coded.data)
        if _is_key(coded):
            self._keys.popleft()
        return coded


def _is_key(coded: Coded) -> bool:
    return isinstance(coded, CodedPicture) and coded.is_key
