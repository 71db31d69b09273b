"""Sound beside the video: what is kept of it, and that it stays in step with the pictures; each against a real peer."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from streamer.source.target import Target, Transport
from streamer.values.coded import MICROSECONDS, CodedPicture, CodedSound
from tests.peers.clip import make_clip
from tests.peers.process import free_port
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.sending import send, sending
from tests.peers.tone import FPS, beeps, loudness, make_beeping_clip
from tests.peers.watch import Watch, numbers, run_watch
from tests.peers.web_camera import file, files, flv, run_hls, run_web_camera

IN_STEP = 0.03
"""Seconds: a picture's time, or what AAC has before its first sound."""


def heard(watch: Watch) -> list[CodedSound]:
    """What is handed on from now on."""
    sounds: list[CodedSound] = []
    watch.source.on_sound = sounds.append
    return sounds


def assert_in_step(watch: Watch, sounds: list[CodedSound], *, unsettled: int = 0) -> None:
    """Every beep behind the first few begins with a picture whose number is a whole second's."""
    found, frames = beeps(sounds)[unsettled:], list(watch.frames)
    seconds = [frame.coded_at / MICROSECONDS for frame, n in zip(frames, numbers(frames), strict=True) if n % FPS == 0]
    assert len(found) >= 2
    assert max(min(abs(beep - second) for second in seconds) for beep in found) < IN_STEP
    assert all(after.time > before.time for before, after in pairwise(sounds))
    assert {each.opening for each in sounds} == {1}


@pytest.mark.parametrize(
    ("name", "sound"), [("c.mp4", "aac"), ("c.ts", "aac"), ("c.mkv", "opus"), ("c.mov", "pcm_alaw")]
)
async def test_sound_of_containers_stays_in_step(tmp_path: Path, name: str, sound: str) -> None:
    """What a file has beside its video is handed on as it came, and its times are the pictures'."""
    clip = make_beeping_clip(tmp_path / name, sound=sound)
    async with run_watch(Target(clip.as_uri(), sound=True)) as watch:
        sounds = heard(watch)
        await watch.more(100)
    assert sounds[0].form.codec == sound
    assert_in_step(watch, sounds)


async def test_sound_of_web_servers_stays_in_step(tmp_path: Path) -> None:
    """So does that of FLV, MP4 and HLS over HTTP."""
    clip, folder = make_beeping_clip(tmp_path / "clip.mp4", seconds=6), tmp_path / "hls"
    folder.mkdir()
    routes = (("/clip.mp4", file(clip)), ("/live.flv", flv(clip)), ("/{name}", files(folder)))
    async with run_hls(clip, folder), run_web_camera(*routes) as web:
        for name in ("clip.mp4", "live.flv", "live.m3u8"):
            async with run_watch(Target(f"{web}/{name}", sound=True)) as watch:
                sounds = heard(watch)
                await watch.more(100)
            assert_in_step(watch, sounds)


@pytest.mark.parametrize(
    ("name", "sound", "transport"),
    [("c.mp4", "aac", "tcp"), ("c.mp4", "aac", "udp"), ("c.mkv", "opus", "tcp"), ("c.mov", "pcm_alaw", "udp")],
)
async def test_sound_that_is_pushed_by_rtsp_stays_in_step(
    tmp_path: Path, name: str, sound: str, transport: Transport
) -> None:
    """The clocks of its RTP begin anywhere; reports tell soon how far sound and video are apart."""
    clip, url = make_beeping_clip(tmp_path / name, sound=sound, seconds=6), f"rtsp://127.0.0.1:{free_port()}/drone"
    async with run_watch(Target(url, listen=True, sound=True)) as watch:
        sounds = heard(watch)
        await watch.until(lambda: "waiting" in str(watch.source.reason), "somebody listens")
        pusher = send("-rtsp_transport", transport, "-f", "rtsp", url, clip=clip, loop=False)
        try:
            await watch.more(160)
        finally:
            pusher.stop()
    assert sounds[0].form.codec == sound
    assert_in_step(watch, sounds, unsettled=1)


@pytest.mark.parametrize("way", ["RTMP", "SRT", "MPEG-TS by UDP"])
async def test_sound_that_is_pushed_stays_in_step(tmp_path: Path, way: str) -> None:
    """So does what encoders push in containers; every frame is found among what was handed on, as always."""
    clip, port = make_beeping_clip(tmp_path / "clip.mp4", seconds=6), free_port()
    url = {"RTMP": f"rtmp://127.0.0.1:{port}/live/x", "SRT": f"srt://127.0.0.1:{port}"}.get(
        way, f"udp://127.0.0.1:{port}"
    )
    muxer = "flv" if way == "RTMP" else "mpegts"
    async with run_watch(Target(url, listen=not url.startswith("udp"), sound=True)) as watch:
        coded, sounds = list[CodedPicture](), heard(watch)
        watch.source.on_coded = coded.append
        async with sending("-f", muxer, url, clip=clip):
            await watch.more(100)
    assert_in_step(watch, sounds)
    assert {frame.coded_at for frame in watch.frames} <= {picture.time for picture in coded}


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("sound", ["aac", "opus", "pcm_alaw"])
async def test_rtsp_gives_sound_where_it_is_asked_for(numbered_clip: Path, sound: str, transport: Transport) -> None:
    """It is set up beside the video; it lasts as long as its times say, and is the tone that was sent."""
    with run_rtsp_server({"/road": numbered_clip}, sound=sound) as server:
        async with run_watch(Target(server.url("/road"), transport=transport, sound=True)) as watch:
            sounds = heard(watch)
            await watch.until(lambda: len(sounds) > 3 and sounds[-1].time - sounds[0].time > 2e6, "sound comes")
    assert sounds[0].form.codec == sound
    moved = [abs(after.time - before.time - before.duration) > 2 for before, after in pairwise(sounds)]
    assert sum(moved) <= 1  # when reports told that arrival had been wrong
    first, last = watch.frames[0].coded_at, watch.frames[-1].coded_at
    assert first - MICROSECONDS < sounds[0].time < sounds[-1].time < last + MICROSECONDS
    _, loud = loudness(sounds)
    assert np.median(loud) > 0.1


async def test_sound_comes_only_where_it_is_asked_for(numbered_clip: Path, tmp_path: Path) -> None:
    """Nothing of it is fetched or set up otherwise."""
    clip = make_beeping_clip(tmp_path / "clip.mp4", seconds=1)
    with run_rtsp_server({"/road": numbered_clip}, sound="aac") as server:
        for url in (server.url("/road"), clip.as_uri()):
            async with run_watch(Target(url)) as watch:
                sounds = heard(watch)
                await watch.more(20)
            assert sounds == []


async def test_a_camera_without_sound_is_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is asked for and not there costs no picture, and the log says why."""
    caplog.set_level("INFO")
    clip = make_clip(tmp_path / "clip.mp4")
    with run_rtsp_server({"/road": clip}) as server:
        for url in (server.url("/road"), clip.as_uri()):
            async with run_watch(Target(url, sound=True)) as watch:
                sounds = heard(watch)
                await watch.more(20)
            assert sounds == []
    said = [record.getMessage() for record in caplog.records if "without sound" in record.getMessage()]
    assert said == [
        "x: is recorded without sound: the camera describes no sound",
        "x: is recorded without sound: there is no sound beside the video",
    ]
