"""Cameras that push by RTSP: one whose every word a test chooses, and the programs ffmpeg and GStreamer."""

import contextlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from streamer.source.login import Login, challenges_of
from tests.peers.process import Process
from tests.peers.required import requires
from tests.peers.rtsp_camera import chunk

VIDEO = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:streamid={number}\r\n"
SOUND = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 {codec}\r\na=control:streamid={number}\r\n"
HEAD = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
SDP = HEAD + VIDEO.format(number=0)


class Answered(NamedTuple):
    """What was answered."""

    status: int
    reason: str
    fields: dict[str, str]
    """Names in lower case; of several of one name the last."""
    challenges: tuple[str, ...] = ()


class RtspPusher:
    """One connection of a camera that pushes; `run_pusher` makes one."""

    def __init__(self, port: int, path: str = "/drone", here: str = "127.0.0.1") -> None:
        self.url = f"rtsp://127.0.0.1:{port}{path}"
        self.socket = socket.create_connection(("127.0.0.1", port), 10.0, (here, 0))
        self._incoming = self.socket.makefile("rb")
        self._number = 0
        self.session = ""
        self.reports: list[bytes] = []
        """What came interleaved."""

    def ask(self, method: str, url: str | None = None, *lines: str, body: str = "", kind: str = "") -> Answered:
        """What a request is answered."""
        self.say(method, url, *lines, body=body, kind=kind)
        return self.hear()

    def say(self, method: str, url: str | None = None, *lines: str, body: str = "", kind: str = "") -> None:
        """Send a request, and wait for nothing."""
        self._number += 1
        head = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self._number}", *lines]
        head += [f"Session: {self.session}"] if self.session else []
        head += [f"Content-Type: {kind or 'application/sdp'}", f"Content-Length: {len(body.encode())}"] if body else []
        self.socket.sendall("\r\n".join((*head, "", body)).encode())

    def hear(self) -> Answered:
        """The next answer; reports before it are noted. Raises ConnectionError at the end."""
        while (first := self._incoming.read(1)) == b"$":
            self.report(first)
        line = (first + self._incoming.readline()).decode().strip()
        if not line:
            raise ConnectionError
        pairs = [
            re.split(r":\s*", found, maxsplit=1)
            for found in iter(lambda: self._incoming.readline().decode().strip(), "")
        ]
        _, status, reason = line.split(" ", 2)
        challenges = tuple(value for name, value in pairs if name.lower() == "www-authenticate")
        return Answered(int(status), reason, {name.lower(): value for name, value in pairs}, challenges)

    def report(self, first: bytes = b"") -> bytes:
        """The next interleaved packet: its channel, and what it carries."""
        head = (first + self._incoming.read(4 - len(first)))[1:]
        self.reports.append(head[:1] + self._incoming.read(int.from_bytes(head[1:])))
        return self.reports[-1]

    def announce(self, sdp: str = SDP, *, login: tuple[str, str] | None = None) -> Answered:
        """ANNOUNCE; with a password where one is asked for."""
        answered = self.ask("ANNOUNCE", body=sdp)
        if answered.status == 401 and login is not None:
            known = Login(*login)
            assert known.take(challenges_of(answered.challenges))
            answered = self.ask("ANNOUNCE", None, f"Authorization: {known.header('ANNOUNCE', self.url)}", body=sdp)
        return answered

    def set_up(self, track: str = "streamid=0", transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Answered:
        """SETUP of one track."""
        answered = self.ask("SETUP", f"{self.url}/{track}", f"Transport: {transport};mode=record")
        self.session = answered.fields.get("session", self.session).partition(";")[0]
        return answered

    def begin(self, sdp: str = SDP) -> None:
        """From ANNOUNCE to RECORD, of a video alone over TCP."""
        for answered in (self.announce(sdp), self.set_up(), self.ask("RECORD")):
            assert answered.status == 200, answered

    def push(self, *packets: bytes, channel: int = 0) -> None:
        """Send packets."""
        self.socket.sendall(b"".join(chunk(channel, packet) for packet in packets))

    def hung_up(self) -> bool:
        """Wait for the other side to close the connection; False: it does not for ten seconds."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Vanish. May be called twice."""
        self._incoming.close()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@contextmanager
def run_pusher(port: int, path: str = "/drone", here: str = "127.0.0.1") -> Iterator[RtspPusher]:
    """A camera that is connected for as long as the block lasts."""
    pusher = RtspPusher(port, path, here)
    try:
        yield pusher
    finally:
        pusher.close()


def ffmpeg(
    clip: Path, url: str, transport: str = "tcp", *, sound: str | None = None, sound_first: bool = False
) -> Process:
    """ffmpeg that pushes a clip at its own pace, again and again; with sound of a codec of FFmpeg's beside it."""
    requires("ffmpeg")
    tone = ("-f", "lavfi", "-i", "sine=sample_rate=8000")
    order = ("-map", "1:a", "-map", "0:v") if sound_first else ("-map", "0:v", "-map", "1:a")
    beside = (*tone, *order, "-c:a", sound, "-strict", "-2", "-ac", "1") if sound else ()
    played = ("-loglevel", "error", "-re", "-stream_loop", "-1", "-i", clip)
    return Process(["ffmpeg", *played, *beside, "-c:v", "copy", "-f", "rtsp", "-rtsp_transport", transport, url])


def gstreamer(
    clip: Path, url: str, transport: str = "tcp", *, parse: str = "h264parse", sound: bool = False
) -> Process:
    """GStreamer's rtspclientsink, which pushes a clip once at its own pace; with PCMU beside it."""
    requires("gst-rtspclientsink")
    video = f"filesrc location={clip} ! qtdemux ! {parse} ! s."
    beside = "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! s." if sound else ""
    sink = f"rtspclientsink name=s protocols={transport} location={url}"
    return Process(["gst-launch-1.0", "-q", *f"{sink} {video} {beside}".split()])
