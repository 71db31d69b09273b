"""streamer.inference.dispatcher: calls leave as a discipline says, and everybody is told once."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from serving.signature import Contract
from streamer.inference.batcher import Batcher
from streamer.inference.discipline import Discipline
from streamer.inference.dispatcher import Dispatcher
from streamer.inference.pictures import MOST_PICTURES, PATIENCE
from streamer.inference.scheduler import Scheduler
from streamer.inference.tiled import Predict
from streamer.values.detections import Detections
from streamer.values.errors import Overloaded, PredictError
from streamer.values.frame import Frame, Sample
from tests.peers.clock import FakeClock
from tests.peers.frames import make_detections, make_frame, make_sample
from tests.peers.slots import CONTRACT, Answers, make_slot
from tests.peers.until import until

MakeDiscipline = Callable[..., Discipline]


def refuse(*_: object) -> None:
    """Who cannot take its answer in."""
    raise ZeroDivisionError


class Puppet:
    """A model moved by hand: each call waits until the test lets it end."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[Sample], float, asyncio.Future[None]]] = []
        self.under_way = 0
        self.most = 0

    async def __call__(self, samples: list[Sample], deadline: float) -> list[Detections]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.calls.append((samples, deadline, done))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await done
        finally:
            self.under_way -= 1
        return [make_detections(sample.frame.pts, stream=sample.frame.stream) for sample in samples]

    async def asked(self, count: int) -> None:
        """Wait until so many calls were made."""
        await until(lambda: len(self.calls) >= count)

    def end(self, number: int) -> None:
        """Let a call be answered."""
        self.calls[number][2].set_result(None)

    def sizes(self) -> list[int]:
        """Of the calls."""
        return [len(samples) for samples, _, _ in self.calls]


def dispatcher_of(predict: Predict, clock: FakeClock, discipline: Discipline) -> Dispatcher:
    """One that does not run yet."""
    return Dispatcher("model m", discipline, predict, lambda: CONTRACT, clock=clock)


@asynccontextmanager
async def dispatching(
    predict: Predict,
    clock: FakeClock,
    *,
    max_batch_size: int = 4,
    in_flight: int = 2,
    deadline: float = 1.0,
    discipline: MakeDiscipline = Scheduler,
) -> AsyncIterator[Dispatcher]:
    """A dispatcher that runs for as long as the block lasts."""
    made = discipline(max_batch_size=max_batch_size, in_flight=in_flight, deadline=deadline)
    dispatcher = dispatcher_of(predict, clock, made)
    running = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0)
    try:
        yield dispatcher
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


BOTH = pytest.mark.parametrize("discipline", [Scheduler, Batcher])


@BOTH
async def test_a_lone_slot_is_asked_about_at_once(discipline: MakeDiscipline) -> None:
    """No window is waited for: a frame leaves as soon as the model can take it, and its answer comes back."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), discipline=discipline) as dispatcher:
        dispatcher.offer(make_slot("a", answers=answers))
        await puppet.asked(1)
        puppet.end(0)
        await until(lambda: answers.words() == [("a", 0, "detections")])


@BOTH
async def test_the_next_batch_fills_while_calls_are_under_way(discipline: MakeDiscipline) -> None:
    """At most `in_flight` calls are under way; what comes meanwhile leaves as one batch."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), max_batch_size=8, discipline=discipline) as dispatcher:
        for number, stream in enumerate("abcdefgh"):
            dispatcher.offer(make_slot(stream, answers=answers))
            await puppet.asked(min(number + 1, 2))
        assert puppet.sizes() == [1, 1]
        puppet.end(0)
        await puppet.asked(3)
        assert puppet.sizes() == [1, 1, 6]
        assert puppet.most == 2
        puppet.end(1)
        puppet.end(2)
        await until(lambda: sorted(answers.words()) == [(stream, 0, "detections") for stream in "abcdefgh"])


