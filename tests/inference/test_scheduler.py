"""streamer.inference.scheduler: the newest frames, in one order over all cameras; in simulated time."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.inference.batcher import Batcher
from streamer.inference.discipline import Call
from streamer.inference.scheduler import TRIES_AGAIN, Scheduler
from tests.inference.simulated import (
    CPU,
    FAST_CPU,
    GPU,
    MAKING,
    SENDING,
    Camera,
    Outcome,
    Server,
    Simulation,
    cameras,
    simulate,
)
from tests.peers.frames import make_frame
from tests.peers.slots import make_slot

SERVERS = st.builds(
    Server,
    lanes=st.sampled_from([1, 2]),
    base=st.floats(0.002, 0.03),
    each=st.floats(0.001, 0.02),
    beside=st.floats(1.0, 1.6),
)


def run(
    streams: list[Camera],
    server: Server,
    *,
    seconds: float = 12.0,
    deadline: float = 1.0,
    in_flight: int = 2,
    settle: float = 2.0,
) -> Outcome:
    """The scheduler before a server."""
    scheduler = Scheduler(max_batch_size=8, in_flight=in_flight, deadline=deadline)
    return Simulation(scheduler, server, streams).run(seconds, settle=settle)


def taken(scheduler: Scheduler, now: float) -> Call:
    """The call that leaves now."""
    call, _ = scheduler.take(now)
    assert call is not None
    return call


# ---- what holds for any cameras and servers


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.builds(
            Camera,
            name=st.uuids().map(str),
            fps=st.sampled_from([5.0, 12.5, 25.0, 30.0]),
            sample_fps=st.sampled_from([1.0, 5.0, 25.0]),
            weight=st.floats(0.1, 100),
            phase=st.floats(0, 0.2),
            jitter=st.floats(0, 0.05),
            silent=st.tuples(st.floats(0, 3), st.floats(0, 6)),
            pictures=st.sampled_from([1, 1, 1, 5]),
        ),
        min_size=1,
        max_size=12,
    ),
    SERVERS,
    st.integers(1, 4),
    st.floats(0.1, 1.0),
)
def test_whatever_comes_each_slot_is_answered_or_dropped_once(
    streams: list[Camera], server: Server, in_flight: int, deadline: float
) -> None:
    """Offered is answered and dropped, of every stream and to the last one; no frame is asked about twice, or after a
    later one of its stream left."""
    outcome = run(streams, server, seconds=6.0, deadline=deadline, in_flight=in_flight, settle=0.0)
    for camera in streams:
        name = camera.name
        dropped = sum(count for (stream, _), count in outcome.dropped.items() if stream == name)
        assert outcome.offered[name] == len(outcome.ages.get(name, ())) + dropped
        frames = outcome.frames.get(name, [])
        assert len(set(frames)) == len(frames)
    told = {"superseded", "capacity", "late", "predict_failed", "model_ended"}
    assert {reason for _, reason in outcome.dropped} <= told


@settings(deadline=None, max_examples=15)
@given(st.integers(2, 14), st.sampled_from([5.0, 25.0]), SERVERS, st.integers(0, 50))
def test_streams_that_are_alike_are_served_alike(count: int, sample_fps: float, server: Server, seed: int) -> None:
    """Of equal streams the worst gets 0.95 of what the best gets at least, whatever the load."""
    outcome = run(cameras(count, sample_fps=sample_fps, seed=seed), server, seconds=32.0)
    few = 1 / outcome.seconds  # one sample more or less, at either end of the run
    assert min(outcome.rates) + few >= 0.95 * (max(outcome.rates) - few)


@settings(deadline=None, max_examples=10)
@given(st.integers(2, 10), SERVERS, st.floats(0.15, 1.0))
def test_no_answer_is_older_than_it_may_be(count: int, server: Server, deadline: float) -> None:
    """Once run times are known, what is asked about is answered within the deadline: it bears its batch."""
    outcome = run(cameras(count), server, deadline=deadline, seconds=14.0, settle=8.0)
    over = [age for age in outcome.all_ages if age > deadline]
    failed = sum(count for (_, reason), count in outcome.dropped.items() if reason == "predict_failed")
    # A call that is tried once a second though it is thought to be late may be, and so may be one beside a trial.
    assert len(over) + failed <= max(TRIES_AGAIN * outcome.seconds, 0.02 * len(outcome.all_ages))


@pytest.mark.parametrize("server", [CPU, FAST_CPU, GPU])
def test_a_camera_that_stalls_changes_nobodys_rate(server: Server) -> None:
    """While one is silent the others get at least what they got, and its return takes no more than its share."""
    streams = cameras(8)
    whole = run(streams, server)
    streams[0] = Camera("cam-0", silent=(4.0, 8.0))
    stalled = run(streams, server)
    for camera in streams[1:]:
        assert stalled.rate(camera.name) >= 0.98 * whole.rate(camera.name)
    assert max(stalled.all_ages) <= 1.5 * max(whole.all_ages)


@settings(deadline=None, max_examples=15)
@given(st.integers(2, 16), SERVERS, st.integers(0, 50))
def test_the_model_has_something_to_do_while_anybody_waits(count: int, server: Server, seed: int) -> None:
    """But for as long as a whole batch takes to be made and to be sent."""
    outcome = run(cameras(count, seed=seed), server, seconds=8.0, settle=4.0)
    assert outcome.longest_idle <= 8 * (MAKING + SENDING) + 1e-6


@pytest.mark.parametrize("count", [8, 12])
@settings(deadline=None, max_examples=6)
@given(st.floats(1.0, 20.0), st.floats(0.1, 1.5), st.integers(0, 50))
def test_what_the_first_calls_took_is_soon_forgotten(count: int, slower: float, until: float, seed: int) -> None:
    """A server that begins slow is used as one is whose calls are always under way, also by as many cameras as a call
    takes pictures: nothing is left over there that would say that more is due than leaves."""
    slow = replace(CPU, base=slower * CPU.base, each=slower * CPU.each)
    rates = []
    for kind in (Scheduler, Batcher):
        discipline = kind(max_batch_size=8, in_flight=2, deadline=1.0)
        simulation = Simulation(discipline, slow, cameras(count, seed=seed))
        simulation.change(until, CPU)
        rates.append(sum(simulation.run(14.0, settle=9.0).rates))
    assert rates[0] >= 0.9 * rates[1]


@settings(deadline=None, max_examples=5)
@given(st.floats(10.0, 100.0), st.floats(0.5, 4.0), st.integers(0, 50))
def test_a_server_that_was_too_slow_for_any_answer_is_soon_used_again(slower: float, until: float, seed: int) -> None:
    """The first frame that is tried and comes in time ends it, however many calls had come too late."""
    discipline = Scheduler(max_batch_size=8, in_flight=2, deadline=1.0)
    slow = replace(CPU, base=slower * CPU.base, each=slower * CPU.each)
    simulation = Simulation(discipline, slow, cameras(8, seed=seed))
    simulation.change(until, CPU)
    ends = until + slower * CPU.seconds(8, 2)  # of what the model has begun: a deadline does not end its work
    assert sum(simulation.run(ends + 8.0, settle=ends + 3.0).rates) >= 0.9 * 113  # as of a quick one


@pytest.mark.parametrize(
    ("server", "streams"),
    [
        (Server(lanes=1, base=0.6, each=0.0), cameras(2, fps=5.0)),
        (Server(lanes=1, base=0.65, each=0.0), cameras(2, fps=5.0)),
        (Server(lanes=1, base=0.5, each=0.1), cameras(4, fps=2.0)),
        (Server(lanes=1, base=0.6, each=0.0), cameras(4, fps=10.0)),
    ],
)
def test_a_model_whose_call_takes_most_of_the_deadline_is_used(server: Server, streams: list[Camera]) -> None:
    """A second call beside it comes too late, and so a trial of two makes all seem to: it is over then, and what one
    call alone comes to within it makes nobody forget that."""
    both, one = (run(streams, server, seconds=60.0, settle=30.0, in_flight=count) for count in (2, 1))
    assert sum(both.rates) >= 0.85 * sum(one.rates)


def test_idleness_that_lasts_is_seen() -> None:
    """A discipline that stops for good leaves the model idle to the end."""

    class Stops(Scheduler):
        def leaves_at(self, now: float) -> float | None:
            return None if now >= 3.0 else super().leaves_at(now)

    outcome = Simulation(Stops(max_batch_size=8, in_flight=2, deadline=1.0), CPU, cameras(8)).run(8.0, settle=2.0)
    assert outcome.longest_idle >= 4.0


# ---- shares


@pytest.mark.parametrize("server", [CPU, GPU])
def test_weights_are_honoured(server: Server) -> None:
    """Where all want more than there is, each gets as much as its weight says."""
    weights = [0.5, 1.0, 2.0, 3.0] * 8
    streams = [Camera(f"w{n}", weight=weight, phase=n / 900) for n, weight in enumerate(weights)]
    outcome = run(streams, server, seconds=62.0)
    shares = [outcome.rate(camera.name) / camera.weight for camera in streams]
    assert min(shares) >= 0.95 * max(shares)


def test_who_asks_less_than_its_share_gets_it_all() -> None:
    """Max-min: a stream of 2 samples a second is served 2 a second among others that want 25; those share the rest."""
    streams = [*cameras(8), Camera("seldom", sample_fps=2.0, phase=0.011)]
    outcome = run(streams, CPU, seconds=32.0)
    assert outcome.rate("seldom") == pytest.approx(2.0, rel=0.05)
    others = [outcome.rate(f"cam-{n}") for n in range(8)]
    assert min(others) >= 0.95 * max(others)


def test_who_was_away_has_no_more_coming_than_others() -> None:
    """A stream that comes back after long, or is new, is not served before all others until it has caught up."""
    scheduler = Scheduler(max_batch_size=1, in_flight=1, deadline=10.0)
    order, now = list[str](), 0.0
    for turn in range(30):
        for stream in "ab" if turn < 20 else "abc":
            scheduler.put(make_slot(stream, turn, now))
        call = taken(scheduler, now)
        order += [slot.stream for slot in call.slots]
        now += 0.1
        scheduler.end(call, now, is_measure=True)
    assert sorted(order[20:23]) == sorted(order[23:26]) == ["a", "b", "c"]


def test_what_is_granted_is_said_and_no_more_than_is_true() -> None:
    """A stream that gets less than it asks is said to, with what it gets; at enough capacity nothing is said."""
    short, enough = simulate("CPU, 8 cameras, every frame", seconds=20.0), simulate("CPU, 8 cameras, 5 samples/s")
    for stream, granted in short.granted.items():
        assert granted == pytest.approx(short.rate(stream), rel=0.1)
    assert set(enough.granted.values()) == {None}


# ---- when calls leave, and with what


def test_the_newest_frame_is_taken_and_its_slot_settled() -> None:
    """What its stream put in the slot last is what is asked about."""
    scheduler = Scheduler(max_batch_size=8, in_flight=1, deadline=1.0)
    slot = make_slot("a", 0)
    scheduler.put(slot)
    assert not slot.is_settled
    slot.frame = make_frame(0.1, 1000.1, stream="a", index=1)
    assert taken(scheduler, 1000.1).slots == [slot]
    assert slot.is_settled


def test_a_stream_that_is_due_again_loses_what_it_had_open_and_not_its_turn() -> None:
    """Soon after is a burst of its camera's; a whole period later its turn has not come, for want of capacity."""
    scheduler = Scheduler(max_batch_size=1, in_flight=1, deadline=10.0)
    slots = [make_slot("a", n, 1000.0 + after) for n, after in enumerate((0.0, 0.01, 0.21))]
    told = [scheduler.put(slot) for slot in slots]
    assert told == [None, (slots[0], "superseded"), (slots[1], "capacity")]
    scheduler.put(make_slot("b", 0, 1000.1))
    assert [slot.stream for slot in taken(scheduler, 1000.3).slots] == ["a"]


