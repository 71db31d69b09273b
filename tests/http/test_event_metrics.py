"""streamer.http.event_metrics: what becomes events and what is kept of them, in numbers."""

import time
from pathlib import Path

import pytest

from streamer.access.action import Action
from streamer.archive.database import DatabaseAway
from streamer.stream.album import MOST_WAITING
from streamer.stream.events import StreamEvents
from tests.archive.events import NOON, a_picture, an_event
from tests.http.archived import archive_of, asked, keep, run_archived
from tests.http.guests import Door, bearer, everybody, run_door, with_token
from tests.peers.frames import make_frame
from tests.peers.service import Metrics
from tests.peers.until import until

ZONE = {"points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]}


async def metrics(door: Door, shown: str = "metrics") -> Metrics:
    """What Prometheus reads."""
    async with door.ask("GET", "/metrics", bearer(shown)) as response:
        assert response.status == 200
        return Metrics(await response.text())


def events_of(door: Door, stream: str) -> StreamEvents:
    """A stream's."""
    pipeline = door.service.streams.get(stream)
    assert pipeline is not None
    assert isinstance(pipeline.events, StreamEvents)
    return pipeline.events


async def test_events_and_crossings_are_counted_by_stream(tmp_path: Path) -> None:
    """Begun and ended by label, crossings by line and direction, zones also while they are empty."""
    url = "rtsp://127.0.0.1:1/x"
    streams = {"a": {"url": url, "zones": {"yard": ZONE}}, "b": {"url": url}}
    async with run_archived(tmp_path, streams=streams) as door:
        events = events_of(door, "a")
        events.begun.update({"person": 3})
        events.ended.update({"person": 2})
        events.crossings.update({("gate", "forward", "person"): 1})
        found = await metrics(door)
    assert found.sum("sightline_events_total", stream="a", label="person", what="begun") == 3
    assert found.sum("sightline_events_total", stream="a", label="person", what="ended") == 2
    assert (
        found.sum("sightline_line_crossings_total", stream="a", line="gate", direction="forward", label="person") == 1
    )
    assert found.labels("sightline_zone_occupancy", "zone") == {"yard"}


async def test_pictures_that_were_not_drawn_are_counted_by_reason(tmp_path: Path) -> None:
    """Both reasons of each stream are there from the start, or the first such picture would not be a rise."""
    async with run_archived(tmp_path, streams={"a": {"url": "rtsp://127.0.0.1:1/x"}}) as door:
        album = events_of(door, "a")._album
        for number in range(MOST_WAITING + 2):
            album.take(an_event(number), make_frame(), ())
        found = await metrics(door)
    assert found.sum("sightline_event_pictures_dropped_total", stream="a", reason="late") == 2
    assert found.labels("sightline_event_pictures_dropped_total", "reason") == {"late", "failed"}


async def test_who_reads_some_streams_reads_their_events_alone(tmp_path: Path) -> None:
    """A token for the numbers of one stream has no event of another, and the archive's own numbers."""
    accounts = with_token(everybody(), "of-a", Action.METRICS, streams=("a",))
    async with run_archived(tmp_path, accounts) as door:
        for stream in ("a", "b"):
            events_of(door, stream).begun.update({"person": 1})
        found = await metrics(door, "of-a")
    assert found.labels("sightline_events_total", "stream") == {"a"}
    assert found.sum("sightline_archive_ok") == 1


async def test_what_is_kept_is_counted(tmp_path: Path) -> None:
    """Events written, bytes of their pictures, and how far back they reach, as of the last look."""
    began = time.time() - 100
    async with run_archived(tmp_path) as door:
        assert "sightline_archive_oldest_timestamp_seconds" not in {
            sample.name for family in (await metrics(door)).families.values() for sample in family.samples
        }
        await keep(door, an_event(began), picture=a_picture())
        await archive_of(door)._writing.run(archive_of(door).upkeep.step)
        found = await metrics(door)
    assert found.sum("sightline_archive_written_total") == 1
    assert found.sum("sightline_archive_picture_bytes") == len(a_picture())
    assert found.sum("sightline_archive_oldest_timestamp_seconds") == pytest.approx(began, abs=0.001)


async def test_what_is_let_go_is_counted(tmp_path: Path) -> None:
    """Events that are removed because their time is over."""
    async with run_archived(tmp_path) as door:
        archive = archive_of(door)
        await keep(door, an_event(NOON, ended_at=NOON + 5))
        await archive._writing.run(archive.upkeep.step)
        found = await metrics(door)
    assert found.sum("sightline_archive_removed_total") == 1


async def test_what_cannot_be_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away, archive_ok is 0, attempts fail and events wait; then all is as before."""
    async with run_archived(tmp_path) as door:
        archive = archive_of(door)

        def away() -> None:
            raise DatabaseAway("the disk is full")

        monkeypatch.setattr(archive._database, "writing", away)
        archive.put(an_event(time.time()))
        await until(lambda: archive.writer.failures)
        found = await metrics(door)
        assert found.sum("sightline_archive_ok") == 0
        assert found.sum("sightline_archive_failures_total") >= 1
        assert found.sum("sightline_archive_waiting") == 1
        assert (await asked(door, "/api/events"))["failing"] == "the disk is full"
        monkeypatch.undo()
        await until(lambda: archive.writer.kept)
        assert (await metrics(door)).sum("sightline_archive_ok") == 1
        assert (await asked(door, "/api/events"))["failing"] is None


async def test_without_an_archive_there_are_no_numbers_of_it() -> None:
    """Nobody is alerted of what he does not have."""
    async with run_door(everybody()) as door:
        found = await metrics(door)
    assert not any(name.startswith("sightline_archive") for name in found.families)