async def test_a_call_has_the_newest_frame_there_is() -> None:
    """The frame that is asked about is the newest when it is taken, which the sample says; none after that."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    async with dispatching(puppet, clock, in_flight=1) as dispatcher:
        dispatcher.offer(make_slot("a", answers=answers))
        await puppet.asked(1)
        waits = make_slot("b", 1, answers=answers)
        dispatcher.offer(waits)
        waits.frame = make_frame(0.4, clock.advance(0.1), stream="b", index=2)
        puppet.end(0)
        await puppet.asked(2)
        (sample,) = puppet.calls[1][0]
        assert (sample.frame.index, sample.chosen_at, waits.is_settled) == (2, clock.now, True)
        puppet.end(1)


async def test_frames_are_followed_before_their_answer_is_told() -> None:
    """What is to be known of a frame beside its detections is known by then, and what fails in that harms no answer."""
    puppet, answers, followed = Puppet(), Answers(), list[int]()

    def follow(frame: Frame) -> None:
        followed.append(frame.index)
        raise ZeroDivisionError

    async with dispatching(puppet, FakeClock()) as dispatcher:
        slot = make_slot("a", 7)
        slot.follow = follow
        slot.answer = lambda *_: answers.told.append(("a", followed[0], "expired"))
        dispatcher.offer(slot)
        await puppet.asked(1)
        puppet.end(0)
        await until(lambda: answers.words() == [("a", 7, "expired")])


async def test_answers_reach_the_slot_they_belong_to() -> None:
    """Each slot of a batch gets the detections of its own row, also where another's sample could not be made."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), in_flight=1, max_batch_size=8) as dispatcher:
        for index, stream in enumerate("abcdefg"):
            slot = make_slot(stream, index, answers=answers)
            if stream == "c":
                slot.make = lambda *_: None
            elif stream == "e":
                slot.make = refuse
            dispatcher.offer(slot)
        await puppet.asked(1)
        puppet.end(0)
        await until(lambda: len(answers.told) == 7)
    for stream, index, answer in answers.told:
        if stream in "ce":
            assert answer == "failed"
        else:
            assert isinstance(answer, Detections)
            assert (answer.stream, answer.pts) == (stream, index / 5)


async def test_a_call_without_a_sample_is_none(caplog: pytest.LogCaptureFixture) -> None:
    """Where no sample can be made nothing is asked, and the next frame is as ever; so before the model was met."""
    puppet, answers, contract = Puppet(), Answers(), list[Contract]()
    discipline = Scheduler(max_batch_size=4, in_flight=1, deadline=1.0)
    dispatcher = Dispatcher("model m", discipline, puppet, lambda: contract[0] if contract else None, clock=FakeClock())
    running = asyncio.create_task(dispatcher.run())
    dispatcher.offer(make_slot("a", 0, answers=answers))
    await until(lambda: answers.words() == [("a", 0, "failed")])
    contract.append(CONTRACT)
    broken = make_slot("a", 1, answers=answers)
    broken.make = refuse
    dispatcher.offer(broken)
    await until(lambda: answers.words()[1:] == [("a", 1, "failed")])
    dispatcher.offer(make_slot("a", 2, answers=answers))
    await puppet.asked(1)
    puppet.end(0)
    await until(lambda: answers.words()[2:] == [("a", 2, "detections")])
    running.cancel()
    await asyncio.wait({running})
    assert [record.getMessage() for record in caplog.records] == ["model m: samples cannot be made"]


async def test_a_failed_call_answers_everybody_and_the_next_goes_on() -> None:
    """When Predict fails, each slot of the batch is told "predict_failed", once, and later ones are asked about."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), in_flight=1) as dispatcher:
        for stream in "abc":
            dispatcher.offer(make_slot(stream, answers=answers))
        await puppet.asked(1)
        puppet.calls[0][2].set_exception(PredictError("UNAVAILABLE", "the model server cannot be reached"))
        await until(lambda: answers.words() == [(stream, 0, "predict_failed") for stream in "abc"])
        dispatcher.offer(make_slot("a", 1, answers=answers))
        await puppet.asked(2)
        puppet.end(1)
        await until(lambda: answers.words()[3:] == [("a", 1, "detections")])


async def test_a_call_that_breaks_answers_everybody_too(caplog: pytest.LogCaptureFixture) -> None:
    """A failure nobody foresaw is logged, and no slot is left without an answer."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), in_flight=1) as dispatcher:
        dispatcher.offer(make_slot("a", answers=answers))
        await puppet.asked(1)
        puppet.calls[0][2].set_exception(ZeroDivisionError("broken"))
        await until(lambda: answers.words() == [("a", 0, "predict_failed")])
    assert "ZeroDivisionError" in caplog.text


