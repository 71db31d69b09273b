"""streamer.http.clips: spans as files, what was found in them, and small pictures of moments."""

import asyncio
import io
import json
from collections.abc import Mapping
from pathlib import Path

import av
import pytest

from streamer.archive.recordings.clip import write_clip
from streamer.archive.recordings.clips import AT_ONCE, KEPT, Clips
from streamer.archive.recordings.cut import cut
from streamer.values.track import TrackedBox
from tests.http.archived import asked
from tests.http.guests import Door, cookie
from tests.http.recorded import NOON, folder_of, found_in, run_recorded
from tests.peers.clip import read_index
from tests.peers.clock import FakeClock
from tests.peers.ffmpeg_player import played
from tests.peers.recorded import overwrite, path_of, record
from tests.peers.until import until

LIST = "/api/streams/a/recordings"
ADMIN = cookie("admin")
BOX = TrackedBox(7, (10.0, 20.0, 30.0, 44.5), "person --> & <b>", 1, 0.75)


async def got(door: Door, path: str, who: str = "admin", **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers of an answer."""
    async with door.ask("GET", f"{LIST}/{path}", {**cookie(who), **headers}) as response:
        return response.status, await response.read(), response.headers


def span(began: float, ended: float) -> str:
    """A query."""
    return f"?from={NOON + began}&to={NOON + ended}"


async def test_a_clip_is_a_file_in_parts_too(tmp_path: Path) -> None:
    """It begins exactly, plays across segments, and keeps its tag and bytes from one request to the next."""
    segments = [record(folder_of(tmp_path), NOON), record(folder_of(tmp_path), NOON + 4, first=120, follows=True)]
    async with run_recorded(tmp_path, *segments) as (door, _):
        status, body, headers = await got(door, f"clip.mp4{span(3, 5)}")
        assert (status, headers["Content-Type"]) == (200, "video/mp4")
        tag = headers["ETag"]
        status, part, headers = await got(door, f"clip.mp4{span(3, 5)}", **{"Range": "bytes=100-199", "If-Range": tag})
        assert (status, part, headers["ETag"]) == (206, body[100:200], tag)
        headers = (await got(door, f"clip.mp4{span(3, 5)}&download=true"))[2]
        assert headers["Content-Disposition"] == 'attachment; filename="a-20251129T120003Z.mp4"'
        deeds = (await asked(door, "/api/audit"))["deeds"]
        assert [deed["target"] for deed in deeds if deed["what"] == "clip download"] == ["a"]
        assert len(list((tmp_path / "clips").iterdir())) == 1
    assert not (tmp_path / "clips").exists()
    (tmp_path / "clip.mp4").write_bytes(body)
    assert await played(tmp_path / "clip.mp4", (160, 120)) == list(range(90, 150))


async def test_what_is_no_clip_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Nothing recorded, too long, two forms, a file that is gone."""
    segments = [record(folder_of(tmp_path), NOON), record(folder_of(tmp_path), NOON + 4, size=(320, 240))]
    async with run_recorded(tmp_path, *segments) as (door, recordings):
        for query, status, words in (
            (span(100, 110), 404, "nothing of this span is recorded"),
            (span(0, 4000), 400, "to: it must be within 60 minutes of `from`"),
            (span(0, 6), 409, "changes from h264 160x120 to h264 320x240"),
            (f"?from={NOON}", 400, "to: is missing"),
        ):
            for path in ("clip.mp4", "clip.json", "clip.vtt"):
                said = await door.sentence("GET", f"{LIST}/{path}{query}", ADMIN)
                assert (said[0], words in said[1]) == (status, True), said
        recordings.path(segments[0]).unlink()
        said = await door.sentence("GET", f"{LIST}/clip.mp4{span(0, 1)}", ADMIN)
        assert said == (404, "some of this span has just been let go")


async def test_so_many_clips_are_made_at_a_time_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for another meanwhile comes back later; who asks for one of them waits for it. One at a time is his."""
    segment, begun, go_on = record(folder_of(tmp_path), NOON), asyncio.Semaphore(0), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(*given: object) -> None:
        loop.call_soon_threadsafe(begun.release)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(20)
        write_clip(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("streamer.archive.recordings.clips.write_clip", slow)
    async with run_recorded(tmp_path, segment) as (door, _):
        tasks = [asyncio.create_task(got(door, f"clip.mp4{span(0, 1)}"))]
        await begun.acquire()
        status, sentence = await door.sentence("GET", f"{LIST}/clip.mp4{span(0, 2)}", ADMIN)
        assert (status, sentence) == (503, "another clip is being made for you; this one comes after it")
        assert AT_ONCE == 2
        tasks.append(asyncio.create_task(got(door, f"clip.mp4{span(0, 2)}", "viewer")))
        await begun.acquire()
        tasks.append(asyncio.create_task(got(door, f"clip.mp4{span(0, 1)}")))
        status, sentence = await door.sentence("GET", f"{LIST}/clip.mp4{span(0, 3)}", ADMIN)
        assert (status, sentence) == (503, "as many clips as may be are being made already")
        go_on.set()
        answers = await asyncio.gather(*tasks)
    assert [status for status, _, _ in answers] == [200] * len(tasks)
    assert answers[0][1] == answers[-1][1]


async def test_a_span_in_more_files_than_a_clip_may_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not cut off where nobody says so."""
    monkeypatch.setattr("streamer.http.clips.MOST", 1)
    segments = [record(folder_of(tmp_path), NOON), record(folder_of(tmp_path), NOON + 4, first=120, follows=True)]
    async with run_recorded(tmp_path, *segments) as (door, _):
        said = await door.sentence("GET", f"{LIST}/clip.mp4{span(0, 6)}", ADMIN)
        assert said == (413, "this span is in more than 1 files; ask for a shorter one")
        assert (await got(door, f"clip.mp4{span(0, 3)}"))[0] == 200


async def test_what_was_found_comes_beside_a_clip(tmp_path: Path) -> None:
    """In the clip's time, the gap left out, as JSON and as WebVTT that a player reads; also a sample without boxes."""
    segments = [record(folder_of(tmp_path), NOON), record(folder_of(tmp_path), NOON + 60, first=900)]
    async with run_recorded(tmp_path, *segments) as (door, recordings):
        found_in(recordings, segments[0], {1_000_000: [BOX], 2_600_000: [BOX], 2_800_000: []})
        found_in(recordings, segments[1], {200_000: [BOX]})
        told = json.loads((await got(door, f"clip.json{span(2.5, 62)}"))[1])
        text = (await got(door, f"clip.vtt{span(2.5, 62)}"))[1].decode()
        none = json.loads((await got(door, f"clip.json{span(3.5, 4)}"))[1])
    assert told["parts"] == [
        {"at": 0.0, "from": NOON + 2.5, "seconds": 1.5},
        {"at": 1.5, "from": NOON + 60, "seconds": 2.0},
    ]
    assert [(each["at"], each["time"], len(each["boxes"])) for each in told["samples"]] == [
        (0.1, NOON + 2.6, 1),
        (0.3, NOON + 2.8, 0),
        (1.7, NOON + 60.2, 1),
    ]
    [box] = told["samples"][0]["boxes"]
    assert (box["label"], box["tracker_id"], box["score"]) == (BOX.label, 7, 0.75)
    assert box["box"] == pytest.approx(BOX.box, abs=0.01)
    assert none["samples"] == []
    cues = [cue.split("\n") for cue in text.strip().split("\n\n")[2:]]
    assert [times for times, _ in cues] == ["00:00:00.100 --> 00:00:00.300", "00:00:01.700 --> 00:00:02.200"]
    assert json.loads(cues[0][1])["boxes"][0]["label"] == BOX.label
    assert not {"<", ">", "&"} & set(cues[0][1])
    with av.open(io.BytesIO(text.encode()), "r", format="webvtt") as container:
        assert [packet.pts for packet in container.demux() if packet.size] == [100, 1700]


async def test_a_thumbnail_is_of_the_keyframe_before(tmp_path: Path) -> None:
    """Small, a JPEG, the same up to the next keyframe, by its tag; between recordings there is none."""
    segment = record(folder_of(tmp_path), NOON, is_open=True)
    async with run_recorded(tmp_path, segment) as (door, _):
        status, body, headers = await got(door, f"thumbnail.jpg?at={NOON + 1.8}&width=80")
        assert (status, headers["Content-Type"]) == (200, "image/jpeg")
        with av.open(io.BytesIO(body), "r") as container:
            picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        assert (picture.shape, read_index(picture)) == ((60, 80, 3), 45)
        tag = headers["ETag"]
        again = await got(door, f"thumbnail.jpg?at={NOON + 1.5}&width=80", **{"If-None-Match": tag})
        assert again[:2] == (304, b"")
        assert (await got(door, f"thumbnail.jpg?at={NOON + 2}&width=80", **{"If-None-Match": tag}))[0] == 200
        said = await door.sentence("GET", f"{LIST}/thumbnail.jpg?at={NOON + 100}", ADMIN)
        assert said == (404, "nothing is recorded at this moment")
        assert (await door.sentence("GET", f"{LIST}/thumbnail.jpg?at={NOON}&width=9000", ADMIN))[0] == 400


async def test_clips_are_of_streams_that_one_sees(tmp_path: Path) -> None:
    """Of others there are none, whatever is asked for."""
    async with run_recorded(tmp_path, record(folder_of(tmp_path), NOON, stream="b", seconds=1)) as (door, _):
        for path in (
            f"clip.mp4{span(0, 1)}", f"clip.json{span(0, 1)}", f"clip.vtt{span(0, 1)}", f"thumbnail.jpg?at={NOON}",
        ):  # fmt: skip
            assert await door.status("GET", f"/api/streams/b/recordings/{path}", cookie("viewer")) == 404
            assert await door.status("GET", f"/api/streams/b/recordings/{path}", cookie("other")) == 200


async def test_a_link_leads_to_one_clip_and_no_other(tmp_path: Path) -> None:
    """Made by who sees the stream, it opens that span to anybody, with ranges; another span, or word, is none of it."""
    segment = record(folder_of(tmp_path), NOON)
    async with run_recorded(tmp_path, segment) as (door, _):
        for said in (f"from={NOON + 1}&to={NOON + 2}", "from=2025-11-29T12:00:01Z&to=2025-11-29T12:00:02Z"):
            body = {"path": f"{LIST}/clip.mp4?{said}", "seconds": 60}
            async with door.ask("POST", "/api/links", cookie("viewer"), json=body) as response:
                assert response.status == 201, await response.text()
                url = (await response.json())["url"]
            assert f"clip.mp4?from={NOON + 1:.3f}&to={NOON + 2:.3f}&until=" in url
            assert await door.status("GET", url) == 200
            assert await door.status("GET", f"{url}&download=true", {"Range": "bytes=0-9"}) == 206
            for was, becomes in (("to=", "to=1"), ("clip.mp4", "clip.json"), ("/a/", "/b/"), ("until=", "until=1")):
                assert await door.status("GET", url.replace(was, becomes, 1)) == 401, becomes
            assert await door.status("GET", f"{url}&to={NOON + 3}") == 401
        for path, words in (
            (f"{LIST}/clip.mp4", "path: from: is missing"),
            (f"{LIST}/clip.mp4?from=x&to=y", "path: from: 'x' is no time"),
            (f"{LIST}/clip.mp4?from=1&to=2&until=3", "path: until: unknown key"),
            (f"{LIST}/thumbnail.jpg?at=1", "path: no link leads there"),
        ):
            body = {"path": path, "seconds": 60}
            status, sentence = await door.sentence("POST", "/api/links", cookie("viewer"), json=body)
            assert (status, words in sentence) == (422, True), sentence
        body = {"path": f"/api/streams/b/recordings/clip.mp4?from={NOON}&to={NOON + 1}", "seconds": 60}
        assert (await door.sentence("POST", "/api/links", cookie("viewer"), json=body))[0] == 404


async def test_a_damaged_file_is_said_without_where_it_is(tmp_path: Path) -> None:
    """FFmpeg's own words have the paths of this machine in them, which are nobody's business."""
    segment = record(folder_of(tmp_path), NOON)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        overwrite(recordings.path(segment), bytes(range(256)) * 40)
        said = await door.sentence("GET", f"{LIST}/clip.mp4{span(0, 1)}", ADMIN)
    assert said == (404, "there is nothing in this span that can be played")


async def test_clips_stay_for_a_while_and_what_others_keep_beside_them_for_good(tmp_path: Path) -> None:
    """What a service that was killed has left goes at the start; of a folder of that name no other file is touched."""
    folder, clock = tmp_path / "clips", FakeClock(0.0)
    folder.mkdir()
    left = [folder / f"{'a' * 32}.mp4", folder / f"{'b' * 32}.part"]
    for path in (*left, folder / "holidays.mp4"):
        path.write_bytes(b"video")
    segment = record(folder_of(tmp_path), NOON)
    clips = Clips(folder, lambda _: path_of(folder_of(tmp_path), "a", NOON, segment.id), clock)
    running = asyncio.create_task(clips.run())
    await until(lambda: not any(path.exists() for path in left))
    made = await clips.of(cut([segment], NOON, NOON + 1), "anna")
    clock.advance(KEPT - 1)
    await clips.tidy()
    assert made.path.exists()
    clock.advance(2)
    await clips.tidy()
    assert not made.path.exists()
    running.cancel()
    await clips.close()
    assert [path.name for path in folder.iterdir()] == ["holidays.mp4"]
