"""Hours of the day."""

from datetime import UTC, time, timedelta, timezone

import pytest

from streamer.values.errors import ConfigError
from streamer.values.hours import Hours, within
from tests.events.looks import NOON


@pytest.mark.parametrize(
    ("span", "moment", "expected"),
    [
        ("08:00-18:00", time(8), True),
        ("08:00-18:00", time(18), False),
        ("22:00-06:00", time(23, 59), True),
        ("22:00-06:00", time(5, 59), True),
        ("22:00-06:00", time(12), False),
    ],
)
def test_a_span_holds_its_beginning_and_not_its_end(span: str, moment: time, expected: bool) -> None:
    """One whose end is before its beginning goes over midnight."""
    assert (moment in Hours.parse(span)) is expected


def test_hours_are_those_of_the_wall() -> None:
    """Noon in UTC is two in the afternoon two hours east of it."""
    span = (Hours.parse("13:30-14:30"),)
    assert within(span, NOON, timezone(timedelta(hours=2)))
    assert not within(span, NOON, UTC)
    assert within((), NOON, UTC)


@pytest.mark.parametrize("text", ["", "8-18", "24:00-01:00", "08:00-18:60", "08:00 - 18:00"])
def test_what_is_no_span_is_refused(text: str) -> None:
    """The sentence says what is allowed."""
    with pytest.raises(ConfigError, match="22:00-06:00"):
        Hours.parse(text)
