"""streamer.source: how it lives through what cameras do, against real peers. The kinds of URL: test_kinds.py."""

import asyncio
import itertools
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from streamer.source import Source
from streamer.source import protocol as protocols
from streamer.source.backoff import EAGER_PAUSE, JITTER, LOCKOUT_PAUSE
from streamer.source.connection import Connection
from streamer.source.decoding import Decoding
from streamer.source.openings import PATIENCE, Openings
from streamer.source.protocol import SOCKET_TIMEOUT, STALL_TIMEOUT
from streamer.source.source import LOOK, OPENING, PICTURE_TIMEOUT
from streamer.source.target import Limits, Target, Transport
from streamer.values import url as urls
from streamer.values.clock import monotonic
from streamer.values.errors import SourceError
from streamer.values.frame import Frame
from streamer.values.timeline import Timeline
from tests.peers.clip import make_clip
from tests.peers.clock import FakeClock
from tests.peers.front import run_front
from tests.peers.listener import run_listener
from tests.peers.process import free_port
from tests.peers.rtp_packetizer import Sender, encoded, h264_payloads, units_of
from tests.peers.rtsp_camera import chunk, run_rtsp_camera
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.sending import sending
from tests.peers.until import until
from tests.peers.watch import Watch, numbers, run_watch
from tests.peers.web_camera import mjpeg, run_web_camera, text

NOTICED_S = 5.0
"""A camera that says nothing is noticed within this; `sightline bench cameras` measures it."""


@pytest.fixture(scope="module")
def camera(numbered_clip: Path) -> Iterator[RtspServer]:
    """One RTSP server."""
    with run_rtsp_server({"/road": numbered_clip}) as server:
        yield server


# ---- why an attempt ended, as a word


async def test_each_reason_has_its_word(camera: RtspServer, numbered_clip: Path) -> None:
    """What is wrong with an RTSP URL is told apart: path, password, port, name, address, and a camera that hangs."""
    with run_rtsp_server({"/road": numbered_clip}, user="watch", password="right") as locked:
        async with run_front(camera.port) as silent:
            silent.blocked = True
            for url, word in (
                (camera.url("/nowhere"), "not_found"),
                (f"rtsp://watch:wrong@127.0.0.1:{locked.port}/road", "authentication"),
                (locked.url("/road", login=False), "authentication"),
                (f"rtsp://127.0.0.1:{free_port()}/road", "refused"),
                ("rtsp://nowhere.invalid/road", "dns"),
                ("rtsp://255.255.255.255/road", "unreachable"),
                (f"rtsp://127.0.0.1:{silent.port}/road", "timeout"),
            ):
                async with run_watch(Target(url)) as watch:
                    sentence = await watch.ended(word)
                assert sentence
                assert "rtsp://" not in sentence


async def test_each_reason_of_http_has_its_word() -> None:
    """The same words for web servers: what they answer, what they send, and where they send us."""
    async with run_web_camera(
        ("/forbidden", text("no", "text/plain", 403)),
        ("/broken", text("oh", "text/plain", 500)),
        ("/page", text("<html>", "text/html")),
        ("/still", text("jpeg", "image/jpeg")),
        ("/round", text("", "text/plain", 302, Location="/round")),
        ("/away", text("", "text/plain", 302, Location="http://other.example/video")),
        ("/playlist", text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "application/vnd.apple.mpegurl")),
    ) as web:
        for path, word in (
            ("nowhere", "not_found"),
            ("forbidden", "authentication"),
            ("broken", "protocol"),
            ("page", "protocol"),
            ("still", "protocol"),
            ("round", "redirected"),
            ("away", "redirected"),
            ("playlist", "unsupported"),
        ):
            async with run_watch(Target(f"{web}/{path}")) as watch:
                assert await watch.ended(word)
    for url, word in ((f"{web}/video", "refused"), ("http://nowhere.invalid/", "dns")):
        async with run_watch(Target(url)) as watch:
            assert await watch.ended(word)


async def test_a_camera_that_ends_the_stream_is_asked_again(numbered_clip: Path) -> None:
    """A camera that dies ends the attempt, is refused while it is away, and is back when it is."""
    with run_rtsp_server({"/road": numbered_clip}) as server:
        async with run_watch(Target(server.url("/road"))) as watch:
            await watch.more(5)
            server.kill()
            await watch.have_ended("ended")
            await watch.have_ended("refused")
            server.restart()
            await watch.until(lambda: watch.source.state == "live", "live again")
            assert (watch.source.error, watch.source.reason) == (None, None)
            before = watch.frames[-1].pts
            assert (await watch.more(5))[-1].pts > before
            openings = [frame.opening for frame in watch.frames]
            assert openings == sorted(openings)
            assert len(set(openings)) == 2  # whoever follows things knows that the camera was away


