"""Where the packets of each track come that a camera announced: what SETUP is about (RFC 2326 section 10.4)."""

from collections.abc import Callable
from itertools import chain
from urllib.parse import urlsplit

from streamer.source.rtsp.beside import Beside
from streamer.source.rtsp.control_url import control_url
from streamer.source.rtsp.description import Description
from streamer.source.rtsp.placement import Pair, Placement, Wish, granted, wished
from streamer.source.rtsp.port_pair import PortPair
from streamer.values.errors import SourceError

MOST_SET_UP = 8
"""Tracks that are set up, the video among them."""

Bind = Callable[[], PortPair]
"""Two UDP ports that hear the camera."""


class Declined(Exception):
    """What a camera asks for is not done. A plain fact; it becomes the answer."""

    def __init__(self, status: int, sentence: str = "", fields: list[tuple[str, str]] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.fields = status, sentence, fields or []


class Arrangement:
    """Of one camera.

    Args:
        url: that it announced.
        description: with it.
        bind: two UDP ports that hear it.

    Raises:
        SourceError: there is no video that can be played.
    """

    def __init__(self, url: str, description: Description, bind: Bind) -> None:
        self.url, self.description = url, description
        self._video = description.tracks.index(description.video())
        self._bind = bind
        self._placed: dict[int, Placement] = {}
        """By the tracks' places in the description."""
        self._ports: PortPair | None = None
        self._unread: PortPair | None = None
        """Where datagrams of all else go. Often nobody reads them: they must go somewhere, or their senders give up."""

    @property
    def begun(self) -> bool:
        """Whether any track is set up."""
        return bool(self._placed)

    @property
    def placement(self) -> Placement | None:
        """Of the video; None: it is not set up."""
        return self._placed.get(self._video)

    @property
    def sound(self) -> Beside | None:
        """What comes beside the video; None: it is not set up."""
        track = self.description.sound()
        number = None if track is None else self.description.tracks.index(track)
        placement = None if number is None else self._placed.get(number)
        if track is None or placement is None:
            return None
        return Beside(track, placement, self._unread if placement.transport == "udp" else None)

    @property
    def ports(self) -> tuple[PortPair, ...]:
        """Those that are open: the video's first, if it has any."""
        return tuple(ports for ports in (self._ports, self._unread) if ports is not None)

    def set_up(self, url: str, transport: str | None) -> str:
        """Settle where a track's packets come; gives the answer's Transport.

        Args:
            url: the track's, as the camera writes it.
            transport: the ways it would send, as the value of that field.

        Raises:
            Declined: why not.
        """
        number = self._track(url)
        if number != self._video and len(self._placed.keys() - {number, self._video}) >= MOST_SET_UP - 1:
            raise Declined(453, f"{MOST_SET_UP} tracks are set up at the most")
        wish = next(wished(transport), None)
        if wish is None or self.description.tracks[number].encrypted:
            raise Declined(461, "tracks are taken as RTP that is not encrypted, over TCP or by UDP to one address")
        return self._place(number, wish)

    def close(self) -> None:
        """Let go of the ports. May be called twice."""
        for ports in self.ports:
            ports.close()

    def _track(self, url: str) -> int:
        """Which track a URL means: by what the description calls it, or else the next that is not set up."""
        whole = control_url(self.url, self.description.control)
        names = [
            {_tail(control_url(base, track.control)) for base in (self.url, whole)} for track in self.description.tracks
        ]
        meant = [number for number, known in enumerate(names) if _tail(url) in known]
        free = [number for number in range(len(names)) if number not in self._placed]
        found = next(chain((number for number in meant if number in free), meant, free), None)
        if found is None or not _path(url).startswith(_path(self.url)):
            raise Declined(404, "no such track was announced")
        return found

    def _place(self, number: int, wish: Wish) -> str:
        if wish.transport == "tcp":
            taken = {one for other, place in self._placed.items() if other != number for one in _channels(place)}
            pair = wish.pair if wish.pair and taken.isdisjoint(wish.pair) else _free(taken)
            self._placed[number] = Placement("tcp", pair)
            return granted("tcp", None, pair)
        try:
            if number == self._video:
                ports = self._ports = self._ports or self._bind()
                ports.theirs = wish.pair
            else:
                ports = self._unread = self._unread or self._bind()
        except SourceError as error:
            raise Declined(453, str(error)) from None
        self._placed[number] = Placement("udp", server_ports=wish.pair)
        return granted("udp", wish.pair, ports.numbers)


def _tail(url: str) -> str:
    """A URL without its host: cameras write whatever name they know us by."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return parts._replace(scheme="", netloc="").geturl().rstrip("/")


def _path(url: str) -> str:
    return _tail(url).partition("?")[0].rstrip("/")


def _channels(place: Placement) -> Pair | tuple[()]:
    return place.channels if place.transport == "tcp" else ()


def _free(taken: set[int]) -> Pair:
    """Two channels that no other track has."""
    first = next(number for number in range(0, 256, 2) if taken.isdisjoint((number, number + 1)))
    return first, first + 1
