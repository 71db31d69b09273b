"""streamer.inference.run_times: how many calls the servers really work on at once, learnt from how long they take."""

from collections.abc import Callable

import pytest

from streamer.inference.run_times import RunTimes

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