async def test_passwords_are_in_no_sentence_and_no_log(camera: RtspServer, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever fails, the password is in neither the reason, nor the log, nor what FFmpeg and PyAV print."""
    caplog.set_level("DEBUG")
    port = free_port()
    for url in (
        f"rtsp://user:hunter2hunter2@127.0.0.1:{port}/x",
        f"rtmp://user:hunter2hunter2@127.0.0.1:{port}/live/x?token=hunter2hunter2",
        f"http://user:hunter2hunter2@127.0.0.1:{port}/x?pwd=hunter2hunter2",
        f"srt://127.0.0.1:{port}?passphrase=hunter2hunter2",
        f"rtsp://user:hunter2hunter2@127.0.0.1:{camera.port}/nowhere",
    ):
        urls.remember(url)
        async with run_watch(Target(url)) as watch:
            await watch.until(lambda watch=watch: watch.source.reconnects != {}, "an end")  # type: ignore[misc]
            assert "hunter2" not in str(watch.source.reason)
    assert "hunter2" not in caplog.text


# ---- silence


def attempt(clock: FakeClock) -> tuple[Source, Connection]:
    """A source, and a connection of it that has just begun; nobody is connected to."""
    source = Source("x", Target("rtsp://camera/"), clock=clock, redact=str)
    return source, Connection("x", source.target, Timeline(), lambda *_: None, clock)


def test_a_silence_is_given_up_within_five_seconds() -> None:
    """By the clock a live stream is given up when its patience is over and not before: soon enough to be seen in five.

    So it is where FFmpeg notices by itself, at its second timeout.
    """
    source, connection = attempt(clock := FakeClock())
    connection.opened_at = connection.alive_at = clock.now
    connection.delivering = True
    clock.advance(connection.stall_timeout)
    assert source._given_up(connection) is None
    clock.advance(0.001)
    assert getattr(source._given_up(connection), "kind", None) == "stalled"
    live = (protocols.PLAYED, protocols.RTMP, protocols.RTMP_LISTEN)
    bytes_of_ours = (protocols.MPEG_TS, protocols.MULTIPART_JPEG, protocols.FLV, protocols.MP4)
    assert {protocol.stall for protocol in (*live, *bytes_of_ours)} == {connection.stall_timeout}
    assert connection.stall_timeout + LOOK < NOTICED_S
    assert 2 * SOCKET_TIMEOUT + LOOK < NOTICED_S


def test_an_opening_has_so_long() -> None:
    """By the clock an attempt that opens nothing is given up, and one that opens and shows nothing, and not before."""
    source, connection = attempt(clock := FakeClock())
    clock.advance(OPENING - 0.001)
    assert source._given_up(connection) is None
    clock.advance(0.001)
    assert getattr(source._given_up(connection), "kind", None) == "timeout"
    connection.opened_at = connection.alive_at = clock.now
    connection.alive_at = clock.advance(PICTURE_TIMEOUT)
    assert source._given_up(connection) is None
    connection.alive_at = clock.advance(0.001)
    assert getattr(source._given_up(connection), "kind", None) == "codec"


def test_a_refused_password_is_not_tried_again_at_once() -> None:
    """After a refused password the next attempt waits as long as a lockout wants; after another failure a second."""
    source, _ = attempt(FakeClock())
    assert source._failed(SourceError("authentication", "no")) >= LOCKOUT_PAUSE * (1 - JITTER)
    assert source._failed(SourceError("refused", "no")) <= EAGER_PAUSE


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_silent_camera_is_noticed_and_let_go(numbered_clip: Path, transport: str) -> None:
    """A camera that holds its connection and sends nothing is offline; it sees one socket at a time, and then none."""
    with run_rtsp_server({"/road": numbered_clip}) as server:
        async with run_front(server.port) as front:
            url = f"rtsp://127.0.0.1:{front.port}/road"
            async with run_watch(Target(url, transport="udp" if transport == "udp" else "tcp")) as watch:
                await watch.more(60)
                server.freeze()
                await watch.until(lambda: watch.source.state == "offline", "offline")
                assert watch.source.error == "stalled"
                server.unfreeze()
                await watch.until(lambda: watch.source.state == "live", "live again")
                assert (front.most, front.accepted > 1) == (1, True)
            await watch.until(lambda: front.open == 0, "the last connection closed")


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(("fps", "pictures"), [(30, 2), (1, 1), (1, 3)])
async def test_a_camera_that_freezes_at_once_is_stalled(
    tmp_path: Path, transport: Transport, fps: int, pictures: int
) -> None:
    """A camera that freezes within its first pictures is stalled and nothing else, at one picture a second too."""
    clip = make_clip(tmp_path / "clip.mp4", fps=fps, seconds=max(2, 20 // fps), gop=fps)
    with run_rtsp_server({"/road": clip}) as server:
        async with run_watch(Target(server.url("/road"), transport=transport)) as watch:
            await watch.more(pictures)
            await asyncio.to_thread(server.freeze)
            await watch.ended("stalled")
            assert list(watch.source.reconnects) == ["stalled"]


async def test_a_camera_that_never_begins_is_no_stalled_one() -> None:
    """A camera that says that it plays, and sends nothing, is said to; the session, which knows it, is let say it."""
    with run_rtsp_camera(play=lambda: iter(())) as camera:
        async with run_watch(Target(camera.url())) as watch:
            assert "plays, and sent nothing" in await watch.ended("timeout")
            assert list(watch.source.reconnects) == ["timeout"]


async def test_a_camera_that_begins_late_plays() -> None:
    """A camera that waits for its next key picture, longer than it may pause later, is not given up before it comes."""
    sent = Sender().send(h264_payloads(units_of(unit), "fragments", 400) for unit in encoded("libx264"))

    def late() -> Iterator[bytes]:
        threading.Event().wait(STALL_TIMEOUT + 0.5)  # longer than a silence may last: what is tested
        yield b"".join(chunk(0, packet) for packet in sent)

    with run_rtsp_camera(play=late) as camera:
        async with run_watch(Target(camera.url())) as watch:
            await watch.more(10)
            assert watch.source.reconnects == {}


@pytest.mark.parametrize("fps", [Fraction(1), Fraction(2, 5)])
async def test_a_slow_camera_is_not_silent(tmp_path: Path, fps: Fraction) -> None:
    """A camera of one picture a second, or of two in five, is never given up, over TCP or UDP."""
    clip = make_clip(tmp_path / "clip.mp4", fps=fps, seconds=30 / fps, gop=1)
    with run_rtsp_server({"/road": clip}) as server:
        async with (
            run_watch(Target(server.url("/road"))) as tcp,
            run_watch(Target(server.url("/road"), transport="udp")) as udp,
        ):
            for watch in (tcp, udp):
                await watch.more(7)
                assert watch.source.reconnects == {}


async def test_a_hung_camera_that_is_removed_and_added_sees_one_connection(camera: RtspServer) -> None:
    """A stream to a camera whose last connection has not closed yet waits for that, whoever left it there."""
    openings = Openings()
    async with run_front(camera.port) as front:
        target = Target(f"rtsp://watch:pw@127.0.0.1:{front.port}/road")
        async with run_watch(target, openings=openings) as watch:
            await watch.more(5)
            front.blocked = True
        front.blocked = False  # for those who come now
        again = replace(target, url=target.url.replace("watch:pw@", ""))
        async with run_watch(again, name="y", openings=openings) as watch:
            await watch.more(5)
        assert (front.accepted, front.most) == (2, 1)


async def test_a_camera_that_sends_reports_only_is_left_before_it_is_tried_anew(camera: RtspServer) -> None:
    """Reports without pictures are silence: the connection is closed, and there is never a second one beside it."""
    async with (
        run_front(camera.port) as front,
        run_watch(Target(f"rtsp://127.0.0.1:{front.port}/road")) as watch,
    ):
        await watch.more(5)
        front.drip()
        await watch.have_ended("stalled")
        await watch.more(5)
        front.drip()
        await watch.have_ended("stalled", 2)
        await watch.more(5)
        assert (front.most, front.accepted) == (1, 3)


async def test_a_silent_web_camera_is_noticed(tmp_path: Path) -> None:
    """The same for MJPEG over HTTP."""
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    async with (
        run_web_camera(("/video", mjpeg(clip, count=10))) as web,
        run_watch(Target(f"{web}/video")) as watch,
    ):
        await watch.more(9)
        assert await watch.ended("stalled")


# ---- what is opened and never ends


@asynccontextmanager
async def run_drip(head: bytes, drop: bytes = b"a", *, pause: float = 0.05) -> AsyncIterator[int]:
    """A server that answers anything with `head`, and then with a drop now and then for ever; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            while not reader.at_eof():
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(pause)

    async with run_listener(answer) as port:
        yield port


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n" + b"G\x1f\xff\x10" + bytes(184), bytes(8)),
    ],
    ids=["header", "continue", "body"],
)
async def test_a_server_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch, head: bytes, drop: bytes) -> None:
    """A server that sends just enough never to be silent is a timeout, and its thread and socket end."""
    monkeypatch.setattr("streamer.source.source.OPENING", 1.0)
    async with run_drip(head, drop) as port, run_front(port) as front:
        async with run_watch(Target(f"http://127.0.0.1:{front.port}/x")) as watch:
            assert "no stream within 1 s" in await watch.ended("timeout")
        await watch.until(lambda: front.open == 0, "the connection closed")


