"""streamer.http.renders: spans with boxes drawn into them, asked for, watched, cancelled and taken."""

import asyncio
import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.archive.recordings.recordings import Recordings
from streamer.archive.recordings.render import write_render
from streamer.archive.recordings.renders import MOST_WAITING, Renders
from streamer.archive.recordings.segment import Segment
from streamer.http.renders import RENDERS
from streamer.values.track import TrackedBox
from tests.http.archived import asked
from tests.http.guests import Door, cookie
from tests.http.recorded import NOON, folder_of, found_in, run_recorded
from tests.peers.clip import read_index
from tests.peers.recorded import overwrite, record
from tests.peers.until import until

LIST = "/api/streams/a/recordings/renders"
SIZE = (320, 240)
Pixels = NDArray[np.uint8]


def renders_of(door: Door) -> Renders:
    """The service's."""
    return door.application[RENDERS]


async def made(door: Door, began: float, ended: float, who: str = "operator", **more: Any) -> dict[str, Any]:
    """Have a span rendered."""
    body = {"from": NOON + began, "to": NOON + ended, **more}
    async with door.ask("POST", LIST, cookie(who), json=body) as response:
        assert response.status == 202, await response.text()
        job = dict(await response.json())
        assert response.headers["Location"] == f"{LIST}/{job['id']}"
    return job


async def taken(door: Door, job: dict[str, Any]) -> list[tuple[int, float, Pixels]]:
    """The pictures of one that is done: number, time and pixels of each."""
    await until(lambda: state_of(door, job) not in ("waiting", "running"))
    job = await asked(door, f"{LIST}/{job['id']}", "viewer")
    assert (job["state"], job["progress"], job["reason"]) == ("done", 1.0, None)
    async with door.ask("GET", job["url"], cookie("viewer")) as response:
        assert (response.status, response.content_length) == (200, job["size"])
        data = io.BytesIO(await response.read())
    with av.open(data, "r") as container:
        frames = [
            (each.time, np.asarray(each.to_ndarray(format="rgb24"), np.uint8)) for each in container.decode(video=0)
        ]
    return [(read_index(pixels), time, pixels) for time, pixels in frames]


def state_of(door: Door, job: dict[str, Any]) -> str | None:
    """How it is; None: it is not there."""
    found = renders_of(door).one(job["id"])
    return None if found is None else found.state


def on_its_way(recordings: Recordings, segment: Segment) -> None:
    """Have something recorded that moves to the right, 40 pixels from one sample to the next, 0.2 s later."""
    samples = {
        number * 200_000: [
            TrackedBox(1, (40.0 * number + 20, 80.0, 40.0 * number + 60, 160.0), "person", 1, 0.9),
            TrackedBox(2, (10.0, 180.0, 60.0, 230.0), "car", 2, 0.4),
        ]
        for number in range(6)
    }
    found_in(recordings, segment, samples)


def is_drawn(pixels: Pixels, x: float, y: float) -> bool:
    """Whether a line in the first class's colour goes through there."""
    patch = pixels[round(y), round(x) - 2 : round(x) + 3].astype(int)
    return bool((patch[:, 2] - patch[:, 0]).max() > 100)


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_boxes_are_drawn_on_their_pictures(tmp_path: Path, b_frames: int) -> None:
    """Every picture of the span once, in time, each with its own boxes, and on their way between two samples."""
    segment = record(folder_of(tmp_path), NOON, size=SIZE, seconds=2, b_frames=b_frames)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        on_its_way(recordings, segment)
        job = await made(door, 0.3, 0.9)
        pictures = await taken(door, job)
    assert [number for number, _, _ in pictures] == list(range(9, 27))
    assert [time for _, time, _ in pictures] == pytest.approx([number / 30 for number in range(18)], abs=2e-3)
    for number, _, pixels in pictures:
        left = 20 + 40 * (number / 30) / 0.2
        assert is_drawn(pixels, left, 120), number
        assert not is_drawn(pixels, left - 15, 120), number
        assert not is_drawn(pixels, left + 20, 120), number


