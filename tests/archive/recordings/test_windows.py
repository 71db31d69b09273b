"""The times around events."""

from math import inf

from streamer.archive.recordings.windows import MOST, Window, Windows


def test_events_that_run_into_each_other_are_one_time() -> None:
    """What is written goes on into a window that overlaps the one before, and ends before one that does not."""
    windows = Windows()
    windows.put("a", Window(10, 20))
    windows.put("b", Window(18, 30))
    windows.put("c", Window(40, 50))
    assert windows.first(0) == Window(10, 30)
    assert windows.first(35) == Window(40, 50)
    assert windows.first(51) is None


def test_an_event_that_goes_on_has_no_end_until_it_is_told() -> None:
    """The newest state of an event stands."""
    windows = Windows()
    windows.put("a", Window(10, inf))
    assert windows.first(1e9) == Window(10, inf)
    windows.put("a", Window(10, 25))
    assert windows.first(26) is None


def test_pausing_ends_what_goes_on() -> None:
    """Nothing goes on beyond the moment a stream is paused."""
    windows = Windows()
    windows.put("a", Window(10, inf))
    windows.end(17)
    assert windows.first(18) is None
    assert windows.touch(16, 18)
    assert not windows.touch(18, 19)


def test_they_are_bounded() -> None:
    """A stream that has more events at once than anybody looks at costs no more memory: the oldest are forgotten."""
    windows = Windows()
    for number in range(MOST + 10):
        windows.put(str(number), Window(number, number + 0.5))
    assert windows.first(0) == Window(10, 10.5)
    windows.forget(100)
    assert windows.first(0) == Window(100, 100.5)
