"""`sightline doctor`, against real cameras and what takes itself for one."""

import asyncio
import json
import re
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer import cli
from streamer.doctor.examination import LIMIT, Examination
from streamer.doctor.printout import printout
from streamer.doctor.report import Report, report
from streamer.source.certificate_trust import CertificateTrust
from streamer.source.target import Limits, Target
from tests.peers.certificates import make_certificate, server_context
from tests.peers.clip import make_clip
from tests.peers.connections import listens, takes_datagrams
from tests.peers.front import run_front
from tests.peers.process import free_port, run_process
from tests.peers.rtsp_camera import SDP, run_rtsp_camera
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.sending import rtp, sending
from tests.peers.until import until
from tests.peers.web_camera import behind_digest, files, mjpeg, run_hls, run_web_camera, text, trickled

pytestmark = pytest.mark.timeout(300)

COMMAND = [sys.executable, "-m", "streamer", "doctor"]


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """One RTSP server with a good stream and some that could be better."""
    folder = tmp_path_factory.mktemp("doctor")
    with run_rtsp_server(
        {
            "/road": make_clip(folder / "road.mp4", gop=30),
            "/long": make_clip(folder / "long.mp4", gop=600, seconds=20),
            "/b": make_clip(folder / "b.mp4", gop=30, b_frames=2),
            "/h265": make_clip(folder / "h265.mp4", gop=30, codec="libx265"),
            "/large": make_clip(folder / "large.mp4", width=2560, height=1440, fps=10, gop=10),
            "/slow": make_clip(folder / "slow.mp4", fps=2, gop=2, seconds=20),
            "/grows": [
                make_clip(folder / "before.mp4", seconds=2),
                make_clip(folder / "after.mp4", width=640, height=480, seconds=6),
            ],
            "/beheaded": without_keyframes(make_clip(folder / "whole.mp4", seconds=20), folder / "beheaded.mp4"),
        }
    ) as server:
        yield server


def without_keyframes(clip: Path, path: Path) -> Path:
    """The clip without its keyframes, and so without what stands before them: how large its pictures are."""
    with av.open(str(clip)) as container, av.open(str(path), "w") as left:
        stream = left.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.size and not packet.is_keyframe:
                packet.stream = stream
                left.mux(packet)
    return path


@pytest.fixture(scope="module")
def locked(numbered_clip: Path) -> Iterator[RtspServer]:
    """A camera with a password."""
    with run_rtsp_server({"/road": numbered_clip}, user="watch", password="right-hand") as server:
        yield server


async def examined(target: Target) -> Report:
    """Examine a camera until its socket is closed."""
    examination = Examination(target)
    ended = examination.start()
    seen = await examination.wait(ended)
    await ended
    return report(target, seen)


def kinds(found: Report) -> set[str]:
    """The words of what was found, without those a machine under load adds."""
    return {str(finding.kind) for finding in found.findings} - {"uneven", "load", "slow_start"}


# ---- cameras that work


async def test_a_good_camera_is_healthy(camera: RtspServer) -> None:
    """A camera with nothing wrong is measured, and its picture is the camera's."""
    found = await examined(Target(camera.url("/road")))
    measured = found.measured
    assert (found.error, kinds(found)) == (None, set())
    assert (measured.width, measured.height) == (320, 240)
    assert measured.fps == pytest.approx(30, rel=0.1)
    assert measured.gop_seconds == pytest.approx(1, abs=0.1)
    assert not measured.gop_is_open
    assert 0 < (measured.open_seconds or 0) <= (measured.first_picture_seconds or 0) < LIMIT
    assert (measured.decode_milliseconds or 0) > 0
    assert (measured.bits_per_second or 0) > 1000
    still = found.still()
    assert still is not None
    picture = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (240, 320, 3)


