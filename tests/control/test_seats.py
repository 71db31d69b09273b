"""streamer.control.seats: who may watch."""

from contextlib import suppress

import pytest

from streamer.control.seats import MAX_CONNECTING, MAX_CONNECTING_PER_ADDRESS, PER_ADDRESS, SeatLimits, Seats
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


def test_who_only_connects_keeps_nobody_else_out() -> None:
    """A place of one who is connecting counts for his own address; another's is free until he has arrived."""
    seats = Seats(SeatLimits(2, 2, 2))
    waiting = [seats.sit("a", "1", connecting=True) for _ in range(2)]
    with pytest.raises(Overloaded, match=r"\(server.max_viewers\)"):
        seats.sit("a", "1")
    seats.sit("a", "2")
    seats.arrive(waiting[0])
    with pytest.raises(Overloaded, match=r"\(server.max_viewers\)"):
        seats.arrive(waiting[1])
    with pytest.raises(Overloaded):
        seats.sit("b", "3", connecting=True)
    assert len(seats) == 2
    assert seats.refused["total"] == 3


@pytest.mark.parametrize(("streams", "of_one"), [(0, MAX_CONNECTING_PER_ADDRESS), (40, 40)])
def test_few_may_be_connecting(streams: int, of_one: int) -> None:
    """Whatever places there are, a page's videos may be connecting from one address, and so many more from others."""
    seats = Seats(SeatLimits(1000, 1000, 1000))
    seats.streams = streams
    for _ in range(of_one):
        seats.sit("a", "1", connecting=True)
    with pytest.raises(Overloaded, match="one address are connecting"):
        seats.sit("a", "1", connecting=True)
    for place in range(MAX_CONNECTING - MAX_CONNECTING_PER_ADDRESS):
        seats.sit("a", f"10.0.0.{place}", connecting=True)
    with pytest.raises(Overloaded, match="are connecting"):
        seats.sit("a", "2", connecting=True)
    seats.sit("a", "2")
    assert seats.refused == {"address": 0, "connecting": 2, "stream": 0, "total": 0}


@pytest.mark.parametrize(("streams", "places"), [(0, PER_ADDRESS), (4, PER_ADDRESS), (5, 9), (20, 24)])
def test_a_page_with_every_stream_has_room(streams: int, places: int) -> None:
    """Where nothing else is said an address has eight places, or as many as one page of all streams may take."""
    seats = Seats(SeatLimits(64, 64, None))
    seats.streams = streams
    for _ in range(places):
        seats.sit("a", "1")
    with pytest.raises(Overloaded, match=rf"all {places} places .*\(server.max_viewers_per_address\)"):
        seats.sit("a", "1")


def test_a_page_with_every_stream_comes_back_to_webrtc() -> None:
    """A page holds a video's place by MJPEG until its WebRTC is there, and has room for both."""
    seats = Seats(SeatLimits(64, 64, None))
    seats.streams = 9
    seats.sit(None, "1")
    for place in range(seats.streams):
        seats.sit(f"{place}", "1")
    seats.arrive(seats.sit("0", "1", connecting=True))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_an_address_is_what_one_machine_has(one: str, other: str, same: bool) -> None:
    """Of IPv6 the first 64 bits are an address, since whoever has one has them all; IPv4 in IPv6 is IPv4."""
    seats = Seats(SeatLimits(9, 9, 1))
    seats.sit("a", one)
    if same:
        with pytest.raises(Overloaded):
            seats.sit("a", other)
    else:
        seats.sit("a", other)


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
