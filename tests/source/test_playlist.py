"""streamer.source.playlist: what HLS servers do, and may not have us do."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.allowed_destinations import STRANGER
from streamer.source.playlist import MOST_READINGS, Playlist
from streamer.source.protocol import STALL_TIMEOUT
from streamer.source.stop import Stop
from streamer.source.target import Limits, Target
from streamer.values.errors import SourceError
from tests.peers.clip import make_clip
from tests.peers.clock import FakeClock
from tests.peers.front import run_front
from tests.peers.process import free_port
from tests.peers.watch import numbers, run_watch
from tests.peers.web_camera import files, parts, run_hls, run_web_camera, text
from tests.source.test_allowed_destinations import api
from tests.source.test_kinds import assert_plays

PLAYLIST = "application/vnd.apple.mpegurl"
PATIENCE_OF_OTHERS = 15.0
"""Seconds that a stream without a target duration gets."""


def key_info(folder: Path, url: str) -> Path:
    """A key for ffmpeg's segments, which the playlist will say is at `url`."""
    (folder / "key.ts").write_bytes(os.urandom(16))
    info = folder / "info"
    info.write_text(f"{url}\n{folder / 'key.ts'}\n")
    return info


# ---- encrypted


async def test_encrypted_segments_play(numbered_clip: Path, tmp_path: Path) -> None:
    """A live stream encrypted with AES-128 plays, for the operator and for the API, with its key beside it."""
    info = key_info(tmp_path, "key.ts")
    async with (
        run_hls(numbered_clip, tmp_path, "-hls_key_info_file", info) as written,
        run_web_camera(("/{name}", files(tmp_path))) as url,
    ):
        assert "METHOD=AES-128" in written.read_text()
        for target in (Target(f"{url}/live.m3u8"), api(f"{url}/live.m3u8")):
            async with run_watch(target) as watch:
                assert_plays(numbers(await watch.more(100)))


async def test_a_key_is_fetched_from_no_other_host(numbered_clip: Path, tmp_path: Path) -> None:
    """A playlist whose key is on another host is forbidden to the API's streams; on this machine, to everybody's."""
    async with run_front(free_port()) as victim:
        info = key_info(tmp_path, f"http://localhost:{victim.port}/key")
        async with (
            run_hls(numbered_clip, tmp_path, "-hls_key_info_file", info),
            run_web_camera(("/{name}", files(tmp_path))) as url,
        ):
            for target in (Target(f"{url}/live.m3u8"), api(f"{url}/live.m3u8")):
                async with run_watch(target) as watch:
                    await watch.ended("forbidden")
        assert victim.accepted == 0


async def test_a_wrong_or_missing_key_is_said(numbered_clip: Path, tmp_path: Path) -> None:
    """Where the key is another one, or is not there, the stream says so, and shows no noise."""
    info = key_info(tmp_path, "key.ts")
    async with (
        run_hls(numbered_clip, tmp_path, "-hls_key_info_file", info),
        run_web_camera(("/{name}", files(tmp_path))) as url,
    ):
        (tmp_path / "key.ts").write_bytes(os.urandom(16))
        async with run_watch(Target(f"{url}/live.m3u8")) as watch:
            assert "not encrypted with the key" in await watch.ended("codec")
        (tmp_path / "key.ts").unlink()
        async with run_watch(Target(f"{url}/live.m3u8")) as watch:
            await watch.ended("not_found")
            assert watch.frames == []


async def test_sample_encryption_is_unsupported() -> None:
    """SAMPLE-AES is said to be what is not played."""
    body = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:1,\na.ts\n'
    async with (
        run_web_camera(("/live.m3u8", text(body, PLAYLIST))) as url,
        run_watch(Target(f"{url}/live.m3u8")) as watch,
    ):
        assert "SAMPLE-AES" in await watch.ended("unsupported")


# ---- what servers do


async def test_segments_that_are_parts_of_one_file_play(numbered_clip: Path, tmp_path: Path) -> None:
    """Where segments are ranges of a file, each is fetched by its range, and nothing else of the file."""
    sent = list[int]()

    async def counted(request: web.Request) -> web.StreamResponse:
        sent.append(len(request.headers.get("Range", "")))
        return await parts(tmp_path)(request)

    async with (
        run_hls(numbered_clip, tmp_path, "-hls_flags", "single_file"),
        run_web_camera(("/live.m3u8", files(tmp_path)), ("/{name}", counted)) as url,
        run_watch(Target(f"{url}/live.m3u8")) as watch,
    ):
        assert_plays(numbers(await watch.more(100)))
    assert all(sent)


