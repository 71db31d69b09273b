"""Things that block for longer than anybody should wait, done in threads that hold up nothing: not even the exit.

asyncio's own threads, and those of concurrent.futures, are joined when the process ends; one that waits for a name
server that is silent would hold that up for as long as the system's resolver is patient.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

SETTLING = 0.01
"""Seconds from one look at whether threads have ended to the next."""


class Errands:
    """A few threads at a time; none before there is something to do, none after."""

    def __init__(self, at_once: int, name: str) -> None:
        """Have nothing to do yet.

        Args:
            at_once: threads that may be on their way at a time; who comes then waits for his turn.
            name: the threads', for who looks at the process.
        """
        self._at_once, self._name = at_once, name
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._threads = 0
        self._lock = threading.Lock()

    async def run(self, errand: Callable[[], T]) -> T:
        """Have it done in a thread, and wait for what comes of it.

        Whoever is cancelled waits no longer; an errand whose turn has not come by then is not done at all.

        Raises:
            Exception: whatever the errand raises.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._threads < self._at_once:
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
                self._threads += 1  # behind it: a system that has no more of them raises
            still = [waiting for waiting in self._waiting if not waiting[0].cancelled()]
            self._waiting = deque([*still, (future, errand)])
        return await asyncio.wrap_future(future)

    async def settle(self, seconds: float) -> bool:
        """Wait until no thread is at anything, for so long at the most; whether none is.

        A command does so before its end: the interpreter ends such threads where they come back to it, and those who
        come out of C++ take the whole process with them (std::terminate).
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._threads:  # noqa: ASYNC110  they know no event loop
                    await asyncio.sleep(SETTLING)
        return not self._threads

    def _work(self) -> None:
        while (next_one := self._next()) is not None:
            future, errand = next_one
            try:
                outcome = errand()
            except BaseException as error:  # noqa: BLE001  it is told to whoever waits
                future.set_exception(error)
            else:
                future.set_result(outcome)

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._lock:
            while self._waiting:
                future, errand = self._waiting.popleft()
                if future.set_running_or_notify_cancel():
                    return future, errand
            self._threads -= 1
            return None
