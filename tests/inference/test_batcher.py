"""streamer.inference.batcher: frames of all streams become batches, and everybody is answered once."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.inference.batcher import MOST_PICTURES, PATIENCE, Answer, Batcher, Dispatcher, DropReason, Pending
from streamer.values.detections import Detections
from streamer.values.errors import Overloaded, PredictError
from streamer.values.frame import Sample
from streamer.values.mishaps import Mishaps
from streamer.values.tiles import Region
from tests.peers.clock import FakeClock
from tests.peers.frames import make_detections, make_frame, make_sample
from tests.peers.until import until


class Answers:
    """Who was told what: (stream, index) to the answers of that sample, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, Detections | DropReason]] = []

    def __call__(self, sample: Sample, answer: Detections | DropReason) -> None:
        self.told.append((sample.frame.stream, sample.frame.index, answer))

    def words(self) -> list[tuple[str, int, str]]:
        """The same with "detections" for an answer that has some."""
        return [
            (stream, index, "detections" if isinstance(answer, Detections) else answer)
            for stream, index, answer in self.told
        ]


def sample_of(stream: str, index: int = 0, received_at: float = 1000.0) -> Sample:
    """A sample of a stream."""
    return make_sample(make_frame(index / 5, received_at, stream=stream, index=index))


def refuse(sample: Sample, answer: Detections | DropReason) -> None:
    """Who cannot take its answer in."""
    raise ZeroDivisionError(f"{sample.frame.index}: {answer}")


def pending(sample: Sample, answer: Answer, untold: Mishaps | None = None) -> Pending:
    """A sample that waits; where nobody reads the log, its mishaps are nobody's."""
    return Pending(sample, answer, untold or Mishaps("nobody's"))


def streams_of(batch: list[Pending]) -> list[str]:
    """Whose samples a batch holds."""
    return [pending.sample.frame.stream for pending in batch]


# ---- the decision


def test_newest_sample_of_a_stream_wins() -> None:
    """A newer sample supersedes the stream's older one, which is told so."""
    batcher, answers = Batcher(max_batch_size=4, deadline=1.0), Answers()
    for index in range(3):
        batcher.put(pending(sample_of("a", index), answers))
    assert answers.words() == [("a", 0, "superseded"), ("a", 1, "superseded")]
    assert [pending.sample.frame.index for pending in batcher.take(1000.0)] == [2]


def test_first_come_first_served_across_streams() -> None:
    """Streams are served in the order they came, and superseding its own sample does not cost a stream its place."""
    batcher, answers = Batcher(max_batch_size=2, deadline=1.0), Answers()
    for stream in ("b", "a", "c"):
        batcher.put(pending(sample_of(stream), answers))
    batcher.put(pending(sample_of("b", 1), answers))
    assert streams_of(batcher.take(1000.0)) == ["b", "a"]
    batcher.put(pending(sample_of("a", 1), answers))
    assert streams_of(batcher.take(1000.0)) == ["c", "a"]
    assert batcher.take(1000.0) == []


def test_expired_samples_are_told_so_and_not_asked_about() -> None:
    """A sample older than the deadline is answered "expired"; one exactly as old as it is still asked about."""
    batcher, answers = Batcher(max_batch_size=4, deadline=0.5), Answers()
    batcher.put(pending(sample_of("old", received_at=1000.0), answers))
    batcher.put(pending(sample_of("just", received_at=1000.25), answers))
    batcher.put(pending(sample_of("fresh", received_at=1000.5), answers))
    assert streams_of(batcher.take(1000.75)) == ["just", "fresh"]
    assert answers.words() == [("old", 0, "expired")]


def test_no_stream_is_crowded_out() -> None:
    """With 20 busy streams and batches of 4, every stream is served once in five batches."""
    batcher, answers = Batcher(max_batch_size=4, deadline=60.0), Answers()
    served: Counter[str] = Counter()
    for turn in range(100):
        for stream in range(20):
            batcher.put(pending(sample_of(f"s{stream}", turn), answers))
        served.update(streams_of(batcher.take(1000.0)))
    assert set(served.values()) == {20}


def tiled_sample(stream: str, tiles: int, received_at: float = 1000.0) -> Sample:
    """A sample of a stream with so many tiles."""
    sample = sample_of(stream, received_at=received_at)
    tile = replace(sample, region=Region(0, 0, 16, 16))
    return replace(sample, tiles=(tile,) * tiles)


