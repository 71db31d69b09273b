"""streamer.source.rtsp.listener: one port for many cameras, and none of them waited for."""

import logging
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from streamer.source.rtsp.caller import HANDSHAKE_TIMEOUT, LEAVING
from streamer.source.rtsp.listener import MOST_CALLERS, MOST_OF_ONE, Listener
from streamer.source.rtsp.listeners import Listeners
from streamer.source.rtsp.mount import Mount
from streamer.source.rtsp.notices import AT_ONCE
from streamer.source.rtsp.place import Place
from streamer.source.rtsp.wire import ANSWER_TIMEOUT
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import SourceError
from tests.peers.clock import FakeClock
from tests.peers.process import free_port
from tests.peers.rtsp_pusher import RtspPusher, run_pusher
from tests.peers.threads import own_threads


@contextmanager
def mounted(*paths: str, clock: Clock = monotonic) -> Iterator[tuple[int, list[Mount]]]:
    """Streams of these paths at one port, for as long as the block lasts."""
    listeners, port = Listeners(), free_port()
    places = [Place(listeners) for _ in paths]
    try:
        targets = [Target(f"rtsp://127.0.0.1:{port}{path}", listen=True) for path in paths]
        yield port, [place.mount(target, clock) for place, target in zip(places, targets, strict=True)]
    finally:
        for place in places:
            place.close()


def pushes_to(pusher: RtspPusher, mount: Mount) -> None:
    """From ANNOUNCE to RECORD: the stream is handed this camera."""
    assert pusher.announce().status == 200
    assert pusher.set_up().status == 200
    pusher.say("RECORD")
    push = mount.take(Stop(), 10.0)
    assert push.connected.getpeername() == pusher.socket.getsockname()
    push.close()
    mount.vacate(push)


def test_each_camera_finds_its_stream() -> None:
    """Of several streams at one port a camera gets that whose path it names, in whatever order they come."""
    with mounted("/a", "/b/c d", "/b") as (port, mounts):
        for path, mount in reversed(list(zip(("/a", "/b/c%20d/", "/b?x=1"), mounts, strict=True))):
            with run_pusher(port, path) as pusher:
                pushes_to(pusher, mount)


def test_a_stream_without_a_path_takes_what_no_other_does() -> None:
    """A stream without a path takes any camera but those of the others, though it came first."""
    with mounted("", "/a") as (port, [any_, own]):
        for path, mount in (("/a", own), ("/whatever", any_), ("", any_)):
            with run_pusher(port, path) as pusher:
                pushes_to(pusher, mount)


def test_a_stream_with_a_query_wants_it() -> None:
    """A stream whose URL has a query gets the cameras that have the same."""
    with mounted("/a?camera=1", "/a?camera=2") as (port, [_, second]):
        with run_pusher(port, "/a?camera=2") as pusher:
            pushes_to(pusher, second)
        with run_pusher(port, "/a?camera=3") as pusher:
            assert pusher.announce().status == 404


def test_a_name_nobody_waits_for_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A camera that names no stream is told so; the log says where it wanted to go, and no password."""
    with mounted("/a") as (port, _), caplog.at_level(logging.WARNING):
        for _ in range(3):
            with run_pusher(port, "/nowhere=hunter2?pwd=hunter3") as pusher:
                answered = pusher.announce()
                assert (answered.status, answered.reason) == (404, "no stream of this name is pushed to here")
    [said] = caplog.messages  # once
    assert said == f"port {port}: 127.0.0.1: nobody waits for a camera to push to /nowhere"


def test_made_up_names_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Of a hundred names that nobody waits for the log gets a few, and once it is quiet how many it did not get."""
    clock = FakeClock()
    with mounted("/a", clock=clock) as (port, _), caplog.at_level(logging.WARNING):
        with run_pusher(port) as pusher:
            for number in range(100):
                assert pusher.ask("DESCRIBE", f"rtsp://127.0.0.1/{number}").status == 404
        assert len(caplog.messages) == AT_ONCE
        clock.advance(AT_ONCE)
        with run_pusher(port) as pusher:
            for _ in range(2):  # the second is heard after the first's round
                assert pusher.ask("OPTIONS").status == 200
    assert caplog.messages[AT_ONCE:] == [f"port {port}: {100 - AT_ONCE} more held back"]


