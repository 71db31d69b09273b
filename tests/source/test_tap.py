"""streamer.source.tap: what comes is handed on as it came, whatever decoding makes of it; each against a real peer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.source.decoding import Decoding
from streamer.source.target import Limits, Target
from streamer.values.coded import CodedPicture
from tests.peers.clip import make_clip, read_index
from tests.peers.process import free_port
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.sending import rtp, sending
from tests.peers.watch import Watch, numbers, run_watch
from tests.peers.web_camera import file, files, flv, mjpeg, run_hls, run_web_camera

WAYS = {
    "RTSP": ("libx264", 0, "mp4"),
    "RTSP, reordered": ("libx264", 2, "mp4"),
    "RTSP, H.265": ("libx265", 2, "mp4"),
    "RTSP, JPEG": ("mjpeg", 0, "mkv"),
    "MP4": ("libx264", 2, "mp4"),
    "MP4, H.265": ("libx265", 2, "mp4"),
    "MPEG-TS": ("libx264", 2, "ts"),
    "MKV, JPEG": ("mjpeg", 0, "mkv"),
}
"""Codec, most pictures in a row that are reordered, and container."""


@contextmanager
def camera(way: str, folder: Path) -> Iterator[str]:
    """The URL of one."""
    codec, b_frames, suffix = WAYS[way]
    clip = make_clip(folder / f"clip.{suffix}", codec=codec, b_frames=b_frames, gop=15)
    if not way.startswith("RTSP"):
        yield clip.as_uri()
        return
    with run_rtsp_server({"/road": clip}) as server:
        yield server.url("/road")


def decoded(coded: list[CodedPicture]) -> dict[int, int]:
    """The numbers in pictures that were handed on, by their times."""
    context = av.CodecContext.create(coded[0].form.codec, "r")
    assert isinstance(context, av.VideoCodecContext)
    found: dict[int, int] = {}
    for each in [*coded, None]:
        packet = None if each is None else av.Packet(each.data)
        if packet is not None and each is not None:
            packet.pts = each.time
        for picture in context.decode(packet):
            assert picture.pts is not None
            found[picture.pts] = read_index(np.asarray(picture.to_ndarray(format="rgb24")))
    return found


def tapped(watch: Watch) -> list[CodedPicture]:
    """What is handed on from now on."""
    coded: list[CodedPicture] = []
    watch.source.on_coded = coded.append
    return coded


@pytest.mark.parametrize("way", WAYS)
async def test_a_frame_is_found_again_by_its_time(way: str, tmp_path: Path) -> None:
    """Every frame is the picture that what was handed on with its time decodes to; that begins with a key picture."""
    codec, b_frames, _ = WAYS[way]
    with camera(way, tmp_path) as url:
        async with run_watch(Target(url)) as watch:
            coded = tapped(watch)
            await watch.more(50)
            frames = list(watch.frames)
    found = decoded(coded)
    assert [found[frame.coded_at] for frame in frames] == numbers(frames)
    assert len({picture.time for picture in coded}) == len(coded)
    assert coded[0].is_key
    assert sum(picture.is_key for picture in coded) >= (len(coded) if codec == "mjpeg" else 3)
    form = coded[0].form
    assert form.codec == {"libx264": "h264", "libx265": "hevc", "mjpeg": "mjpeg"}[codec]
    assert (form.width, form.height, form.reorder) == (320, 240, b_frames)
    assert {picture.form for picture in coded} == {form}
    assert {picture.opening for picture in coded} == {frame.opening for frame in frames} == {1}


async def test_what_comes_over_http_is_handed_on(tmp_path: Path) -> None:
    """So is what a web server sends: JPEGs one after the other, whose time is their arrival; FLV, MP4, and HLS."""
    jpeg, clip, folder = make_clip(tmp_path / "jpeg.mkv", codec="mjpeg"), tmp_path / "clip.mp4", tmp_path / "hls"
    make_clip(clip, gop=15)
    folder.mkdir()
    routes = (("/jpeg", mjpeg(jpeg, fps=30)), ("/clip.mp4", file(clip)), ("/live.flv", flv(clip)))
    async with run_hls(clip, folder), run_web_camera(*routes, ("/{name}", files(folder))) as web:
        for name in ("jpeg", "clip.mp4", "live.flv", "live.m3u8"):
            async with run_watch(Target(f"{web}/{name}")) as watch:
                coded = tapped(watch)
                await watch.more(30)
                frames = list(watch.frames)
            found = decoded(coded)
            assert [found[frame.coded_at] for frame in frames] == numbers(frames), name
            assert coded[0].is_key, name


@pytest.mark.parametrize("form", ["RTP", "RTP, H.265", "MPEG-TS in RTP", "NAL units"])
async def test_datagrams_are_handed_on(form: str, tmp_path: Path) -> None:
    """So are pictures in datagrams, whatever they are wrapped in; those of bare NAL units by their arrival."""
    codec, port = ("h265" if form == "RTP, H.265" else "h264"), free_port()
    clip = make_clip(tmp_path / "clip.mkv", codec=codec.replace("h", "libx"), gop=15)
    output = {
        "MPEG-TS in RTP": ("-f", "rtp_mpegts", f"rtp://127.0.0.1:{port}"),
        "NAL units": ("-bsf:v", "h264_mp4toannexb", "-f", "h264", f"udp://127.0.0.1:{port}?pkt_size=1316"),
    }.get(form, rtp(port, codec))
    async with run_watch(Target(f"udp://127.0.0.1:{port}")) as watch, sending(*output, clip=clip):
        coded = tapped(watch)
        await watch.more(40)
        frames = list(watch.frames)
    found = decoded(coded)
    assert [found[frame.coded_at] for frame in frames] == numbers(frames)
    assert coded[0].is_key


async def test_what_is_not_decoded_is_handed_on(tmp_path: Path) -> None:
    """Pictures beyond the most a second come too, each with a time of its own."""
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)
    async with (
        run_web_camera(("/video", mjpeg(clip, fps=200))) as web,
        run_watch(Target(f"{web}/video", limits=Limits(max_fps=10))) as watch,
    ):
        coded = tapped(watch)
        await watch.until(lambda: len(coded) >= 60, "pictures come")
        assert len(coded) > 2 * len(watch.frames)
    assert len({picture.time for picture in coded}) == len(coded)


async def test_what_cannot_be_decoded_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing need come of a picture for it to be kept."""
    monkeypatch.setattr(Decoding, "pictures", lambda *_: [])
    with camera("RTSP", tmp_path) as url:
        async with run_watch(Target(url)) as watch:
            coded = tapped(watch)
            await watch.until(lambda: len(coded) >= 40, "pictures come")
            assert watch.frames == []
    assert len(decoded(coded)) == len(coded)


