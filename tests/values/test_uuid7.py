"""Identifiers that sort by their time."""

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from streamer.values.uuid7 import first_of, uuid7

TIMES = st.floats(0, 2**47 / 1000)


@given(TIMES)
def test_it_is_of_version_7_and_carries_its_time(at: float) -> None:
    """Version and variant stand where RFC 9562 section 5.7 has them, and the milliseconds before them."""
    made = UUID(uuid7(at))
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(at * 1000)


@given(TIMES, TIMES)
def test_their_order_as_text_is_that_of_their_times(one: float, other: float) -> None:
    """An identifier of an earlier millisecond is the lesser text, and none is before the first of its millisecond."""
    if int(one * 1000) < int(other * 1000):
        assert uuid7(one) < uuid7(other)
    assert first_of(one) <= uuid7(one)
    assert len({uuid7(one) for _ in range(100)}) == 100