async def test_a_receiver_that_raises_keeps_no_answer_from_others(caplog: pytest.LogCaptureFixture) -> None:
    """Each slot is told once whatever another's receiver raises: answered, superseded, withdrawn, or at the end."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    async with dispatching(puppet, clock, in_flight=1, deadline=0.5) as dispatcher:
        for stream in "abc":
            slot = make_slot(stream, answers=answers)
            slot.answer = slot.answer if stream == "b" else refuse
            dispatcher.offer(slot)
        await puppet.asked(1)
        waits = [make_slot("a", 1), make_slot("a", 2), make_slot("b", 3, answers=answers), make_slot("c", 4)]
        for slot in waits:
            slot.answer = slot.answer if slot.stream == "b" else refuse
            dispatcher.offer(slot)
        dispatcher.withdraw(waits[-1])
        dispatcher.withdraw(waits[0])
    assert dispatcher._untold.count == 3
    puppet.end(0)
    await until(lambda: dispatcher._untold.count == 5)
    assert answers.words() == [("b", 3, "model_ended"), ("b", 0, "detections")]
    assert len(caplog.records) == 1  # in one second
    assert "It was the answer of stream a." in caplog.text


async def test_a_stream_that_leaves_is_told_so_once() -> None:
    """A slot that is withdrawn before its turn is over; one that a call has is answered by that."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), in_flight=1) as dispatcher:
        first, second = make_slot("a", 0, answers=answers), make_slot("b", 1, answers=answers)
        dispatcher.offer(first)
        await puppet.asked(1)
        dispatcher.offer(second)
        for slot in (first, second, second):
            dispatcher.withdraw(slot)
        assert answers.words() == [("b", 1, "withdrawn")]
        puppet.end(0)
        await until(lambda: answers.words()[1:] == [("a", 0, "detections")])
        assert len(puppet.calls) == 1


async def test_a_model_that_answers_fewer_than_it_was_asked_about_answers_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Answers that are not one a sample are nobody's, and nobody is left without a word."""
    answers = Answers()

    async def one_answer(samples: list[Sample], _: float) -> list[Detections]:
        return [make_detections(samples[0].frame.pts)]

    async with dispatching(one_answer, FakeClock(), in_flight=1) as dispatcher:
        for stream in "ab":
            dispatcher.offer(make_slot(stream, answers=answers))
        await until(lambda: answers.words() == [("a", 0, "predict_failed"), ("b", 0, "predict_failed")])
    assert "model m: batches cannot be asked about" in caplog.text


async def test_a_dispatcher_may_be_run_again() -> None:
    """After its end it asks again as soon as it runs again; calls of its last life count among those in flight."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    dispatcher = dispatcher_of(puppet, clock, Scheduler(max_batch_size=4, in_flight=1, deadline=1.0))
    for index in range(3):
        running = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0)
        dispatcher.offer(make_slot("a", index, clock.now, answers=answers))
        await puppet.asked(1)
        if index == 2:
            puppet.end(0)
            await puppet.asked(2)
            puppet.end(1)
            await until(lambda: len(answers.told) == 3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert answers.words() == [("a", 1, "model_ended"), ("a", 0, "detections"), ("a", 2, "detections")]


@BOTH
async def test_what_waited_too_long_for_a_slow_model_is_late(discipline: MakeDiscipline) -> None:
    """Frames that a slow model kept waiting beyond the deadline are told "late", never asked about."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    async with dispatching(puppet, clock, in_flight=1, deadline=0.5, discipline=discipline) as dispatcher:
        dispatcher.offer(make_slot("a", received_at=clock.now, answers=answers))
        await puppet.asked(1)
        dispatcher.offer(make_slot("b", received_at=clock.now, answers=answers))
        clock.advance(0.6)
        puppet.end(0)
        await until(lambda: len(answers.told) == 2)
        dispatcher.offer(make_slot("c", received_at=clock.advance(1.0), answers=answers))
        await puppet.asked(2)
        assert [sample.frame.stream for sample in puppet.calls[1][0]] == ["c"]
        puppet.end(1)
        await until(lambda: len(answers.told) == 3)
    assert sorted(answers.words()) == [("a", 0, "detections"), ("b", 0, "late"), ("c", 0, "detections")]


