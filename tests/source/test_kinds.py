"""streamer.source: every kind of URL becomes frames, each against a real peer."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from streamer.source.certificate_trust import CertificateTrust
from streamer.source.relay import PROGRAM
from streamer.source.target import Target, Transport
from streamer.values.clock import monotonic
from tests.peers.certificates import Certificate, make_certificate, server_context
from tests.peers.clip import make_clip
from tests.peers.connections import takes_datagrams
from tests.peers.front import run_front
from tests.peers.gst_pipeline import run_gst_pipeline
from tests.peers.process import free_port
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.sending import rtp, sending
from tests.peers.until import until
from tests.peers.watch import numbers, run_watch
from tests.peers.web_camera import (
    behind_digest,
    file,
    files,
    flv,
    mjpeg,
    run_hls,
    run_web_camera,
    text,
    trickled,
)

COUNT = 60
"""Frames of a clip: two seconds."""
CODECS = {"h264": "libx264", "h265": "libx265", "mjpeg": "mjpeg"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same two seconds in every codec; JPEG's payload knows sizes in steps of 8."""
    folder = tmp_path_factory.mktemp("clips")
    return {name: make_clip(folder / f"{name}.mkv", gop=15, codec=codec) for name, codec in CODECS.items()}


@pytest.fixture(scope="module")
def mp4(numbered_clip: Path) -> Path:
    """H.264 in MP4, its index at the end."""
    return numbered_clip


def assert_plays(found: Sequence[int], count: int = COUNT) -> None:
    """The numbers go on one by one from any of them, but for a frame that a camera lost now and then."""
    steps = [(after - before) % count for before, after in pairwise(found)]
    assert len(found) > 10
    assert sum(step == 1 for step in steps) >= 0.8 * len(steps), found


async def assert_delivers(target: Target, count: int = 40) -> None:
    """Frames come, in order, and their times run as their numbers do."""
    async with run_watch(target) as watch:
        frames = await watch.more(count)
    found = numbers(frames)
    assert_plays(found)
    steps = [after.pts - before.pts for before, after in pairwise(frames)]
    assert min(steps) > 0
    assert watch.source.reconnects == {}


# ---- RTSP


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("codec", CODECS)
async def test_rtsp_in_every_codec_and_transport(clips: dict[str, Path], codec: str, transport: Transport) -> None:
    """H.264, H.265 and MJPEG come from an RTSP server over TCP, and over UDP where that is asked for."""
    with run_rtsp_server({"/road": clips[codec]}) as server:
        await assert_delivers(Target(server.url("/road"), transport=transport))


async def test_rtsp_mjpeg_beyond_2040_pixels(tmp_path: Path) -> None:
    """A size for which RTP has no room is taken from the description, where gst-rtsp-server writes it."""
    clip = make_clip(tmp_path / "large.mkv", width=2560, height=1440, fps=5, seconds=4, gop=1, codec="mjpeg")
    with run_rtsp_server({"/road": clip}) as server:
        async with run_watch(Target(server.url("/road"))) as watch:
            frames = await watch.more(3)
    assert {(frame.picture.width, frame.picture.height) for frame in frames} == {(2560, 1440)}


@pytest.fixture(scope="module")
def authority() -> Certificate:
    """Who signs the cameras' certificates."""
    return make_certificate("cameras' authority")


@pytest.mark.parametrize("scheme", ["rtsps", "https"])
async def test_certificates_are_checked(
    clips: dict[str, Path], authority: Certificate, tmp_path: Path, scheme: str
) -> None:
    """A camera is let in whose certificate a known authority signed for its name, and otherwise only on one's word."""
    (tmp_path / "ca.pem").write_text(authority.cert)
    camera = make_certificate("localhost", authority)
    ca = str(tmp_path / "ca.pem")
    with run_rtsp_server({"/road": clips["h264"]}) as server:
        async with (
            run_front(server.port, server_context(camera, tmp_path)) as front,
            run_web_camera(("/road", mjpeg(clips["mjpeg"])), tls=server_context(camera, tmp_path)) as web,
        ):
            port = front.port if scheme == "rtsps" else int(web.rpartition(":")[2])
            target = Target(f"{scheme}://localhost:{port}/road")
            for trusted in (
                CertificateTrust(ca=ca),
                CertificateTrust(ca=ca, name="localhost"),
                CertificateTrust(verify=False),
            ):
                async with run_watch(replace(target, trust=trusted)) as watch:
                    await watch.more(5)
            for wrong, says in (
                (CertificateTrust(), "certificate is not trusted"),
                (CertificateTrust(ca=ca, name="other.example"), "not valid for 'other.example'"),
                (CertificateTrust(ca=str(tmp_path / "none.pem")), "none.pem cannot be used"),
            ):
                async with run_watch(replace(target, trust=wrong)) as watch:
                    assert says in await watch.ended("tls")
                    assert watch.frames == []


