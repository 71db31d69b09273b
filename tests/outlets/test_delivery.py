"""streamer.outlets.delivery: in order a stream, again and again, and each receiver waits for itself alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from streamer.outlets.delivery import AT_ONCE, Delivery
from streamer.outlets.sender import Gone, Undelivered, Unwelcome
from streamer.values.errors import Overloaded
from streamer.values.event import Picture
from streamer.values.notification import Notification
from tests.outlets.memory_outbox import EVENT, PICTURE, MemoryOutbox, told
from tests.peers.clock import FakeClock
from tests.peers.until import until

START = 1_800_000_000.0


class Receiver:
    """A sender whose answers a test gives."""

    def __init__(self) -> None:
        self.wants_picture = False
        self.attempts: list[Notification] = []
        self.pictures: list[Picture | None] = []
        self.has: list[Notification] = []
        self.answer: Callable[[Notification, Picture | None], Exception | None] = lambda *_: None
        self.opens: asyncio.Event | None = None
        """Who sends waits for it; None: nobody waits."""

    async def send(self, notification: Notification, picture: Picture | None) -> None:
        self.attempts.append(notification)
        self.pictures.append(picture)
        if self.opens is not None:
            await self.opens.wait()
        if (failure := self.answer(notification, picture)) is not None:
            raise failure
        self.has.append(notification)


class Bench:
    """One delivery, with all that it stands on."""

    def __init__(self) -> None:
        self.clock, self.wall = FakeClock(), FakeClock(START)
        self.outbox, self.receiver = MemoryOutbox(self.wall), Receiver()
        self.delivery = Delivery(
            "phone",
            self.receiver,
            self.outbox,
            kind="webhook",
            place="example.org",
            clock=self.clock,
            wall=self.wall,
            dice=lambda: 0.0,
        )

    def pass_by(self, seconds: float) -> None:
        """Have so much time gone by."""
        self.clock.advance(seconds)
        self.wall.advance(seconds)
        self.outbox.nudge()

    async def settle(self) -> None:
        """Let whatever can happen now happen."""
        for _ in range(30):
            await asyncio.sleep(0)

    def numbers(self) -> list[int]:
        """Of what the receiver has."""
        return [each.number for each in self.receiver.has]


@asynccontextmanager
async def running() -> AsyncIterator[Bench]:
    bench = Bench()
    task = asyncio.create_task(bench.delivery.run())
    await bench.settle()
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_is_brought_once_and_in_order() -> None:
    """What a receiver has is noted, and not told again."""
    async with running() as bench:
        bench.outbox.put(*(told(number) for number in range(1, 21)))
        await until(lambda: len(bench.receiver.has) == 20)
        await bench.settle()
        assert bench.numbers() == list(range(1, 21))
        assert set(bench.outbox.states()) == {"sent"}
        state = bench.delivery.state
        assert (state.status, state.sent, state.last_sent_at) == ("ok", 20, START)


async def test_the_next_of_a_stream_waits_for_the_one_before() -> None:
    """One that fails holds its own stream, and nobody else's."""
    async with running() as bench:
        bench.receiver.answer = lambda letter, _: Unwelcome("it answers 400") if letter.number == 1 else None
        bench.outbox.put(told(1, "yard"), told(2, "yard"), told(3, "door"), told(4, "door"))
        await until(lambda: bench.numbers() == [3, 4])
        bench.pass_by(1)
        await until(lambda: len(bench.receiver.attempts) == 4)
        assert bench.numbers() == [3, 4]
        bench.pass_by(2)
        await until(lambda: bench.numbers() == [3, 4, 2])
        assert bench.outbox.states() == ["dead: it answers 400", "sent", "sent", "sent"]


async def test_so_many_streams_are_told_of_at_a_time() -> None:
    """And no more: a receiver that is slow gets no crowd."""
    async with running() as bench:
        bench.receiver.opens = asyncio.Event()
        bench.outbox.put(*(told(number, f"s{number}") for number in range(1, 10)))
        await until(lambda: len(bench.receiver.attempts) == AT_ONCE)
        await bench.settle()
        assert len(bench.receiver.attempts) == AT_ONCE
        bench.receiver.opens.set()
        await until(lambda: len(bench.receiver.has) == 9)