async def test_the_deadline_of_a_call_is_the_newest_frames() -> None:
    """A call may last until the newest of its frames is worth nothing."""
    puppet = Puppet()
    async with dispatching(puppet, FakeClock(1000.3), deadline=0.5, in_flight=1) as dispatcher:
        for stream, received_at in (("a", 1000.0), ("b", 1000.2), ("c", 1000.1)):
            dispatcher.offer(make_slot(stream, received_at=received_at))
        await puppet.asked(1)
        assert puppet.calls[0][1] == pytest.approx(1000.7)
        puppet.end(0)


async def test_the_next_call_leaves_just_before_the_one_that_runs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model works on one call at a time the next waits, and leaves by itself before that one has ended."""
    monkeypatch.setattr("streamer.inference.run_times.RunTimes.lanes", 1)
    puppet, clock = Puppet(), FakeClock()
    discipline = Scheduler(max_batch_size=4, in_flight=2, deadline=1.0)
    discipline.run_times.add(1, 0.05, 1.0, 0.0)
    dispatcher = dispatcher_of(puppet, clock, discipline)
    running = asyncio.create_task(dispatcher.run())
    started = asyncio.get_running_loop().time()
    clock.now = started
    dispatcher._clock = asyncio.get_running_loop().time
    dispatcher.offer(make_slot("a", received_at=started))
    await puppet.asked(1)
    dispatcher.offer(make_slot("b", received_at=started))
    assert len(puppet.calls) == 1
    await puppet.asked(2)
    assert puppet.under_way == 2
    running.cancel()
    await asyncio.wait({running})
    puppet.end(0)
    puppet.end(1)


@BOTH
async def test_under_any_load_each_slot_is_answered_once(discipline: MakeDiscipline) -> None:
    """With random arrivals, slow calls and failures, every slot gets one answer and at most two calls overlap."""
    dice = random.Random(11)
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    count = 300
    async with dispatching(puppet, clock, max_batch_size=3, deadline=0.4, discipline=discipline) as dispatcher:
        for index in range(count):
            clock.advance(0.5 if dice.random() < 0.05 else dice.expovariate(30))
            dispatcher.offer(make_slot(f"s{dice.randrange(6)}", index, clock.now, answers=answers))
            await asyncio.sleep(0.0005)
            for _, _, done in puppet.calls:
                if not done.done() and dice.random() < 0.2:
                    if dice.random() < 0.3:
                        done.set_exception(PredictError("INTERNAL", "no"))
                    else:
                        done.set_result(None)

        def ended() -> bool:
            for _, _, done in puppet.calls:
                if not done.done():
                    done.set_result(None)
            return len(answers.told) == count

        await until(ended)
    assert sorted(index for _, index, _ in answers.told) == list(range(count))
    words = {word for _, _, word in answers.words()}
    assert words <= {"detections", "predict_failed", "superseded", "capacity", "late"}
    assert {"detections", "predict_failed"} < words
    assert puppet.most == 2
    assert max(puppet.sizes()) <= 3


async def test_stopping_lets_calls_under_way_end() -> None:
    """Cancelling the dispatcher cancels no call: it ends by itself and its slots are answered."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock()) as dispatcher:
        dispatcher.offer(make_slot("a", answers=answers))
        await puppet.asked(1)
    assert puppet.under_way == 1
    puppet.end(0)
    await until(lambda: answers.words() == [("a", 0, "detections")])