async def test_a_self_signed_camera_is_trusted_by_its_own_certificate(clips: dict[str, Path], tmp_path: Path) -> None:
    """`ca` may name the camera's own certificate, and `name` what stands in it, when its address does not."""
    camera = make_certificate("IPC-4711")
    (tmp_path / "camera.pem").write_text(camera.cert)
    with run_rtsp_server({"/road": clips["h264"]}) as server:
        async with run_front(server.port, server_context(camera, tmp_path)) as front:
            url = f"rtsps://127.0.0.1:{front.port}/road"
            async with run_watch(
                Target(url, trust=CertificateTrust(ca=str(tmp_path / "camera.pem"), name="IPC-4711"))
            ) as watch:
                await watch.more(5)
            async with run_watch(Target(url)) as watch:
                assert "self-signed" in await watch.ended("tls")


async def test_an_encoder_pushes_rtsp(mp4: Path) -> None:
    """ffmpeg pushes to a URL that listens, over TCP and over UDP."""
    for transport in ("tcp", "udp"):
        url = f"rtsp://127.0.0.1:{free_port()}/drone"
        async with sending("-rtsp_transport", transport, "-f", "rtsp", url, clip=mp4):
            await assert_delivers(Target(url, listen=True))


# ---- RTMP


async def test_rtmp_is_pulled(mp4: Path) -> None:
    """A stream is played from an RTMP server."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/road"
    async with sending("-f", "flv", "-listen", "1", url, clip=mp4), run_watch(Target(url)) as watch:
        assert_plays(numbers(await watch.more(40)))


async def test_an_encoder_pushes_rtmp(mp4: Path) -> None:
    """ffmpeg pushes to an RTMP URL that listens, goes away, and pushes again."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/drone"
    async with run_watch(Target(url, listen=True)) as watch:
        for _ in range(2):
            async with sending("-f", "flv", url, clip=mp4):
                assert_plays(numbers(await watch.more(40)))


# ---- datagrams and SRT


async def test_mpeg_ts_comes_by_udp(clips: dict[str, Path]) -> None:
    """MPEG-TS in datagrams is taken in any codec, to this machine and to a group."""
    for codec, host in (("h264", "127.0.0.1"), ("h265", "127.0.0.1"), ("h264", "239.255.42.42")):
        port = free_port()
        local = "&localaddr=127.0.0.1" if host.startswith("239") else ""
        async with sending("-f", "mpegts", f"udp://{host}:{port}?pkt_size=1316{local}", clip=clips[codec]):
            await assert_delivers(Target(f"udp://{host}:{port}?{local}"))


@pytest.mark.parametrize("codec", CODECS)
async def test_bare_rtp_comes_by_udp(clips: dict[str, Path], codec: str) -> None:
    """RTP without a description is recognised, H.264, H.265 and MJPEG, and played."""
    port = free_port()
    async with sending(*rtp(port, codec), clip=clips[codec]):
        await assert_delivers(Target(f"udp://127.0.0.1:{port}"))


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_bare_rtp_comes_from_gstreamer(clips: dict[str, Path], codec: str) -> None:
    """The same from the pipelines that flight controllers' manuals have."""
    port = free_port()
    parse = f"matroskademux ! {codec}parse config-interval=-1"
    pay = f"rtp{codec}pay config-interval=1 ! udpsink host=127.0.0.1 port={port}"
    async with run_watch(Target(f"udp://127.0.0.1:{port}")) as watch:
        await until(lambda: takes_datagrams(port))  # the pipeline sends the clip once
        with run_gst_pipeline(f"filesrc location={clips[codec]} ! {parse} ! {pay}"):
            found = numbers(await watch.more(40))
    assert_plays(found)