async def test_the_pauses_grow_to_ten_minutes() -> None:
    """1, 2, 4 … s, and then every ten minutes; nothing happens before."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Undelivered("it answers 500")
        bench.outbox.put(told())
        for attempt, pause in enumerate((1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600), 1):
            await until(lambda attempt=attempt: len(bench.receiver.attempts) == attempt)  # type: ignore[misc]
            await bench.settle()
            bench.pass_by(pause - 0.5)
            await bench.settle()
            assert len(bench.receiver.attempts) == attempt
            bench.pass_by(0.5)
        state = bench.delivery.state
        assert (state.status, state.failing_since, state.error) == ("failing", START, "it answers 500")


async def test_while_it_fails_one_is_tried_at_a_time_and_not_always_the_same() -> None:
    """What a receiver fails at may be the notification: others get their turn."""
    async with running() as bench:
        bench.receiver.answer = lambda letter, _: Undelivered("it answers 500") if letter.number == 1 else None
        bench.outbox.put(told(1, "yard"))
        await until(lambda: bench.delivery.state.status == "failing")
        bench.outbox.put(told(2, "door"), told(3, "gate"))
        bench.pass_by(1)
        await until(lambda: bench.numbers() == [2, 3])
        assert bench.outbox.states() == ["waiting", "sent", "sent"]


async def test_after_an_outage_nobody_waits_for_his_turn() -> None:
    """The first that is taken recalls all that wait for their next attempt."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Undelivered("it answers 500")
        bench.outbox.put(told(1, "yard"), told(2, "door"))
        for _ in range(20):
            bench.pass_by(600)
            await bench.settle()
        bench.receiver.answer = lambda *_: None
        bench.outbox.rows[2].due_at = bench.wall() + 599.0
        bench.pass_by(600 - 1)
        bench.outbox.rows[1].due_at = bench.wall()
        bench.pass_by(1)
        await until(lambda: sorted(bench.numbers()) == [1, 2])


async def test_a_day_later_it_is_given_up() -> None:
    """It waits among the dead letters then, and those that were put there since get their turn."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Undelivered("it answers 500")
        bench.outbox.put(told(1))
        for _ in range(143):
            bench.pass_by(600)
            await bench.settle()
        assert bench.outbox.states() == ["waiting"]
        bench.outbox.put(told(2, at=bench.wall()))
        bench.pass_by(600)
        await until(lambda: bench.outbox.states() == ["dead: it answers 500", "waiting"])
        assert bench.delivery.state.dead == 1


async def test_who_was_switched_off_for_days_tries_what_is_old() -> None:
    """Receivers may just be starting, too: the first failure gives nothing up."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Undelivered("it cannot be reached")
        bench.outbox.put(told(1, at=START - 3 * 86_400))
        await until(lambda: len(bench.receiver.attempts) == 1)
        bench.receiver.answer = lambda *_: None
        bench.pass_by(1)
        await until(lambda: bench.outbox.states() == ["sent"])


async def test_a_receiver_that_says_when_is_left_alone_until_then() -> None:
    """Retry-After counts for all streams, an hour at the most."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Undelivered("it answers 429", 40.0)
        bench.outbox.put(told(1, "yard"))
        await until(lambda: bench.delivery.state.status == "failing")
        await bench.settle()
        bench.outbox.put(told(2, "door"))
        bench.pass_by(39)
        await bench.settle()
        assert len(bench.receiver.attempts) == 1
        bench.receiver.answer = lambda *_: Undelivered("it answers 429", 1e8)
        bench.pass_by(1)
        await until(lambda: len(bench.receiver.attempts) == 2)
        await bench.settle()
        bench.receiver.answer = lambda *_: None
        bench.pass_by(3600)
        await until(lambda: len(bench.receiver.has) == 2)


async def test_who_wants_nothing_more_is_told_nothing_until_a_test_reaches_him() -> None:
    """410 switches an outlet off: what comes waits. A person's test switches it on."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Gone("it answers 410")
        bench.outbox.put(told(1))
        await until(lambda: bench.delivery.state.status == "off")
        bench.outbox.put(told(2, "door"))
        bench.pass_by(7200)
        await bench.settle()
        assert len(bench.receiver.attempts) == 1
        with pytest.raises(Gone):
            await bench.delivery.test()
        bench.receiver.answer = lambda *_: None
        await bench.delivery.test()
        await until(lambda: bench.outbox.states() == ["sent", "sent"])
        assert bench.delivery.state.status == "ok"
        assert bench.receiver.has[0].kind == "test"


