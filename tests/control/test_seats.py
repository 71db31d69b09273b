"""streamer.control.seats: who may watch."""

from contextlib import suppress

import pytest

from streamer.control.seats import SeatLimits, Seats
from streamer.values.errors import Overloaded


def test_each_limit_is_named_when_it_is_reached() -> None:
    """One more than all, than a stream's or than an address's places is refused with the setting's name."""
    for limits, taken, wanted, setting in (
        (SeatLimits(2, 9, 9), [("a", "1"), ("b", "2")], ("c", "3"), "server.max_viewers)"),
        (SeatLimits(9, 2, 9), [("a", "1"), ("a", "2")], ("a", "3"), "server.max_viewers_per_stream"),
        (SeatLimits(9, 9, 2), [("a", "1"), ("b", "1")], ("c", "1"), "server.max_viewers_per_address"),
    ):
        viewers = Seats(limits)
        for stream, address in taken:
            viewers.sit(stream, address)
        with pytest.raises(Overloaded) as refused:
            viewers.sit(*wanted)
        assert setting in str(refused.value)
        assert len(viewers) == 2


def test_who_takes_all_streams_has_a_place_at_none() -> None:
    """A place at all streams counts in total and for its address, and fills no stream's."""
    seats = Seats(SeatLimits(9, 1, 2))
    seats.sit(None, "1")
    seats.sit(None, "1")
    with pytest.raises(Overloaded, match=r"\(server.max_viewers_per_address\)"):
        seats.sit(None, "1")
    seats.sit("a", "2")
    full = Seats(SeatLimits(1, 9, 9))
    full.sit(None, "1")
    with pytest.raises(Overloaded, match=r"\(server.max_viewers\)"):
        full.sit("a", "2")


def test_a_place_given_back_is_free() -> None:
    """Whoever leaves, once or twice, or by an error, leaves one place."""
    viewers = Seats(SeatLimits(1, 1, 1))
    seat = viewers.sit("a", "1")
    viewers.rise(seat)
    viewers.rise(seat)
    with suppress(RuntimeError), viewers.seated("a", "1"):
        assert len(viewers) == 1
        raise RuntimeError
    viewers.sit("a", "1")
    with pytest.raises(Overloaded), viewers.seated("a", "1"):
        pass
    assert len(viewers) == 1
