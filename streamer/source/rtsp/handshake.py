"""What a camera that pushes says before it does: ANNOUNCE, a SETUP for each track, RECORD (RFC 2326 section 14.6)."""

import os
from collections.abc import Callable

from streamer.source.failure import printable
from streamer.source.rtsp import description as descriptions
from streamer.source.rtsp.arrangement import Arrangement, Bind, Declined
from streamer.source.rtsp.lock import Lock
from streamer.source.rtsp.message import Request, as_utf8
from streamer.source.rtsp.mount import Mount
from streamer.source.rtsp.push import Agreed, answer
from streamer.values import url as urls
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

MOST_WRONG = 3
"""Wrong passwords in one connection."""
MOST_ANNOUNCED = 8
"""ANNOUNCEs in one connection, refused ones too: the one thread of a port reads all descriptions."""

Find = Callable[[str, str], Mount | None]
"""The stream of a path and a query; None: there is none of that name."""


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
        self._arrangement: Arrangement | None = None
        self._lock: tuple[Mount, Lock] | None = None
        self._login: str | None = None
        self._wrong = self._announced = 0
        self._session: str | None = None
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
        if self._arrangement is not None and self.agreed is None:
            self._arrangement.close()

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
        self._announced += 1
        if self._announced > MOST_ANNOUNCED:
            self.over = True
            self._say("it announces over and over, and does not push")
            raise Declined(400, f"{MOST_ANNOUNCED} announcements are taken in one connection at the most")
        if self._arrangement is not None and self._arrangement.begun:
            raise Declined(455, "tracks are set up already")
        mount = self._named(request.url)
        self._log_in(mount, request)
        self._require_free(mount)
        kind = (request.fields.get("content-type") or "application/sdp").partition(";")[0].strip().lower()
        if kind != "application/sdp":
            raise Declined(415, "a stream is announced by application/sdp")
        try:
            self._arrangement = Arrangement(request.url, descriptions.read(request.body), self._bind)
        except SourceError as error:
            mount.refused(error)
            status = {"protocol": 400, "too_large": 413}.get(error.kind, 415)
            raise Declined(status, ascii(str(error))[1:-1]) from None
        self.mount = mount
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

    # ---- SETUP and RECORD

    def _set_up(self, request: Request) -> list[tuple[str, str]]:
        if self._arrangement is None:
            raise Declined(455, "nothing was announced")
        transport = self._arrangement.set_up(request.url, request.fields.get("transport"))
        self._session = self._session or os.urandom(8).hex()
        return [("Transport", transport)]

    def _record(self) -> list[tuple[str, str]]:
        arrangement = self._arrangement
        if self.mount is None or arrangement is None or self._session is None or arrangement.placement is None:
            raise Declined(455, "the video was not set up")
        if self.mount.closed:
            raise Declined(404, "no stream of this name is pushed to here")
        self._require_free(self.mount)
        described = arrangement.description
        self.agreed = Agreed(
            arrangement.url,
            self._session,
            described.tracks,
            described.video(),
            arrangement.placement,
            arrangement.ports,
            self._login,
            arrangement.sound,
        )
        return []