async def test_what_waits_for_who_is_off_is_given_up_after_a_day() -> None:
    """The outbox does not fill for ever."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Gone("it answers 410")
        bench.outbox.put(told(1))
        await until(lambda: bench.delivery.state.status == "off")
        bench.outbox.put(told(2, "door"), told(3, "door"))
        bench.pass_by(86_400)
        await until(lambda: all(state.startswith("dead") for state in bench.outbox.states()))
        assert len(bench.receiver.attempts) == 1


async def test_a_clock_that_is_put_back_holds_nothing_up() -> None:
    """What was to be tried again within minutes is not due next week for that."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Undelivered("it answers 500")
        bench.outbox.put(told(1))
        await until(lambda: bench.delivery.state.status == "failing")
        bench.receiver.answer = lambda *_: None
        bench.wall.now -= 7 * 86_400
        bench.clock.advance(1)
        bench.outbox.nudge()
        await until(lambda: bench.outbox.states() == ["sent"])


async def test_a_receiver_that_takes_nothing_is_failing() -> None:
    """Whatever it says of each notification, nothing reaches anybody; and none waits for another for that."""
    async with running() as bench:
        bench.receiver.answer = lambda *_: Unwelcome("it answers 400 (chat not found)")
        bench.outbox.put(told(1, "yard"), told(2, "door"))
        await until(lambda: len(bench.receiver.attempts) == 2)
        await bench.settle()
        state = bench.delivery.state
        assert (state.status, state.failing_since, state.error) == ("failing", START, "it answers 400 (chat not found)")


async def test_what_is_not_taken_with_its_picture_is_told_without() -> None:
    """At once: a receiver with a limit on bodies is told all the same."""
    async with running() as bench:
        bench.receiver.wants_picture = True
        bench.receiver.answer = lambda _, picture: None if picture is None else Unwelcome("it answers 413")
        bench.outbox.pictures[str(EVENT["id"])] = PICTURE
        bench.outbox.put(told())
        await until(lambda: bench.outbox.states() == ["sent"])
        assert bench.receiver.pictures == [PICTURE, None]


async def test_a_picture_that_is_being_drawn_is_waited_for() -> None:
    """For three seconds from the alert on, and no longer; what is old has it or has none."""
    async with running() as bench:
        bench.receiver.wants_picture = True
        bench.outbox.put(told(1))
        await bench.settle()
        assert bench.receiver.attempts == []
        bench.outbox.pictures[str(EVENT["id"])] = PICTURE
        await until(lambda: bench.receiver.pictures == [PICTURE])
        bench.outbox.pictures.clear()
        bench.outbox.put(told(2, at=START - 3))
        await bench.settle()
        assert bench.receiver.pictures == [PICTURE, None]


async def test_an_archive_that_is_away_loses_nothing() -> None:
    """What was told is noted as soon as that works, and nothing is told twice for it."""
    async with running() as bench:
        bench.receiver.opens = asyncio.Event()
        bench.outbox.put(told(1), told(2))
        await until(lambda: len(bench.receiver.attempts) == 1)
        bench.outbox.is_away = True
        bench.receiver.opens.set()
        await until(lambda: len(bench.receiver.has) == 1)
        await bench.settle()
        assert bench.outbox.states() == ["waiting", "waiting"]
        bench.outbox.is_away = False
        await until(lambda: bench.numbers() == [1, 2])


async def test_a_senders_own_fault_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, counts as an attempt that failed, and is tried again."""
    async with running() as bench:
        bench.receiver.answer = lambda letter, _: ZeroDivisionError() if letter.number == 1 else None
        bench.outbox.put(told(1, "yard"), told(2, "door"))
        await until(lambda: bench.numbers() == [2])
        assert "nobody foresaw" in bench.outbox.rows[1].letter.error
        assert "ZeroDivisionError" in caplog.text


async def test_one_test_at_a_time() -> None:
    """Who asks for another meanwhile is told so."""
    bench = Bench()
    bench.receiver.opens = asyncio.Event()
    first = asyncio.create_task(bench.delivery.test())
    await until(lambda: bench.receiver.attempts)
    with pytest.raises(Overloaded):
        await bench.delivery.test()
    bench.receiver.opens.set()
    await first


async def test_one_life_after_another() -> None:
    """What was under way when it was cancelled is told by the next life."""
    bench = Bench()
    bench.receiver.opens = asyncio.Event()
    for _ in range(2):
        task = asyncio.create_task(bench.delivery.run())
        bench.outbox.put(told(1))
        await until(lambda: bench.receiver.attempts)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert bench.receiver.has == []
    bench.receiver.opens.set()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.delivery.run())
        await until(lambda: bench.outbox.states() == ["sent"])
        task.cancel()
