"""streamer.http.recorded_files: segments, parts of them, their boxes, and playlists that other players play."""

import asyncio
import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from streamer.http import file_range
from streamer.values.track import TrackedBox
from tests.http.archived import asked
from tests.http.guests import Door, cookie
from tests.http.recorded import NOON, folder_of, found_in, run_recorded
from tests.peers.ffmpeg_player import played
from tests.peers.recorded import record
from tests.peers.until import until

LIST = "/api/streams/a/recordings"
ADMIN = cookie("admin")


async def got(door: Door, path: str, **headers: str) -> tuple[int, bytes, Any]:
    """Status, body and headers of an answer."""
    async with door.ask("GET", path, {**ADMIN, **headers}) as response:
        return response.status, await response.read(), response.headers


async def test_a_file_comes_whole_or_in_the_part_that_is_asked_for(tmp_path: Path) -> None:
    """RFC 9110 section 14: a range, its end left out, a tail; what is no range gives all, what lies behind is 416."""
    segment = record(folder_of(tmp_path), NOON)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        data, path = recordings.path(segment).read_bytes(), f"{LIST}/{segment.id}.mp4"
        status, body, headers = await got(door, path)
        assert (status, body, headers["Content-Type"]) == (200, data, "video/mp4")
        assert (headers["Accept-Ranges"], headers["Cache-Control"]) == ("bytes", "private, max-age=600, immutable")
        for said, part in (
            ("bytes=10-19", data[10:20]),
            ("bytes=100-", data[100:]),
            ("bytes=0-", data),
            ("bytes=-7", data[-7:]),
            (f"bytes=5-{len(data) * 2}", data[5:]),
        ):
            status, body, headers = await got(door, path, Range=said)
            begin = len(data) - len(part) if said != "bytes=10-19" else 10
            assert (status, body) == (206, part), said
            assert headers["Content-Range"] == f"bytes {begin}-{begin + len(part) - 1}/{len(data)}"
        for said in ("bytes=9-2", "lines=1-2", "bytes=x", "bytes=1-2,4-5"):
            assert (await got(door, path, Range=said))[:2] == (200, data), said
        for said in (f"bytes={len(data)}-", "bytes=-0"):
            status, _, headers = await got(door, path, Range=said)
            assert (status, headers["Content-Range"]) == (416, f"bytes */{len(data)}"), said


async def test_a_part_is_of_the_file_that_is_meant(tmp_path: Path) -> None:
    """`If-Range` with another tag gives all; the tag itself is answered 304; HEAD says how long it is."""
    segment = record(folder_of(tmp_path), NOON)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        path, size = f"{LIST}/{segment.id}.mp4", recordings.path(segment).stat().st_size
        tag = (await got(door, path))[2]["ETag"]
        assert (await got(door, path, **{"Range": "bytes=0-1", "If-Range": tag}))[0] == 206
        assert (await got(door, path, **{"Range": "bytes=0-1", "If-Range": '"other"'}))[0] == 200
        assert (await got(door, path, **{"If-None-Match": tag}))[:2] == (304, b"")
        async with door.ask("HEAD", path, ADMIN) as response:
            assert (response.status, response.content_length) == (200, size)


async def test_a_file_that_grows_is_asked_for_again(tmp_path: Path) -> None:
    """While it is written nobody keeps it, and what comes behind can be had as soon as it is there."""
    segment = record(folder_of(tmp_path), NOON, is_open=True)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        path, size = f"{LIST}/{segment.id}.mp4", recordings.path(segment).stat().st_size
        assert (await got(door, path, Range=f"bytes={size}-"))[0] == 416
        with recordings.path(segment).open("ab") as file:
            file.write(b"more")
        status, body, headers = await got(door, path, Range=f"bytes={size}-")
        assert (status, body, headers["Cache-Control"]) == (206, b"more", "private, no-cache")


async def test_what_is_gone_is_said_to_be(tmp_path: Path) -> None:
    """A file without a row, a row without a file, and an id that is none."""
    segment, other = record(folder_of(tmp_path), NOON), record(folder_of(tmp_path), NOON + 9)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        recordings.path(segment).unlink()
        for id_ in (segment.id, other.id):
            said = await door.sentence("GET", f"{LIST}/{id_}.mp4", ADMIN)
            assert said == (404, "there is no such recording; it may have been let go")
        assert await door.status("GET", f"{LIST}/..%2f..%2fsightline.db.mp4", ADMIN) == 404


async def test_who_may_no_longer_see_a_stream_gets_no_more_of_its_file(tmp_path: Path) -> None:
    """A download ends soon after the permission does, and does not look like a whole one."""
    segment = record(folder_of(tmp_path), NOON)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        with recordings.path(segment).open("r+b") as file:
            os.truncate(file.fileno(), 1 << 26)
        async with door.ask("GET", f"{LIST}/{segment.id}.mp4", cookie("viewer")) as response:
            await response.content.readexactly(1)
            await door.service.entrance.store.change(lambda accounts: accounts.without_user("viewer"))
            door.service.admissions.look()
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