@pytest.mark.parametrize(
    ("mount", "word"), [("/long", "long_gop"), ("/b", "b_frames"), ("/h265", "h265"), ("/large", "large")]
)
async def test_what_could_be_better_is_found(camera: RtspServer, mount: str, word: str) -> None:
    """A long GOP, B-frames, H.265 and a size beyond need are each found in what a camera sends, and nothing else."""
    found = await examined(Target(camera.url(mount)))
    assert (found.error, kinds(found)) == (None, {word})
    if word == "long_gop":
        assert found.measured.gop_is_open
        assert 4 < (found.measured.gop_seconds or 0) < LIMIT
    if word == "b_frames":
        assert found.measured.reorder_seconds == pytest.approx(2 / 30, abs=0.01)


async def test_a_camera_of_few_pictures_is_not_slow(camera: RtspServer) -> None:
    """A camera with two pictures a second answers with its first; that they are few is all that is said."""
    found = await examined(Target(camera.url("/slow")))
    assert kinds(found) == {"few_pictures"}
    assert (found.measured.open_seconds or 0) < 3  # less than the seven pictures that FFmpeg would wait for
    assert found.measured.fps == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("way", ["rtmp", "rtmp pushed", "srt", "srt pushed", "rtsp pushed"])
async def test_encoders_are_healthy(numbered_clip: Path, way: str) -> None:
    """RTMP and SRT, asked by us or pushed to us, and RTSP pushed to us, are watched as a camera is."""
    scheme, _, pushed = way.partition(" ")
    port = free_port()
    url = f"{scheme}://127.0.0.1:{port}" + ("" if scheme == "srt" else "/live/road")
    if scheme == "srt":
        output = ("-f", "mpegts", url if pushed else f"{url}?mode=listener")
    else:
        output = ("-f", "flv" if scheme == "rtmp" else "rtsp", *(() if pushed else ("-listen", "1")), url)
    async with sending(*output, clip=numbered_clip):
        if not pushed:
            await until(lambda: takes_datagrams(port) if scheme == "srt" else listens(port))
        found = await examined(Target(url, listen=bool(pushed)))
    assert (found.error, kinds(found)) == (None, set())
    assert found.measured.fps == pytest.approx(30, rel=0.1)


async def test_bare_rtp_is_healthy(tmp_path: Path) -> None:
    """RTP without a description is recognised and watched as a camera is, with its own times; its ways are facts."""
    port, clip = free_port(), make_clip(tmp_path / "clip.mkv", gop=30, seconds=20)
    async with sending(*rtp(port), clip=clip):
        found = await examined(Target(f"udp://127.0.0.1:{port}"))
    assert (found.error, kinds(found), found.seen.lost) == (None, set(), 0)
    assert found.measured.fps == pytest.approx(30, rel=0.1)
    told = found.document()["rtsp"]
    assert told is not None
    assert told["packets"] > 100
    assert (told["lost"], told["markers"], told["parameter_sets"]) == (0, "normal", ["in band"])
    assert "none: it sends RTP to this port" in printout(found)
    assert "log-in" not in printout(found)


async def test_lost_datagrams_are_counted(tmp_path: Path) -> None:
    """Where RTP's numbers show that datagrams are missing over UDP, the advice is TCP."""
    clip = make_clip(tmp_path / "clip.mp4", gop=30)
    with run_rtsp_server({"/road": clip}, lose_every=25) as lossy:
        found = await examined(Target(lossy.url("/road"), transport="udp"))
    [lost] = [finding for finding in found.findings if finding.kind == "lost"]
    assert found.seen.lost >= 3
    assert "use TCP" in lost.advice


async def test_a_camera_whose_clock_is_off_is_told(camera: RtspServer) -> None:
    """By how much the wall clock in RTCP's sender reports differs from this machine's is said."""

    def later(data: bytes) -> bytes:
        """Sender reports (RFC 3550 section 6.4.1) of 90 seconds later."""
        pattern = rb"(?s)(\$\x01..[\x80-\x9f]\xc8\x00.{5})(.{4})"
        return re.sub(pattern, lambda found: found[1] + struct.pack(">I", int.from_bytes(found[2]) + 90), data)

    async with run_front(camera.port) as front:
        front.rewrite = later
        found = await examined(Target(f"rtsp://127.0.0.1:{front.port}/road"))
    assert found.measured.clock_ahead_seconds == pytest.approx(90, abs=1.5)
    assert kinds(found) == {"clock"}


