"""streamer.source.rtsp.recording: what cameras push becomes pictures, and how it ends."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from streamer.source.failure import OPEN_TIMEOUT
from streamer.source.opened import Unit
from streamer.source.protocol import STALL_TIMEOUT
from streamer.source.rtsp.listeners import Listeners
from streamer.source.rtsp.place import Place
from streamer.source.rtsp.playing import Playing
from streamer.source.rtsp.recording import record
from streamer.source.rtsp.report import INTERVAL
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import SourceError
from tests.peers.clip import make_clip
from tests.peers.clock import FakeClock
from tests.peers.connections import listens
from tests.peers.process import Process, free_port
from tests.peers.rtp_packetizer import Sender, encoded, h264_payloads, units_of
from tests.peers.rtsp_camera import bye, chunk
from tests.peers.rtsp_pusher import SDP, RtspPusher, ffmpeg, gstreamer, run_pusher
from tests.peers.threads import own_threads
from tests.peers.until import until
from tests.peers.watch import numbers, run_watch

PICTURES = 12


def datagrams() -> list[bytes]:
    """Twelve pictures."""
    return Sender().send(h264_payloads(units_of(unit), "fragments", 400) for unit in encoded("libx264", count=PICTURES))


def of_pusher(datagram: bytes) -> bytes:
    """With the SSRC that `bye` names."""
    return datagram[:8] + b"\x11\x22\x33\x44" + datagram[12:]


class Stream:
    """A stream that waits at a port of its own, each time `recording` is entered."""

    def __init__(self, clock: Clock = monotonic) -> None:
        self.port, self.place, self.stop, self._clock = free_port(), Place(Listeners()), Stop(), clock
        self.target = Target(f"rtsp://127.0.0.1:{self.port}/drone", listen=True)
        self.place.mount(self.target, clock)

    @contextmanager
    def recording(self, begin: Callable[[RtspPusher], None] = RtspPusher.begin) -> Iterator[tuple[RtspPusher, Playing]]:
        """A camera that pushes, and what is made of it."""
        with run_pusher(self.port) as pusher:
            beginning = threading.Thread(target=begin, args=(pusher,))
            beginning.start()
            with record(self.target, self.stop, self.place, clock=self._clock) as playing:
                beginning.join()
                yield pusher, playing


@pytest.fixture
def stream() -> Iterator[Stream]:
    """One by the real clock."""
    waiting = Stream()
    yield waiting
    waiting.place.close()


def pictures(units: Iterator[Unit], most: int = 1000) -> int:
    """How many pictures there are, so many at the most."""
    return sum(1 for _ in islice((unit for unit in units if unit.packet is not None and unit.packet.size), most))


# ---- real encoders


PUSHERS: dict[str, Callable[[Path, str], Process]] = {
    "ffmpeg": ffmpeg,
    "ffmpeg UDP": lambda clip, url: ffmpeg(clip, url, "udp"),
    "ffmpeg AAC first": lambda clip, url: ffmpeg(clip, url, sound="aac", sound_first=True),
    "ffmpeg PCMU UDP": lambda clip, url: ffmpeg(clip, url, "udp", sound="pcm_mulaw"),
    "ffmpeg Opus": lambda clip, url: ffmpeg(clip, url, sound="opus"),
    "GStreamer": gstreamer,
    "GStreamer UDP PCMU": lambda clip, url: gstreamer(clip, url, "udp", sound=True),
}


@pytest.mark.parametrize("pusher", PUSHERS)
@pytest.mark.parametrize("login", ["", "drone:p%40ss@"])
async def test_an_encoder_pushes(numbered_clip: Path, pusher: str, login: str) -> None:
    """ffmpeg and GStreamer push, with sound of any codec and place beside it, with a password and without."""
    port = free_port()
    async with run_watch(Target(f"rtsp://{login}127.0.0.1:{port}/drone", listen=True)) as watch:
        await until(lambda: listens(port))
        encoder = PUSHERS[pusher](numbered_clip, f"rtsp://{login}127.0.0.1:{port}/drone")
        try:
            found = numbers(await watch.more(25))
        finally:
            encoder.stop()
    assert found == [(found[0] + index) % 60 for index in range(25)]


@pytest.mark.parametrize("program", [ffmpeg, gstreamer])
async def test_an_encoder_pushes_h265(tmp_path: Path, program: Callable[..., Process]) -> None:
    """H.265 is taken from either."""
    clip = make_clip(tmp_path / "clip.mp4", codec="libx265", gop=15)
    port = free_port()
    url = f"rtsp://127.0.0.1:{port}/drone"
    more = {"parse": "h265parse"} if program is gstreamer else {}
    async with run_watch(Target(url, listen=True)) as watch:
        await until(lambda: listens(port))
        encoder = program(clip, url, **more)
        try:
            await watch.more(20)
        finally:
            encoder.stop()


# ---- what is made of it


def test_every_picture_comes(stream: Stream) -> None:
    """What is pushed over TCP comes as pictures, and what comes on other channels is passed over."""
    with stream.recording() as (pusher, playing):
        for datagram in datagrams():
            pusher.push(datagram)
            pusher.push(b"\x80\x61" + datagram[2:], channel=2)
            pusher.push(b"", channel=1)
        pusher.close()
        assert pictures(playing.units()) == PICTURES


def test_datagrams_become_pictures_and_strangers_are_not_heard(stream: Stream) -> None:
    """What is pushed by UDP is taken from the camera's address alone."""
    here, ports = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), list[int]()
    here.bind(("127.0.0.1", 0))

    def begin(pusher: RtspPusher) -> None:
        assert pusher.announce().status == 200
        agreed = pusher.set_up(transport=f"RTP/AVP;unicast;client_port={here.getsockname()[1]}-5")
        ports.append(int(agreed.fields["transport"].partition("server_port=")[2].partition("-")[0]))
        assert pusher.ask("RECORD").status == 200

    with here, stream.recording(begin) as (_, playing), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))
        for datagram in datagrams():
            other.sendto(datagram[:2] + b"\xff" + datagram[3:], ("127.0.0.1", ports[0]))
            here.sendto(datagram, ("127.0.0.1", ports[0]))
        assert pictures(playing.units(), PICTURES - 1) == PICTURES - 1  # the last is held until it is known to be whole
        assert playing.lost == 0