def test_a_sample_weighs_as_many_pictures_as_it_has() -> None:
    """A batch has no more pictures than a call may carry; what does not fit comes next, and nobody overtakes it."""
    batcher, answers = Batcher(max_batch_size=8, deadline=1.0), Answers()
    for stream, tiles in {"a": 0, "b": 4, "c": 4, "d": 0, "e": 0, "f": 6, "g": 0}.items():
        batcher.put(pending(tiled_sample(stream, tiles), answers))
    assert [streams_of(batcher.take(1000.0)) for _ in range(4)] == [["a", "b"], ["c", "d", "e"], ["f", "g"], []]


def test_a_sample_of_more_pictures_than_a_call_carries_goes_alone() -> None:
    """It is a batch of its own, and is neither refused nor waited for."""
    batcher, answers = Batcher(max_batch_size=4, deadline=1.0), Answers()
    for stream, tiles in {"a": 6, "b": 0}.items():
        batcher.put(pending(tiled_sample(stream, tiles), answers))
    assert [streams_of(batcher.take(1000.0)) for _ in range(2)] == [["a"], ["b"]]


Event = tuple[Literal["put"], int, float] | tuple[Literal["take"], int, float]
"""A sample of a stream that arrived some seconds ago; or a batch of so many at most, some seconds later."""

PUTS = st.tuples(st.just("put"), st.integers(0, 5), st.floats(0, 0.5))
TAKES = st.tuples(st.just("take"), st.integers(1, 5), st.floats(0, 0.3))


@given(st.lists(st.one_of(PUTS, TAKES), max_size=60))
def test_any_order_of_events_ends_each_sample_once(events: list[Event]) -> None:
    """However samples come and go, each is taken, superseded or expired, once, or waits; first come, first served.

    No batch is too large, none holds a stream twice or a frame that is too old, and each stream has one place.
    """
    batcher, answers = Batcher(max_batch_size=3, deadline=0.3), Answers()
    now, put, taken = 1000.0, 0, list[int]()
    line: dict[str, float] = {}  # the streams that wait, in turn, and when the sample of each arrived
    for kind, number, seconds in events:
        if kind == "put":
            line[f"s{number}"] = now - seconds
            batcher.put(pending(sample_of(f"s{number}", put, now - seconds), answers))
            put += 1
        else:
            now += seconds
            batcher.max_batch_size = number
            batch = batcher.take(now)
            line = {stream: arrived for stream, arrived in line.items() if now - arrived <= batcher.deadline}
            assert streams_of(batch) == list(line)[:number]
            taken += [pending.sample.frame.index for pending in batch]
            line = dict(list(line.items())[number:])
        assert len(batcher) == len(line)
    ended = taken + [index for _, index, _ in answers.told]
    ended += [pending.sample.frame.index for pending in batcher.clear()]
    assert sorted(ended) == list(range(put))
    assert {word for _, _, word in answers.words()} <= {"superseded", "expired"}


def test_who_cannot_take_its_answer_in_harms_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that raises when it is told is said once by its stream's name; all others are told and served."""
    batcher, answers = Batcher(max_batch_size=4, deadline=0.5), Answers()
    untold = Mishaps("model m: answers cannot be taken in", clock=FakeClock())
    for index in range(30):
        batcher.put(pending(sample_of("a", index), refuse, untold))
    batcher.put(pending(sample_of("b", 2), answers))
    batcher.put(pending(sample_of("c", 3, 1001.0), answers))
    assert streams_of(batcher.take(1001.0)) == ["c"]
    assert answers.words() == [("b", 2, "expired")]
    assert [record.getMessage() for record in caplog.records] == ["model m: answers cannot be taken in"]
    assert "It was the answer of stream a." in caplog.text
    assert untold.count == 30


