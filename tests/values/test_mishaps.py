"""streamer.values.mishaps: what fails with every frame is counted each time, and said once an outage."""

import asyncio

import pytest

from streamer.values.mishaps import PAUSE, Mishaps
from tests.peers.clock import FakeClock


def happen(mishaps: Mishaps, count: int = 1) -> None:
    """Let it fail so many times."""
    for number in range(count):
        with mishaps:
            raise ZeroDivisionError(str(number))


def said(log: pytest.LogCaptureFixture) -> list[str]:
    """The sentences in the log."""
    return [record.getMessage() for record in log.records]


def test_an_outage_is_said_once_and_counted_whole(caplog: pytest.LogCaptureFixture) -> None:
    """However long it fails, there is one word and one traceback; each failure is counted and told of."""
    clock, told = FakeClock(), list[None]()
    mishaps = Mishaps("porch: frames cannot be shown", clock=clock, on_each=lambda: told.append(None))
    for _ in range(100):
        clock.advance(1.0)
        happen(mishaps)
    assert said(caplog) == ["porch: frames cannot be shown"]
    assert caplog.text.count("Traceback") == 1
    assert (mishaps.count, len(told)) == (100, 100)


def test_the_next_outage_is_said_with_what_was_not(caplog: pytest.LogCaptureFixture) -> None:
    """After it worked again the next failure is said, with how many there were of which nothing was."""
    clock = FakeClock()
    mishaps = Mishaps("porch: frames cannot be shown", clock=clock)
    happen(mishaps, 3)
    with mishaps:
        pass
    clock.advance(PAUSE)
    happen(mishaps)
    assert said(caplog)[1:] == ["porch: frames cannot be shown (2 more since this was last said)"]


def test_what_fails_every_other_time_is_said_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    """Thirty outages a second are one word a second."""
    clock = FakeClock()
    mishaps = Mishaps("porch: frames cannot be shown", clock=clock)
    for _ in range(300):
        happen(mishaps)
        with mishaps:
            pass
        clock.advance(1 / 30)
    assert len(said(caplog)) in (10, 11)  # as thirtieths add up


def test_an_end_is_no_mishap() -> None:
    """Who is cancelled on the way is cancelled."""
    mishaps = Mishaps("porch: frames cannot be shown")
    with pytest.raises(asyncio.CancelledError), mishaps:
        raise asyncio.CancelledError
    assert mishaps.count == 0