async def test_mjpeg_over_http_has_no_times(tmp_path: Path) -> None:
    """Of MJPEG over HTTP it is said that it carries no times, and measured what it costs; nothing is wrong with it."""
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    async with run_web_camera(("/video", mjpeg(clip))) as web:
        found = await examined(Target(f"{web}/video"))
    assert (found.exit_code, kinds(found)) == (0, {"no_times", "mjpeg"})
    assert found.measured.fps == pytest.approx(15, rel=0.3)


async def test_a_file_is_measured_by_its_own_times(tmp_path: Path) -> None:
    """A recording is read faster than it plays, and measured as it plays."""
    clip = make_clip(tmp_path / "clip.mp4", gop=60, seconds=6)
    found = await examined(Target(f"file://{clip}"))
    assert found.exit_code == 0
    assert found.measured.fps == pytest.approx(30, rel=0.02)
    assert found.measured.gop_seconds == pytest.approx(2)


async def test_hls_is_measured_by_its_own_times(tmp_path: Path) -> None:
    """Of HLS, which comes by whole segments, the rate is that of its pictures, and nothing is said to stall."""
    clip = make_clip(tmp_path / "clip.mp4", gop=30, seconds=4)
    folder = tmp_path / "hls"
    folder.mkdir()
    async with run_hls(clip, folder), run_web_camera(("/{name}", files(folder))) as web:
        found = await examined(Target(f"{web}/live.m3u8"))
    assert (found.error, kinds(found)) == (None, set())
    assert found.measured.fps == pytest.approx(30, rel=0.1)


async def test_what_a_camera_told_is_part_of_the_answer(locked: RtspServer) -> None:
    """A real server's name, log-in, track and packets are in the answer, for a person and for a program."""
    found = await examined(Target(locked.url("/road")))
    told, text = found.document()["rtsp"], printout(found)
    assert told is not None
    assert (found.error, told["server"], told["login"]) == (None, "GStreamer RTSP server", "Digest MD5")
    assert [(track["codec"], track["why_not"]) for track in told["tracks"]] == [("H264", None)]
    assert (told["lost"], told["numbered"], told["markers"], told["clock_pace"]) == (0, True, "normal", 1.0)
    assert told["packets"] >= found.measured.packets
    assert 'Digest MD5 for "GStreamer RTSP Server"' in text
    assert "over TCP, kept alive by " in text


# ---- cameras that do not


@pytest.mark.parametrize(
    ("section", "verdict", "says"),
    [
        ("m=audio 0 RTP/AVP 8\r\na=control:a\r\n", "codec", "offers no video, only audio"),
        ("m=video 0 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n", "unsupported", "SRTP"),
    ],
)
async def test_what_a_camera_said_before_it_failed_needs_no_second_asking(
    section: str, verdict: str, says: str
) -> None:
    """A camera without video that can be played is told what it offers instead, and has seen one connection."""
    with run_rtsp_camera(sdp=SDP.partition("m=video")[0] + section) as camera:
        found = await examined(Target(camera.url()))
        assert camera.accepted == 1
    assert (found.verdict, says in str(found.remedy)) == (verdict, True)


async def test_a_wrong_password_names_the_realm(locked: RtspServer, tmp_path: Path) -> None:
    """A camera that refuses the password, or wants one, is quoted with what it wants it for: over RTSP and HTTP."""
    found = await examined(Target(f"rtsp://watch:wrong-hand@127.0.0.1:{locked.port}/road"))
    assert (found.verdict, found.seen.realm) == ("authentication", "GStreamer RTSP Server")
    assert "GStreamer RTSP Server" in str(found.remedy)
    bare = await examined(Target(locked.url("/road", login=False)))
    assert (bare.verdict, bare.seen.realm) == ("authentication", "GStreamer RTSP Server")
    assert "the URL has none" in str(bare.remedy)
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    async with run_web_camera(("/video", behind_digest("watch", "right", mjpeg(clip)))) as web:
        found = await examined(Target(f"{web.replace('://', '://watch:wrong@')}/video"))
    assert (found.verdict, found.seen.realm) == ("authentication", "cameras")


