"""An RTSP camera whose every answer a test chooses: what gst-rtsp-server cannot be made to say.

Without a word from the test it is an ordinary camera with one H.264 track, which sends packets for as long as somebody
listens. Each connection is a thread.
"""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

SSRC = 0x11223344
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=Media\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:trackID=0\r\n"
)
PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"


@dataclass(frozen=True)
class Heard:
    """A request as the camera heard it."""

    method: str
    url: str
    fields: dict[str, str]
    """Names in lower case."""

    def answer(self, *lines: str, status: str = "200 OK", body: str = "") -> bytes:
        """An answer with these lines in its head."""
        length = (f"Content-Length: {len(body.encode())}",) if body else ()
        return "\r\n".join((f"RTSP/1.0 {status}", f"CSeq: {self.fields['cseq']}", *lines, *length, "", body)).encode()


Parts = bytes | Iterator[bytes]
"""What is sent: all at once, or one by one; an empty part closes the connection."""


def rtp(sequence: int, payload: bytes = b"\x65picture", *, ssrc: int = SSRC) -> bytes:
    """An RTP packet (RFC 3550 section 5.1)."""
    return struct.pack(">BBHII", 0x80, 0x80 | 96, sequence & 0xFFFF, sequence * 3000 & 0xFFFFFFFF, ssrc) + payload


def chunk(channel: int, data: bytes) -> bytes:
    """An interleaved packet (RFC 2326 section 10.12)."""
    return b"$" + struct.pack(">BH", channel, len(data)) + data


def sender_report(ssrc: int = SSRC) -> bytes:
    """RTCP (RFC 3550 section 6.4.1)."""
    return struct.pack(">BBHIIIIII", 0x80, 200, 6, ssrc, 0, 0, 0, 0, 0)


def bye(ssrc: int = SSRC) -> bytes:
    """RTCP (RFC 3550 section 6.6), behind a report as it has to be."""
    return sender_report(ssrc) + struct.pack(">BBHI", 0x81, 203, 1, ssrc)


@dataclass
class RtspCamera:
    """What a camera does, and what it has seen; `run_rtsp_camera` makes one."""

    answers: Mapping[str, Callable[[Heard], Parts]]
    """By method, what it answers otherwise than an ordinary camera."""
    sdp: str = SDP
    public: str = PUBLIC
    transport: str | None = "RTP/AVP/TCP;unicast;interleaved=0-1"
    """Its Transport field; None: it sends none."""
    session: str = "12345678"
    play: Callable[[], Iterator[bytes]] | None = None
    """What it sends once it plays, on whatever channel; then it goes on listening. None: packets on channel 0."""
    heard: list[Heard] = field(default_factory=list)
    """Every request, on whatever connection."""
    answered: list[bytes] = field(default_factory=list)
    """The first line of each answer to what it asked."""
    reports: list[bytes] = field(default_factory=list)
    """What came interleaved."""
    accepted: int = 0
    open: int = 0
    """Connections now."""
    port: int = 0
    sockets: list[socket.socket] = field(default_factory=list)

    def url(self, path: str = "/live", login: str = "") -> str:
        """Where it is."""
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.port}{path}"

    def methods(self) -> list[str]:
        """What it was asked for, in order."""
        return [request.method for request in self.heard]

    def all(self, method: str) -> list[Heard]:
        """Every request of that method."""
        return [request for request in self.heard if request.method == method]

    def serve(self, listening: socket.socket) -> None:
        """Take connections until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                connected, _ = listening.accept()
                self.sockets.append(connected)
                self.accepted, self.open = self.accepted + 1, self.open + 1
                threading.Thread(target=self._converse, args=(connected,), daemon=True).start()

    def _converse(self, connected: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError), connected.makefile("rb") as incoming:
                while (request := self._next(incoming)) is not None:
                    parts = self.answers.get(request.method, self.usual)(request)
                    if not _sent(connected, parts) or request.method == "TEARDOWN":
                        return
                    if request.method == "PLAY":
                        threading.Thread(target=_sent, args=(connected, self._packets()), daemon=True).start()
        finally:
            self.open -= 1
            _hang_up(connected)

    def _next(self, incoming: BinaryIO) -> Heard | None:
        """The next request; reports and answers before it are noted."""
        while first := incoming.read(1):
            if first == b"$":
                _, size = struct.unpack(">BH", incoming.read(3))
                self.reports.append(incoming.read(size))
                continue
            lines = [first + incoming.readline()]
            while (line := incoming.readline()).strip():
                lines.append(line)
            head = [line.decode().strip() for line in lines]
            if head[0].startswith("RTSP/"):
                self.answered.append(lines[0].strip())
                continue
            method, url, _ = head[0].split(" ")
            pairs = (re.split(r":\s*", line, maxsplit=1) for line in head[1:])
            self.heard.append(Heard(method, url, {name.lower(): value for name, value in pairs}))
            return self.heard[-1]
        return None

    def usual(self, request: Heard) -> bytes:
        """What an ordinary camera answers."""
        if request.method == "OPTIONS":
            return request.answer(f"Public: {self.public}")
        if request.method == "DESCRIBE":
            return request.answer(f"Content-Base: {request.url}/", "Content-Type: application/sdp", body=self.sdp)
        if request.method == "SETUP":
            transport = () if self.transport is None else (f"Transport: {self.transport}",)
            return request.answer(*transport, f"Session: {self.session}")
        return request.answer(f"Session: {self.session.partition(';')[0]}")

    def _packets(self) -> Iterator[bytes]:
        if self.play is not None:
            yield from self.play()
            return
        pause, sequence = threading.Event(), 0
        while not pause.wait(0.005):
            yield chunk(0, rtp(sequence))
            sequence += 1


def _sent(connected: socket.socket, parts: Parts) -> bool:
    """Send it; False: the connection was closed by it."""
    try:
        for part in (parts,) if isinstance(parts, bytes) else parts:
            if not part:
                _hang_up(connected)
                return False
            connected.sendall(part)
    except OSError:
        return False
    return True


def _hang_up(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()


@contextmanager
def run_rtsp_camera(
    answers: Mapping[str, Callable[[Heard], Parts]] | None = None,
    *,
    sdp: str = SDP,
    public: str = PUBLIC,
    transport: str | None = "RTP/AVP/TCP;unicast;interleaved=0-1",
    session: str = "12345678",
    play: Callable[[], Iterator[bytes]] | None = None,
) -> Iterator[RtspCamera]:
    """A camera on a free port of this machine for as long as the block lasts; the arguments are those of RtspCamera."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        camera = RtspCamera(answers or {}, sdp, public, transport, session, play)
        camera.port = listening.getsockname()[1]
        server = threading.Thread(target=camera.serve, args=(listening,), daemon=True)
        server.start()
        try:
            yield camera
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for connected in camera.sockets:
                _hang_up(connected)
            server.join()
