"""streamer.outlets.standing: what came of attempts, counted, and the pause that follows."""

from streamer.outlets.sender import Gone, Undelivered, Unwelcome
from streamer.outlets.standing import Standing
from streamer.values.outlet import OutletState
from tests.peers.clock import FakeClock

FAILURE = Undelivered("it answers 500")


def standing() -> tuple[Standing, FakeClock]:
    """Of an outlet that was told nothing yet, and its clock."""
    clock = FakeClock()
    state = OutletState("phone", "webhook", "example.org")
    return Standing(state, clock=clock, wall=FakeClock(1.8e9), dice=lambda: 0.0), clock


def test_those_that_were_under_way_together_are_one_failure() -> None:
    """Four attempts at once that fail make a pause of one second, and not of eight."""
    found, clock = standing()
    for _ in range(4):
        found.failed(FAILURE)
    assert (found.failures, found.pause) == (1, 1.0)
    clock.advance(1)
    found.failed(FAILURE)
    assert (found.failures, found.pause, found.failing) == (2, 2.0, 1.0)
    assert found.took() == 2
    assert (found.failures, found.failing) == (0, 0.0)
    assert found.pause <= 0


def test_what_is_about_a_notification_pauses_nothing() -> None:
    """The receiver answers: others are told."""
    found, _ = standing()
    found.failed(Unwelcome("it answers 400"))
    assert (found.state.status, found.failures, found.failing) == ("failing", 0, 0.0)
    assert found.pause <= 0


def test_who_is_off_stays_so_whatever_fails_next() -> None:
    """Until it takes something."""
    found, _ = standing()
    found.failed(Gone("it answers 410"))
    found.failed(FAILURE)
    assert found.is_off
    found.took()
    assert not found.is_off