async def test_a_server_without_ranges_is_said(numbered_clip: Path, tmp_path: Path) -> None:
    """A server that answers a range with the whole file is no source of such segments."""
    async with (
        run_hls(numbered_clip, tmp_path, "-hls_flags", "single_file"),
        run_web_camera(("/{name}", files(tmp_path))) as url,
        run_watch(Target(f"{url}/live.m3u8")) as watch,
    ):
        assert "part of the file" in await watch.ended("protocol")


async def test_a_playlist_that_was_redirected_names_what_is_beside_it(numbered_clip: Path, tmp_path: Path) -> None:
    """Segments are looked for where the playlist was found, not where it was asked for."""
    async with (
        run_hls(numbered_clip, tmp_path),
        run_web_camera(
            ("/watch", text("", "text/plain", 302, Location="/deep/er/live.m3u8")), ("/deep/er/{name}", files(tmp_path))
        ) as url,
        run_watch(Target(f"{url}/watch")) as watch,
    ):
        assert_plays(numbers(await watch.more(60)))


@pytest.mark.parametrize("name", ["1.ts", "segment?id=1", "1", "1.jpg", "Straße 1.bin"])
async def test_a_segment_may_be_called_anything(tmp_path: Path, name: str) -> None:
    """Servers call segments what they like, and write their names as they like: it is what is in them that plays."""
    data = make_clip(tmp_path / "clip.ts", seconds=2, gop=15).read_bytes()

    async def segment(_: web.Request) -> web.Response:
        return web.Response(body=data, content_type="video/mp2t")

    body = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{name}\n"
    async with (
        run_web_camera(("/live.m3u8", text(body, PLAYLIST)), ("/{name}", segment)) as url,
        run_watch(Target(f"{url}/live.m3u8")) as watch,
    ):
        await watch.more(5)


async def test_a_rendition_that_is_not_there_is_said() -> None:
    """Where the playlist of all renditions is there, and the one it names is not, that is not found."""
    body = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nnone.m3u8\n"
    async with (
        run_web_camera(("/live.m3u8", text(body, PLAYLIST))) as url,
        run_watch(Target(f"{url}/live.m3u8")) as watch,
    ):
        await watch.ended("not_found")


@pytest.mark.parametrize("name", ["http://[x/1.ts", "http://127.0.0.1:99999/1.ts", "http://127.0.0.1:x/1.ts"])
async def test_what_is_no_url_is_said(name: str) -> None:
    """A playlist that names what is no URL is not what it should be, and nothing that nobody foresaw."""
    body = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{name}\n"
    async with (
        run_web_camera(("/live.m3u8", text(body, PLAYLIST))) as url,
        run_watch(Target(f"{url}/live.m3u8")) as watch,
    ):
        assert "not a URL" in await watch.ended("protocol")


async def test_one_rendition_is_fetched(numbered_clip: Path, tmp_path: Path) -> None:
    """Of a stream in several sizes one is played, and nothing of the others is ever fetched."""
    asked = list[str]()

    @asynccontextmanager
    async def rendition(name: str) -> AsyncIterator[None]:
        (tmp_path / name).mkdir()
        async with run_hls(numbered_clip, tmp_path / name):
            yield

    async def served(request: web.Request) -> web.StreamResponse:
        if request.path.endswith(".ts"):
            asked.append(request.match_info["folder"])
        return await files(tmp_path / request.match_info["folder"])(request)

    master = "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}/live.m3u8\n" for name in ("one", "two"))
    async with (
        rendition("one"),
        rendition("two"),
        run_web_camera(("/master.m3u8", text(master, PLAYLIST)), ("/{folder}/{name}", served)) as url,
        run_watch(Target(f"{url}/master.m3u8")) as watch,
    ):
        await watch.more(150)
    assert set(asked) == {"one"}