async def test_mpeg_ts_in_rtp_comes_by_udp(clips: dict[str, Path]) -> None:
    """MPEG-TS is taken out of the RTP around it."""
    port = free_port()
    async with sending("-f", "rtp_mpegts", f"rtp://127.0.0.1:{port}", clip=clips["h264"]):
        await assert_delivers(Target(f"udp://127.0.0.1:{port}"))


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_nal_units_come_by_udp(clips: dict[str, Path], codec: str) -> None:
    """A stream of bytes without any container is played; its times are those of arrival."""
    port, name = free_port(), "hevc" if codec == "h265" else codec
    bare = ("-bsf:v", f"{name}_mp4toannexb", "-f", name, f"udp://127.0.0.1:{port}?pkt_size=1316")
    async with sending(*bare, clip=clips[codec]), run_watch(Target(f"udp://127.0.0.1:{port}")) as watch:
        assert_plays(numbers(await watch.more(40)))


async def test_a_camera_of_bare_rtp_that_starts_anew_is_played_on(clips: dict[str, Path]) -> None:
    """Another process with another SSRC goes on where one was stopped, in the same attempt."""
    port = free_port()
    async with run_watch(Target(f"udp://127.0.0.1:{port}")) as watch:
        for _ in range(2):
            async with sending(*rtp(port), clip=clips["h264"]):
                await watch.more(30)
        assert watch.source.reconnects == {}


async def test_datagrams_of_something_else_are_named() -> None:
    """What is sent and is no video is said to be what it is, with what would be played."""
    port = free_port()
    async with run_watch(Target(f"udp://127.0.0.1:{port}")) as watch:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
            camera.connect(("127.0.0.1", port))

            async def telemetry() -> None:
                while True:
                    with suppress(OSError):
                        camera.send(b"\xfd\x09\0\0\1\1\1\0\0\0" + bytes(11))
                    await asyncio.sleep(0.05)

            task = asyncio.create_task(telemetry())
            sentence = await watch.ended("protocol")
            task.cancel()
    assert "MAVLink" in sentence
    assert "MPEG-TS, RTP with H.264" in sentence


async def test_nobody_sending_datagrams_is_no_failure() -> None:
    """A port to which nobody sends is waited at; it is connecting, and says for what it waits."""
    url = f"udp://127.0.0.1:{free_port()}"
    async with run_watch(Target(url)) as watch:
        await watch.until(lambda: watch.source.reason is not None, "a reason")
        await asyncio.sleep(0)
        assert (watch.source.state, watch.source.error) == ("connecting", None)
        assert watch.source.reason == f"waiting for a camera to push to {url}"


async def test_srt_comes_through_ffmpeg(mp4: Path) -> None:
    """An encrypted SRT stream is called, and a wrong passphrase is refused as one."""
    port = free_port()
    query = "passphrase=hunter2hunter2&pbkeylen=16"
    async with sending("-f", "mpegts", f"srt://127.0.0.1:{port}?mode=listener&{query}", clip=mp4):
        await until(lambda: takes_datagrams(port))  # libsrt answers late who comes before it
        async with run_watch(Target(f"srt://127.0.0.1:{port}?passphrase=wrongwrongwrong")) as watch:
            await watch.ended("authentication")
        async with run_watch(Target(f"srt://127.0.0.1:{port}?{query}")) as watch:
            assert_plays(numbers(await watch.more(40)))
            assert b"hunter2" not in await asyncio.to_thread(command_lines)


def command_lines() -> bytes:
    """The command lines of this process's children."""
    children = Path(f"/proc/self/task/{Path('/proc/thread-self').resolve().name}")
    pids = [pid for task in children.parent.iterdir() for pid in (task / "children").read_text().split()]
    lines = [Path("/proc", pid, "cmdline").read_bytes() for pid in pids if Path("/proc", pid).exists()]
    assert any(b"pipe:1" in line for line in lines), lines
    return b"\n".join(line for line in lines if b"pipe:1" in line)


async def test_an_encoder_pushes_srt(mp4: Path) -> None:
    """ffmpeg calls an SRT URL that listens."""
    port = free_port()
    async with (
        sending("-f", "mpegts", f"srt://127.0.0.1:{port}", clip=mp4),
        run_watch(Target(f"srt://127.0.0.1:{port}", listen=True)) as watch,
    ):
        assert_plays(numbers(await watch.more(40)))