@pytest.mark.parametrize("way", ["RTSP", "MP4"])
async def test_whoever_wants_pictures_may_come_and_go(way: str, tmp_path: Path) -> None:
    """Nothing is handed on while nobody asks; from when somebody does, it begins with a key picture."""
    with camera(way, tmp_path) as url:
        async with run_watch(Target(url)) as watch:
            await watch.more(20)
            for _ in range(2):
                coded = tapped(watch)
                await watch.until(lambda coded=coded: len(coded) >= 5, "pictures come")  # type: ignore[misc]
                watch.source.on_coded = None
                await watch.more(3)
                known = len(coded)
                await watch.more(10)
                assert len(coded) == known
                assert coded[0].is_key
                assert len(decoded(coded)) == len(coded)


async def test_pictures_tell_connections_apart(tmp_path: Path) -> None:
    """What comes of another connection says so, as its frames do: its times have nothing to do with those before."""
    with run_rtsp_server({"/road": make_clip(tmp_path / "clip.mp4")}) as server:
        async with run_watch(Target(server.url("/road"))) as watch:
            coded = tapped(watch)
            await watch.more(5)
            server.kill()
            await watch.ended("ended")
            server.restart()
            await watch.until(lambda: watch.source.state == "live", "live again")
            await watch.more(5)
            assert {picture.opening for picture in coded} == {frame.opening for frame in watch.frames}
            assert len({picture.opening for picture in coded}) == 2
