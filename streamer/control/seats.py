"""Who watches what from where, and how many may. Pure."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from streamer.values.errors import Overloaded
from streamer.values.host import network_of

PER_ADDRESS = 8
"""Places for one address, where nothing else is said."""
SPARE = 3
"""Beside one for each stream and one for their events, what a page has by MJPEG while it asks for WebRTC again: three
videos at a time (web/pictures.js). Without them it would be refused for what it has itself, and never come back."""
MAX_CONNECTING = 32
"""Offers that were answered and are not connected yet. Who means to come takes less than a second of such a place."""
MAX_CONNECTING_PER_ADDRESS = 16
"""Of those for one address, or as many as there are streams: a page opens all its videos at once. With more streams
more may be connecting in all, so that other addresses keep the rest."""
LIMITS = ("address", "connecting", "stream", "total")
"""What somebody may be refused for."""


@dataclass(frozen=True, slots=True)
class SeatLimits:
    """How many may watch at once, by WebRTC, MJPEG and the events of detections together."""

    total: int
    per_stream: int
    per_address: int | None
    """From one network address; behind a proxy everybody has the proxy's. None: PER_ADDRESS, and never less than one
    page that shows every stream may take."""


@dataclass(eq=False, slots=True)
class Seat:
    """One viewer's place."""

    stream: str | None
    """None: all of them, which is nobody's place at any one."""
    network: str
    """Whence he comes."""
    connecting: bool = False
    """Whether he was only told how to connect. Until he is there he takes nobody's place but his own network's."""


class Seats:
    """The places of all viewers."""

    def __init__(self, limits: SeatLimits) -> None:
        self.limits = limits
        self.streams = 0
        """How many there are: a page that shows all of them takes a place at each, and one for their events."""
        self.refused: Counter[str] = Counter(dict.fromkeys(LIMITS, 0))
        """Times somebody found no place, by the limit he met."""
        self._seats: set[Seat] = set()

    def __len__(self) -> int:
        return len(self._seats)

    def sit(self, stream: str | None, address: str, *, connecting: bool = False) -> Seat:
        """Take a place at a stream, or at all of them for None.

        Args:
            stream: its name.
            address: the viewer's.
            connecting: whether it is only for as long as the viewer is on his way: `arrive` makes it his own.

        Raises:
            Overloaded: none is free.
        """
        seat = Seat(stream, network_of(address), connecting)
        self._require_room(seat, [each for each in self._seats if not each.connecting or each.network == seat.network])
        if connecting:
            self._require_room_to_connect(seat.network)
        self._seats.add(seat)
        return seat

    def arrive(self, seat: Seat) -> None:
        """Make the place of one who was connecting his own.

        Raises:
            Overloaded: it was given to another meanwhile.
        """
        self._seats.discard(seat)
        self._require_room(seat, [each for each in self._seats if not each.connecting])
        seat.connecting = False
        self._seats.add(seat)

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

    def _require_room(self, seat: Seat, taken: list[Seat]) -> None:
        limits = self.limits
        if len(taken) >= limits.total:
            self._refuse("total", f"all {limits.total} places for viewers are taken (server.max_viewers)")
        if seat.stream is not None and sum(each.stream == seat.stream for each in taken) >= limits.per_stream:
            self._refuse(
                "stream",
                f"all {limits.per_stream} places for viewers of {seat.stream} are taken"
                " (server.max_viewers_per_stream)",
            )
        per_address = limits.per_address or max(PER_ADDRESS, self.streams + 1 + SPARE)
        if sum(each.network == seat.network for each in taken) >= per_address:
            self._refuse(
                "address",
                f"all {per_address} places for viewers from one address are taken (server.max_viewers_per_address)",
            )

    def _require_room_to_connect(self, network: str) -> None:
        connecting = [each.network for each in self._seats if each.connecting]
        per_address = max(MAX_CONNECTING_PER_ADDRESS, self.streams)
        total = per_address + MAX_CONNECTING - MAX_CONNECTING_PER_ADDRESS
        if connecting.count(network) >= per_address:
            self._refuse("connecting", f"{per_address} viewers of one address are connecting already")
        if len(connecting) >= total:
            self._refuse("connecting", f"{total} viewers are connecting already")

    def _refuse(self, limit: str, sentence: str) -> None:
        self.refused[limit] += 1
        raise Overloaded(sentence)
