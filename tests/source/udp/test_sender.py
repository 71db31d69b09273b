"""streamer.source.udp.sender: one sender at a port is listened to. The clock is moved by hand."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from streamer.rtp.assembler import STRANGER_AFTER
from streamer.source.protocol import LISTEN_TIMEOUT, STALL_TIMEOUT
from streamer.source.stop import Stop
from streamer.source.udp.form import Form
from streamer.source.udp.port import Port
from streamer.source.udp.sender import LOOK_FOR, MOST_SENDERS, STRAY, Sender
from streamer.values.errors import SourceError
from tests.peers.clock import FakeClock
from tests.peers.process import free_port
from tests.source.udp.test_form import h264

JUNK = b"some telemetry or other"


class Camera:
    """A socket that sends to one port."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))

    def send(self, *datagrams: bytes) -> None:
        """Send them, in order."""
        for data in datagrams:
            self.socket.send(data)


@contextmanager
def run_sender(cameras: int, clock: FakeClock, stop: Stop | None = None) -> Iterator[tuple[Sender, list[Camera]]]:
    """A port of ours, and so many who send to it."""
    number = free_port()
    with ExitStack() as opened:
        sender = Sender(Port("127.0.0.1", number, clock), Stop() if stop is None else stop, clock)
        opened.callback(sender.close)
        sent = [Camera(number) for _ in range(cameras)]
        for camera in sent:
            opened.callback(camera.socket.close)
        yield sender, sent


def test_a_camera_is_found_among_others() -> None:
    """Junk that comes first and goes on is ignored and counted; nothing of the camera is lost by the search."""
    with run_sender(2, FakeClock()) as (sender, (junk, camera)):
        junk.send(JUNK, JUNK)
        camera.send(*h264()[:8])
        junk.send(JUNK)
        assert sender.recognise() == Form("H264", 96)
        assert [datagram.data for datagram in sender.early] == h264()[:8]
        junk.send(JUNK)
        camera.send(b"next")
        assert [datagram.data for datagram in sender.take(0.5)] == [b"next"]
        assert sender.ignored == 1


def test_another_takes_over_after_a_silence() -> None:
    """While one sends others are ignored; once it is silent for a second whoever sends is the camera."""
    with run_sender(2, clock := FakeClock()) as (sender, (camera, other)):
        camera.send(*h264()[:8])
        sender.recognise()
        clock.advance(STRANGER_AFTER / 2)
        other.send(b"too soon")
        assert sender.take(0.5) == []
        clock.advance(STRANGER_AFTER / 2)
        other.send(b"mine")
        assert [datagram.data for datagram in sender.take(0.5)] == [b"mine"]
        camera.send(b"no more")
        assert sender.take(0.5) == []
        assert sender.ignored == 2


def test_a_silence_is_a_stall() -> None:
    """A sender that was understood, and has been silent for so long, stalled; what others send does not change it."""
    with run_sender(1, clock := FakeClock()) as (sender, (camera,)):
        camera.send(*h264()[:8])
        sender.recognise()
        clock.advance(STALL_TIMEOUT)
        assert sender.take(0) == []
        clock.advance(0.001)
        with pytest.raises(SourceError) as error:
            sender.take(0)
    assert error.value.kind == "stalled"


class Hurried(FakeClock):
    """A clock that goes on whenever it is looked at."""

    def __call__(self) -> float:
        """The time, a little later each time."""
        return self.advance(1.0)


@pytest.mark.parametrize(("count", "kind"), [(0, "waiting"), (STRAY - 1, "waiting"), (STRAY, "protocol")])
def test_what_is_not_understood_is_told(count: int, kind: str) -> None:
    """Nobody, and somebody who looks for open ports, is waited for; what goes on and is nothing is named."""
    with run_sender(1, clock := Hurried()) as (sender, (camera,)):
        camera.send(*[JUNK] * count)
        began = clock.now
        with pytest.raises(SourceError) as error:
            sender.recognise()
        assert clock.now - began <= max(LISTEN_TIMEOUT, LOOK_FOR) + 2.0
    assert error.value.kind == kind


def test_a_stream_of_bytes_that_cannot_be_decoded_yet_is_told() -> None:
    """NAL units without parameter sets are no junk: they are listened to again, and said to lack them."""
    with run_sender(1, Hurried()) as (sender, (camera,)):
        camera.send(*[b"\0\0\1\x41abc" * 8] * 3)
        with pytest.raises(SourceError, match="without a parameter set") as error:
            sender.recognise()
    assert error.value.kind == "timeout"


def test_so_many_are_looked_at() -> None:
    """Beyond so many senders none is looked at: each costs memory."""
    with run_sender(MOST_SENDERS + 1, Hurried()) as (sender, cameras):
        for camera in cameras[:-1]:
            camera.send(JUNK)
        cameras[-1].send(*h264()[:10])
        with pytest.raises(SourceError):
            sender.recognise()
        assert sender.ignored == 10


def test_it_is_ended_from_outside() -> None:
    """Whoever waits for a sender is told to end, and does."""
    stop = Stop()
    stop.set()
    with run_sender(0, FakeClock(), stop) as (sender, _), pytest.raises(SourceError, match="given up"):
        sender.recognise()
