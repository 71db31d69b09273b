"""Files that lie with other replicas, asked for over HTTP by threads that read, a part at a time."""

import asyncio
import concurrent.futures
import math

from multidict import CIMultiDict

from streamer.archive.storage.bucket import StorageAway
from streamer.http.forwarding.answer_body import read_answer
from streamer.http.forwarding.neighbours import Neighbours
from streamer.http.forwarding.passed import FAILED
from streamer.values.replica import Replica

BASE = "/api/cluster/files"
"""Behind it stands a file's name as it lies in an archive's folder."""
LARGEST_FILE = 1 << 30
"""Bytes of a file that is asked for whole."""
PATIENCE = 10.0
"""Seconds in which a part must have come: a MiB over 1 Mbit/s."""
SILENT = PATIENCE
"""Seconds that one who was silent is not asked; then by one of the threads, which read from all that is elsewhere."""


class NeighbourDisks:
    """An `OtherDisks`. Asked from any thread but the event loop's, which answers."""

    def __init__(self, neighbours: Neighbours, loop: asyncio.AbstractEventLoop) -> None:
        """Ask nobody yet.

        Args:
            neighbours: the other replicas.
            loop: on which they are asked.
        """
        self._neighbours, self._loop, self._clock = neighbours, loop, neighbours.clock
        self._silent: dict[str, float] = {}
        """Until when they are not asked, in monotonic seconds; written on the loop alone."""

    def answers(self, replica: str) -> bool:
        """Whether it lives, as far as we know, and answers us."""
        return self._found(replica) is not None and self._clock() >= self._silent.get(replica, -math.inf)

    def read(self, replica: str, key: str, offset: int, size: int | None) -> bytes:
        """A part of one.

        Raises:
            StorageAway: the replica does not answer, or not in time.
            FileNotFoundError: it has no such file.
        """
        asking = asyncio.run_coroutine_threadsafe(self._read(replica, key, offset, size), self._loop)
        try:
            return asking.result(2 * PATIENCE)
        except concurrent.futures.TimeoutError:
            asking.cancel()
            raise _away(replica) from None
        except concurrent.futures.CancelledError:
            raise StorageAway("the service is stopping") from None

    async def _read(self, name: str, key: str, offset: int, size: int | None) -> bytes:
        replica = self._found(name)
        if replica is None or not self.answers(name):
            raise _away(name)
        if name in self._silent:  # it is asked once, and by nobody else until that comes to something
            self._silent[name] = self._clock() + SILENT
        headers = CIMultiDict[str]()
        if size is not None or offset:
            headers["Range"] = f"bytes={offset}-{'' if size is None else offset + size - 1}"
        neighbours = self._neighbours
        try:
            async with (
                asyncio.timeout(PATIENCE),
                neighbours.ask(replica, "GET", f"{BASE}/{key}", neighbours.ourselves, headers=headers) as answer,
            ):
                self._silent.pop(name, None)
                if answer.status in (404, 416):
                    raise FileNotFoundError(f"the replica {name} has not got it any more")
                if answer.status not in (200, 206):
                    raise StorageAway(f"the replica {name}, on whose disk it lies, answers {answer.status}")
                return await read_answer(answer, LARGEST_FILE if size is None else size)
        except (FileNotFoundError, StorageAway):
            raise
        except TimeoutError:
            self._silent[name] = self._clock() + SILENT
            raise _away(name) from None
        except FAILED:
            raise _away(name) from None

    def _found(self, name: str) -> Replica | None:
        others = self._neighbours.whereabouts.others()
        return next((replica for replica in others if replica.name == name), None)


def _away(replica: str) -> StorageAway:
    return StorageAway(f"the replica {replica}, on whose disk it lies, cannot be reached now")