async def test_without_ffmpeg_srt_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no ffmpeg is installed, an SRT stream says that it needs one."""
    monkeypatch.setenv("PATH", "/nowhere")
    async with run_watch(Target("srt://127.0.0.1:9000")) as watch:
        assert PROGRAM in await watch.ended("unsupported")


# ---- HTTP


async def test_mjpeg_over_http(clips: dict[str, Path]) -> None:
    """multipart/x-mixed-replace is played; pictures have no time of their own, so theirs is their arrival."""
    async with (
        run_web_camera(("/video", mjpeg(clips["mjpeg"], fps=10))) as web,
        run_watch(Target(f"{web}/video")) as watch,
    ):
        frames = await watch.more(20)
    assert_plays(numbers(frames))
    arrived = [frame.received_at - frames[0].received_at for frame in frames]
    assert [frame.pts - frames[0].pts for frame in frames] == pytest.approx(arrived, abs=0.02)  # not FFmpeg's 25 fps


async def test_http_asks_for_a_password(clips: dict[str, Path]) -> None:
    """A camera that wants a digest login gets it from the URL, and a wrong password is said."""
    inner = mjpeg(clips["mjpeg"])
    async with run_web_camera(("/video", behind_digest("watch", "p@ss/word", inner))) as web:
        there = web.removeprefix("http://")
        async with run_watch(Target(f"http://watch:p%40ss%2Fword@{there}/video?x=1")) as watch:
            await watch.more(5)
        for login in ("watch:wrong@", ""):
            async with run_watch(Target(f"http://{login}{there}/video?x=1")) as watch:
                assert "user name or password" in await watch.ended("authentication")


async def test_mp4_over_http_plays_as_a_recording(mp4: Path) -> None:
    """A file on a web server plays at its own pace, and again from its beginning, without a new connection's gap."""
    began = monotonic()
    async with run_web_camera(("/clip.mp4", file(mp4))) as web, run_watch(Target(f"{web}/clip.mp4")) as watch:
        frames = await watch.more(2 * COUNT + 10)
    assert numbers(frames) == [index % COUNT for index in range(2 * COUNT + 10)]
    assert watch.source.reconnects == {}
    assert frames[-1].received_at - began >= (2 * COUNT + 9) / 30


async def test_mpeg_ts_over_http(numbered_clip: Path, tmp_path: Path) -> None:
    """MPEG-TS that a server writes as it happens is played."""
    clip = make_clip(tmp_path / "clip.ts", seconds=4, gop=15)
    async with (
        run_web_camera(("/live", trickled(clip, "video/mp2t", seconds=4))) as web,
        run_watch(Target(f"{web}/live")) as watch,
    ):
        assert_plays(numbers(await watch.more(40)), count=1 << 16)


async def test_flv_over_http(mp4: Path) -> None:
    """FLV that a media server writes for as long as somebody watches is played."""
    async with run_web_camera(("/live.flv", flv(mp4))) as web, run_watch(Target(f"{web}/live.flv")) as watch:
        assert_plays(numbers(await watch.more(60)))


async def test_mpeg_ts_comes_by_udp_over_ipv6(clips: dict[str, Path]) -> None:
    """Datagrams are taken over IPv6 too, to this machine and to a group."""
    for host in ("[::1]", "[ff15::4242]"):
        port = free_port()
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            if probe.connect_ex((host.strip("[]"), port)):
                pytest.skip(f"this machine has no way to {host}")
        async with sending("-f", "mpegts", f"udp://{host}:{port}?pkt_size=1316", clip=clips["h264"]):
            await assert_delivers(Target(f"udp://{host}:{port}"))


async def test_live_hls_plays_evenly(mp4: Path, tmp_path: Path) -> None:
    """A live playlist that ffmpeg writes is followed past its segments, and no frame comes before its time."""
    async with run_hls(mp4, tmp_path), run_web_camera(("/{name}", files(tmp_path))) as web:
        began = monotonic()
        async with run_watch(Target(f"{web}/live.m3u8")) as watch:
            frames = await watch.more(150)
    assert_plays(numbers(frames))
    assert frames[-1].received_at - began >= (len(frames) - 1) / 30  # three segments are there at once