def test_what_would_come_too_late_alone_is_late() -> None:
    """By the learnt run time; but one a second is asked about all the same, or nothing would ever be learnt again."""
    scheduler = Scheduler(max_batch_size=8, in_flight=1, deadline=0.5)
    scheduler.put(make_slot("a", 0, 1000.0))
    call = taken(scheduler, 1000.0)
    scheduler.end(call, 1000.6, is_measure=True)
    slot = make_slot("a", 1, 1000.6)
    scheduler.put(slot)
    assert scheduler.take(1000.6) == (None, [(slot, "late")])
    scheduler.put(make_slot("a", 2, 1000.0 + TRIES_AGAIN))
    call = taken(scheduler, 1000.0 + TRIES_AGAIN)
    scheduler.end(call, 1001.05, is_measure=True)
    for number in range(3, 30):
        scheduler.put(make_slot("a", number, 1001.0 + number))
        call = taken(scheduler, 1001.0 + number)
        scheduler.end(call, 1001.05 + number, is_measure=True)
    slot = make_slot("a", 30, 1031.06)
    scheduler.put(slot)
    assert taken(scheduler, 1031.06).slots == [slot]


def test_a_batch_is_no_larger_than_each_frame_can_bear() -> None:
    """The oldest says how many go with it; the others are the next call's."""
    scheduler = Scheduler(max_batch_size=8, in_flight=1, deadline=0.5)
    for number in range(40):
        scheduler.run_times.add(1 + number % 8, 0.1 + 0.04 * (number % 8), 1.0, 0.0)
    for number, age in enumerate((0.2, 0.1, 0.0, 0.0, 0.0, 0.0)):
        scheduler.put(make_slot(f"s{number}", 0, 1000.0 - age, opened_at=999.0 + number / 100))
    call = taken(scheduler, 1000.0)
    assert len(call.slots) == 6
    scheduler.end(call, 1000.3, is_measure=False)
    for number, age in enumerate((0.25, 0.1, 0.0, 0.0, 0.0, 0.0)):
        scheduler.put(make_slot(f"s{number}", 0, 1000.3 - age, opened_at=1000.0 + number / 100))
    assert [slot.stream for slot in taken(scheduler, 1000.3).slots] == ["s0", "s1", "s2", "s3"]


