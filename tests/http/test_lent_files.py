"""What lies with another replica: played, cut and shown at any, as long as the replica that has it is there."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streamer.archive.archive import Archive
from streamer.archive.recordings.segment import Segment
from streamer.http.forwarding.other_disks import BASE
from streamer.http.renders import RENDERS
from tests.archive.events import a_picture, an_event
from tests.http.recorded import FOR_EVER, NOON
from tests.http.replicas import CALLER, Map, RunningReplica, run_replica
from tests.peers.ffmpeg_player import played
from tests.peers.postgresql import PostgresqlServer, make_postgresql
from tests.peers.recorded import path_of, record
from tests.peers.until import until

LIST = "/api/streams/a/recordings"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    """A server that runs."""
    with make_postgresql() as server, server.running():
        yield server


@dataclass
class Shared:
    """Two replicas that share a database; the stream a moved from the one to the other in the midst."""

    here: RunningReplica
    there: RunningReplica
    map: Map
    first: Segment
    """Which lies there."""
    second: Segment
    """Which lies here."""


@asynccontextmanager
async def run_shared(postgresql: PostgresqlServer, folder: Path) -> AsyncIterator[Shared]:
    said, address = Map({"a": "here"}), postgresql.make_database()

    def archive(name: str) -> dict[str, Any]:
        return {"path": str(folder / name), "database": address, "days": 36_500, "recordings": FOR_EVER}

    async with (
        run_replica("here", "a", said, archive=archive("here")) as here,
        run_replica("there", "", said, archive=archive("there")) as there,
    ):
        first, second = record(folder / "made", NOON), record(folder / "made", NOON + 4, first=120, follows=True)
        for replica, segment in ((there, first), (here, second)):
            await _keep(replica, segment, path_of(folder / "made", "a", segment.began_at, segment.id))
        yield Shared(here, there, said, first, second)


async def _keep(replica: RunningReplica, segment: Segment, made: Path) -> None:
    keeping = replica.service.keeping
    await until(lambda: keeping._recorders is not None and keeping._recorders._begun is None)
    _lay(archive_of(replica), segment, made)


def _lay(archive: Archive, segment: Segment, made: Path) -> None:
    path = archive.recordings.path(segment)
    path.parent.mkdir(parents=True)
    made.rename(path)
    archive.recordings.put_now(segment)


def archive_of(replica: RunningReplica) -> Archive:
    """One's."""
    assert replica.service.keeping.archive is not None
    return replica.service.keeping.archive


