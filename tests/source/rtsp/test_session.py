"""streamer.source.rtsp.session: packets as they come, and what keeps them coming."""

import asyncio
import random
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from streamer.source.protocol import FIRST_TIMEOUT, STALL_TIMEOUT
from streamer.source.rtsp.keepalive import Habits
from streamer.source.rtsp.opening import open_session
from streamer.source.rtsp.report import INTERVAL
from streamer.source.rtsp.session import MOST_PACKETS, Session
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.errors import SourceError
from tests.peers.clock import FakeClock
from tests.peers.front import run_front
from tests.peers.rtsp_camera import SSRC, Heard, Parts, bye, chunk, rtp, run_rtsp_camera, sender_report
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.until import until


def all_of(session: Session) -> list[bytes]:
    """Every packet until the stream ends."""
    return [data for data, _ in session.packets() if data]


def ended(url: str, clock: FakeClock | None = None) -> SourceError:
    """Why its packets end."""
    with open_session(Target(url), Stop(), clock or FakeClock()) as session, pytest.raises(SourceError) as error:
        all_of(session)
    return error.value


# ---- how it ends


@pytest.mark.parametrize(
    "last",
    [
        b"",
        chunk(1, bye()) + chunk(0, rtp(9)),
        b"TEARDOWN rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"PLAY_NOTIFY rtsp://x RTSP/2.0\r\nCSeq: 1\r\nNotify-Reason: end-of-stream\r\n\r\n",
        b"REDIRECT rtsp://x RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://127.0.0.1:554/y\r\n\r\n",
    ],
    ids=["close", "BYE", "TEARDOWN", "PLAY_NOTIFY", "REDIRECT"],
)
def test_a_camera_ends_its_stream(last: bytes) -> None:
    """However a camera says that it is over, the packets end without an error."""
    with (
        run_rtsp_camera(play=lambda: iter((chunk(0, rtp(1)) + chunk(0, rtp(2)), last))) as camera,
        open_session(Target(camera.url()), Stop()) as session,
    ):
        got = all_of(session)
    assert [data[3] for data in got][:2] == [1, 2]


def test_a_good_bye_of_another_changes_nothing() -> None:
    """A BYE that names another source than the one that is played ends nothing, and nor does a malformed one."""
    others = chunk(1, bye(SSRC + 1)) + chunk(1, b"\x81\xcb\xff\xff") + chunk(1, b"x")
    with (
        run_rtsp_camera(play=lambda: iter((chunk(0, rtp(1)), others, chunk(0, rtp(2)), b""))) as camera,
        open_session(Target(camera.url()), Stop()) as session,
    ):
        assert len(all_of(session)) == 2


def test_a_server_that_dies_has_ended(numbered_clip: Path) -> None:
    """A server that is killed ends the packets, over TCP and over UDP."""
    for transport in ("tcp", "udp"):
        with run_rtsp_server({"/road": numbered_clip}) as server:
            target = Target(server.url("/road"), transport="udp" if transport == "udp" else "tcp")
            with open_session(target, Stop()) as session:
                packets = session.packets()
                assert next(packets)
                server.kill()
                list(packets)


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (b"\x80garbage", "protocol"),
        (b"RTSP/1.0 200 OK\r\nX: " + b"a" * 20_000, "too_large"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 99999\r\n\r\n", "too_large"),
        (b"REDIRECT rtsp://x RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://127.0.0.9/y\r\n\r\n", "redirected"),
    ],
    ids=["garbage", "head", "body", "redirect"],
)
def test_what_comes_between_packets_is_checked(last: bytes, kind: str) -> None:
    """Garbage, what is too large, and a redirect elsewhere end a session that plays, with their words."""
    with run_rtsp_camera(play=lambda: iter((chunk(0, rtp(1)), last))) as camera:
        assert ended(camera.url()).kind == kind


def test_a_camera_that_no_longer_knows_the_session_and_plays_on_is_listened_to() -> None:
    """A 454 to a keepalive ends nothing: if the session is really gone, silence will tell."""
    gone = b"RTSP/1.0 454 Session Not Found\r\nCSeq: 99\r\n\r\n"
    with (
        run_rtsp_camera(play=lambda: iter((chunk(0, rtp(1)), gone, chunk(0, rtp(2)), b""))) as camera,
        open_session(Target(camera.url()), Stop()) as session,
    ):
        assert len(all_of(session)) == 2