def test_a_call_that_its_deadline_ended_takes_longer_than_it_was_let() -> None:
    """How much is not known; were it taken for what it was let, whatever is too large would seem to come in time."""
    scheduler = Scheduler(max_batch_size=8, in_flight=1, deadline=1.0)
    scheduler.put(make_slot("a", 0, 1000.0))
    call = taken(scheduler, 1000.02)
    scheduler.end(call, call.deadline, is_measure=True)
    assert scheduler.run_times.seconds(1, 1) > scheduler.deadline


def test_calls_of_nearly_the_deadline_become_as_large_as_they_may() -> None:
    """Where eight pictures take as long as one, and that is most of what may be, eight are asked about."""
    outcome = run(cameras(8, sample_fps=5.0), Server(lanes=2, base=0.8, each=0.0), seconds=62.0)
    assert sum(outcome.rates) >= 9.0
    assert max(outcome.all_ages) <= 1.0


def test_calls_that_may_leave_share_what_is_due() -> None:
    """Where two run at once eight frames are four and four, and no call is larger than it is worth."""
    scheduler = Scheduler(max_batch_size=8, in_flight=2, deadline=10.0)
    for number in range(8):
        scheduler.put(make_slot(f"s{number}"))
    assert [len(taken(scheduler, 1000.0).slots) for _ in range(2)] == [4, 4]