async def test_only_boxes_that_are_wanted_are_drawn(tmp_path: Path) -> None:
    """Of the classes that are named, from the score on that is."""
    segment = record(folder_of(tmp_path), NOON, size=SIZE, seconds=2)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        on_its_way(recordings, segment)
        cars = await taken(door, await made(door, 0, 0.1, labels=["car"]))
        sure = await taken(door, await made(door, 0, 0.1, min_score=0.95))
        both = await taken(door, await made(door, 0, 0.1))
        jobs = (await asked(door, LIST, "viewer"))["renders"]
    plain = sure[0][2].astype(int)
    assert not is_drawn(cars[0][2], 20, 120)
    assert np.abs(cars[0][2].astype(int) - plain)[178:232, 8:64].max() > 60
    assert is_drawn(both[0][2], 20, 120)
    assert [(job["labels"], job["min_score"]) for job in jobs] == [([], 0.0), ([], 0.95), (["car"], 0.0)]


async def test_a_render_goes_through_files(tmp_path: Path) -> None:
    """One behind the other; boxes are followed from one to the next, and not over a gap."""
    segments = [
        record(folder_of(tmp_path), NOON, size=SIZE, seconds=1),
        record(folder_of(tmp_path), NOON + 1, size=SIZE, seconds=1, first=30, follows=True),
        record(folder_of(tmp_path), NOON + 60, size=SIZE, seconds=1, first=500),
    ]
    box = TrackedBox(1, (20.0, 80.0, 60.0, 160.0), "person", 1, 0.9)
    moved = TrackedBox(1, (220.0, 80.0, 260.0, 160.0), "person", 1, 0.9)
    async with run_recorded(tmp_path, *segments) as (door, recordings):
        found_in(recordings, segments[0], {600_000: [box], 800_000: [box]})
        found_in(recordings, segments[1], {0: [moved], 200_000: [], 400_000: []})
        job = await made(door, 0.8, 61)
        pictures = await taken(door, job)
    assert [number for number, _, _ in pictures] == [*range(24, 60), *range(500, 530)]
    halfway = next(pixels for number, _, pixels in pictures if number == 27)
    assert is_drawn(halfway, 120, 120)
    assert is_drawn(next(pixels for number, _, pixels in pictures if number == 30), 220, 120)
    assert not any(is_drawn(pixels, 220, 120) for number, _, pixels in pictures if number >= 500)


async def test_who_removes_recordings_removes_what_shows_them(tmp_path: Path) -> None:
    """Renders and clips of the span go with it, and their files; those of another time stay."""
    segments = [record(folder_of(tmp_path), NOON, size=SIZE), record(folder_of(tmp_path), NOON + 60, size=SIZE)]
    async with run_recorded(tmp_path, *segments) as (door, _):
        gone, left = await made(door, 0, 1), await made(door, 60, 61)
        for job in (gone, left):
            await taken(door, job)
        for at in (0, 60):
            clip = f"/api/streams/a/recordings/clip.mp4?from={NOON + at}&to={NOON + at + 1}"
            assert await door.status("GET", clip, cookie("viewer")) == 200
        path = f"/api/streams/a/recordings?from={NOON - 1}&to={NOON + 10}"
        assert (await asked(door, path, "operator", "DELETE"))["segments"] == 1
        assert (state_of(door, gone), state_of(door, left)) == (None, "done")
        assert [each.name for each in (tmp_path / "renders").iterdir()] == [f"{left['id']}.mp4"]
        assert len(list((tmp_path / "clips").iterdir())) == 1