def test_an_encoders_keepalives_are_answered(stream: Stream) -> None:
    """While it pushes a camera's questions are answered, and those that would change the stream refused."""
    with stream.recording() as (pusher, playing):
        units = playing.units()
        asked = ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "RECORD", "PAUSE", "DESCRIBE", "ANNOUNCE", "SETUP", "FLY")
        for method in asked:
            pusher.say(method)
        pusher.push(*datagrams())
        assert pictures(units, PICTURES - 1) == PICTURES - 1
        assert [pusher.hear().status for _ in asked] == [200] * 5 + [405, 455, 455, 501]
        pusher.session = "4711"
        pusher.say("TEARDOWN")
        pusher.close()
        list(units)


def test_a_camera_is_told_how_its_packets_come() -> None:
    """Every five seconds by the clock a camera that pushes gets a receiver report."""
    clock = FakeClock()
    stream = Stream(clock)
    with stream.recording() as (pusher, playing):
        units = playing.units()
        pusher.push(*datagrams())
        assert pictures(units, PICTURES - 1) == PICTURES - 1
        clock.advance(INTERVAL - 1)
        pusher.push(*datagrams()[-1:])
        clock.advance(1)
        pusher.push(*datagrams()[-1:])
        reading = threading.Thread(target=lambda: list(units))
        reading.start()
        report = pusher.report()
        pusher.close()
        reading.join()
    stream.place.close()
    assert report[:3] == b"\x01\x81\xc9"  # channel 1, a receiver report with one block
    assert report[9:13] == datagrams()[0][8:12]