def test_a_sample_of_more_pictures_than_a_call_carries_goes_alone() -> None:
    """It is a batch of its own, and is neither refused nor waited for."""
    scheduler = Scheduler(max_batch_size=4, in_flight=3, deadline=10.0)
    for stream, pictures in {"a": 7, "b": 1, "c": 1}.items():
        scheduler.put(make_slot(stream, pictures=pictures))
    sizes = [[slot.stream for slot in taken(scheduler, 1000.0).slots] for _ in range(2)]
    assert sizes[0] == ["a"]


def test_one_call_at_a_time_is_followed_just_in_time() -> None:
    """Before a server that works on one call the next leaves shortly before that ends, and not at once."""
    outcome, former = (simulate("GPU, 8 cameras, every frame", pulls=pulls, seconds=30.0) for pulls in (True, False))
    assert sum(outcome.rates) >= 0.98 * sum(former.rates)
    assert median(outcome) <= 0.8 * median(former)


def test_two_at_once_are_kept_where_they_give_more() -> None:
    """On two cores calls overlap as before; frames are newer and batches no larger than is worth it."""
    outcome, former = (simulate("CPU, 8 cameras, every frame", pulls=pulls, seconds=30.0) for pulls in (True, False))
    assert sum(outcome.rates) >= 0.95 * sum(former.rates)
    assert median(outcome) <= 0.65 * median(former)


def median(outcome: Outcome) -> float:
    """Age of the answer in the middle."""
    return outcome.all_ages[len(outcome.all_ages) // 2]
