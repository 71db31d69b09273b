"""streamer.source: how it lives through what cameras do, against real peers. The kinds of URL: test_source_kinds.py."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from streamer import url as urls
from streamer.openings import Openings
from streamer.source.target import Limits, Target
from tests.peers.clip import make_clip
from tests.peers.front import run_front
from tests.peers.process import free_port
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.watch import Watch, numbers, run_watch
from tests.peers.web_camera import mjpeg, run_web_camera, text

STALL_S = 5.0
"""A camera that says nothing is noticed within this."""
SLACK_S = 1.5
"""What a loaded machine may add to it."""


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
            ("playlist", "protocol"),
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
            await watch.ended("ended")
            await watch.ended("refused")
            server.restart()
            await watch.until(lambda: watch.source.state == "live", "live again")
            assert (watch.source.error, watch.source.reason) == (None, None)
            before = watch.frames[-1].pts
            assert (await watch.more(5))[-1].pts > before


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


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_silent_camera_is_noticed_and_let_go(numbered_clip: Path, transport: str) -> None:
    """A camera that holds its connection and sends nothing is offline in five seconds; it sees one socket at a time."""
    with run_rtsp_server({"/road": numbered_clip}) as server:
        async with run_front(server.port) as front:
            url = f"rtsp://127.0.0.1:{front.port}/road"
            async with run_watch(Target(url, transport="udp" if transport == "udp" else "tcp")) as watch:
                await watch.more(60)
                server.freeze()
                frozen_at = asyncio.get_running_loop().time()
                await watch.until(lambda: watch.source.state == "offline", "offline")
                noticed_after = asyncio.get_running_loop().time() - frozen_at
                assert watch.source.error == "stalled"
                assert noticed_after < STALL_S + SLACK_S
                server.unfreeze()
                await watch.until(lambda: watch.source.state == "live", "live again")
                assert (front.most, front.accepted > 1) == (1, True)
            await watch.until(lambda: front.open == 0, "the last connection closed")
    print(f"silent over {transport}: offline after {noticed_after:.2f} s")


async def test_a_camera_that_sends_reports_only_gets_a_second_connection_and_no_third(
    camera: RtspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports without pictures keep FFmpeg reading: the stream is tried anew beside it, and not a third time."""
    monkeypatch.setattr("streamer.source.source.PATIENCE", 0.5)
    async with (
        run_front(camera.port) as front,
        run_watch(Target(f"rtsp://127.0.0.1:{front.port}/road")) as watch,
    ):
        await watch.more(5)
        front.drip()
        await watch.ended("stalled")
        await watch.more(5)
        assert front.most == 2
        front.drip()
        await watch.until(lambda: watch.source.reconnects["stalled"] == 2, "stalled again")
        await asyncio.sleep(3)  # several pauses and patiences
        assert (front.most, front.accepted) == (2, 2)


async def test_a_silent_web_camera_is_noticed(tmp_path: Path) -> None:
    """The same for MJPEG over HTTP."""
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    async with (
        run_web_camera(("/video", mjpeg(clip, count=10))) as web,
        run_watch(Target(f"{web}/video")) as watch,
    ):
        await watch.more(9)
        assert await watch.ended("stalled")
        noticed_after = asyncio.get_running_loop().time() - watch.frames[8].received_at
    assert noticed_after < 2 * STALL_S + SLACK_S


# ---- together


async def test_cameras_that_come_back_together_are_not_asked_in_one_moment(numbered_clip: Path) -> None:
    """Sixteen cameras away and back at once are all live again in 15 s, and few of them are asked at any one time."""
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
            back = asyncio.get_running_loop().time()
            for watch in watches:
                await watch.until(lambda watch=watch: watch.source.state == "live", "live again")  # type: ignore[misc]
            took = asyncio.get_running_loop().time() - back
            assert {front.most for front in fronts} == {1}
    print(f"16 cameras: all live {took:.1f} s after their return")
    assert took < 15 + SLACK_S


# ---- what changes on the way


async def test_a_change_of_size_is_followed_without_a_gap(tmp_path: Path) -> None:
    """A camera that goes on in another size is followed within a second; each picture has the size it was sent in."""
    small = make_clip(tmp_path / "small.mp4", width=320, height=240, seconds=2, gop=15)
    large = make_clip(tmp_path / "large.mp4", width=640, height=480, seconds=2, gop=15, first=1000)
    with run_rtsp_server({"/road": [small, large]}) as server:
        async with run_watch(Target(server.url("/road"))) as watch:
            frames = await watch.more(140)
    sizes = [frame.width for frame in frames]
    assert {320, 640} == set(sizes)
    for frame, number in zip(frames, numbers(frames), strict=True):
        assert (frame.width, frame.height) == ((640, 480) if number >= 1000 else (320, 240))
    changes = [
        after.received_at - before.received_at for before, after in pairwise(frames) if before.width != after.width
    ]
    assert max(changes) < 1
    assert watch.source.reconnects == {}


async def test_a_change_of_codec_is_followed(tmp_path: Path) -> None:
    """An encoder that is started anew with another codec, at the same port, is followed within seconds."""
    from tests.test_source_kinds import sending

    port = free_port()
    clips = [make_clip(tmp_path / f"{codec}.mkv", codec=codec, gop=15) for codec in ("libx264", "libx265")]
    async with run_watch(Target(f"udp://127.0.0.1:{port}")) as watch:
        for clip in [*clips, clips[0]]:
            async with sending("-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316", clip=clip):
                await watch.more(40)
    gaps = [after.received_at - before.received_at for before, after in pairwise(watch.frames)]
    print(f"codec changed twice: longest gap {max(gaps):.2f} s")
    assert max(gaps) < 5 + SLACK_S


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


async def test_a_picture_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    """Of a camera that begins within the limits and then grows no large picture is decoded, and it is given up."""
    small = make_clip(tmp_path / "small.mp4", width=320, height=240, seconds=1, gop=15)
    large = make_clip(tmp_path / "large.mp4", width=640, height=480, seconds=4, gop=15)
    with run_rtsp_server({"/road": [small, large]}) as server:
        async with run_watch(Target(server.url("/road"), limits=Limits(max_pixels=320 * 240))) as watch:
            assert "its size" in await watch.ended("codec")
            assert {frame.width for frame in watch.frames} == {320}


async def test_more_pictures_than_allowed_go_no_further(camera: RtspServer) -> None:
    """Of a camera that sends thirty a second where ten are allowed, ten a second come, and the others are counted."""
    async with run_watch(Target(camera.url("/road"), limits=Limits(max_fps=10))) as watch:
        await watch.more(20)
        first, last = watch.frames[9], (await watch.more(20))[-1]
        seconds = last.received_at - first.received_at
        taken = len(watch.frames) - 10
        assert taken / seconds < 12
        assert watch.source.skipped_late > taken


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
            while threads():  # noqa: ASYNC110  threads have no event
                await asyncio.sleep(0.02)

        for url in urls_of_all:
            await come_and_go(url)
        before = len(list(Path("/proc/self/fd").iterdir()))  # noqa: ASYNC240  not a disk
        for number in range(50):
            await come_and_go(urls_of_all[number % len(urls_of_all)])
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2  # noqa: ASYNC240