@pytest.mark.parametrize("name", ["itself.m3u8", "other.m3u8"])
async def test_a_master_playlist_within_a_master_playlist_is_refused(name: str) -> None:
    """A variant that is a list of variants again, of the same or of another name, is asked for once and refused."""
    asked = list[str]()
    body = "#EXTM3U\n" + f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}\n" * 50

    async def served(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(text=body, content_type=PLAYLIST)

    async with run_web_camera(("/{name}", served)) as url, run_watch(Target(f"{url}/itself.m3u8")) as watch:
        assert "list of variants again" in await watch.ended("protocol")
    assert len(asked) <= 3  # the first, to see what it is; then as FFmpeg reads it


async def test_a_packed_sound_rendition_does_not_disturb_the_video(numbered_clip: Path, tmp_path: Path) -> None:
    """The sound beside a stream as bare AAC, which is no container that is read here, leaves its video playing."""
    (tmp_path / "sound.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsound.aac\n#EXT-X-ENDLIST\n")
    (tmp_path / "sound.aac").write_bytes(b"\xff\xf1" + bytes(500))
    master = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="n",DEFAULT=YES,URI="sound.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nlive.m3u8\n'
    )
    async with (
        run_hls(numbered_clip, tmp_path),
        run_web_camera(("/master.m3u8", text(master, PLAYLIST)), ("/{name}", files(tmp_path))) as url,
        run_watch(Target(f"{url}/master.m3u8")) as watch,
    ):
        await watch.more(30)


# ---- what stops


async def test_a_playlist_that_no_longer_changes_is_stalled(numbered_clip: Path, tmp_path: Path) -> None:
    """A live stream of short segments whose playlist stands still is given up as soon as a camera that is silent."""
    (live := tmp_path / "live").mkdir()
    shown = live

    async def served(request: web.Request) -> web.StreamResponse:
        return await files(shown)(request)

    async with (
        run_hls(numbered_clip, live),
        run_web_camera(("/{name}", served)) as url,
        run_watch(Target(f"{url}/live.m3u8")) as watch,
    ):
        await watch.more(60)
        assert watch.source._connection is not None
        assert watch.source._connection.stall_timeout == STALL_TIMEOUT
        shown = Path(shutil.copytree(live, tmp_path / "still"))
        await watch.ended("stalled")


async def test_patience_follows_the_target_duration(tmp_path: Path) -> None:
    """Three target durations without a change, or without a picture, are too many; less than a camera's are not."""
    for target, patience in ((1, 4.5), (4, 12.0), (10, 30.0), (600, 60.0)):
        body = f"#EXTM3U\n#EXT-X-TARGETDURATION:{target}\n#EXTINF:{target},\na.ts\n"
        async with run_web_camera(("/live.m3u8", text(body, PLAYLIST))) as url:
            clock = FakeClock()
            opener = Playlist(Target(f"{url}/live.m3u8"), Stop(), clock)

            def load(opener: Playlist = opener, url: str = f"{url}/live.m3u8") -> bytes:
                return opener(url, 0, {}).read(1 << 16)

            assert b"#EXTINF" in await asyncio.to_thread(load)
            assert opener.patience == patience
            clock.advance(patience)
            assert await asyncio.to_thread(load)
            clock.advance(0.1)
            assert not await asyncio.to_thread(load)
            assert opener.error is not None
            assert opener.error.kind == "stalled"


async def test_what_is_remembered_is_what_is_in_force() -> None:
    """However long a stream runs, and whatever its server gives for a playlist or a key, no old ones are remembered.

    The key that the newest reading names has to be there; one of an earlier reading may be gone.
    """
    looks = count()

    async def live(request: web.Request) -> web.Response:
        look = next(looks)
        body = f'#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI="key-{look}"\n#EXTINF:1,\n{look}.ts\n'
        return web.Response(text=body, content_type=PLAYLIST)

    async with run_web_camera(("/{name:.*m3u8}", live)) as url:
        opener = Playlist(Target(f"{url}/live.m3u8"), Stop(), FakeClock())

        def asked(name: str) -> bytes:
            return opener(f"{url}/{name}", 0, {}).read(1 << 16)

        def run() -> None:
            for number in range(2 * MOST_READINGS):
                assert asked("live.m3u8")
                assert asked(f"segment-{number}.m3u8")

        await asyncio.to_thread(run)
        assert len(opener._readings) <= MOST_READINGS
        assert sum(len(reading.keys) for reading in opener._readings.values()) == len(opener._readings)
        newest = next(looks) - 1
        assert await asyncio.to_thread(asked, "key-0") == b""
        assert (opener.error, opener.passed and opener.passed.kind) == (None, "not_found")
        assert await asyncio.to_thread(asked, f"key-{newest}") == b""
        assert opener.error is not None