def test_who_is_told_may_put_its_next_sample() -> None:
    """A receiver that puts another sample while it is told of the last one disturbs nobody's turn."""
    batcher, answers = Batcher(max_batch_size=4, deadline=0.5), Answers()

    def put_again(sample: Sample, answer: Detections | DropReason) -> None:
        answers(sample, answer)
        for stream in ("a", "b"):
            batcher.put(pending(sample_of(stream, 1, 1001.0), answers))

    batcher.put(pending(sample_of("a"), put_again))
    batcher.put(pending(sample_of("b"), answers))
    batcher.put(pending(sample_of("c", received_at=1001.0), answers))
    assert streams_of(batcher.take(1001.0)) == ["c"]
    assert answers.words() == [("a", 0, "expired"), ("b", 0, "expired")]
    assert streams_of(batcher.take(1001.0)) == ["a", "b"]


# ---- the shell


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


@asynccontextmanager
async def dispatching(
    puppet: Puppet, clock: FakeClock, *, max_batch_size: int = 4, in_flight: int = 2, deadline: float = 1.0
) -> AsyncIterator[Dispatcher]:
    """A dispatcher that runs for as long as the block lasts."""
    batcher = Batcher(max_batch_size=max_batch_size, deadline=deadline)
    dispatcher = Dispatcher("model m", batcher, puppet, in_flight=in_flight, clock=clock)
    running = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_lone_sample_is_asked_about_at_once() -> None:
    """No window is waited for: a sample leaves as soon as the model can take it, and its answer comes back."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    async with dispatching(puppet, clock) as dispatcher:
        dispatcher.put(sample_of("a"), answers)
        await settle()
        assert [len(samples) for samples, _, _ in puppet.calls] == [1]
        puppet.calls[0][2].set_result(None)
        await settle()
    assert answers.words() == [("a", 0, "detections")]


async def test_the_next_batch_fills_while_calls_are_under_way() -> None:
    """At most `in_flight` calls are under way; what comes meanwhile leaves as one batch."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), max_batch_size=8) as dispatcher:
        for stream in "abcdefgh":
            dispatcher.put(sample_of(stream), answers)
            await settle()
        assert [len(samples) for samples, _, _ in puppet.calls] == [1, 1]
        puppet.calls[0][2].set_result(None)
        await settle()
        assert [len(samples) for samples, _, _ in puppet.calls] == [1, 1, 6]
        assert puppet.most == 2
        for _, _, done in puppet.calls[1:]:
            done.set_result(None)
        await settle()
    assert sorted(answers.words()) == [(stream, 0, "detections") for stream in "abcdefgh"]


async def test_answers_reach_the_sample_they_belong_to() -> None:
    """Each sample of a batch gets the detections of its own row."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock()) as dispatcher:
        for index, stream in enumerate("abcd"):
            dispatcher.put(sample_of(stream, index), answers)
        await settle()
        puppet.calls[0][2].set_result(None)
        await settle()
    assert len(answers.told) == 4
    for stream, index, answer in answers.told:
        assert isinstance(answer, Detections)
        assert (answer.stream, answer.pts) == (stream, index / 5)


async def test_a_failed_call_answers_everybody_and_the_next_goes_on() -> None:
    """When Predict fails, each sample of the batch is told "predict_failed", once, and later ones are asked about."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), in_flight=1) as dispatcher:
        for stream in "abc":
            dispatcher.put(sample_of(stream), answers)
        await settle()
        puppet.calls[0][2].set_exception(PredictError("UNAVAILABLE", "the model server cannot be reached"))
        await settle()
        assert answers.words() == [(stream, 0, "predict_failed") for stream in "abc"]
        dispatcher.put(sample_of("a", 1), answers)
        await settle()
        puppet.calls[1][2].set_result(None)
        await settle()
    assert answers.words()[3:] == [("a", 1, "detections")]


