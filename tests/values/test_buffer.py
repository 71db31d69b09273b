"""streamer.values.buffer: bounded, newest wins, drops counted."""

import asyncio
import threading

import pytest

from streamer.values.buffer import Buffer, Mailbox
from streamer.values.mishaps import Mishaps
from tests.peers.clock import FakeClock

NOBODYS = Mishaps("nobody's items cannot be delivered")


async def test_items_come_out_in_order() -> None:
    """What is put comes out, oldest first."""
    buffer: Buffer[int] = Buffer(3)
    for number in (1, 2, 3):
        buffer.put(number)
    assert [await buffer.take() for _ in range(3)] == [1, 2, 3]
    assert (len(buffer), buffer.dropped) == (0, 0)


async def test_full_buffer_drops_its_oldest_and_counts() -> None:
    """A thousand items put into three places leave the newest three and 997 drops."""
    buffer: Buffer[int] = Buffer(3)
    for number in range(1000):
        buffer.put(number)
        assert len(buffer) <= 3
    assert [await buffer.take() for _ in range(3)] == [997, 998, 999]
    assert buffer.dropped == 997


async def test_taking_waits_for_an_item() -> None:
    """Taking from an empty buffer waits until something is put, each time again."""
    buffer: Buffer[str] = Buffer(2)
    for word in ("first", "second"):
        taking = asyncio.create_task(buffer.take())
        for _ in range(3):
            await asyncio.sleep(0)
        assert not taking.done()
        buffer.put(word)
        assert await taking == word


async def test_clear_counts_what_it_drops() -> None:
    """Clearing drops everything that waits and counts it; the next taker waits."""
    buffer: Buffer[int] = Buffer(8)
    for number in range(5):
        buffer.put(number)
    buffer.clear()
    assert (len(buffer), buffer.dropped) == (0, 5)
    taking = asyncio.create_task(buffer.take())
    await asyncio.sleep(0)
    assert not taking.done()
    buffer.put(9)
    assert await taking == 9


async def test_mailbox_delivers_on_the_loop_in_order() -> None:
    """Items put by another thread are delivered in order, in the event loop's thread."""
    delivered: list[int] = []
    threads: set[int] = set()
    all_there = asyncio.Event()

    def deliver(number: int) -> None:
        delivered.append(number)
        threads.add(threading.get_ident())
        if len(delivered) == 100:
            all_there.set()

    mailbox: Mailbox[int] = Mailbox(asyncio.get_running_loop(), deliver, size=100, mishaps=NOBODYS)
    await asyncio.to_thread(lambda: [mailbox.put(number) for number in range(100)])
    await all_there.wait()
    assert delivered == list(range(100))
    assert threads == {threading.get_ident()}


async def test_mailbox_of_a_busy_loop_drops_the_oldest_and_says_which() -> None:
    """While the loop is busy only `size` items wait; putting one more returns the oldest."""
    delivered: list[int] = []
    mailbox: Mailbox[int] = Mailbox(asyncio.get_running_loop(), delivered.append, size=3, mishaps=NOBODYS)
    lost: list[int | None] = []
    thread = threading.Thread(target=lambda: lost.extend(mailbox.put(number) for number in range(10)))
    thread.start()
    thread.join()  # keeps the loop busy until everything is put
    assert lost == [None, None, None, *range(7)]
    assert delivered == []
    await asyncio.sleep(0)
    assert delivered == [7, 8, 9]


async def test_mailbox_loses_nothing_uncounted_between_threads() -> None:
    """With four threads putting at once, every item is either delivered or returned as lost, once."""
    delivered: list[tuple[int, int]] = []
    lost: list[tuple[int, int]] = []
    mailbox: Mailbox[tuple[int, int]] = Mailbox(asyncio.get_running_loop(), delivered.append, size=5, mishaps=NOBODYS)

    def put_all(thread: int) -> None:
        for number in range(500):
            dropped = mailbox.put((thread, number))
            if dropped is not None:
                lost.append(dropped)

    await asyncio.gather(*(asyncio.to_thread(put_all, thread) for thread in range(4)))
    await asyncio.sleep(0)
    assert sorted(delivered + lost) == [(thread, number) for thread in range(4) for number in range(500)]
    for thread in range(4):
        numbers = [number for putter, number in delivered if putter == thread]
        assert numbers == sorted(numbers)


async def test_mailbox_says_once_whose_items_cannot_be_delivered(caplog: pytest.LogCaptureFixture) -> None:
    """Each item that raises is counted, and those behind it are delivered; the log has one word with the name."""
    delivered: list[int] = []

    def deliver(number: int) -> None:
        delivered.append(1 // (number % 2))

    mishaps = Mishaps("porch: frames cannot be taken in", clock=FakeClock())
    mailbox: Mailbox[int] = Mailbox(asyncio.get_running_loop(), deliver, size=60, mishaps=mishaps)
    for number in range(60):
        mailbox.put(number)
    await asyncio.sleep(0)
    assert (len(delivered), mishaps.count) == (30, 30)
    assert [record.getMessage() for record in caplog.records] == ["porch: frames cannot be taken in"]


@pytest.mark.parametrize("count", [1, 50])
def test_mailbox_of_a_closed_loop_is_silent(count: int) -> None:
    """Putting after the loop was closed raises nothing and delivers nothing."""
    loop = asyncio.new_event_loop()
    delivered: list[int] = []
    mailbox: Mailbox[int] = Mailbox(loop, delivered.append, size=4, mishaps=NOBODYS)
    loop.close()
    for number in range(count):
        mailbox.put(number)
    assert delivered == []