async def test_a_recording_may_stand_still(tmp_path: Path) -> None:
    """A playlist that has ended is not expected to change."""
    body = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n"
    async with run_web_camera(("/live.m3u8", text(body, PLAYLIST))) as url:
        clock = FakeClock()
        opener = Playlist(Target(f"{url}/live.m3u8"), Stop(), clock)
        for _ in range(2):
            assert await asyncio.to_thread(lambda: opener(f"{url}/live.m3u8", 0, {}).read(1 << 16))
            clock.advance(100)
        assert opener.patience == PATIENCE_OF_OTHERS


async def test_a_picture_that_is_held_until_it_is_due_is_no_stall(tmp_path: Path) -> None:
    """Where a stream's time goes on by more than its patience, as over a cut, the next picture waits for its turn."""
    (tmp_path / "1.ts").write_bytes(make_clip(tmp_path / "first.ts", seconds=1, gop=15).read_bytes())
    later = ("-c", "copy", "-output_ts_offset", "7", tmp_path / "2.ts")
    subprocess.run(("ffmpeg", "-v", "error", "-i", tmp_path / "first.ts", *later), check=True)  # noqa: ASYNC221  it is quick
    looks = count()

    async def live(_: web.Request) -> web.Response:
        body = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n# {next(looks)}\n#EXTINF:1,\n1.ts\n#EXTINF:1,\n2.ts\n"
        return web.Response(text=body, content_type=PLAYLIST)

    async with (
        run_web_camera(("/live.m3u8", live), ("/{name}", files(tmp_path))) as url,
        run_watch(Target(f"{url}/live.m3u8")) as watch,
    ):
        await watch.more(40)
        assert watch.source.reconnects == {}
        assert max(after.received_at - before.received_at for before, after in pairwise(watch.frames)) > 4.5


# ---- where it leads

NAMED = st.one_of(
    st.text(max_size=40),
    st.tuples(
        st.sampled_from(["http", "https", "HTTP", "crypto+http", "file", "tcp", "data", "concat:http", ""]),
        st.sampled_from(["camera", "CAMERA", "camera.", "other", "camera@other", "[::1]", "127.1", ""]),
        st.sampled_from(["", ":80", ":8080", ":x", ":99999"]),
        st.text(max_size=10),
    ).map(lambda parts: "{}://{}{}/{}".format(*parts)),
)


@given(NAMED, st.booleans())
def test_whatever_a_playlist_names_no_other_host_is_asked_for(url: str, opened: bool) -> None:
    """Of a stream of the API, whatever FFmpeg is told to fetch is looked for on the playlist's own host, or nowhere."""
    hosts = list[str]()

    def resolver(host: str, _: int) -> list[str]:
        hosts.append(host)
        raise SourceError("dns", "nobody knows")

    target = api("http://user:hunter2@camera/live.m3u8")
    target = replace(target, destinations=replace(target.destinations, resolver=resolver))
    opener = Playlist(target, Stop(), FakeClock())
    opener._opened = opened
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamer.source.playlist.STRANGER", replace(STRANGER, resolver=resolver))
        assert opener(url, 0, {}).read(1) == b""
    assert set(hosts) <= {"camera"}
    assert opener.error is not None


# ---- what is too much


async def test_a_playlist_without_end_is_refused() -> None:
    """A playlist that goes on and on is given up before it fills the memory."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": PLAYLIST})
        await response.prepare(request)
        await response.write(b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n")
        while True:
            await response.write(b"#EXTINF:1,\na.ts\n" * 1000)

    async with run_web_camera(("/live.m3u8", endless)) as url, run_watch(Target(f"{url}/live.m3u8")) as watch:
        assert "playlist has more" in await watch.ended("too_large")


async def test_a_segment_without_a_picture_in_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that goes on and on without a picture is given up as well."""
    monkeypatch.setattr("streamer.source.allowance.ROOM", 1 << 20)
    begin = make_clip(tmp_path / "begin.ts", seconds=1).read_bytes()
    stuffing = b"\x47\x1f\xff\x10" + bytes(184)  # a null packet (ISO/IEC 13818-1, 2.4.3.3)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "video/mp2t"})
        await response.prepare(request)
        await response.write(begin)
        while True:
            await response.write(stuffing * 1000)

    body = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n"
    async with (
        run_web_camera(("/live.m3u8", text(body, PLAYLIST)), ("/a.ts", endless)) as url,
        run_watch(Target(f"{url}/live.m3u8", limits=Limits(max_packet_bytes=1 << 20))) as watch,
    ):
        assert "without a picture" in await watch.ended("too_large")
