"""A picture is handed on before the next one is sent, whatever kind of camera sends it; or as soon as its kind allows.

Each camera here is held back: it sends a picture when the one before, or the one `LATE` before that, has been handed
on, and never by the clock. A reader that waits for more than is said here waits for ever, and the test ends.
"""

import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

import av
import pytest

from streamer.source.kinds import open_target
from streamer.source.rtsp.place import Place
from streamer.source.stop import Stop
from streamer.source.target import Target, Transport
from streamer.values.errors import SourceError
from tests.peers.process import free_port
from tests.peers.required import requires
from tests.peers.rtp_packetizer import Sender, encoded, h264_payloads, h265_payloads, jpegs, units_of
from tests.peers.rtsp_camera import Heard, chunk, run_rtsp_camera
from tests.peers.rtsp_pusher import run_pusher
from tests.peers.until import wait_until

PICTURES = 60
"""That are sent. FFmpeg looks at a second of a container, 23 pictures, before it gives the first."""
GOP, FPS = 5, 25
MARKED = 4
"""Pictures by RTP that may be sent before a sender's markers are believed."""
OPENING = 40
"""Pictures that may be sent before FFmpeg has opened a container."""
RTMP_PEER = 1
"""Pictures that the peer keeps: it reads its input a tag ahead."""
PATIENCE = 20.0
"""Seconds after which a reader counts as one that waits for ever."""

Unit = bytes
Part = TypeVar("Part")
SLICES, DELIMITED = ":slices=4", ":aud=1"


class Turns:
    """Sender and reader, each in a thread of its own: who may go on.

    Args:
        opening: pictures that may be sent before the first is handed on.
        late: pictures that may be sent beyond the newest that has not been handed on.
        stop: is set where the reader waits for ever.
    """

    def __init__(self, opening: int, late: int, stop: Stop) -> None:
        self._opening, self._late, self._stop = opening, late, stop
        self._changed = threading.Condition()
        self.keys: list[bool] = []
        """Of each picture that was handed on, whether decoding can begin with it."""
        self.sizes: list[int] = []
        self.failure = ""

    def handed_on(self, packet: "av.Packet[av.VideoStream]") -> None:
        """The reader has one."""
        with self._changed:
            self.keys.append(packet.is_keyframe)
            self.sizes.append(packet.size)
            self._changed.notify_all()

    def end(self) -> None:
        """The reader has seen enough."""
        with self._changed:
            self._opening = PICTURES
            self._late = PICTURES
            self._changed.notify_all()

    def over(self) -> None:
        """Wait until the reader has seen enough."""
        with self._changed:
            self._changed.wait_for(lambda: self._late == PICTURES, PATIENCE)

    def sent(self, parts: Sequence[Part]) -> Iterator[Part]:
        """The parts, each in its turn."""
        for number, part in enumerate(parts):
            with self._changed:
                if not self._changed.wait_for(partial(self._may, number), PATIENCE):
                    self.failure = f"picture {number} was not sent: only {len(self.keys)} before it were handed on"
                    self._stop.set()
                    return
            yield part

    def _may(self, number: int) -> bool:
        return len(self.keys) >= number - self._late or number < self._opening


# ---- what is sent


def pictures(codec: str, more: str = "", count: int = PICTURES) -> tuple[Unit, ...]:
    """Access units, a key picture every GOP."""
    return encoded("libx264" if codec == "H264" else "libx265", more, count)