def test_a_port_is_open_from_its_first_stream_to_its_last() -> None:
    """A port is opened with its first stream, and given back with its last, at once and with its thread."""
    before, listeners, port = own_threads(), Listeners(), free_port()
    targets = [Target(f"rtsp://127.0.0.1:{port}/{name}", listen=True) for name in "ab"]
    for _ in range(3):
        first, second = Place(listeners), Place(listeners)
        first.mount(targets[0])
        second.mount(targets[1])
        first.close()
        with run_pusher(port, "/a") as pusher:
            assert pusher.announce().status == 404
        second.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    for thread in own_threads() - before:
        thread.join()


def test_who_waits_between_two_attempts_is_not_lost() -> None:
    """A place is kept from one attempt to the next, and once it is given up nothing opens it again."""
    listeners = Listeners()
    place, target = Place(listeners), Target(f"rtsp://127.0.0.1:{free_port()}/a", listen=True)
    assert place.mount(target) is place.mount(target)
    place.close()
    with pytest.raises(SourceError):
        place.mount(target)


def test_who_comes_as_the_port_is_given_back_does_not_wait_there() -> None:
    """A stream that is added to a port in the moment its thread ends is told, and opens another."""
    before, target = own_threads(), Target(f"rtsp://127.0.0.1:{free_port()}/a", listen=True)
    listener, mount = Listener("127.0.0.1", target.port, monotonic), Mount(target)
    listener.start()
    listener.close()
    for thread in own_threads() - before:
        thread.join()
    listener.add(mount)
    assert (mount.closed, listener.mounts) == (True, ())


def test_two_streams_of_one_name_are_refused() -> None:
    """A second stream of the same name at the same port is told so, and the first stays."""
    with mounted("/a") as (port, [mount]):
        pass
    listeners = Listeners()
    first, second, target = Place(listeners), Place(listeners), Target(f"rtsp://127.0.0.1:{port}/a", listen=True)
    mount = first.mount(target)
    with pytest.raises(SourceError, match="another stream has this path"):
        second.mount(target)
    with run_pusher(port, "/a") as pusher:
        pushes_to(pusher, mount)
    first.close()