async def test_boxes_come_beside_it(tmp_path: Path) -> None:
    """In columns; of a segment without samples, empty ones."""
    segment, without = record(folder_of(tmp_path), NOON), record(folder_of(tmp_path), NOON + 9)
    async with run_recorded(tmp_path, segment, without) as (door, recordings):
        box = TrackedBox(7, (1.0, 2.0, 3.0, 4.5), "person", 1, 0.75)
        found_in(recordings, segment, {0: [box], 200_000: []})
        told = await asked(door, f"{LIST}/{segment.id}/boxes")
        assert (told["segment"], told["began_at"], told["times_us"]) == (segment.id, NOON, [0, 200_000])
        assert (told["counts"], told["classes"], told["tracker_ids"]) == (
            [1, 0],
            [{"label": "person", "class_id": 1}],
            [7],
        )
        assert told["boxes"] == pytest.approx(box.box, abs=0.01)
        told = await asked(door, f"{LIST}/{without.id}/boxes")
        assert (told["times_us"], told["width"]) == ([], 160)


async def test_a_fragment_plays_behind_the_init_alone(tmp_path: Path) -> None:
    """What the list says is where: init and any fragment of it are a video of these pictures."""
    segment = record(folder_of(tmp_path), NOON, first=100)
    async with run_recorded(tmp_path, segment) as (door, _):
        init = (await got(door, f"{LIST}/{segment.id}/init.mp4"))[1]
        told = await asked(door, f"{LIST}?from={NOON}&to={NOON + 9}&detail=fragments")
        offset, size, time_ms, _, is_key = told["segments"][0]["fragments"][3]
        part = (await got(door, f"{LIST}/{segment.id}.mp4", Range=f"bytes={offset}-{offset + size - 1}"))[1]
        assert (time_ms, is_key) == (1500, 1)
    (tmp_path / "part.mp4").write_bytes(init + part)
    assert await played(tmp_path / "part.mp4", (160, 120)) == list(range(145, 160))


async def test_other_players_play_a_span_by_its_playlist(tmp_path: Path) -> None:
    """FFmpeg plays every picture of it, across files and a gap."""
    segments = [
        record(folder_of(tmp_path), NOON, seconds=8),
        record(folder_of(tmp_path), NOON + 8, seconds=8, first=240, follows=True, b_frames=2),
        record(folder_of(tmp_path), NOON + 60, seconds=2, first=1000),
    ]
    async with run_recorded(tmp_path, *segments) as (door, _):
        path = f"{LIST}/playlist.m3u8?from={NOON}&to={NOON + 90}"
        status, body, headers = await got(door, path)
        assert (status, headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl; charset=utf-8")
        assert body.decode().count("#EXT-X-DISCONTINUITY\n") == 2
        assert body.decode().count("#EXT-X-MAP") == 3
        assert body.endswith(b"#EXT-X-ENDLIST\n")
        shown = await played(door.url + path, (160, 120), "-headers", f"Cookie: {ADMIN['Cookie']}\r\n")
    assert shown == [*range(480), *range(1000, 1060)]


async def test_a_span_that_goes_on_has_a_playlist_that_does(tmp_path: Path) -> None:
    """Without an end, and with whole entries only, which stay as they are when more come."""
    began = time.time() - 60
    earlier = record(folder_of(tmp_path), began, seconds=8)
    now = record(folder_of(tmp_path), began + 8, seconds=8, follows=True, is_open=True)
    async with run_recorded(tmp_path, earlier, now) as (door, _):
        body = (await got(door, f"{LIST}/playlist.m3u8?from={began}&to=2100-01-01"))[1].decode()
        assert (await door.sentence("GET", f"{LIST}/playlist.m3u8?from={NOON - 1e7}", ADMIN))[0] == 400
        assert (await door.sentence("GET", f"{LIST}/playlist.m3u8?from={began + 20}", ADMIN))[0] == 404
    assert "#EXT-X-ENDLIST" not in body
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in body
    assert body.count("#EXTINF") == 3


async def test_a_file_is_let_go_of_where_who_asked_hangs_up_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes its time opens files for some who are gone by then: none stays open."""
    segment, opened, go_on = record(folder_of(tmp_path), NOON), threading.Event(), threading.Event()
    really = file_range._open

    def slowly(answer: file_range.FileAnswer) -> Any:
        found = really(answer)
        opened.set()
        go_on.wait()
        return found

    async with run_recorded(tmp_path, segment) as (door, recordings):
        monkeypatch.setattr(file_range, "_open", slowly)
        asking = asyncio.create_task(got(door, f"{LIST}/{segment.id}.mp4"))
        await until(opened.is_set)
        asking.cancel()
        await asyncio.wait({asking})
        path = str(recordings.path(segment))
        assert path in open_files()
        go_on.set()
        await until(lambda: path not in open_files())


def open_files() -> set[str]:
    """What this process has open."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(each.readlink()))
    return found