def packets(codec: str, units: Sequence[Unit]) -> list[list[bytes]]:
    """The RTP packets of each picture."""
    cut = h264_payloads if codec == "H264" else h265_payloads
    sender, found, sequence = Sender(ticks=90_000 // FPS), [], 0
    for number, unit in enumerate(units):
        payloads = cut(units_of(unit), "fragments", 400)
        began = number * 90_000 // FPS
        one = Sender(first=sequence, began=began, ticks=sender.ticks).send([payloads])
        sequence += len(one)
        found.append(one)
    return found


def interleaved(codec: str, units: Sequence[Unit]) -> list[bytes]:
    """The same for one TCP connection, one part a picture."""
    return [b"".join(chunk(0, packet) for packet in each) for each in packets(codec, units)]


def muxed(container: str, codec: str, units: Sequence[Unit], **options: str) -> list[bytes]:
    """What a muxer writes for each picture, at once."""
    pipe = _Pipe()
    parts = []
    with av.open(pipe, "w", format=container, options={"flush_packets": "1", **options}) as sink:
        out = sink.add_stream("libx264" if codec == "H264" else "libx265", rate=FPS)
        assert isinstance(out, av.VideoStream)
        out.width, out.height, out.pix_fmt = 192, 160, "yuv420p"
        for number, unit in enumerate(units):
            packet = av.Packet(unit)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, FPS), out, number % GOP == 0
            sink.mux(packet)
            parts.append(pipe.take())
    return parts


class _Pipe:
    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


def transport_stream(codec: str, units: Sequence[Unit]) -> list[bytes]:
    """MPEG-TS of them. One in 184 fills its last packet by chance, and comes one picture later: here, none does."""
    units = list(units)
    while True:
        parts = muxed("mpegts", codec, units)
        full = [number for number, part in enumerate(parts) if not is_filled_up(part[-188:])]
        if not full:
            return parts
        for number in full:
            units[number] += b"\0\0\0"  # trailing_zero_8bits (ITU-T H.264 annex B)


def is_filled_up(packet: bytes) -> bool:
    """Whether a packet of MPEG-TS has stuffing in front of its payload, and no times there."""
    return packet[3] >> 4 == 3 and (packet[4] < 2 or packet[4] > 7)


def without_sets(units: Sequence[Unit]) -> list[Unit]:
    """The pictures of an encoder that says its parameter sets beside them only."""
    return [b"".join(b"\0\0\0\1" + part for part in units_of(unit) if part[0] & 31 not in (7, 8)) for unit in units]


# ---- who sends it


@contextmanager
def web(parts: Sequence[bytes], kind: str, turns: Turns) -> Iterator[Target]:
    """A web server with one answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            with connected:
                while not connected.recv(1 << 16).endswith(b"\r\n\r\n"):
                    pass
                connected.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode())
                for part in turns.sent(parts):
                    connected.sendall(part)

        with _thread(serve):
            yield Target(f"http://127.0.0.1:{listening.getsockname()[1]}/live")


@contextmanager
def datagrams(parts: Sequence[Sequence[bytes]], turns: Turns) -> Iterator[Target]:
    """An encoder that sends to a port of ours, so many datagrams a picture."""
    port = free_port()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
            camera.connect(("127.0.0.1", port))
            wait_until(lambda: _is_bound(port))
            for part in turns.sent(parts):
                for data in part:
                    camera.send(data)

    with _thread(send):
        yield Target(f"udp://127.0.0.1:{port}")


@contextmanager
def rtsp(codec: str, units: Sequence[Unit], turns: Turns, *, sdp_more: str = "") -> Iterator[Target]:
    """A camera that is asked by RTSP."""
    with run_rtsp_camera(sdp=_sdp(codec, sdp_more), play=lambda: turns.sent(interleaved(codec, units))) as camera:
        yield Target(camera.url())


@contextmanager
def rtsp_udp(codec: str, units: Sequence[Unit], turns: Turns) -> Iterator[Target]:
    """The same, by datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending, ExitStack() as stack:
        sending.bind(("127.0.0.1", 0))
        there: list[int] = []

        def set_up(request: Heard) -> bytes:
            ports = request.fields["transport"].partition("client_port=")[2].split(";")[0]
            there.append(int(ports.split("-")[0]))
            own = sending.getsockname()[1]
            return request.answer(
                f"Transport: RTP/AVP;unicast;client_port={ports};server_port={own}-{own + 1}", "Session: 1"
            )

        def play() -> Iterator[bytes]:
            for each in turns.sent(packets(codec, units)):
                for packet in each:
                    sending.sendto(packet, ("127.0.0.1", there[-1]))
            yield from ()

        camera = stack.enter_context(run_rtsp_camera({"SETUP": set_up}, sdp=_sdp(codec), play=play))
        transport: Transport = "udp"
        yield Target(camera.url(), transport=transport)