# ---- files


async def test_a_file_plays_at_its_own_pace_and_loops(mp4: Path) -> None:
    """A file is a camera that shows it again and again, at its own pace, with times that go on over the seam."""
    began = monotonic()
    async with run_watch(Target(f"file://{mp4}")) as watch:
        frames = await watch.more(2 * COUNT + 10)
    assert numbers(frames) == [index % COUNT for index in range(2 * COUNT + 10)]
    steps = [later.pts - frame.pts for frame, later in pairwise(frames)]
    seams = [steps.pop(2 * COUNT - 1), steps.pop(COUNT - 1)]
    assert steps == pytest.approx([1 / 30] * len(steps), abs=0.001)
    assert min(seams) > 0  # as long as it took to open it anew
    assert frames[-1].received_at - began >= (2 * COUNT + 9) / 30


async def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    """A path without a file is said to be that, and a folder too; what is no video is a protocol error."""
    (tmp_path / "text.mp4").write_text("no video\n" * 100)
    for url, word in (("nowhere.mp4", "not_found"), ("", "not_found"), ("text.mp4", "protocol")):
        async with run_watch(Target(f"file://{tmp_path}/{url}")) as watch:
            await watch.ended(word)


async def test_a_redirect_to_another_port_does_not_get_the_password(numbered_clip: Path) -> None:
    """A password is for where the URL says; on another port of the host, who asks for it is named and not told it."""
    asked = list[str]()

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Authorization", "nothing"))
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    async with (
        run_web_camera(("/open.mp4", file(numbered_clip)), ("/x", elsewhere)) as other,
        run_web_camera(
            ("/asks", behind_digest("watch", "secret", text("", "text/plain", 302, Location=f"{other}/x"))),
            ("/open", behind_digest("watch", "secret", text("", "text/plain", 302, Location=f"{other}/open.mp4"))),
        ) as url,
    ):
        login = url.replace("://", "://watch:secret@")
        async with run_watch(Target(f"{login}/asks")) as watch:
            sentence = await watch.ended("redirected")
        assert f"redirects to {other}, which asks for the password" in sentence
        async with run_watch(Target(f"{login}/open")) as watch:
            await watch.more(3)
    assert set(asked) == {"nothing"}


@pytest.mark.parametrize("cover", ["attached", "a track of its own"])
async def test_a_cover_is_no_video(numbered_clip: Path, tmp_path: Path, cover: str) -> None:
    """A picture beside the video, as phones and drones write one, first or not, is not what is played."""
    picture = make_clip(tmp_path / "cover.mkv", codec="mjpeg", seconds=1, fps=1, width=160, height=96)
    path = tmp_path / "covered.mkv"
    disposition = ["-disposition:v:0", "attached_pic"] if cover == "attached" else []
    both = ["-i", picture, "-i", numbered_clip, "-map", "0", "-map", "1", "-c", "copy", *disposition, path]
    process = await asyncio.create_subprocess_exec("ffmpeg", "-v", "error", *map(str, both))
    assert await process.wait() == 0
    async with run_watch(Target(f"file://{path}")) as watch:
        await watch.more(10)
        assert {(frame.picture.width, frame.picture.height) for frame in watch.frames} == {(320, 240)}


@pytest.mark.parametrize("suffix", ["ts", "mp4"])
async def test_of_two_videos_the_first_is_taken(numbered_clip: Path, tmp_path: Path, suffix: str) -> None:
    """Of a camera with two lenses in one file or stream the first plays, at its own size and pace."""
    second = make_clip(tmp_path / "second.mp4", seconds=2, fps=10, width=160, height=96)
    path = tmp_path / f"both.{suffix}"
    both = ["-i", numbered_clip, "-i", second, "-map", "0", "-map", "1", "-c", "copy", path]
    process = await asyncio.create_subprocess_exec("ffmpeg", "-v", "error", *map(str, both))
    assert await process.wait() == 0
    async with run_web_camera(("/v", file(path))) as url, run_watch(Target(f"{url}/v")) as watch:
        assert_plays(numbers(await watch.more(30)))
        assert {(frame.picture.width, frame.picture.height) for frame in watch.frames} == {(320, 240)}