# ---- how it ends


@pytest.mark.parametrize(
    "last",
    [b"", b"TEARDOWN rtsp://x RTSP/1.0\r\nCSeq: 9\r\n\r\n", chunk(1, bye())],
    ids=["close", "TEARDOWN", "BYE"],
)
def test_a_camera_ends_its_stream(stream: Stream, last: bytes) -> None:
    """However a camera says that it is over, its pictures end without an error, and another may push at once."""
    for _ in range(3):
        with stream.recording() as (pusher, playing):
            pusher.push(*map(of_pusher, datagrams()))
            if last:
                pusher.socket.sendall(last)
            else:
                pusher.close()
            assert pictures(playing.units()) == PICTURES


@pytest.mark.parametrize(
    ("sends", "kind", "seconds"), [(True, "stalled", STALL_TIMEOUT), (False, "timeout", OPEN_TIMEOUT)]
)
def test_silence_ends_it(sends: bool, kind: str, seconds: float) -> None:
    """A camera that stops sending, or never begins, is given up by the clock, and another may push."""
    clock, over = FakeClock(), threading.Event()
    stream = Stream(clock)

    def pass_time() -> None:
        while not over.wait(0.01):
            clock.advance(seconds / 20)

    for _ in range(2):
        with stream.recording() as (pusher, playing):
            pusher.push(*datagrams() if sends else ())
            passing = threading.Thread(target=pass_time)
            passing.start()
            with pytest.raises(SourceError) as error:
                list(playing.units())
            over.set()
            passing.join()
            over.clear()
        assert error.value.kind == kind
    stream.place.close()


def test_garbage_between_packets_ends_it_in_words(stream: Stream) -> None:
    """What is neither a packet nor a request ends the session, and not the stream's place."""
    with stream.recording() as (pusher, playing):
        pusher.push(*datagrams())
        pusher.socket.sendall(b"\x80\x60garbage")
        with pytest.raises(SourceError) as error:
            list(playing.units())
    assert (error.value.kind, "not RTSP" in str(error.value)) == ("protocol", True)
    with stream.recording() as (pusher, playing):
        pusher.push(*datagrams())
        pusher.close()
        assert pictures(playing.units()) == PICTURES


@pytest.mark.parametrize("pushes", [False, True])
def test_it_is_ended_at_once_and_leaves_nothing(stream: Stream, pushes: bool) -> None:
    """A stream that is removed, waiting or recording, closes its port and its camera's connection; its threads end."""
    before, begun, ended = own_threads(), threading.Event(), list[BaseException]()

    def watch() -> None:
        try:
            with record(stream.target, stream.stop, stream.place) as playing:
                begun.set()
                list(playing.units())
        except SourceError as error:
            ended.append(error)

    thread = threading.Thread(target=watch)
    thread.start()
    with run_pusher(stream.port) as pusher:
        if pushes:
            pusher.begin()
            begun.wait()
        stream.stop.set()
        stream.place.close()
        thread.join()
        assert pusher.hung_up()
    assert [getattr(error, "kind", None) for error in ended] == ([] if pushes else ["ended"])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", stream.port))
    for left in own_threads() - before:
        left.join()


async def test_why_a_camera_may_not_push_is_the_streams_reason() -> None:
    """What is refused of a camera is the stream's reason until a better one pushes, which need not wait."""
    url = f"rtsp://127.0.0.1:{free_port()}/drone"
    port = int(url.rpartition(":")[2].partition("/")[0])
    async with run_watch(Target(url, listen=True)) as watch:
        await until(lambda: listens(port))
        with run_pusher(port) as pusher:
            assert pusher.announce(SDP.replace("H264", "AV1")).status == 415
            assert "AV1" in await watch.ended("codec")
            assert pusher.announce().status == pusher.set_up().status == 200
            pusher.say("RECORD")
            pusher.push(*datagrams())
            await watch.more(PICTURES - 3)
    assert watch.source.reconnects == {"codec": 1}