@contextmanager
def pushed(codec: str, units: Sequence[Unit], turns: Turns) -> Iterator[Target]:
    """A camera that pushes RTSP to a port of ours."""
    port = free_port()

    def push() -> None:
        wait_until(lambda: _is_listening(port))
        with run_pusher(port) as camera:
            camera.begin(_sdp(codec).replace("trackID", "streamid"))
            for part in turns.sent(interleaved(codec, units)):
                camera.socket.sendall(part)
            camera.hung_up()

    with _thread(push):
        yield Target(f"rtsp://127.0.0.1:{port}/drone", listen=True)


@contextmanager
def rtmp(codec: str, units: Sequence[Unit], turns: Turns, *, listen: bool) -> Iterator[Target]:
    """FFmpeg's RTMP, which is given a picture at a time; `listen`: it pushes to us."""
    requires("ffmpeg")
    port = free_port()
    url = f"rtmp://127.0.0.1:{port}/live/cam"
    command = ["ffmpeg", "-v", "error", "-f", "flv", "-analyzeduration", "100000", "-i", "pipe:0", "-c", "copy"]
    command += ["-flush_packets", "1", "-f", "flv", *([] if listen else ["-listen", "1"]), url]

    def feed() -> None:
        if listen:  # once it is not listened for, FFmpeg does not try again
            wait_until(lambda: _is_listening(port))
        with subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) as process:
            assert process.stdin is not None
            for part in turns.sent(muxed("flv", codec, units)):
                process.stdin.write(part)
            turns.over()  # what it has read is not sent yet
            process.kill()

    with _thread(feed):
        if not listen:
            wait_until(lambda: _is_listening(port))
        yield Target(url, listen=listen)


def _is_listening(port: int) -> bool:
    """Whether somebody listens there; asked of the kernel, since whom a connection finds takes no other (proc(5))."""
    fields = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(each[1].endswith(f":{port:04X}") and each[3] == "0A" for each in fields)


def _sdp(codec: str, more: str = "") -> str:
    return (
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 {codec}/90000\r\na=fmtp:96 {more or 'x=1'}\r\na=control:trackID=0\r\n"
    )


def _is_bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        try:
            other.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@contextmanager
def _thread(work: Callable[[], None]) -> Iterator[None]:
    def quietly() -> None:
        with suppress(OSError):  # whom it sends to has gone
            work()

    thread = threading.Thread(target=quietly)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE)


Camera = Callable[[Turns], AbstractContextManager[Target]]


def read(camera: Camera, *, opening: int, late: int = 0) -> Turns:
    """What was handed on of a camera that is held back."""
    stop = Stop()
    turns = Turns(opening, late, stop)
    with camera(turns) as target:
        try:
            with open_target(target, stop, place=Place()) as opened:
                opened.video(target.limits)
                for unit in opened.units():
                    if unit.packet is not None and unit.packet.size:
                        turns.handed_on(unit.packet)
                    if len(turns.keys) == PICTURES - late:
                        break
        except SourceError as error:
            turns.failure = turns.failure or str(error)
        finally:
            turns.end()
    assert not turns.failure, turns.failure
    return turns


def expected(units: Sequence[Unit], late: int = 0) -> list[bool]:
    """Which of the pictures that are handed on are key pictures."""
    return [number % GOP == 0 for number in range(len(units) - late)]


# ---- the rules