async def test_waiting_for_a_turn_is_not_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a source waits for its turn, its attempt has all its time from then on."""
    monkeypatch.setattr("streamer.source.source.OPENING", 1.2)
    openings = Openings(at_once=1)
    asked_at = monotonic()
    turn = await openings.turn()  # which holds for longer than that
    async with (
        run_drip(b"HTTP/1.1 200 OK\r\nX: ") as port,
        run_front(port) as front,
        run_watch(Target(f"http://127.0.0.1:{front.port}/x"), openings=openings) as watch,
    ):
        await watch.until(lambda: front.accepted > 0, "an attempt")
        assert watch.source._connection is not None
        assert watch.source._connection.started_at >= asked_at + PATIENCE
        await watch.ended("timeout")
    turn.done()


async def test_a_picture_without_end_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that announces a picture of gigabytes and sends it is given up as too large long before its end."""
    monkeypatch.setattr("streamer.source.allowance.ROOM", 1 << 20)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\n\r\n"
    part = b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: 1900000000\r\n\r\n\xff\xd8\xff\xda\0\2"
    limits = Limits(max_packet_bytes=1 << 20)
    async with (
        run_drip(head + part, bytes(1 << 20), pause=0) as port,
        run_watch(Target(f"http://127.0.0.1:{port}/x", limits=limits)) as watch,
    ):
        assert "bytes" in await watch.ended("too_large")


