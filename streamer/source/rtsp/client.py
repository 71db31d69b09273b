"""One side of a conversation in RTSP: requests and their answers, the log-in, and what the camera asks of us."""

from collections import deque
from collections.abc import Mapping

from streamer.source.failure import OPEN_TIMEOUT
from streamer.source.login import Login, challenges_of
from streamer.source.rtsp.message import Chunk, Message, Request, Response, write
from streamer.source.rtsp.redirect import Moved, redirected
from streamer.source.rtsp.wire import ANSWER_TIMEOUT, Closed, Wire, given_up
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

MAX_EARLY = 1 << 20
"""Bytes of packets that may come before PLAY is answered; the oldest go first."""
OVERHEAD = 200
"""Bytes that each costs beside its own."""
SEND_TIMEOUT = 1.0
"""Seconds a camera may take to take what it is sent while it plays: there is room for hours of it on the way."""
MAX_REQUESTS = 64
"""Requests and late answers of a camera while one answer is waited for."""
FAREWELL = 0.3
"""Seconds leaving may take."""
MAX_READS = 256
"""Of what comes while we leave."""
_ANSWERS = {"OPTIONS": 200, "GET_PARAMETER": 200, "SET_PARAMETER": 200, "ANNOUNCE": 200, "PLAY_NOTIFY": 200} | {
    "REDIRECT": 200,
    "TEARDOWN": 200,
}
_REASONS = {200: "OK", 501: "Not Implemented"}
_LAST_NOTICE = "end-of-stream"
"""RFC 7826 section 13.5.1."""


class Client:
    """Of one connection.

    Args:
        wire: the connection.
        target: its URL has the user and password.
        clock: monotonic seconds.
    """

    def __init__(self, wire: Wire, target: Target, clock: Clock) -> None:
        self._wire, self._target, self._clock = wire, target, clock
        login = urls.login_of(target.url)
        self._login = None if login is None else Login(*login)
        self._number = 0
        self.session: str | None = None
        """What the camera calls the session."""
        self.early: deque[tuple[Chunk, float]] = deque()
        """Packets that came before they were waited for, with their monotonic arrival."""
        self._early_bytes = 0
        self.is_over = False
        """Whether the camera has said that it ends the stream."""

    @property
    def login(self) -> str | None:
        """How it logged in; None: the camera did not ask."""
        return None if self._login is None else self._login.name

    @property
    def realm(self) -> str | None:
        """What it logged in to."""
        return None if self._login is None else self._login.realm

    def ask(self, method: str, url: str, **fields: str) -> Response:
        """What a camera answers; with a password where it asks for one.

        Raises:
            SourceError: it does not answer.
            Moved: it answers that this is elsewhere.
        """
        while True:
            until = self._clock() + ANSWER_TIMEOUT
            response = self._answer(self.say(method, url, fields), until)
            if response.status == 401 and self.tries_again(response):
                continue
            if self._login is not None and response.status != 401:
                self._login.accepted()
            location = response.fields.get("location")
            if 300 <= response.status < 400 and location is not None:
                raise Moved(location)
            return response

    def say(
        self, method: str, url: str, fields: Mapping[str, str] | None = None, *, seconds: float = ANSWER_TIMEOUT
    ) -> int:
        """Send a request and wait for nothing; gives its number (CSeq)."""
        self._number += 1
        said = [("CSeq", str(self._number)), ("User-Agent", "sightline")]
        said += [("Session", self.session)] if self.session else []
        authorization = self._login and self._login.header(method, url)
        said += [("Authorization", authorization)] if authorization else []
        self._wire.send(write(f"{method} {url} RTSP/1.0", said + list((fields or {}).items())), seconds)
        return self._number

    def tries_again(self, response: Response) -> bool:
        """Whether a request that was answered 401 is worth another try."""
        challenges = challenges_of(response.fields.all("www-authenticate"))
        return self._login is not None and self._login.tries_again(challenges)

    def named(self, session: str) -> None:
        """The camera has named the session."""
        name = session.partition(";")[0].strip()
        self.session = name[:256] if name.isascii() and name.isprintable() else None

    def leave(self, url: str) -> None:
        """Say that the session is over, and wait a moment for the answer: a connection that is cut loses what was said.

        Raises:
            SourceError: the camera does not listen any more.
            Closed: it has closed the connection.
        """
        until = self._clock() + FAREWELL
        number = self.say("TEARDOWN", url, seconds=FAREWELL)
        for _ in range(MAX_READS):
            while (found := self._wire.take()) is not None:
                if isinstance(found, Response) and found.fields.get("cseq") == str(number):
                    return
            if self._clock() >= until or not self._wire.receive():
                return

    def serve(self, request: Request) -> None:
        """Answer what the camera asks of us, and see whether it ends the stream by it.

        Raises:
            SourceError: kind "redirected"; it sends us elsewhere, and that is not followed.
        """
        status = _ANSWERS.get(request.method, 501)
        fields = [(name, value) for name in ("CSeq", "Session") if (value := request.fields.get(name.lower()))]
        fields += [("Public", ", ".join(_ANSWERS))] if request.method == "OPTIONS" else []
        self._wire.send(write(f"RTSP/1.0 {status} {_REASONS[status]}", fields), SEND_TIMEOUT)
        notice = request.fields.get("notify-reason") or ""
        if request.method == "REDIRECT" and (location := request.fields.get("location")):
            redirected(self._target, location)  # where it stays with the camera, the next attempt is sent there again
        if request.method in ("REDIRECT", "TEARDOWN") or notice.lower() == _LAST_NOTICE:
            self.is_over = True

    def _answer(self, number: int, until: float) -> Response:
        passed = 0
        while True:
            found = self._next(until)
            if isinstance(found, Request):
                self.serve(found)
            elif isinstance(found, Response):
                if (found.fields.get("cseq") or str(number)) == str(number):  # some leave it out
                    return found
            else:
                self._keep(found)
                continue
            passed += 1
            if passed > MAX_REQUESTS:
                raise SourceError("protocol", "the camera answers everything but what it was asked")

    def _next(self, until: float) -> Chunk | Message:
        while True:
            if self._clock() >= until:
                raise SourceError("timeout", f"the camera did not answer within {OPEN_TIMEOUT:.0f} s")
            if (found := self._wire.take()) is not None:
                return found
            try:
                self._wire.receive()
            except Closed:
                if self._wire.stopped:
                    raise given_up() from None
                raise SourceError("ended", "the camera closed the connection") from None

    def _keep(self, chunk: Chunk) -> None:
        self.early.append((chunk, self._clock()))
        self._early_bytes += len(chunk[1]) + OVERHEAD
        while self._early_bytes > MAX_EARLY:
            self._early_bytes -= len(self.early.popleft()[0][1]) + OVERHEAD