def test_a_port_that_is_taken_is_told() -> None:
    """A port that another program listens at is named with the system's reason."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        target = Target(f"rtsp://127.0.0.1:{taken.getsockname()[1]}/a", listen=True)
        with pytest.raises(SourceError, match=r"cannot listen for the camera \(Address already in use\)") as error:
            Place(Listeners()).mount(target)
    assert error.value.kind == "unreachable"


# ---- who does not push


@pytest.mark.parametrize("begun", [b"", b"OPTI", b"OPTIONS rtsp://127.0.0.1/a RTSP/1.0\r\nCSeq: 1\r\n"])
def test_a_request_that_is_never_whole_is_not_waited_for(begun: bytes) -> None:
    """Whoever says nothing, or no whole request, is told so after eight seconds by the clock, and hung up on."""
    clock = FakeClock()
    with mounted("/a", clock=clock) as (port, [mount]), run_pusher(port) as silent:
        silent.socket.sendall(begun)
        with run_pusher(port, "/a") as pusher:
            pushes_to(pusher, mount)  # and by now the other is known
        clock.advance(ANSWER_TIMEOUT + 0.1)
        assert silent.hear().status == 408
        clock.advance(LEAVING + 0.1)
        assert silent.hung_up()


def test_who_asks_for_ever_is_not_listened_to_for_ever() -> None:
    """A connection that asks for this and that, and never pushes, ends after half a minute by the clock."""
    clock = FakeClock()
    with mounted("/a", clock=clock) as (port, _), run_pusher(port) as idle:
        for _ in range(int(HANDSHAKE_TIMEOUT / (ANSWER_TIMEOUT - 1))):
            assert idle.ask("OPTIONS").status == 200
            clock.advance(ANSWER_TIMEOUT - 1)
        clock.advance(ANSWER_TIMEOUT - 1)
        assert idle.hear().status == 408


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"OPTIONS * RTSP/1.0\r\nX: " + b"a" * 20_000, 413),
        (b"ANNOUNCE rtsp://h/a RTSP/1.0\r\nContent-Length: 70000\r\n\r\n", 413),
        (b"ANNOUNCE rtsp://h/a RTSP/1.0\r\nContent-Length: many\r\n\r\n", 400),
        (b"OPTIONS * RTSP/1.0\r\n\r\n" * 300, 200),
        (b"$\0\0\1x" * 300, 400),
    ],
    ids=["HTTP", "TLS", "head", "body", "length", "requests", "packets"],
)
def test_what_is_no_request_is_refused(said: bytes, status: int) -> None:
    """What is not RTSP, too large or too much is answered once and hung up on; who pushes beside it notices nothing."""
    with mounted("/a") as (port, [mount]), run_pusher(port) as odd:
        odd.socket.sendall(said)
        assert odd.hear().status == status
        with run_pusher(port, "/a") as pusher:
            pushes_to(pusher, mount)
        assert odd.hung_up()


def test_any_bytes_end_in_an_answer_or_in_silence() -> None:
    """Whatever is sent to a port, cut off or not, a camera that comes afterwards pushes."""
    chance = random.Random(1)
    whole = b"ANNOUNCE rtsp://h/b RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 90\r\n\r\n" + b"m=video 0 RTP/AVP 96\r\n" * 5
    with mounted("/a") as (port, [mount]), ExitStack() as stack:
        for _ in range(60):
            odd = stack.enter_context(run_pusher(port))
            told = bytearray(whole[: chance.randrange(len(whole))])
            for _ in range(chance.randrange(4)):
                told[chance.randrange(len(told) or 1) :] = chance.randbytes(3)
            odd.socket.sendall(told or b"\n")
        pushes_to(stack.enter_context(run_pusher(port, "/a")), mount)


def test_a_crowd_keeps_nobody_out() -> None:
    """Whoever comes takes the place of who has been silent longest of his address, and a camera always gets in."""
    with mounted("/a") as (port, [mount]), ExitStack() as stack:
        crowd = [stack.enter_context(run_pusher(port)) for _ in range(MOST_OF_ONE + 4)]
        pushes_to(stack.enter_context(run_pusher(port, "/a")), mount)
        for first in crowd[:5]:
            assert first.hear().status == 503
        for _ in range(MOST_CALLERS // MOST_OF_ONE + 1):
            here = f"127.0.0.{len(crowd)}"
            crowd += [stack.enter_context(run_pusher(port, here=here)) for _ in range(MOST_OF_ONE)]
        pushes_to(stack.enter_context(run_pusher(port, "/a")), mount)


def test_a_camera_nobody_takes_is_let_go() -> None:
    """A camera that would push while its stream does not attend to it is hung up on, and the next one is welcome."""
    clock = FakeClock()
    with mounted("/a", clock=clock) as (port, [mount]):
        with run_pusher(port, "/a") as left:
            assert left.announce().status == left.set_up().status == 200
            left.say("RECORD")
            with run_pusher(port, "/a") as other:
                while other.announce().status == 200:
                    pass
            clock.advance(ANSWER_TIMEOUT + 0.1)
            assert left.hung_up()
        with run_pusher(port, "/a") as pusher:
            pushes_to(pusher, mount)