@pytest.mark.parametrize("channel", [0, 1, 7])
def test_a_flood_of_small_packets_is_ended(channel: int) -> None:
    """More packets a second than any video is made of end the stream, whatever channel they come on, empty or not."""
    many = chunk(channel, rtp(1) if channel == 0 else b"") * (MOST_PACKETS + 2)
    with run_rtsp_camera(play=lambda: iter((many, b""))) as camera:
        error = ended(camera.url())
    assert (error.kind, str(MOST_PACKETS) in str(error)) == ("too_large", True)


def test_empty_packets_are_no_life() -> None:
    """A camera that sends empty packets alone does not deliver, and its silence counts on."""
    with (
        run_rtsp_camera(play=lambda: iter((chunk(0, b"") * 3, b""))) as camera,
        open_session(Target(camera.url()), Stop()) as session,
    ):
        assert all_of(session) == []
        assert not session._delivering


def test_who_is_slow_at_taking_packets_makes_no_camera_silent() -> None:
    """Packets that wait while earlier ones are being dealt with, however long that takes, are no stall."""
    clock = FakeClock()
    with (
        run_rtsp_camera(play=lambda: iter((b"".join(chunk(0, rtp(number)) for number in range(9)), b""))) as camera,
        open_session(Target(camera.url()), Stop(), clock) as session,
    ):
        got = 0
        for data, _ in session.packets():
            got += bool(data)
            clock.advance(STALL_TIMEOUT)
    assert got == 9


def test_random_bytes_end_in_words() -> None:
    """Of any bytes between packets nothing comes but the end, or an error that is declared."""
    chance = random.Random(1)
    for _ in range(40):
        last = chance.randbytes(chance.randrange(1, 2000))
        with (
            run_rtsp_camera(play=lambda last=last: iter((chunk(0, rtp(1)), last, b""))) as camera,  # type: ignore[misc]
            open_session(Target(camera.url()), Stop()) as session,
            suppress(SourceError),
        ):
            all_of(session)


def silent(clock: FakeClock, *, after: int, reports: bool, seconds: float) -> Iterator[bytes]:
    """Some packets, and then nothing but reports while the clock goes on."""
    for sequence in range(after):
        yield chunk(0, rtp(sequence))
    for _ in range(2000):
        threading.Event().wait(0.001)
        clock.advance(seconds / 100)
        yield chunk(1, sender_report()) if reports else b"\r\n"


@pytest.mark.parametrize("reports", [False, True])
@pytest.mark.parametrize(("after", "kind", "seconds"), [(0, "timeout", FIRST_TIMEOUT), (3, "stalled", STALL_TIMEOUT)])
def test_a_silence_ends_by_the_clock(reports: bool, after: int, kind: str, seconds: float) -> None:
    """No packet for so long is the end, before the first and after the last; reports are no packets."""
    clock = FakeClock()
    with (
        run_rtsp_camera(play=lambda: silent(clock, after=after, reports=reports, seconds=seconds)) as camera,
        open_session(Target(camera.url()), Stop(), clock) as session,
    ):
        watched = session.packets()
        with pytest.raises(SourceError) as error:
            _watch(watched, clock.now, seconds)
    assert error.value.kind == kind


def test_a_camera_may_wait_for_its_next_key_picture() -> None:
    """A first packet that comes later than a silence may last is still the first: such cameras play."""
    clock = FakeClock()

    def late() -> Iterator[bytes]:
        for _ in range(20):
            threading.Event().wait(0.001)
            clock.advance((STALL_TIMEOUT + FIRST_TIMEOUT) / 2 / 20)
            yield b"\r\n"
        yield chunk(0, rtp(0))

    with (
        run_rtsp_camera(play=late) as camera,
        open_session(Target(camera.url()), Stop(), clock) as session,
    ):
        began = clock.now
        data, now = next((data, now) for data, now in session.packets() if data)
    assert (data, now - began > STALL_TIMEOUT) == (rtp(0), True)


def _watch(packets: Iterator[tuple[bytes, float]], arrived_at: float, seconds: float) -> None:
    for data, now in packets:
        arrived_at = now if data else arrived_at
        assert now - arrived_at <= seconds + 0.5


def test_datagrams_that_do_not_come_are_explained() -> None:
    """Where a camera plays and no datagram arrives, the sentence says what passes instead."""
    clock = FakeClock()
    quiet = partial(silent, clock, after=0, reports=False, seconds=FIRST_TIMEOUT)
    with (
        run_rtsp_camera(transport="RTP/AVP;unicast", play=quiet) as camera,
        open_session(Target(camera.url(), transport="udp"), Stop(), clock) as session,
        pytest.raises(SourceError, match="`transport: tcp` passes") as error,
    ):
        all_of(session)
    assert error.value.kind == "timeout"


