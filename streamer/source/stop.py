"""How a thread that waits for a camera is told to end."""

import threading
from collections.abc import Callable

Wake = Callable[[], None]


class Stop:
    """Set once, from any thread; what waits meanwhile is woken by the functions it left here."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._wakes: list[Wake] = []

    def __bool__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """End it. May be called twice."""
        with self._lock:
            self._event.set()
            for wake in self._wakes:
                wake()

    def attach(self, wake: Wake) -> None:
        """Call this when it is set, at once where it is already. It must not wait."""
        with self._lock:
            self._wakes.append(wake)
            if self._event.is_set():
                wake()

    def detach(self, wake: Wake) -> None:
        """Forget it. May be called twice."""
        with self._lock:
            if wake in self._wakes:
                self._wakes.remove(wake)

    def wait(self, seconds: float) -> bool:
        """Sleep, and say whether the sleep ended because it was set."""
        return self._event.wait(max(0.0, seconds))
