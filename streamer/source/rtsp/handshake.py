"""What a camera that pushes says before it does: ANNOUNCE, a SETUP for each track, RECORD (RFC 2326 section 14.6)."""

import os
from collections.abc import Callable
from itertools import chain
from urllib.parse import urlsplit

from streamer.source.failure import printable
from streamer.source.rtsp import description as descriptions
from streamer.source.rtsp.control_url import control_url
from streamer.source.rtsp.description import Description
from streamer.source.rtsp.lock import Lock
from streamer.source.rtsp.message import Request, as_utf8
from streamer.source.rtsp.mount import Mount
from streamer.source.rtsp.placement import Pair, Placement, Wish, granted, wished
from streamer.source.rtsp.port_pair import PortPair
from streamer.source.rtsp.push import Agreed, answer
from streamer.values import url as urls
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

MOST_SET_UP = 8
"""Tracks that are set up, the video among them."""
MOST_WRONG = 3
"""Wrong passwords in one connection."""

Find = Callable[[str, str], Mount | None]
"""The stream of a path and a query; None: there is none of that name."""
Bind = Callable[[], PortPair]
"""Two UDP ports that hear the camera."""


class Declined(Exception):
    """What a camera asks for is not done. A plain fact; it becomes the answer."""

    def __init__(self, status: int, sentence: str = "", fields: list[tuple[str, str]] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.fields = status, sentence, fields or []


class Handshake:
    """Of one connection.

    Args:
        find: the stream of a name.
        bind: two UDP ports that hear this camera.
        clock: monotonic seconds.
        say: takes a sentence for the log.
    """

    def __init__(self, find: Find, bind: Bind, clock: Clock, say: Callable[[str], None]) -> None:
        self._find, self._bind, self._clock, self._say = find, bind, clock, say
        self.mount: Mount | None = None
        """The stream of which a camera said that it would push to it."""
        self._url = ""
        self._description = Description("", ())
        self._video = -1
        """Its place among the tracks."""
        self._lock: tuple[Mount, Lock] | None = None
        self._login: str | None = None
        self._wrong = 0
        self._session: str | None = None
        self._placed: dict[int, Placement] = {}
        """By the tracks' places, what was set up."""
        self._ports: PortPair | None = None
        self._unread: PortPair | None = None
        """Where datagrams of sound go. Nobody reads them: they must go somewhere, or their senders give up."""
        self.agreed: Agreed | None = None
        """Set by RECORD: the connection is to be handed over to `mount`, and its ports with it."""
        self.over = False
        """Whether nothing more is to be said."""

    def answer(self, request: Request) -> bytes:
        """What a request is answered."""
        try:
            fields = self._do(request)
        except Declined as declined:
            return answer(request, declined.status, declined.sentence, declined.fields)
        return answer(request, 200, fields=fields, session=self._session)

    def close(self) -> None:
        """Let go of the ports, where they were not handed over. May be called twice."""
        for ports in (self._ports, self._unread) if self.agreed is None else ():
            if ports is not None:
                ports.close()

    def _do(self, request: Request) -> list[tuple[str, str]]:
        said = request.fields.get("session")
        if said is not None and self._session is not None and said.partition(";")[0].strip() != self._session:
            raise Declined(454)
        match request.method:
            case "OPTIONS" | "GET_PARAMETER" | "SET_PARAMETER":
                return []
            case "ANNOUNCE":
                return self._announce(request)
            case "SETUP":
                return self._set_up(request)
            case "RECORD":
                return self._record()
            case "TEARDOWN":
                self.over = True
                return []
            case "PAUSE":
                raise Declined(455)
            case "DESCRIBE" | "PLAY":
                self._named(request.url)
                raise Declined(405, "streams are pushed to here, and played by WebRTC")
        raise Declined(501)

    # ---- ANNOUNCE

    def _announce(self, request: Request) -> list[tuple[str, str]]:
        if self._placed:
            raise Declined(455, "tracks are set up already")
        mount = self._named(request.url)
        self._log_in(mount, request)
        self._require_free(mount)
        kind = (request.fields.get("content-type") or "application/sdp").partition(";")[0].strip().lower()
        if kind != "application/sdp":
            raise Declined(415, "a stream is announced by application/sdp")
        try:
            description = descriptions.read(request.body)
            video = description.tracks.index(description.video())
        except SourceError as error:
            mount.refused(error)
            status = {"protocol": 400, "too_large": 413}.get(error.kind, 415)
            raise Declined(status, ascii(str(error))[1:-1]) from None
        self.mount, self._url, self._description, self._video = mount, request.url, description, video
        return []

    def _named(self, url: str) -> Mount:
        """The stream of a URL."""
        try:
            path, query = urls.path_of(as_utf8(url)), urls.query_of(as_utf8(url))
        except ValueError:
            raise Declined(400, "this is no URL") from None
        mount = self._find(path, query)
        if mount is None:
            # Some cameras write a password into the path, behind an equals sign.
            self._say(f"nobody waits for a camera to push to {printable(path.partition('=')[0]) or '/'}")
            raise Declined(404, "no stream of this name is pushed to here")
        return mount

    def _require_free(self, mount: Mount) -> None:
        if mount.busy:
            self._say(f"another camera pushes to {printable(mount.path) or '/'} already")
            raise Declined(455, "another camera pushes to this stream")

    def _log_in(self, mount: Mount, request: Request) -> None:
        if mount.login is None:
            return
        if self._lock is None or self._lock[0] is not mount:
            self._lock = mount, Lock(*mount.login, self._clock)
        lock = self._lock[1]
        verdict = lock.judge(request.fields.get("authorization"), request.method, request.url)
        if verdict == "right":
            self._login = lock.name
            return
        if verdict == "wrong":
            self._wrong += 1
            self.over = self._wrong >= MOST_WRONG
            mount.refused(SourceError("authentication", "a camera that wanted to push gave a wrong user or password"))
        challenges = lock.challenges(stale=verdict == "stale")
        raise Declined(401, fields=[("WWW-Authenticate", challenge) for challenge in challenges])

    # ---- SETUP

    def _set_up(self, request: Request) -> list[tuple[str, str]]:
        if self.mount is None:
            raise Declined(455, "nothing was announced")
        number = self._track(request.url)
        if number != self._video and len(self._placed.keys() - {number, self._video}) >= MOST_SET_UP - 1:
            raise Declined(453, f"{MOST_SET_UP} tracks are set up at the most")
        wish = next(wished(request.fields.get("transport")), None)
        if wish is None:
            raise Declined(461, "tracks are taken as RTP over TCP, or by UDP to one address")
        if self._description.tracks[number].encrypted:
            raise Declined(461, "encrypted tracks (SRTP) are not taken")
        transport = self._place(number, wish)
        self._session = self._session or os.urandom(8).hex()
        return [("Transport", transport)]

    def _track(self, url: str) -> int:
        """Which track a URL means: by what the description calls it, or else the next that is not set up."""
        whole = control_url(self._url, self._description.control)
        names = [
            {_tail(control_url(base, track.control)) for base in (self._url, whole)}
            for track in self._description.tracks
        ]
        meant = [number for number, known in enumerate(names) if _tail(url) in known]
        free = [number for number in range(len(names)) if number not in self._placed]
        found = next(chain((number for number in meant if number in free), meant, free), None)
        if found is None or not _path(url).startswith(_path(self._url)):
            raise Declined(404, "no such track was announced")
        return found

    def _place(self, number: int, wish: Wish) -> str:
        """Settle where a track's packets come; gives the answer's Transport."""
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

    # ---- RECORD

    def _record(self) -> list[tuple[str, str]]:
        if self.mount is None or self._session is None or self._video not in self._placed:
            raise Declined(455, "the video was not set up")
        if self.mount.closed:
            raise Declined(404, "no stream of this name is pushed to here")
        self._require_free(self.mount)
        ports = tuple(each for each in (self._ports, self._unread) if each is not None)
        tracks, placement = self._description.tracks, self._placed[self._video]
        self.agreed = Agreed(self._url, self._session, tracks, tracks[self._video], placement, ports, self._login)
        return []


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
