"""Who watches what from where, and how many may. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from streamer.values.errors import Overloaded


@dataclass(frozen=True, slots=True)
class SeatLimits:
    """How many may watch at once, by WebRTC, MJPEG and the events of detections together."""

    total: int
    per_stream: int
    per_address: int
    """From one network address; behind a proxy everybody has the proxy's."""


@dataclass(frozen=True, eq=False, slots=True)
class Seat:
    """One viewer's place."""

    stream: str | None
    """None: all of them, which is nobody's place at any one."""
    address: str


class Seats:
    """The places of all viewers."""

    def __init__(self, limits: SeatLimits) -> None:
        self.limits = limits
        self._seats: set[Seat] = set()

    def __len__(self) -> int:
        return len(self._seats)

    def sit(self, stream: str | None, address: str) -> Seat:
        """Take a place at a stream, or at all of them for None.

        Raises:
            Overloaded: none is free.
        """
        limits = self.limits
        if len(self._seats) >= limits.total:
            raise Overloaded(f"all {limits.total} places for viewers are taken (server.max_viewers)")
        if stream is not None and sum(seat.stream == stream for seat in self._seats) >= limits.per_stream:
            raise Overloaded(
                f"all {limits.per_stream} places for viewers of {stream} are taken (server.max_viewers_per_stream)"
            )
        if sum(seat.address == address for seat in self._seats) >= limits.per_address:
            raise Overloaded(
                f"all {limits.per_address} places for viewers from one address are taken"
                " (server.max_viewers_per_address)"
            )
        seat = Seat(stream, address)
        self._seats.add(seat)
        return seat

    def rise(self, seat: Seat) -> None:
        """Give a place back; may be called twice."""
        self._seats.discard(seat)

    @contextmanager
    def seated(self, stream: str | None, address: str) -> Iterator[None]:
        """Hold a place for as long as the block lasts.

        Raises:
            Overloaded: none is free.
        """
        seat = self.sit(stream, address)
        try:
            yield
        finally:
            self.rise(seat)