@BOTH
async def test_stopping_tells_those_who_wait(discipline: MakeDiscipline) -> None:
    """Slots that are open when the dispatcher ends, and those that come afterwards, hear that the model has ended."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    async with dispatching(puppet, clock, in_flight=1, discipline=discipline) as dispatcher:
        dispatcher.offer(make_slot("a", received_at=clock.now, answers=answers))
        await puppet.asked(1)
        dispatcher.offer(make_slot("b", received_at=clock.now, answers=answers))
    dispatcher.offer(make_slot("c", received_at=clock.now, answers=answers))
    assert answers.words() == [("b", 0, "model_ended"), ("c", 0, "model_ended")]
    puppet.end(0)
    await until(lambda: answers.words()[2:] == [("a", 0, "detections")])


# ---- pictures, for which no camera waits


def picture_of(index: int) -> Sample:
    """A picture that somebody sent."""
    return make_sample(make_frame(0.0, 1000.0, stream="", index=index))


class Asked:
    """A model that takes its time, and remembers its batches: the indices of each, camera's from 100 on."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = asyncio.Event()

    async def __call__(self, samples: list[Sample], _: float) -> list[Detections]:
        self.batches.append([sample.frame.index for sample in samples])
        await self.go_on.wait()
        return [make_detections(0.0) for _ in samples]


@BOTH
async def test_pictures_go_when_no_frame_waits_and_one_call_at_a_time(discipline: MakeDiscipline) -> None:
    """A burst of pictures has one call of the two; a frame that comes meanwhile is asked about at once in the other."""
    asked, answers = Asked(), Answers()
    made = discipline(max_batch_size=4, in_flight=2, deadline=1.0)
    dispatcher = dispatcher_of(asked, FakeClock(1000.0), made)
    for index in range(10):
        dispatcher.put_picture(picture_of(index), answers)
    running = asyncio.create_task(dispatcher.run())
    await until(lambda: asked.batches == [[0, 1, 2, 3]])
    dispatcher.offer(make_slot("a", 100, answers=answers))
    await until(lambda: asked.batches[1:] == [[100]])
    asked.go_on.set()
    await until(lambda: len(answers.told) == 11)
    # While a camera is watched they go one by one: that is the longest a frame can wait for them.
    assert asked.batches[2:] == [[4], [5], [6], [7], [8], [9]]
    running.cancel()
    await asyncio.wait({running})


async def test_pictures_that_wait_are_bounded_and_told_of_the_end() -> None:
    """Beyond MOST_PICTURES nobody is let in; who waits at the end is told."""
    asked, answers = Asked(), Answers()
    dispatcher = dispatcher_of(asked, FakeClock(1000.0), Scheduler(max_batch_size=4, in_flight=1, deadline=1.0))
    for index in range(MOST_PICTURES):
        dispatcher.put_picture(picture_of(index), answers)
    with pytest.raises(Overloaded, match="too many pictures"):
        dispatcher.put_picture(picture_of(MOST_PICTURES), answers)
    running = asyncio.create_task(dispatcher.run())
    await until(lambda: bool(asked.batches))
    running.cancel()
    await asyncio.wait({running})
    assert Counter(word for _, _, word in answers.words()) == {"model_ended": MOST_PICTURES - 4}
    asked.go_on.set()
    await until(lambda: len(answers.told) == MOST_PICTURES)
    dispatcher.put_picture(picture_of(0), answers)
    assert answers.words()[-1] == ("", 0, "model_ended")


@BOTH
async def test_a_picture_for_which_cameras_leave_no_room_is_told_so(discipline: MakeDiscipline) -> None:
    """Frames that are always due come first; who sent a picture hears within PATIENCE that nobody looked at it."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock(1000.0)
    async with dispatching(
        puppet, clock, max_batch_size=1, in_flight=1, deadline=100.0, discipline=discipline
    ) as dispatcher:
        for stream in ("a", "b"):
            dispatcher.offer(make_slot(stream, 100))
        await puppet.asked(1)
        dispatcher.put_picture(picture_of(0), answers)
        clock.advance(PATIENCE + 1)
        puppet.end(0)
        await puppet.asked(2)
        await until(lambda: answers.words() == [("", 0, "expired")])
        puppet.end(1)
    assert puppet.sizes() == [1, 1]
