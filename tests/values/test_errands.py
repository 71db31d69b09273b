"""streamer.values.errands: what blocks holds up nobody but who asked for it."""

import asyncio
import subprocess
import sys
import threading

import pytest

from streamer.values.errands import Errands
from tests.peers.until import until


def threads(name: str) -> int:
    """Threads of that name that live."""
    return sum(thread.name == name for thread in threading.enumerate())


async def test_what_comes_of_an_errand_is_told_to_who_asked() -> None:
    """A value is returned, a failure is raised, and no thread stays behind or was there before."""
    errands = Errands(2, "told")
    assert threads("told") == 0
    assert await errands.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await errands.run(lambda: 1 // 0)
    await until(lambda: threads("told") == 0)


async def test_no_more_are_on_their_way_than_may_be() -> None:
    """Of many errands so many are done at a time; each has its turn, but for those nobody waits for any more."""
    errands, answered = Errands(2, "few"), threading.Event()
    begun: list[int] = []
    done: list[int] = []

    def wait(number: int) -> None:
        begun.append(number)
        answered.wait()
        done.append(number)

    asking = [asyncio.create_task(errands.run(lambda number=number: wait(number))) for number in range(6)]  # type: ignore[misc]
    await until(lambda: len(begun) == 2)
    assert threads("few") == 2
    asking[1].cancel()  # it is on its way already
    asking[4].cancel()
    await asyncio.gather(asking[1], asking[4], return_exceptions=True)
    assert threads("few") == 2
    answered.set()
    await asyncio.gather(*asking, return_exceptions=True)
    await until(lambda: threads("few") == 0)
    assert sorted(done) == [0, 1, 2, 3, 5]


async def test_a_thread_that_could_not_be_had_is_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no thread to give, who asked is told; the next errand is done, and that one never."""
    errands, done = Errands(1, "none"), list[int]()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            await errands.run(lambda: done.append(1))
    async with asyncio.timeout(30):
        await errands.run(lambda: done.append(2))
    assert done == [2]


def test_an_errand_that_never_ends_does_not_keep_the_process() -> None:
    """A process whose errand is stuck, as with a silent name server, ends when its main program does."""
    program = (
        "import asyncio, threading\n"
        "from streamer.values.errands import Errands\n"
        "async def main():\n"
        "    stuck = asyncio.create_task(Errands(1, 'stuck').run(threading.Event().wait))\n"
        "    await asyncio.sleep(0)\n"
        "    assert threading.active_count() == 2\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


async def test_whoever_ends_may_wait_for_what_is_under_way() -> None:
    """Until no thread is at anything, or for so long; what was called off meanwhile is not begun."""
    errands, begun, go_on, done = Errands(1, "test"), threading.Event(), threading.Event(), list[int]()

    def wait() -> None:
        begun.set()
        go_on.wait()

    running = asyncio.create_task(errands.run(wait))
    waiting = asyncio.create_task(errands.run(lambda: done.append(1)))
    await until(begun.is_set)  # what has not begun is called off, too
    for task in (running, waiting):
        task.cancel()
    await asyncio.wait([running, waiting])
    assert not await errands.settle(0.02)
    go_on.set()
    assert await errands.settle(30)
    assert not done