def test_who_reads_may_look_at_the_clock() -> None:
    """Where nothing comes, or nothing that is played, an empty packet does, now and then."""
    for noise in ((), (chunk(7, b"noise"),) * 3):
        with (
            run_rtsp_camera(play=lambda noise=noise: iter(noise)) as camera,  # type: ignore[misc]
            open_session(Target(camera.url()), Stop()) as session,
        ):
            assert [data for data, _ in islice(session.packets(), 2)] == [b"", b""]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_it_is_ended_from_outside(numbered_clip: Path, transport: str) -> None:
    """`stop` ends the packets of a camera that has frozen, at once, and the camera's side is closed with a farewell."""
    with run_rtsp_server({"/road": numbered_clip}) as server:
        async with run_front(server.port) as front:
            stop, said = Stop(), list[bytes]()

            def listened(data: bytes) -> bytes:
                said.append(data)
                return data

            front.rewrite = listened
            target = Target(f"rtsp://127.0.0.1:{front.port}/road", transport="udp" if transport == "udp" else "tcp")

            def read() -> None:
                with open_session(target, stop, FakeClock()) as session:  # whose time never passes
                    packets = session.packets()
                    next(packets)
                    server.freeze()
                    asyncio_loop.call_soon_threadsafe(frozen.set)
                    list(packets)

            asyncio_loop, frozen = asyncio.get_running_loop(), asyncio.Event()
            reading = asyncio_loop.run_in_executor(None, read)
            await frozen.wait()
            stop.set()
            await reading
            await until(lambda: front.open == 0)
            assert b"TEARDOWN" in b"".join(said)


# ---- what is sent meanwhile


def test_what_a_camera_asks_is_answered() -> None:
    """Requests of the camera are answered by what they are, with their number and session, and the packets go on."""
    asked = ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE", "PAUSE", "RECORD")

    def play() -> Iterator[bytes]:
        for number, method in enumerate(asked):
            yield f"{method} rtsp://x RTSP/1.0\r\nCSeq: {number}\r\nSession: 1\r\nContent-Length: 3\r\n\r\nv=0".encode()
        yield chunk(0, rtp(1))

    with (
        run_rtsp_camera(play=play) as camera,
        open_session(Target(camera.url()), Stop()) as session,
    ):
        assert next(data for data, _ in session.packets() if data)
    assert [line.split(b" ")[1] for line in camera.answered] == [b"200"] * 4 + [b"501"] * 2


class Beat:
    """A camera and who watches it in step: after each packet so much time has passed by the clock."""

    def __init__(self, clock: FakeClock, seconds: float, count: int) -> None:
        self._clock, self._seconds, self._count = clock, seconds, count
        self._taken = threading.Semaphore()

    def play(self) -> Iterator[bytes]:
        """The camera's side: the next packet once the last was taken, and then the end."""
        for sequence in range(self._count):
            self._taken.acquire()
            yield chunk(0, rtp(sequence))
        self._taken.acquire()
        yield b""

    def watch(self, session: Session) -> Iterator[bytes]:
        """The other side."""
        for data, _ in session.packets():
            if data:
                yield data
                self._clock.advance(self._seconds)
                self._taken.release()


def kept(
    public: str,
    session: str = "77;timeout=10",
    habits: Habits | None = None,
    answers: Mapping[str, Callable[[Heard], Parts]] | None = None,
) -> list[Heard]:
    """What a camera of such a list is sent while it plays for a hundred seconds."""
    beat = Beat(clock := FakeClock(), 0.5, 200)
    with run_rtsp_camera(public=public, session=session, play=beat.play, answers=answers) as camera:
        with open_session(Target(camera.url()), Stop(), clock, habits) as playing:
            assert len(list(beat.watch(playing))) == 200
        begun = camera.methods().index("PLAY")
        return [request for request in camera.heard[begun + 1 :] if request.method != "TEARDOWN"]


@pytest.mark.parametrize(
    ("public", "method"),
    [
        ("OPTIONS, DESCRIBE, PLAY", "OPTIONS"),
        ("OPTIONS, DESCRIBE, PLAY, GET_PARAMETER", "GET_PARAMETER"),
        ("OPTIONS,get_parameter", "GET_PARAMETER"),
    ],
)
def test_a_session_is_kept_alive_as_the_camera_lists(public: str, method: str) -> None:
    """At half the session's timeout GET_PARAMETER is sent if it is listed, else OPTIONS, with the session's name."""
    sent = kept(public)
    assert {(request.method, request.fields["session"]) for request in sent} == {(method, "77")}
    assert 15 <= len(sent) <= 20


