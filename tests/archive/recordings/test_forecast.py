"""How many days there is room for. Pure."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.recordings.forecast import LEAST, days_that_fit, rate
from streamer.archive.recordings.rules import DAY, GB, RecordingRules
from streamer.values.recording import Recording


def test_a_rate_is_of_the_last_day_or_of_what_there_is_of_it() -> None:
    """A stream recorded since an hour has a day's rate; one that has just begun has none."""
    assert rate(24 * GB, 0.0, 30 * DAY) == pytest.approx(24 * GB)
    assert rate(GB, 30 * DAY - 3600, 30 * DAY) == pytest.approx(24 * GB)
    assert rate(GB, 30 * DAY - LEAST + 1, 30 * DAY) is None


def test_the_narrowest_limit_counts() -> None:
    """The disk and what all may have together are shared at the same rate; a stream's own limit is its own."""
    rates = {"a": 10.0 * GB, "b": 30.0 * GB, "still": 0.0}
    assert days_that_fit(rates, RecordingRules(), 400 * GB) == {"a": 10.0, "b": 10.0}
    assert days_that_fit(rates, RecordingRules(keep_bytes=200 * GB), 400 * GB) == {"a": 5.0, "b": 5.0}
    rules = RecordingRules(of_streams={"b": Recording(keep_bytes=60 * GB), "still": Recording(keep_bytes=GB)})
    assert days_that_fit(rates, rules, 400 * GB) == {"a": 10.0, "b": 2.0}


@given(st.dictionaries(st.text(max_size=3), st.floats(1, 1e12), min_size=1), st.integers(0, 10**15))
def test_what_fits_fills_the_room_and_no_more(rates: dict[str, float], room: int) -> None:
    """Without limits of their own, all streams' bytes of the days that fit are the room there is."""
    days = days_that_fit(rates, RecordingRules(), room)
    assert sum(rates[name] * days[name] for name in rates) == pytest.approx(room)
    assert all(0 <= each < inf for each in days.values())