async def test_a_camera_is_asked_for_its_password_once(locked: RtspServer) -> None:
    """A wrong password is tried once, in one connection, in which the camera names its realm too."""
    sent: list[bytes] = []

    def note(data: bytes) -> bytes:
        sent.append(data)
        return data

    async with run_front(locked.port) as front:
        front.rewrite = note
        found = await examined(Target(f"rtsp://watch:wrong-hand@127.0.0.1:{front.port}/road"))
        assert front.accepted == 1
    assert found.seen.realm == "GStreamer RTSP Server"
    assert b"".join(sent).count(b"Authorization: Digest") == 1


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("{camera}/nowhere", "not_found"),
        ("rtsp://127.0.0.1:{free}/road", "refused"),
        ("http://127.0.0.1:{free}/video", "refused"),
        ("rtsp://nowhere.invalid/road", "dns"),
        ("udp://127.0.0.1:{free}", "waiting"),
        ("rtsp://127.0.0.1:{free}/drone", "waiting"),
        ("file:///nowhere/clip.mp4", "not_found"),
    ],
)
async def test_each_failure_has_its_word(camera: RtspServer, url: str, word: str) -> None:
    """What fails is said in the words of a stream's source, in time, with what to do next."""
    target = Target(url.format(camera=camera.url(""), free=free_port()), listen="drone" in url)
    found = await examined(target)
    assert (found.verdict, found.exit_code) == (word, 1)
    assert found.remedy


async def test_a_certificate_nobody_signed_is_told(camera: RtspServer, tmp_path: Path) -> None:
    """A camera that signs its own certificate is refused as `tls`, and let in by that certificate."""
    own = make_certificate("camera")
    async with run_front(camera.port, server_context(own, tmp_path)) as front:
        url = f"rtsps://127.0.0.1:{front.port}/road"
        found = await examined(Target(url))
        assert (found.verdict, "openssl s_client" in str(found.remedy)) == ("tls", True)
        trusted = await examined(Target(url, trust=CertificateTrust(str(tmp_path / "cert.pem"), "camera")))
        assert trusted.error is None


async def test_silence_is_told_from_absence(camera: RtspServer) -> None:
    """A host that takes the connection and says nothing is told from one that swallows whatever is sent to it."""
    async with run_front(camera.port) as silent:
        silent.blocked = True
        for scheme in ("rtsp", "http", "rtmp"):
            found = await examined(Target(f"{scheme}://127.0.0.1:{silent.port}/live/road"))
            assert (found.verdict, found.seen.answers_tcp) == ("timeout", True), scheme
    with run_black_hole() as port:
        for scheme in ("rtsp", "http", "rtmp"):
            found = await examined(Target(f"{scheme}://127.0.0.1:{port}/live/road"))
            assert found.verdict == "timeout", scheme
            assert found.seen.answers_tcp in (False, None)


@contextmanager
def run_black_hole() -> Iterator[int]:
    """A port whose queue is full: the kernel drops what else would connect, as a firewall does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        full = []
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
            full.append(waiting)
        try:
            yield listening.getsockname()[1]
        finally:
            for waiting in full:
                waiting.close()


async def test_a_camera_that_answers_and_sends_nothing_is_told_from_silence(camera: RtspServer) -> None:
    """Where RTSP is answered and no video follows, that is said."""

    def muted(data: bytes) -> bytes:
        """RTSP's requests and answers, without the video between them (RFC 7826 section 14)."""
        return data.partition(b"$\0")[0] if re.match(rb"RTSP/|[A-Z_]+ rtsp:", data) else b""

    async with run_front(camera.port) as front:
        front.rewrite = muted
        found = await examined(Target(f"rtsp://127.0.0.1:{front.port}/road"))
    assert (found.verdict, found.seen.answers_tcp) == ("timeout", True)
    assert "plays, and sent nothing" in str(found.error)
    assert "encoder hangs" in str(found.remedy)