@pytest.mark.parametrize("session", ["77", "77;timeout=0", "77;timeout=x", "77; Timeout = 60"])
def test_a_session_lasts_a_minute_where_nothing_else_is_said(session: str) -> None:
    """Without a timeout that makes sense it is the standard's sixty seconds."""
    assert 2 <= len(kept("OPTIONS", session)) <= 3


def test_a_keepalive_need_not_be_answered() -> None:
    """A camera that never answers GET_PARAMETER gets it all the same; one that refuses it gets OPTIONS from then on."""
    assert len(kept("GET_PARAMETER", answers={"GET_PARAMETER": lambda request: b"\r\n"})) >= 15
    refused = kept("GET_PARAMETER", answers={"GET_PARAMETER": lambda request: request.answer(status="501 No")})
    assert [request.method for request in refused[:2]] == ["GET_PARAMETER", "OPTIONS"]


def test_a_session_that_ended_too_soon_is_kept_alive_otherwise() -> None:
    """A camera that closes a session in about its timeout gets the other keepalive in the next, and that one lasts."""
    habits, clock = Habits(), FakeClock()
    for listed, methods in (("OPTIONS", ["OPTIONS", "GET_PARAMETER"]), ("GET_PARAMETER", ["GET_PARAMETER", "OPTIONS"])):
        habits.other_keepalive = False
        for method in methods:
            beat = Beat(clock, 0.5, 24)
            with (
                run_rtsp_camera(public=listed, session="1;timeout=10", play=beat.play) as camera,
                open_session(Target(camera.url()), Stop(), clock, habits) as session,
            ):
                assert session.traits.keepalive == method
                assert len(list(beat.watch(session))) == 24


def test_a_session_that_lasted_is_left_as_it_is() -> None:
    """A session that ended long after its timeout ended for another reason; so did one that we ended."""
    habits = Habits()
    kept("OPTIONS", habits=habits)
    assert not habits.other_keepalive


def test_a_nonce_that_grows_old_is_renewed_by_the_way() -> None:
    """A keepalive that is answered with a new nonce is taken at its word: the next one has it."""
    nonces = iter(range(99))

    def answer(request: Heard) -> Parts:
        nonce = next(nonces)
        return request.answer(f'WWW-Authenticate: Digest realm="r", nonce="n{nonce}", stale=true', status="401 No")

    first = {"DESCRIBE": 0}

    def describe(request: Heard) -> Parts:
        first["DESCRIBE"] += 1
        return answer(request) if first["DESCRIBE"] == 1 else camera.usual(request)

    beat = Beat(clock := FakeClock(), 0.5, 60)
    with run_rtsp_camera(
        {"DESCRIBE": describe, "GET_PARAMETER": answer},
        public="GET_PARAMETER",
        session="1;timeout=10",
        play=beat.play,
    ) as camera:
        with open_session(Target(camera.url(login="u:p")), Stop(), clock) as session:
            assert len(list(beat.watch(session))) == 60
        used = [request.fields["authorization"] for request in camera.all("GET_PARAMETER")]
    assert 'nonce="n0"' in used[0]
    assert 'nonce="n1"' in used[1]


def test_reports_go_both_ways() -> None:
    """What RTCP brings is handed on; ours go out every few seconds, on the camera's channel, whoever writes them."""
    beat = Beat(clock := FakeClock(), 1.0, 24)

    def play() -> Iterator[bytes]:
        yield chunk(1, sender_report())
        yield from beat.play()

    with (
        run_rtsp_camera(play=play) as camera,
        open_session(Target(camera.url()), Stop(), clock) as session,
    ):
        came: list[bytes] = []
        session.on_report = lambda report, now: came.append(report)
        for number, _ in enumerate(beat.watch(session)):
            if number == 12:
                session.report = lambda: b"ours"
    assert came == [sender_report()]
    first, second = struct.unpack(">BBHI", camera.reports[0][:8]), camera.reports[0][8:10]
    assert (first[:3], second) == ((0x80, 201, 1), b"\x81\xca")
    assert len(camera.reports) >= 24 // INTERVAL - 1
    assert camera.reports[-1] == b"ours"


# ---- what is left behind


def test_nothing_is_left_behind(numbered_clip: Path) -> None:
    """A hundred sessions, however they end, leave threads and descriptors where they were."""
    with run_rtsp_server({"/road": numbered_clip}) as server:

        def once(transport: str) -> None:
            target = Target(server.url("/road"), transport="udp" if transport == "udp" else "tcp")
            with open_session(target, Stop()) as session:
                next(session.packets())

        once("tcp")
        before = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
        for count in range(100):
            once(("tcp", "udp")[count % 2])
        assert (threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))) == before