async def test_recordings_of_both_are_played_cut_and_shown_at_either(
    postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    """A file, a part of it, a small picture, and a clip over both disks; and in one sentence once one is away."""
    async with run_shared(postgresql, tmp_path) as two:
        whole = archive_of(two.there).recordings.path(two.first).read_bytes()
        path = f"{LIST}/{two.first.id}.mp4"
        status, headers, body = await two.here.ask("GET", path)
        assert (status, headers["Accept-Ranges"], body) == (200, "bytes", whole)
        status, _, body = await two.here.ask("GET", path, headers={"Range": "bytes=1000-1999"})
        assert (status, body) == (206, whole[1000:2000])
        status, _, body = await two.here.ask("GET", f"{LIST}/thumbnail.jpg?at={NOON + 1}")
        assert (status, body[:2]) == (200, b"\xff\xd8")
        for number, replica in enumerate((two.here, two.there)):
            status, _, body = await replica.ask("GET", f"{LIST}/clip.mp4?from={NOON + 3}&to={NOON + 5}")
            assert status == 200
            (tmp_path / f"{number}.mp4").write_bytes(body)
            assert await played(tmp_path / f"{number}.mp4", (160, 120)) == list(range(90, 150))
        assert await _unreachable(two) == [False, False]
        del two.map.urls["there"]
        assert await _unreachable(two) == [True, False]
        away = "the replica there, on whose disk it lies, cannot be reached now"
        assert await two.here.sentence("GET", path) == (503, away)
        status, sentence = await two.here.sentence("GET", f"{LIST}/clip.mp4?from={NOON + 2}&to={NOON + 5}")
        assert (status, away in sentence) == (503, True)
        assert (await two.here.sentence("GET", f"{LIST}/thumbnail.jpg?at={NOON + 2}"))[0] == 503
        assert (await two.here.ask("GET", f"{LIST}/{two.second.id}.mp4"))[0] == 200


async def _unreachable(two: Shared) -> list[bool]:
    async with two.here.client.get(f"{two.here.url}{LIST}?from={NOON}&to={NOON + 8}&detail=segments") as answer:
        return [segment["unreachable"] for segment in (await answer.json())["segments"]]


async def test_a_picture_of_an_event_is_shown_by_any_replica(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    """And taken along by whoever tells an outlet; one that is gone there is told so."""
    async with run_shared(postgresql, tmp_path) as two:
        event, archive = an_event(NOON, stream="a", ended_at=NOON + 2), archive_of(two.there)
        archive.put(event, a_picture())
        await until(lambda: archive.writer.kept)
        path = f"/api/events/{event.id}"
        assert (await two.here.ask("GET", f"{path}/picture"))[::2] == (200, b"image")
        assert (await two.here.ask("GET", f"{path}/thumbnail"))[::2] == (200, b"thumbnail")
        picture = await archive_of(two.here).outbox.picture(event.id)
        assert picture is not None
        assert picture.image == b"image"
        archive.pictures.image(event).unlink()
        assert (await two.here.ask("GET", f"{path}/picture"))[0] == 404
        two.map.urls["there"] = "http://127.0.0.1:1"
        assert (await two.here.sentence("GET", f"{path}/thumbnail"))[0] == 503


async def test_a_render_goes_with_what_was_removed_at_another_replica(
    postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    """The replica that made it sees in the database that nobody is to see it any more, and lets go of its file."""
    async with run_shared(postgresql, tmp_path) as two:
        body = {"from": NOON, "to": NOON + 0.5}
        status, headers, _ = await two.here.ask("POST", f"{LIST}/renders", json=body)
        assert status == 202
        path, renders = headers["Location"], two.here.application[RENDERS]
        job = renders.one(path.rpartition("/")[2])
        assert job is not None
        await until(lambda: job.state not in ("waiting", "running"))
        assert (await two.here.ask("GET", f"{path}/video.mp4"))[0] == 200
        assert (await two.there.ask("DELETE", f"{LIST}?from={NOON - 1}&to={NOON + 30}"))[0] == 200
        assert (await two.here.ask("GET", f"{path}/video.mp4"))[0] == 404
        assert renders.one(job.id) is None
        assert not job.path.exists()


async def test_files_are_lent_to_replicas_alone(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    """Whoever asks like anybody else is told that there is nothing for him; and no name leads out of the folder."""
    async with run_shared(postgresql, tmp_path) as two:
        path = f"{BASE}/{archive_of(two.there).recordings.files.key(two.first)}"
        assert await two.there.sentence("GET", path) == (404, "files lie here for other replicas of a cluster alone")
        caller = two.here.neighbours.ourselves

        async def asked(path: str) -> int:
            headers = {CALLER: two.there.signed("GET", path, caller)}
            return (await two.there.ask("GET", path, headers=headers))[0]

        assert await asked(path) == 200
        for wrong in (
            f"{BASE}/recordings/a/2025/11/29/../../../../../sightline.db",
            f"{BASE}/recordings/a/2025/11/29/%2e%2e%2fx.mp4",
            f"{BASE}/recordings/b/2025/11/29/{two.first.id}.mp4",
            f"{BASE}/pictures/a/2025/11/29/{two.first.id}.jpg",
        ):
            assert await asked(wrong) in (401, 404)