async def test_a_render_is_watched_and_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how far it is; who cancels it, running or waiting, finds it gone, and no file of it."""
    segment = record(folder_of(tmp_path), NOON, seconds=2)
    loop, half, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    def slow(*given: Any, **named: Any) -> None:
        tell = named.pop("on_progress")

        def on_progress(share: float) -> None:
            tell(share)
            if share >= 0.5:
                loop.call_soon_threadsafe(half.set)
                asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(20)

        write_render(*given, on_progress=on_progress, **named)

    monkeypatch.setattr("streamer.archive.recordings.renders.write_render", slow)
    async with run_recorded(tmp_path, segment) as (door, _):
        first, second = await made(door, 0, 2), await made(door, 0, 1)
        await half.wait()
        job = await asked(door, f"{LIST}/{first['id']}")
        assert (job["state"], job["url"]) == ("running", None)
        assert 0.5 <= job["progress"] < 0.6
        said = await door.sentence("GET", f"{LIST}/{first['id']}/video.mp4", cookie("admin"))
        assert said == (409, "it is running")
        assert (await asked(door, f"{LIST}/{second['id']}"))["state"] == "waiting"
        for _ in range(MOST_WAITING - 2):
            await made(door, 0, 1)
        body = {"from": NOON, "to": NOON + 1}
        assert (await door.sentence("POST", LIST, cookie("admin"), json=body))[0] == 503
        assert await door.status("DELETE", f"{LIST}/{first['id']}", cookie("viewer")) == 403
        assert await door.status("DELETE", f"{LIST}/{second['id']}", cookie("operator")) == 204
        loop.call_soon(go_on.set)
        assert await door.status("DELETE", f"{LIST}/{first['id']}", cookie("operator")) == 204
        for job in (first, second):
            assert await door.status("GET", f"{LIST}/{job['id']}", cookie("admin")) == 404
            assert not list((tmp_path / "renders").glob(f"{job['id']}*"))
        deeds = (await asked(door, "/api/audit"))["deeds"]
        assert [deed["what"] for deed in deeds].count("render remove") == 2
    assert not (tmp_path / "renders").exists()


async def test_what_cannot_be_rendered_is_said(tmp_path: Path) -> None:
    """At once where that can be known, as the job's reason where not; and it is of those who may."""
    segment = record(folder_of(tmp_path), NOON, seconds=1)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        for body, status, words in (
            ({"from": NOON, "to": NOON}, 400, "to: it must be later than `from`"),
            ({"from": NOON, "to": NOON + 7200}, 400, "to: it must be within 30 minutes of `from`"),
            ({"from": NOON + 60, "to": NOON + 70}, 404, "nothing of this span is recorded"),
            ({"from": "soon", "to": NOON + 70}, 422, "from: 'soon' is no time"),
            ({"from": NOON, "to": NOON + 1, "min_score": 2}, 422, "min_score: 2 is not allowed"),
        ):
            said = await door.sentence("POST", LIST, cookie("admin"), json=body)
            assert (said[0], words in said[1]) == (status, True), said
        recordings.path(segment).unlink()
        job = await made(door, 0, 1)
        await until(lambda: state_of(door, job) == "failed")
        job = await asked(door, f"{LIST}/{job['id']}")
        assert job["reason"] == "some of this span has been let go meanwhile"
        assert await door.status("POST", LIST, cookie("viewer")) == 403
        assert await door.status("GET", LIST.replace("/a/", "/b/"), cookie("viewer")) == 404
        assert await door.status("GET", f"{LIST}/{job['id']}".replace("/a/", "/b/"), cookie("admin")) == 404


async def test_a_damaged_picture_costs_itself(tmp_path: Path) -> None:
    """A packet that was lost between camera and us is in the file as well; all other pictures are rendered."""
    segment = record(folder_of(tmp_path), NOON, size=SIZE, seconds=2)
    async with run_recorded(tmp_path, segment) as (door, recordings):
        path, fragment = recordings.path(segment), segment.fragments[2]
        whole = path.read_bytes()
        middle = fragment.offset + fragment.size * 2 // 3
        overwrite(path, whole[:middle] + bytes(200) + whole[middle + 200 :])
        pictures = await taken(door, await made(door, 0, 2))
    numbers = [number for number, _, _ in pictures]
    assert [number for number in numbers if number < 30] == list(range(30))
    assert [number for number in numbers if number >= 45] == list(range(45, 60))