async def test_a_call_that_breaks_answers_everybody_too(caplog: pytest.LogCaptureFixture) -> None:
    """A failure nobody foresaw is logged, and no sample is left without an answer."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock(), in_flight=1) as dispatcher:
        dispatcher.put(sample_of("a"), answers)
        await settle()
        puppet.calls[0][2].set_exception(ZeroDivisionError("broken"))
        await settle()
    assert answers.words() == [("a", 0, "predict_failed")]
    assert "ZeroDivisionError" in caplog.text


async def test_a_receiver_that_raises_keeps_no_answer_from_others(caplog: pytest.LogCaptureFixture) -> None:
    """Each sample of a batch is answered once whatever a receiver before it raises, and the next batch is asked about.

    So it is where samples are superseded, expire, or wait when the dispatcher ends.
    """
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    async with dispatching(puppet, clock, in_flight=1, deadline=0.5) as dispatcher:
        for stream in "abc":
            dispatcher.put(sample_of(stream, received_at=clock.now), refuse if stream != "b" else answers)
        await settle()
        for index, stream in ((1, "a"), (2, "a"), (3, "b")):
            dispatcher.put(sample_of(stream, index, clock.now), refuse if stream == "a" else answers)
        puppet.calls[0][2].set_result(None)
        clock.advance(0.6)
        dispatcher.put(sample_of("c", 4, clock.now), answers)
        await settle()
        assert [[sample.frame.index for sample in samples] for samples, _, _ in puppet.calls] == [[0, 0, 0], [4]]
        dispatcher.put(sample_of("a", 5, clock.now), refuse)
        dispatcher.put(sample_of("b", 6, clock.now), answers)
    puppet.calls[1][2].set_result(None)
    await settle()
    assert answers.words() == [
        ("b", 0, "detections"),
        ("b", 3, "expired"),
        ("b", 6, "model_ended"),
        ("c", 4, "detections"),
    ]
    assert dispatcher._untold.count == 5
    assert caplog.text.count("ZeroDivisionError: ") == 1  # in one second


async def test_a_model_that_answers_fewer_than_it_was_asked_about_answers_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Answers that are not one a sample are nobody's, and nobody is left without a word."""
    answers = Answers()

    async def one_answer(samples: list[Sample], _: float) -> list[Detections]:
        return [make_detections(samples[0].frame.pts)]

    dispatcher = Dispatcher(
        "model m", Batcher(max_batch_size=4, deadline=1.0), one_answer, in_flight=1, clock=FakeClock()
    )
    running = asyncio.create_task(dispatcher.run())
    for stream in "ab":
        dispatcher.put(sample_of(stream), answers)
    await settle()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert answers.words() == [("a", 0, "predict_failed"), ("b", 0, "predict_failed")]
    assert "model m: batches cannot be asked about" in caplog.text


async def test_a_dispatcher_may_be_run_again() -> None:
    """After its end it asks again as soon as it runs again; calls of its last life count among those in flight."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    dispatcher = Dispatcher("model m", Batcher(max_batch_size=4, deadline=1.0), puppet, in_flight=1, clock=clock)
    for index in range(3):
        running = asyncio.create_task(dispatcher.run())
        await settle()
        dispatcher.put(sample_of("a", index, clock.now), answers)
        await settle()
        assert len(puppet.calls) == 1
        if index == 2:
            puppet.calls[0][2].set_result(None)
            await settle()
            puppet.calls[1][2].set_result(None)
            await settle()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert answers.words() == [("a", 1, "model_ended"), ("a", 0, "detections"), ("a", 2, "detections")]


async def test_what_waited_too_long_for_a_slow_model_expires() -> None:
    """Samples that a slow model kept waiting beyond the deadline are told "expired", never asked about."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    async with dispatching(puppet, clock, in_flight=1, deadline=0.5) as dispatcher:
        dispatcher.put(sample_of("a", received_at=clock.now), answers)
        await settle()
        dispatcher.put(sample_of("b", received_at=clock.now), answers)
        await settle()
        dispatcher.put(sample_of("c", received_at=clock.advance(0.6)), answers)
        puppet.calls[0][2].set_result(None)
        await settle()
        assert [sample.frame.stream for sample in puppet.calls[1][0]] == ["c"]
        puppet.calls[1][2].set_result(None)
        await settle()
    assert answers.words() == [("a", 0, "detections"), ("b", 0, "expired"), ("c", 0, "detections")]


async def test_the_deadline_of_a_call_is_the_newest_frames() -> None:
    """A call may last until the newest of its frames is worth nothing."""
    puppet = Puppet()
    async with dispatching(puppet, FakeClock(1000.3), deadline=0.5) as dispatcher:
        for stream, received_at in (("a", 1000.0), ("b", 1000.2), ("c", 1000.1)):
            dispatcher.put(sample_of(stream, received_at=received_at), Answers())
        await settle()
        assert puppet.calls[0][1] == pytest.approx(1000.7)
        puppet.calls[0][2].set_result(None)
        await settle()