@pytest.mark.parametrize("seconds", [3.0, 4.5], ids=["given up by FFmpeg", "at the end of the time"])
async def test_a_camera_that_stalls_while_it_is_watched_is_said_to(camera: RtspServer, seconds: float) -> None:
    """A camera that falls silent after some pictures has stalled, and the examination ends in time."""
    async with run_front(camera.port) as front:
        looking = asyncio.create_task(examined(Target(f"rtsp://127.0.0.1:{front.port}/long")))
        await asyncio.sleep(seconds)
        front.blocked = True
        found = await looking
    assert found.verdict == "stalled"
    assert found.seen.pictures > 0


async def test_a_web_camera_that_stalls_is_said_to(tmp_path: Path) -> None:
    """The same of MJPEG over HTTP, whose bytes we fetch ourselves."""
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    async with run_web_camera(("/video", mjpeg(clip, count=20))) as web:
        found = await examined(Target(f"{web}/video"))
    assert (found.verdict, found.seen.pictures > 0) == ("stalled", True)


async def test_a_flood_is_watched_no_longer_than_it_takes(camera: RtspServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a camera that sends very many packets so many are noted as are enough, and it is judged by those."""
    monkeypatch.setattr("streamer.doctor.watch.ENOUGH_PACKETS", 40)
    found = await examined(Target(camera.url("/road")))
    assert (found.error, found.measured.packets) == (None, 40)


async def test_packets_of_which_no_picture_can_be_made_do_not_work(camera: RtspServer) -> None:
    """A camera that sends neither keyframes nor how large its pictures are does not work; the rest is not judged."""
    found = await examined(Target(camera.url("/beheaded")))
    assert (found.verdict, found.findings) == ("codec", ())


async def test_sound_without_video_is_said_to_be_that(tmp_path: Path) -> None:
    """A stream with sound only does not work, and the advice names what it does send."""
    clip = tmp_path / "sound.ts"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("mp2", rate=48000)
        for _ in range(200):
            frame = av.AudioFrame(format="s16", layout="stereo", samples=1152)
            frame.sample_rate = 48000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    async with run_web_camera(("/live", trickled(clip, "video/mp2t", seconds=4))) as web:
        found = await examined(Target(f"{web}/live"))
    assert found.verdict == "codec"
    assert "sound only (mp" in str(found.remedy)


async def test_limits_hold_for_pictures_that_grow(camera: RtspServer) -> None:
    """A camera whose pictures grow beyond the limits while it is watched is too large, and told with both sizes."""
    found = await examined(Target(camera.url("/grows"), limits=Limits(max_pixels=320 * 240)))
    assert (found.verdict, found.measured.width) == ("too_large", 320)
    assert "640 x 480" in str(found.error)


async def test_limits_hold_for_the_doctor(camera: RtspServer) -> None:
    """A picture beyond the limits of added streams is refused before it is decoded."""
    found = await examined(Target(camera.url("/large"), limits=Limits(max_pixels=320 * 240)))
    assert (found.verdict, found.seen.pictures) == ("too_large", 0)


# ---- the command


def test_the_command_says_it_all(camera: RtspServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`sightline doctor URL` prints the answer, writes the picture, and ends with 3 where there is advice."""
    still = tmp_path / "still.jpg"
    assert cli.main(["doctor", camera.url("/b"), "--still", str(still)]) == 3
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{camera.url('/b')}\nworks; ")
    assert "! B-frames hold pictures back by up to 67 ms." in captured.out
    picture = cv2.imread(str(still))
    assert picture is not None
    assert picture.shape == (240, 320, 3)


def test_the_command_as_json(locked: RtspServer, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one document with the same words, and no password."""
    assert cli.main(["doctor", f"rtsp://watch:wrong-hand@127.0.0.1:{locked.port}/road", "--json"]) == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["verdict"], document["works"]) == ("authentication", False)
    assert document["realm"] == "GStreamer RTSP Server"
    assert "wrong-hand" not in captured.out + captured.err


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "JSON"])
@pytest.mark.parametrize(
    "url",
    [
        "rtsp://watch:hunter2hunter2@127.0.0.1:{free}/road",
        "http://127.0.0.1:{free}/video?user=watch&pwd=hunter2hunter2",
        "rtsp://127.0.0.1:{free}/user=watch_password=hunter2hunter2_channel=1_stream=0.sdp",
        "rtmp://127.0.0.1:{free}/live/road?token=hunter2hunter2",
        "srt://127.0.0.1:{free}?passphrase=hunter2hunter2",
        "rtsp://watch:hunter2/hunter2@127.0.0.1:{free}/road",
    ],
)
def test_no_password_is_printed(url: str, as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever in a URL a password stands, neither the answer nor a refusal of the URL shows it."""
    assert cli.main(["doctor", url.format(free=free_port()), *(["--json"] if as_json else [])]) in (1, 2)
    captured = capsys.readouterr()
    assert "hunter2" not in captured.out + captured.err
    assert "***" in captured.out + captured.err


def test_a_stream_of_a_configuration_is_examined(
    locked: RtspServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sightline doctor NAME --config FILE` reads the URL and its secrets where the service does."""
    monkeypatch.setenv("SIGHTLINE_TEST_PASSWORD", "right-hand")
    path = tmp_path / "sightline.yaml"
    url = f"rtsp://watch:${{SIGHTLINE_TEST_PASSWORD}}@127.0.0.1:{locked.port}/road"
    path.write_text(f"streams: {{road: {{url: '{url}', sample_fps: 60}}}}")
    assert cli.main(["doctor", "road", "--config", str(path)]) == 3
    captured = capsys.readouterr()
    assert "where the model is to see 60" in captured.out
    assert "right-hand" not in captured.out + captured.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nonsense",), "'nonsense'"),
        (("rtsp://h:99999/x",), "is not a URL"),
        (("rtsp://u:${SIGHTLINE_TEST_UNSET}@h/",), "SIGHTLINE_TEST_UNSET is not set"),
        (("http://h/", "--transport", "udp"), "transport: udp is for rtsp://"),
        (("rtsp://h/", "--tls-no-verify"), "tls: rtsp:// has no certificates"),
        (("road", "--config", "missing.yaml"), "missing.yaml: cannot be read"),
    ],
)
def test_what_cannot_be_examined_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    """What is no URL, and what does not fit one, ends with 2 and one line."""
    assert cli.main(["doctor", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert says in captured.err
    assert "streams." not in captured.err


def test_a_name_that_is_not_configured_is_answered_with_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown stream is refused with the names there are."""
    path = tmp_path / "sightline.yaml"
    path.write_text("streams: {road: {url: 'rtsp://h/'}, gate: {url: 'rtsp://h/'}}")
    assert cli.main(["doctor", "rode", "--config", str(path)]) == 2
    assert "there are: road, gate" in capsys.readouterr().err


@pytest.mark.parametrize("blocked", [False, True], ids=["watching", "waiting"])
async def test_ctrl_c_ends_it_without_a_traceback(camera: RtspServer, blocked: bool) -> None:
    """SIGINT while a camera is watched or waited for ends the command at once, with 130 and not a word."""
    async with run_front(camera.port) as front:
        front.blocked = blocked
        with run_process([*COMMAND, f"rtsp://127.0.0.1:{front.port}/long"]) as process:
            while not front.open:
                assert process.returncode is None, process.output
                await asyncio.sleep(0.02)
            process.signal(signal.SIGINT)
            assert await asyncio.to_thread(process.wait) == 130
            assert process.output == ""


async def test_a_page_instead_of_a_camera_is_said_to_be_one() -> None:
    """A web page at the URL is no video, and a web server at the port of another protocol speaks none."""
    async with run_web_camera(("/", text("<html>", "text/html"))) as web:
        found = await examined(Target(f"{web}/"))
        assert (found.verdict, "web page" in str(found.remedy)) == ("protocol", True)
        for scheme in ("rtsp", "rtmp"):
            found = await examined(Target(f"{web.replace('http', scheme)}/live/road"))
            assert (found.verdict, f"does not speak {scheme.upper()}" in str(found.error)) == ("protocol", True)
