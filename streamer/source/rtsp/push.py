"""What is handed over once a camera pushes: its connection, and what was agreed about it."""

import socket
from collections import deque
from dataclasses import dataclass

from streamer.source.rtsp.beside import Beside
from streamer.source.rtsp.client import SEND_TIMEOUT
from streamer.source.rtsp.description import Track
from streamer.source.rtsp.message import Chunk, Inbox, Request, Response, write
from streamer.source.rtsp.placement import Placement
from streamer.source.rtsp.port_pair import PortPair
from streamer.source.rtsp.wire import Wire

METHODS = "OPTIONS, ANNOUNCE, SETUP, RECORD, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
"""What a camera that pushes may ask of us."""
REASONS = {
    200: "OK",
    401: "Unauthorized",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    501: "Not Implemented",
}
"""Where there is no sentence to say (RFC 2326 section 11)."""
_WHILE_IT_PUSHES = dict.fromkeys(("OPTIONS", "RECORD", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"), 200) | {
    "DESCRIBE": 405,
    "PLAY": 405,
    "ANNOUNCE": 455,
    "SETUP": 455,
}


@dataclass(frozen=True)
class Agreed:
    """What a camera said before it pushes, and what it was promised."""

    url: str
    """As the camera writes it."""
    session: str
    """What we call the session."""
    tracks: tuple[Track, ...]
    video: Track
    placement: Placement
    """Of the video."""
    ports: tuple[PortPair, ...] = ()
    """Over UDP: first the video's, then those of all else."""
    login: str | None = None
    """How the camera logged in; None: it was not asked to."""
    sound: Beside | None = None
    """What comes beside the video."""


@dataclass(frozen=True, eq=False)
class Push:
    """One camera's connection, from RECORD on."""

    connected: socket.socket
    inbox: Inbox
    """What has come over the connection, and was not taken yet."""
    agreed: Agreed
    answer: bytes
    """To RECORD: it is said by whoever takes the push, and no packet comes before."""

    def close(self) -> None:
        """Let go of it. May be called twice."""
        self.connected.close()
        for ports in self.agreed.ports:
            ports.close()


class Host:
    """Our side of the conversation while a camera pushes: it asks, and we answer. One kind of `Side`."""

    def __init__(self, wire: Wire, push: Push) -> None:
        self._wire, self._session = wire, push.agreed.session
        self.login = push.agreed.login
        self.early: deque[tuple[Chunk, float]] = deque()
        self.is_over = False

    def serve(self, request: Request) -> None:
        """Answer, and see whether the camera ends the stream by it. Raises SourceError: it takes no answer."""
        status = _WHILE_IT_PUSHES.get(request.method, 501)
        if (request.fields.get("session") or self._session).partition(";")[0].strip() != self._session:
            status = 454
        self._wire.send(answer(request, status, session=self._session), SEND_TIMEOUT)
        self.is_over = self.is_over or (request.method == "TEARDOWN" and status == 200)

    def tries_again(self, response: Response) -> bool:
        """Nothing was asked of the camera."""
        return False

    def say(self, method: str, url: str, *, seconds: float) -> int:
        """Nothing is: its packets are its sign of life."""
        return 0

    def leave(self, url: str) -> None:
        """The connection is closed, which says enough: few encoders listen to more."""


def answer(
    request: Request,
    status: int,
    sentence: str = "",
    fields: list[tuple[str, str]] | None = None,
    *,
    session: str | None = None,
) -> bytes:
    """An answer's head.

    Args:
        request: what is answered.
        status: RTSP's.
        sentence: why, fit for a person; "": the status' own words.
        fields: beside the usual ones.
        session: what the session is called; None: there is none yet.
    """
    said = [("CSeq", number)] if (number := request.fields.get("cseq")) and number.isprintable() else []
    said += [("Server", "Sightline")]
    said += [("Session", f"{session};timeout=60")] if session and status == 200 else []
    said += [("Public", METHODS)] if request.method == "OPTIONS" and status == 200 else []
    said += [("Allow", METHODS)] if status in (405, 455) else []
    return write(f"RTSP/1.0 {status} {sentence or REASONS.get(status, 'No')}", said + (fields or []))
