"""streamer.http.connections: how many connections there may be, and which one goes for another."""

import math

import pytest

from streamer.http.connections import ConnectionLimits, Connections
from tests.peers.clock import FakeClock


class FakeConnection:
    """One that waits, from some time on, until some other."""

    def __init__(
        self, connections: Connections, address: str, waits_since: float | None = 0.0, ends_at: float = math.inf
    ) -> None:
        self.address, self.waits_since, self.ends_at, self.overdue = address, waits_since, ends_at, "slow"
        self.aborted = False
        connections.add(self)

    def abort(self) -> None:
        """Note it."""
        self.aborted = True


@pytest.fixture
def clock() -> FakeClock:
    """Give time to be moved by hand."""
    return FakeClock()


@pytest.fixture
def connections(clock: FakeClock) -> Connections:
    """Give room for four, and for three of one address."""
    return Connections(ConnectionLimits(4, 3), clock, trusted=("10.0.0.1",))


def test_the_one_that_waits_longest_goes_for_another_of_its_address(connections: Connections) -> None:
    """At an address's limit a newcomer takes the place of that address's oldest that has nothing under way."""
    busy, young, old = (FakeConnection(connections, "a", since) for since in (None, 2.0, 1.0))
    assert connections.admit("a")
    assert [each.aborted for each in (busy, young, old)] == [False, False, True]
    assert connections.ended == {"crowded": 1}
    assert len(connections) == 2


def test_an_address_of_which_all_are_at_work_gets_no_more(connections: Connections) -> None:
    """Nobody's answer is cut off for a newcomer, who is turned away and counted; others come in."""
    all_busy = [FakeConnection(connections, "a", None) for _ in range(3)]
    assert not connections.admit("a")
    assert connections.ended == {"refused": 1}
    assert not any(each.aborted for each in all_busy)
    assert connections.admit("b")


def test_of_ipv6_a_household_is_one_address(connections: Connections) -> None:
    """Addresses of one network of 64 bits count together, or one machine would have as many as it likes."""
    for host in range(3):
        FakeConnection(connections, f"2001:db8::{host:x}", None)
    assert not connections.admit("2001:db8::ffff")
    assert connections.admit("2001:db8:0:1::1")


def test_when_all_places_are_taken_the_address_with_most_gives_one(connections: Connections) -> None:
    """A stranger comes in at the cost of whoever keeps most connections waiting, whoever came first."""
    oldest = FakeConnection(connections, "b", 0.0)
    crowd = [FakeConnection(connections, "a", since) for since in (1.0, 2.0, 3.0)]
    assert connections.admit("c")
    assert [each.aborted for each in (oldest, *crowd)] == [False, True, False, False]


def test_a_proxy_speaks_for_many(connections: Connections) -> None:
    """The limit of one address is not a trusted proxy's; the one in all is."""
    for _ in range(3):
        FakeConnection(connections, "10.0.0.1", None)
    assert connections.admit("10.0.0.1")
    FakeConnection(connections, "10.0.0.1", None)
    assert not connections.admit("10.0.0.1")


def test_what_was_waited_for_long_enough_is_ended(connections: Connections, clock: FakeClock) -> None:
    """Each at its own time, with its own reason; once."""
    first, second = FakeConnection(connections, "a", ends_at=1010.0), FakeConnection(connections, "a", ends_at=1030.0)
    clock.advance(10.0)
    connections.end_overdue()
    connections.end_overdue()
    assert (first.aborted, second.aborted) == (True, False)
    assert connections.ended == {"slow": 1}


def test_room_is_made_where_something_waits(connections: Connections) -> None:
    """For want of descriptors one that waits is ended, and none that is at work."""
    busy, waiting = FakeConnection(connections, "a", None), FakeConnection(connections, "a")
    assert connections.make_room()
    assert not connections.make_room()
    assert (busy.aborted, waiting.aborted) == (False, True)
    assert connections.ended == {"descriptors": 1}