async def test_under_any_load_each_sample_is_answered_once() -> None:
    """With random arrivals, slow calls and failures, every sample gets one answer and at most two calls overlap."""
    dice = random.Random(11)
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    count = 400
    async with dispatching(puppet, clock, max_batch_size=3, deadline=0.4) as dispatcher:
        for index in range(count):
            clock.advance(0.5 if dice.random() < 0.05 else dice.expovariate(30))
            dispatcher.put(sample_of(f"s{dice.randrange(6)}", index, clock.now), answers)
            await settle()
            for _, _, done in puppet.calls:
                if not done.done() and dice.random() < 0.2:
                    if dice.random() < 0.3:
                        done.set_exception(PredictError("INTERNAL", "no"))
                    else:
                        done.set_result(None)
            await settle()
        while any(not done.done() for _, _, done in puppet.calls):
            for _, _, done in puppet.calls:
                if not done.done():
                    done.set_result(None)
            await settle()
    assert sorted(index for _, index, _ in answers.told) == list(range(count))
    assert {word for _, _, word in answers.words()} == {"detections", "predict_failed", "superseded", "expired"}
    assert puppet.most == 2
    assert max(len(samples) for samples, _, _ in puppet.calls) == 3


async def test_stopping_lets_calls_under_way_end() -> None:
    """Cancelling the dispatcher cancels no call: it ends by itself and its samples are answered."""
    puppet, answers = Puppet(), Answers()
    async with dispatching(puppet, FakeClock()) as dispatcher:
        dispatcher.put(sample_of("a"), answers)
        await settle()
    assert puppet.under_way == 1
    puppet.calls[0][2].set_result(None)
    await settle()
    assert answers.words() == [("a", 0, "detections")]


async def test_stopping_tells_those_who_wait() -> None:
    """Samples that wait when the dispatcher ends, and those that come afterwards, are told that the model has ended."""
    puppet, answers, clock = Puppet(), Answers(), FakeClock()
    async with dispatching(puppet, clock, in_flight=1) as dispatcher:
        dispatcher.put(sample_of("a", received_at=clock.now), answers)
        await settle()
        dispatcher.put(sample_of("b", received_at=clock.now), answers)
    dispatcher.put(sample_of("c", received_at=clock.now), answers)
    assert answers.words() == [("b", 0, "model_ended"), ("c", 0, "model_ended")]
    puppet.calls[0][2].set_result(None)
    await settle()
    assert answers.words()[2:] == [("a", 0, "detections")]


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


async def test_pictures_go_when_no_frame_waits_and_one_call_at_a_time() -> None:
    """A burst of pictures has one call of the two; a frame that comes meanwhile is asked about at once in the other."""
    asked, answers, clock = Asked(), Answers(), FakeClock(1000.0)
    batcher = Batcher(max_batch_size=4, deadline=1.0)
    dispatcher = Dispatcher("m", batcher, asked, in_flight=2, clock=clock)
    running = asyncio.create_task(dispatcher.run())
    for index in range(10):
        dispatcher.put_picture(picture_of(index), answers)
    await until(lambda: asked.batches == [[0, 1, 2, 3]])
    dispatcher.put(sample_of("a", 100), answers)
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
    batcher = Batcher(max_batch_size=4, deadline=1.0)
    dispatcher = Dispatcher("m", batcher, asked, in_flight=1, clock=FakeClock(1000.0))
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


async def test_a_picture_for_which_cameras_leave_no_room_is_told_so() -> None:
    """Frames that always wait come first; whoever sent a picture hears within PATIENCE that nobody looked at it."""
    asked, answers, clock = Asked(), Answers(), FakeClock(1000.0)
    dispatcher = Dispatcher("m", Batcher(max_batch_size=1, deadline=1.0), asked, in_flight=1, clock=clock)
    running = asyncio.create_task(dispatcher.run())
    asked.go_on.set()
    for stream in ("a", "b"):
        dispatcher.put(sample_of(stream, 100), answers)
    dispatcher.put_picture(picture_of(0), answers)
    clock.advance(PATIENCE + 1)
    dispatcher.put(sample_of("a", 101, clock()), answers)
    await until(lambda: ("", 0, "expired") in answers.words())
    assert [0] not in asked.batches
    running.cancel()
    await asyncio.wait({running})
