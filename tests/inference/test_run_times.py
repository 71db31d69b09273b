"""streamer.inference.run_times: how many calls the servers really work on at once, learnt from how long they take."""

import statistics
from collections.abc import Callable
from itertools import pairwise

import pytest

from streamer.inference.run_times import DOUBTED, GIVES_UP, STALE, TRIAL, RunTimes
from streamer.inference.scheduler import Scheduler
from tests.inference.simulated import Camera, Server, Simulation

Seconds = Callable[[int], float]
"""How long a call takes, by how many run at once."""


def learn(run_times: RunTimes, seconds: Seconds, *, since: float = 0.0, until: float) -> None:
    """Calls of eight pictures under steady overload, as many at once as are wanted."""
    now = since
    while now < until:
        run_times.crowd(now)
        beside = run_times.lanes
        now += seconds(beside) / beside
        run_times.add(8, seconds(beside), float(beside), now)


def servers(count: int) -> Seconds:
    """So many that each work on one call at a time, in a tenth of a second."""
    return lambda beside: 0.1 * max(1.0, beside / count)


def two_cpu_servers(beside: int) -> float:
    """Two that are each 1.5 times as fast with two calls as with one, on average over the calls."""
    return 0.1 * beside / (beside if beside <= 2 else 1 + 0.5 * beside)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 8, 16])
@pytest.mark.parametrize("spare", [0, 2])
def test_every_server_is_used_and_no_queue_kept(count: int, spare: int) -> None:
    """Each gives as much as the ones before it, so all are worth a call, and what would only wait is not."""
    run_times = RunTimes(count + spare)
    learn(run_times, servers(count), until=100.0)
    assert run_times.lanes == count


def test_two_servers_that_take_two_calls_each_get_four() -> None:
    """The third and the fourth give a half each of what the first two do."""
    run_times = RunTimes(4)
    learn(run_times, two_cpu_servers, until=100.0)
    assert run_times.lanes == 4


@pytest.mark.parametrize(("before", "after"), [(4, 1), (1, 4), (2, 8), (8, 2)])
def test_what_another_machine_did_is_forgotten(before: int, after: int) -> None:
    """A trial is judged by itself: in a mean with some hundred calls of before it would count for nothing."""
    run_times = RunTimes(8)
    learn(run_times, servers(before), until=100.0)
    learn(run_times, servers(after), since=100.0, until=100.0 + 2 * STALE)
    assert run_times.lanes == after


def test_a_trial_ends_with_enough_calls_and_without_them() -> None:
    """It is over after a few that had as many beside them, or where none comes to that; then nothing has changed."""
    run_times = RunTimes(2)
    for _ in range(10):
        run_times.add(8, 0.2, 2.0, 0.0)
    run_times.crowd(0.0)
    for _ in range(TRIAL):
        assert (run_times.tries, run_times.lanes) == (True, 1)
        run_times.add(8, 0.2, 1.0, 1.0)
    assert (run_times.tries, run_times.lanes) == (False, 2)
    run_times.crowd(1.0 + STALE)
    for _ in range(2 * GIVES_UP):
        assert run_times.tries
        run_times.add(8, 0.05, 1.5, 2.0 + STALE)
    assert (run_times.tries, run_times.lanes) == (False, 2)


def test_a_verdict_is_doubted_and_trusted_by_and_by() -> None:
    """A second after another number was chosen the former is tried again, then four times as late each time that this
    changes nothing, and every STALE in the end: a bad moment costs no more than it was long."""
    run_times, now, begun = RunTimes(2), 0.0, [0.0]
    for _ in range(TRIAL):
        run_times.add(8, 2.0, 2.0, now)
    while now < 100.0:  # one server, each of whose calls takes 10 ms
        was_trial = run_times.tries
        run_times.crowd(now)
        if run_times.tries and not was_trial:
            begun.append(now)
        now += 0.01
        run_times.add(8, 0.01 * run_times.lanes, float(run_times.lanes), now)
    rests = [later - earlier for earlier, later in pairwise(begun[1:])]
    assert rests[:4] == pytest.approx([DOUBTED, 4 * DOUBTED, 16 * DOUBTED, STALE], abs=0.2)
    assert run_times.lanes == 1


def test_a_trial_that_is_given_up_changes_nothing_and_is_rested_from() -> None:
    """What was chosen before stays, whatever its calls have shown so far, and the next trial comes as late as ever."""
    run_times = RunTimes(2)
    learn(run_times, servers(1), until=100.0)
    run_times.crowd(200.0)
    assert (run_times.tries_more, run_times.lanes) == (True, 2)
    run_times.add(8, 0.001, 2.0, 200.1)
    run_times.give_up(200.1)
    assert (run_times.tries, run_times.lanes) == (False, 1)
    run_times.crowd(200.0 + STALE)
    assert not run_times.tries
    run_times.crowd(200.2 + STALE)
    assert run_times.tries_more


def test_calls_of_a_trial_take_no_longer_than_if_they_waited_for_one_another() -> None:
    """What is known of so many at once may be another machine's: it must not end the trial that would show that."""
    run_times = RunTimes(2)
    for count in (2, 1):
        for _ in range(10):
            run_times.add(8, 0.1 if count == 1 else 5.0, float(count), 0.0)
    assert run_times.lanes == 1
    run_times.crowd(STALE)
    assert run_times.tries_more
    assert run_times.seconds(8, 2) == pytest.approx(0.2)


def test_a_trial_with_calls_of_one_size_keeps_the_line() -> None:
    """What smaller calls take is known of before; a machine that is twice as fast is it for them too."""
    run_times = RunTimes(2)
    for number in range(100):
        run_times.add(1 + number % 8, 0.1 + 0.1 * (1 + number % 8), 1.0, 0.0)
    run_times.add(8, 0.9, 2.0, 0.0)
    run_times.crowd(STALE)
    for _ in range(TRIAL):
        run_times.add(8, 0.45, 1.0, STALE)
    assert run_times.seconds(8, 1) == pytest.approx(0.45)
    assert run_times.seconds(4, 1) == pytest.approx(0.25, rel=0.01)


def test_one_more_than_was_seen_is_thought_to_take_no_longer() -> None:
    """Until it was asked about: else calls of one picture would never become larger where two would come too late."""
    run_times = RunTimes(1)
    run_times.add(1, 0.7, 1.0, 0.0)
    assert [run_times.seconds(pictures, 1) for pictures in (1, 2)] == [0.7, 0.7]
    assert run_times.seconds(3, 1) == pytest.approx(2.1)


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2), (1, 4), (4, 2)])
def test_servers_that_come_and_go_are_noticed(before: int, after: int) -> None:
    """Under steady overload, with calls of half a second: two minutes later what there is is used, and nothing waits in
    front of it."""
    scheduler = Scheduler(max_batch_size=8, in_flight=4, deadline=6.0)
    streams = [Camera(f"cam-{n}", fps=5.0, sample_fps=5.0, phase=n / 80) for n in range(16)]
    simulation = Simulation(scheduler, Server(lanes=before, base=0.1, each=0.05), streams)
    simulation.change(60.0, Server(lanes=after, base=0.1, each=0.05))
    outcome = simulation.run(220.0, settle=180.0)
    assert sum(outcome.rates) >= 0.9 * after * 8 / 0.5
    assert statistics.median(outcome.all_ages) <= 0.8