HOW = {"plain": "", "slices": SLICES, "delimited": DELIMITED, "both": SLICES + DELIMITED}
BY_PACKETS = {"RTSP": rtsp, "RTSP, UDP": rtsp_udp, "RTSP, pushed": pushed}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("codec", ["H264", "H265"])
@pytest.mark.parametrize("kind", BY_PACKETS)
def test_by_rtsp_a_picture_comes_before_the_next_is_sent(kind: str, codec: str, how: str) -> None:
    """Once its markers have shown that they end pictures; whole, and with the right ones as key pictures."""
    units = pictures(codec, HOW[how])
    turns = read(partial(BY_PACKETS[kind], codec, units), opening=MARKED)
    assert turns.keys == expected(units)
    assert all(there >= sent - 8 for there, sent in zip(turns.sizes, map(len, units), strict=True))


def test_by_rtsp_parameter_sets_may_be_in_the_description_alone() -> None:
    """A camera that says them once waits no longer, and its key pictures are such."""
    units = pictures("H264")
    sets = [part for part in units_of(units[0]) if part[0] & 31 in (7, 8)]
    described = "packetization-mode=1;sprop-parameter-sets=" + ",".join(b64encode(part).decode() for part in sets)
    turns = read(partial(rtsp, "H264", without_sets(units), sdp_more=described), opening=MARKED)
    assert turns.keys == expected(units)


@pytest.mark.parametrize("codec", ["H264", "H265"])
def test_by_bare_rtp_a_picture_comes_before_the_next_is_sent(codec: str) -> None:
    """Once it is known what the datagrams are."""
    units = pictures(codec, SLICES)
    turns = read(partial(datagrams, packets(codec, units)), opening=2 * GOP)
    assert turns.keys == expected(units)


def test_by_motion_jpeg_a_picture_comes_with_its_last_byte() -> None:
    """Whatever follows; by its length, or by its own end."""
    for length in (True, False):
        parts = [_part(jpeg, length=length) for jpeg in jpegs(80, count=4) * (PICTURES // 4)]
        turns = read(lambda turns, parts=parts: web(parts, "multipart/x-mixed-replace;boundary=x", turns), opening=1)  # type: ignore[misc]
        assert all(turns.keys)


@pytest.mark.parametrize("codec", ["H264", "H265"])
def test_by_flv_a_picture_comes_before_the_next_is_sent(codec: str) -> None:
    """FFmpeg hands on a tag as it comes, after the second that it looks at."""
    units = pictures(codec)
    turns = read(partial(web, muxed("flv", codec, units), "video/x-flv"), opening=OPENING)
    assert turns.keys == expected(units)


@pytest.mark.parametrize("listen", [False, True], ids=["pulled", "pushed"])
def test_by_rtmp_a_picture_comes_before_the_next_is_sent(*, listen: bool) -> None:
    """The same tags."""
    units = pictures("H264")
    turns = read(partial(rtmp, "H264", units, listen=listen), opening=OPENING, late=RTMP_PEER)
    assert turns.keys == expected(units, RTMP_PEER)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("codec", ["H264", "H265"])
def test_by_a_transport_stream_a_picture_comes_with_the_next(codec: str, how: str) -> None:
    """FFmpeg's parser waits for the next picture's beginning, and for no more than that."""
    units = pictures(codec, HOW[how])
    turns = read(partial(web, transport_stream(codec, units), "video/mp2t"), opening=OPENING, late=1)
    assert turns.keys == expected(units, 1)


def test_by_datagrams_of_a_transport_stream_a_picture_comes_with_the_next() -> None:
    """The same by UDP, seven packets a datagram."""
    units = pictures("H264")
    parts = [[part[at : at + 1316] for at in range(0, len(part), 1316)] for part in transport_stream("H264", units)]
    turns = read(partial(datagrams, parts), opening=OPENING, late=1)
    assert turns.keys == expected(units, 1)


def _part(jpeg: bytes, *, length: bool) -> bytes:
    head = b"--x\r\nContent-Type: image/jpeg\r\n" + (b"Content-Length: %d\r\n" % len(jpeg) if length else b"")
    return head + b"\r\n" + jpeg + b"\r\n"