async def test_a_recording_without_pictures_is_said(tmp_path: Path) -> None:
    """A recording in which there is nothing is a codec error, and is not begun again and again for a minute."""
    clip = make_clip(tmp_path / "clip.ts", seconds=1, gop=30)
    broken = tmp_path / "broken.mp4"
    with av.open(str(clip)) as source, av.open(str(broken), "w", options={"movflags": "empty_moov"}) as sink:
        sink.add_stream_from_template(source.streams.video[0])
        sink.start_encoding()
    async with run_watch(Target(f"file://{broken}")) as watch:
        assert "no pictures" in await watch.ended("codec")


async def test_a_recording_that_breaks_off_is_not_its_end(numbered_clip: Path, tmp_path: Path) -> None:
    """A server that sends less of a recording than it announced has broken off, and is not begun again."""
    clip = tmp_path / "clip.mp4"
    with av.open(str(numbered_clip)) as source, av.open(str(clip), "w", options={"movflags": "faststart"}) as sink:
        sink.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = sink.streams.video[0]
                sink.mux(packet)
    data = clip.read_bytes()

    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data[: len(data) // 2])
        await writer.drain()

    async with (
        run_listener(broken) as port,
        run_watch(Target(f"http://127.0.0.1:{port}/clip.mp4")) as watch,
    ):
        assert "closed the connection" in await watch.ended("ended")


async def test_what_a_server_says_cannot_write_to_a_terminal() -> None:
    """What comes from a server into a sentence has no control characters, and is not longer than a sentence."""
    media_type = "text/\x1b[31mred" + "x" * 5000
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n\r\n".encode()
    async with run_drip(head + bytes(99)) as port, run_watch(Target(f"http://127.0.0.1:{port}/x")) as watch:
        sentence = await watch.ended("protocol")
    assert sentence.isprintable()
    assert len(sentence) < 400


# ---- together


async def test_cameras_that_come_back_together_are_not_asked_in_one_moment(numbered_clip: Path) -> None:
    """Sixteen cameras away and back at once are all live again, and none of them is asked twice at a time.

    `sightline bench cameras` measures how long that takes, and test_openings.py holds how many are asked at once.
    """
    with run_rtsp_server({"/road": numbered_clip}) as server:
        async with AsyncExitStack() as running:
            fronts = [await running.enter_async_context(run_front(server.port)) for _ in range(16)]
            openings = Openings()
            watches: list[Watch] = [
                await running.enter_async_context(
                    run_watch(Target(f"rtsp://127.0.0.1:{front.port}/road"), openings=openings)
                )
                for front in fronts
            ]
            for watch in watches:
                await watch.more(1)
            await asyncio.to_thread(server.kill)
            for watch in watches:
                await watch.until(lambda watch=watch: watch.source.state == "offline", "offline")  # type: ignore[misc]
            server.restart()
            for watch in watches:
                await watch.until(lambda watch=watch: watch.source.state == "live", "live again")  # type: ignore[misc]
            assert {front.most for front in fronts} == {1}


# ---- what changes on the way


async def test_a_change_of_size_is_followed_without_a_gap(tmp_path: Path) -> None:
    """A camera that goes on in another size is followed from its first picture; each has the size it was sent in."""
    small = make_clip(tmp_path / "small.mp4", width=320, height=240, seconds=2, gop=15)
    large = make_clip(tmp_path / "large.mp4", width=640, height=480, seconds=2, gop=15, first=1000)
    with run_rtsp_server({"/road": [small, large]}) as server:
        async with run_watch(Target(server.url("/road"))) as watch:
            frames = await watch.more(140)
    sizes = [frame.width for frame in frames]
    assert {320, 640} == set(sizes)
    shown = numbers(frames)
    for frame, number in zip(frames, shown, strict=True):
        assert (frame.width, frame.height) == ((640, 480) if number >= 1000 else (320, 240))
    changes = [number for (before, after), number in zip(pairwise(sizes), shown[1:], strict=True) if before != after]
    assert set(changes) == {0, 1000}
    assert watch.source.reconnects == {}


async def test_a_change_of_codec_is_followed(tmp_path: Path) -> None:
    """An encoder that is started anew with another codec, at the same port, is followed, and told from a silent one."""
    port = free_port()
    clips = [make_clip(tmp_path / f"{codec}.mkv", codec=codec, gop=15) for codec in ("libx264", "libx265")]
    async with run_watch(Target(f"udp://127.0.0.1:{port}")) as watch:
        for clip in [*clips, clips[0]]:
            async with sending("-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316", clip=clip):
                await watch.more(40)
    assert watch.source.reconnects == {"codec": 2}


# ---- the most a camera may send


@pytest.mark.parametrize(
    "limits",
    [Limits(max_pixels=320 * 200), Limits(max_packet_bytes=500)],
    ids=["picture", "packet"],
)
async def test_what_is_too_large_is_refused(camera: RtspServer, limits: Limits) -> None:
    """A larger picture or packet than allowed ends the attempt as too large, before a frame."""
    async with run_watch(Target(camera.url("/road"), limits=limits)) as watch:
        assert "more than" in await watch.ended("too_large")
        assert watch.frames == []


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mjpeg"])
async def test_a_picture_that_grows_too_large_is_refused(tmp_path: Path, codec: str) -> None:
    """Of a camera that begins within the limits and then grows no large picture is decoded, and the word is that."""
    small = make_clip(tmp_path / "small.mkv", width=320, height=240, seconds=1, gop=15, codec=codec)
    large = make_clip(tmp_path / "large.mkv", width=640, height=480, seconds=4, gop=15, codec=codec)
    with run_rtsp_server({"/road": [small, large]}) as server:
        async with run_watch(Target(server.url("/road"), limits=Limits(max_pixels=320 * 240))) as watch:
            sentence = await watch.ended("too_large")
            assert f"more than {320 * 240} pixels" in sentence
            assert codec == "mjpeg" or "640 x 480" in sentence
            assert {frame.width for frame in watch.frames} == {320}
            assert list(watch.source.reconnects) == ["too_large"]


async def test_more_pictures_than_allowed_go_no_further(camera: RtspServer) -> None:
    """Of a camera that sends thirty a second where ten are allowed, ten a second come, and the others are counted."""
    async with run_watch(Target(camera.url("/road"), limits=Limits(max_fps=10))) as watch:
        await watch.more(20)
        first, last = watch.frames[9], (await watch.more(20))[-1]
        seconds = last.received_at - first.received_at
        taken = len(watch.frames) - 10
        assert taken <= 10 * seconds + 5 + 1  # half a second's may come at once
        assert watch.source.skipped_late > taken


async def test_jpegs_beyond_what_is_allowed_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of pictures that need no other, those that go no further are counted, and cost no decoding."""
    decode, decoded = Decoding.pictures, itertools.count()

    def counting(self: Decoding, packet: "av.Packet[av.VideoStream]") -> list[av.VideoFrame]:
        next(decoded)
        return decode(self, packet)

    monkeypatch.setattr(Decoding, "pictures", counting)
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    async with run_web_camera(("/video", mjpeg(clip, fps=200))) as web:
        async with run_watch(Target(f"{web}/video", limits=Limits(max_fps=10))) as watch:
            await watch.more(20)
            skipped = watch.source.skipped_late
        assert next(decoded) <= len(watch.frames) + 1  # the end of the stream is decoded too
        assert skipped > 20


# ---- redirects


@contextmanager
def run_redirector(location: str) -> Iterator[int]:
    """An RTSP server that answers DESCRIBE with 302; gives its port."""

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def answer(client: socket.socket) -> None:
            with client:
                while asked := client.recv(4096).decode():
                    method, cseq = asked.split()[0], asked.partition("CSeq: ")[2].split()[0]
                    head = f"RTSP/1.0 302 Found\r\nCSeq: {cseq}\r\nLocation: {location}\r\n\r\n"
                    options = f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n"
                    client.sendall((head if method == "DESCRIBE" else options).encode())

        def accept() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)


async def test_a_redirect_to_another_host_is_not_followed(camera: RtspServer) -> None:
    """A camera that sends us to another host is told by name, and nobody connects there."""
    async with run_front(camera.port) as victim:
        with run_redirector(f"rtsp://localhost:{victim.port}/road?secret=x") as port:
            async with run_watch(Target(f"rtsp://127.0.0.1:{port}/road")) as watch:
                assert f"rtsp://localhost:{victim.port}/road" in await watch.ended("redirected")
        assert victim.accepted == 0


async def test_a_redirect_on_the_same_host_is_followed(camera: RtspServer) -> None:
    """A camera that sends us to another port or path of its own is followed there."""
    with run_redirector(camera.url("/road")) as port:
        async with run_watch(Target(f"rtsp://127.0.0.1:{port}/road")) as watch:
            await watch.more(5)


async def test_sources_that_come_and_go_leave_nothing(camera: RtspServer, tmp_path: Path) -> None:
    """Fifty sources of all kinds, live and failing, leave neither threads nor descriptors when they are gone."""
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)

    def threads() -> int:
        return sum(thread.name.startswith("source-") for thread in threading.enumerate())

    async with run_web_camera(("/video", mjpeg(clip))) as web:
        urls_of_all = (
            *(camera.url("/road"), f"{web}/video", f"file://{clip}"),
            *(f"{web}/nowhere", camera.url("/nowhere"), f"udp://127.0.0.1:{free_port()}"),
        )

        async def come_and_go(url: str) -> None:
            async with run_watch(Target(url)) as watch:
                await watch.until(lambda: bool(watch.frames or watch.source.reason), "anything")
            await until(lambda: not threads())

        for url in urls_of_all:
            await come_and_go(url)
        before = len(list(Path("/proc/self/fd").iterdir()))  # noqa: ASYNC240  not a disk
        for number in range(50):
            await come_and_go(urls_of_all[number % len(urls_of_all)])
        # The web server, which is in this process, may notice a moment later who has gone.
        await until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before + 2)


async def test_a_frames_age_by_its_cameras_clock_is_told() -> None:
    """The camera's clock, told by its sender report, against ours at the arrival; None of a camera that tells none."""
    now = int(time.time())
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, 7, now + 2_208_988_800, 0, 0, 0, 0)
    sent = b"".join(
        chunk(0, packet)
        for packet in Sender().send(h264_payloads(units_of(unit), "fragments", 1000) for unit in encoded("libx264"))
    )
    for told in (chunk(1, report), b""):
        with run_rtsp_camera(play=lambda: iter((told + sent, b""))) as camera:  # noqa: B023
            frames: list[Frame] = []
            source = Source("x", Target(camera.url()), clock=monotonic, redact=urls.redact, wall=lambda: now + 40.0)
            with suppress(SourceError):
                await source.run_once(frames.append)
        ages = [frame.camera_age for frame in frames]
        assert ages
        if told:
            assert ages == pytest.approx([40.0] * len(ages), abs=15)
        else:
            assert ages == [None] * len(ages)
