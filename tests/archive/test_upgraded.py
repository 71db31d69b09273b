"""An archive that was filled before there were replicas, opened by this Sightline."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer.archive.alerts.alert import AlertQuery
from streamer.archive.archive import Archive
from streamer.archive.database import Database
from streamer.archive.facets import Facets
from streamer.archive.migrations import migrate, steps
from streamer.archive.postgresql import Postgresql
from streamer.archive.query import Query
from streamer.archive.recordings.recovery import Recovery
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.values.alert import Telling
from streamer.values.clock import monotonic
from tests.archive import earlier
from tests.archive.events import NOON
from tests.archive.replicas import Replicas
from tests.archive.test_following import following
from tests.archive.test_replicas import started
from tests.peers.postgresql import PostgresqlServer
from tests.peers.process import Process, run_process
from tests.peers.required import REPOSITORY
from tests.peers.until import until, wait_until

LATER = NOON + 3600
NEWEST = 8
"""The number of the newest change in it."""


@asynccontextmanager
async def opened(database: Database, folder: Path) -> AsyncIterator[Archive]:
    """One that has started, and does no more of itself."""
    rules = RecordingRules(min_free_bytes=0)
    archive = Archive(
        database,
        folder / "pictures",
        RetentionRules(),
        clock=monotonic,
        wall=lambda: LATER,
        recording_rules=rules,
    )
    archive.alerts.change(Telling(), ("phone", "mqtt"))
    await archive.open()
    await asyncio.to_thread(started, archive)
    yield archive
    await archive.close()


def test_every_row_is_as_it_was(empty: Database) -> None:
    """Nobody's replica, the newest change known, nothing doomed; and migrating again changes nothing."""
    earlier.fill(empty)
    before = earlier.rows(empty, earlier.tables())
    assert (len(before["event"]), len(before["segment"])) == (len(earlier.EVENTS), len(earlier.SEGMENTS))
    assert migrate(empty) == max(steps()) > earlier.VERSION
    assert earlier.rows(empty, earlier.tables()) == before
    with empty.reading() as cursor:
        for table in ("event", "segment"):
            assert cursor.all(f"SELECT DISTINCT replica FROM {table}") == [(None,)]  # noqa: S608
        assert cursor.all("SELECT last FROM event_change") == [(NEWEST,)]
        assert cursor.all("SELECT * FROM doomed_file") == cursor.all("SELECT * FROM outlet_lease") == []
    after = earlier.everything(empty)
    migrate(empty)
    assert earlier.everything(empty) == after


async def test_events_are_found_and_go_on(empty: Database, tmp_path: Path) -> None:
    """By every question; what a killed service left going on has ended; a review takes the next number."""
    earlier.fill(empty)
    async with opened(empty, tmp_path) as archive:
        assert {kept.event.id for kept in await archive.page(Query())} == set(earlier.EVENTS)
        ended = Query(ended=True, streams=("porch",), labels=("person",), zone="yard", min_score=0.7)
        assert [kept.event.id for kept in await archive.page(ended)] == [earlier.FAR, earlier.REVIEWED]
        reviewed, going_on = await archive.one(earlier.REVIEWED), await archive.one(earlier.GOING_ON)
        assert reviewed is not None
        assert going_on is not None
        assert (reviewed.review.verdict, reviewed.review.by) == ("confirmed", "anna")
        assert reviewed.review.note == "the postman, again"
        assert [each.label for each in reviewed.boxes] == ["person"]
        assert (going_on.event.ended_at, going_on.changed) == (NOON + 75, NEWEST + 1)
        assert [kept.event.id for kept in await archive.page(Query(bookmarked=True))] == [earlier.MARKED]
        assert [kept.event.id for kept in await archive.page(Query(line="gate"))] == [earlier.REVIEWED]
        assert await archive.streams() == ["gate", "porch"]
        assert await archive.facets(["porch"]) == Facets(("person",), ("drive", "yard"), ("gate",))
        assert [kept.event.id for kept in await archive.since(NEWEST)] == [earlier.GOING_ON]
        said = await archive.review(earlier.PLAIN, lambda review: type(review)(bookmarked=True))
        assert said is not None
        assert said.changed == await archive.newest_change() == NEWEST + 2
        assert await archive.remove(earlier.PLAIN)
        assert await archive.newest_change() == NEWEST + 2


async def test_alerts_and_letters_are_found_and_told_on(empty: Database, tmp_path: Path) -> None:
    """What waits is due in its order, with the end of what was left going on behind it; the dead can be sent again."""
    earlier.fill(empty)
    async with opened(empty, tmp_path) as archive:
        found = [(each.alert.outcome, each.alert.event_id) for each in await archive.alerts.history(AlertQuery())]
        told = [
            ("told", earlier.GOING_ON),
            ("cooled", earlier.FAR),
            ("told", earlier.MARKED),
            ("told", earlier.REVIEWED),
        ]
        assert found == [("silenced", earlier.SILENCED), *told]
        assert [(each.rule.name, each.by) for each in await archive.alerts.rules()] == [("lorries", "anna")]
        assert [(each.stream, each.until) for each in await archive.alerts.silences()] == [("gate", NOON + 7200)]
        queues = {outlet: await archive.outbox.queue(outlet) for outlet in ("phone", "mqtt")}
        assert {outlet: (each.waiting, each.dead) for outlet, each in queues.items()} == {
            "phone": (4, 1), "mqtt": (12, 0)
        }  # fmt: skip
        (dead,) = await archive.outbox.dead_letters("phone")
        assert dead.notification.error == "the receiver answered 410"
        assert await archive.outbox.resend("phone") == 1
        letters = []
        while due := await archive.outbox.due("phone", LATER, 10):
            letters += [(each.number, each.kind, each.event["id"]) for each in due]
            await archive.outbox.sent([each.number for each in due])
        assert letters == [
            (3, "alert_ended", earlier.REVIEWED),
            (6, "alert", earlier.MARKED),
            (13, "alert", earlier.GOING_ON),
            (18, "alert_ended", earlier.GOING_ON),
            (19, "alert", earlier.REVIEWED),
        ]


async def test_recordings_are_found_and_mended(empty: Database, tmp_path: Path) -> None:
    """Played, listed and drawn as before; what was cut off is whole, what is on no disk is forgotten."""
    earlier.fill(empty)
    migrate(empty)
    earlier.Disk(tmp_path).fill(empty)
    async with opened(empty, tmp_path) as archive:
        recordings = archive.recordings
        assert await recordings.streams() == ["gate", "porch"]
        spans = await recordings.spans("porch", NOON - 10, NOON + 1000)
        assert (spans[0].began_at, spans[-1].ended_at) == (NOON, NOON + 240)
        found = await recordings.segments("porch", NOON, NOON + 240, 10)
        assert [each.id for each in found] == [earlier.BOXED, earlier.OF_EVENT, earlier.COPIED, earlier.REMOTE]
        assert [(each.is_local, each.is_remote) for each in found][2:] == [(True, True), (False, True)]
        assert [(each.offset, each.time_ms) for each in found[0].fragments] == [(0, 0), (100, 30_000)]
        assert found[0].init == b"ftyp and moov"
        columns = (await recordings.boxes([earlier.BOXED]))[earlier.BOXED]
        assert [[box.label for box in boxes] for _, boxes in columns.between(0, 10**9)] == [
            ["person"], ["person", "lorry"]
        ]  # fmt: skip
        seen = await recordings.seen("porch", NOON, NOON + 60, 60)
        assert [(each.label, each.samples) for each in seen] == [("lorry", 1), ("person", 2)]
        cut = await recordings.one(earlier.CUT)
        assert cut is not None
        assert (cut.ended_at, cut.pictures) == (NOON + 603, 30)
        assert await recordings.one(earlier.LOST) is None
        assert list(recordings.unended()) == []


async def test_files_stay_and_go_as_they_would_have(empty: Database, tmp_path: Path) -> None:
    """What had its days is gone from disk and index, what somebody removes too, and nothing else."""
    earlier.fill(empty)
    migrate(empty)
    disk = earlier.Disk(tmp_path)
    disk.fill(empty)
    async with opened(empty, tmp_path) as archive:
        assert disk.segments() == {earlier.BOXED, earlier.OF_EVENT, earlier.COPIED, earlier.CUT}
        assert disk.events() == {earlier.REVIEWED, earlier.MARKED, earlier.GOING_ON, earlier.SILENCED}
        assert await archive.remove(earlier.SILENCED)
        assert (await archive.recordings.remove("porch", NOON - 1, NOON + 119)).segments == 1
        assert disk.events() == {earlier.REVIEWED, earlier.MARKED, earlier.GOING_ON}
        assert disk.segments() == {earlier.OF_EVENT, earlier.COPIED, earlier.CUT}
        with empty.reading() as cursor:
            assert cursor.all("SELECT COUNT(*) FROM doomed_file") == [(0,)]


async def test_a_second_start_changes_nothing(empty: Database, tmp_path: Path) -> None:
    """No row and no file."""
    earlier.fill(empty)
    migrate(empty)
    disk = earlier.Disk(tmp_path)
    disk.fill(empty)
    async with opened(empty, tmp_path):
        before, files = earlier.everything(empty), (disk.segments(), disk.events())
    async with opened(empty, tmp_path):
        pass
    assert earlier.everything(empty) == before
    assert (disk.segments(), disk.events()) == files


async def test_replicas_share_what_one_service_had(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    """Another's start takes nothing for gone; whose disk it lies on has it afterwards, and removes what may go."""
    address = postgresql.make_database()
    with contextlib.closing(Postgresql(address)) as database:
        earlier.fill(database)
    two = Replicas(address, tmp_path)
    disk = earlier.Disk(tmp_path / "far")
    disk.fill(two.database)
    try:
        started(two.near)
        assert two.segments() == set(earlier.SEGMENTS) - {earlier.OLD}, "a day after its days anybody lets go of it"
        assert two.events() == set(earlier.EVENTS)
        assert earlier.OLD in disk.segments(), "the file is its replica's to remove"
        Recovery(two.far.recordings, lambda _: False).run()
        started(two.far)
        async with following(two.far):
            await until(lambda: earlier.OLD not in disk.segments())
        assert disk.segments() == {earlier.BOXED, earlier.OF_EVENT, earlier.COPIED, earlier.CUT}
        assert disk.events() == {earlier.REVIEWED, earlier.MARKED, earlier.GOING_ON, earlier.SILENCED}
        with two.database.reading() as cursor:
            whose: dict[str, str | None] = dict(cursor.all("SELECT id, replica FROM segment"))
            whose_pictures: dict[str, str | None] = dict(cursor.all("SELECT id, replica FROM event"))
        assert {id_ for id_, replica in whose.items() if replica == "far"} == {
            earlier.BOXED,
            earlier.OF_EVENT,
            earlier.COPIED,
            earlier.CUT,
        }
        assert (whose[earlier.REMOTE], whose[earlier.LOST]) == (None, None)
        assert {id_ for id_, replica in whose_pictures.items() if replica} == disk.events()
    finally:
        two.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_upgrade_that_is_killed_is_finished_by_the_next_start(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Wherever it was, the archive is of schema 5 as it was, and then of today's with every row."""
    address = str(tmp_path / "sightline.db")
    if kind == "postgresql":
        address = request.getfixturevalue("postgresql").make_database()
    database: Database = Postgresql(address) if kind == "postgresql" else Sqlite(Path(address))
    with contextlib.closing(database):
        earlier.fill(database)
        before = earlier.rows(database, earlier.tables())
        said = sum(step.count(";") for number, step in steps().items() if number > earlier.VERSION)
        for statement in (2, said // 2, said + len(steps()) - earlier.VERSION):
            program = [sys.executable, "-m", "tests.archive.upgrading", address, str(statement)]
            with run_process(program, {"PYTHONPATH": f"{REPOSITORY / 'site'}:{REPOSITORY}"}) as process:
                _wait(process)
                process.kill()
            assert earlier.rows(database, earlier.tables()) == before
            with database.reading() as cursor:
                assert cursor.all("SELECT version FROM schema_version") == [(earlier.VERSION,)]
        migrate(database)
        assert earlier.rows(database, earlier.tables()) == before
        with database.reading() as cursor:
            assert cursor.all("SELECT last FROM event_change") == [(NEWEST,)]


def test_what_was_written_is_of_every_table() -> None:
    """None of schema 5 is left out, and what a letter says can be read."""
    made = {line.split()[2] for number in range(1, earlier.VERSION + 1) for line in _made(number)}
    assert made == set(earlier.tables())
    events = [line.split("'{")[1].split("}'")[0] for line in earlier.SAID.splitlines() if "INTO outbox (" in line]
    assert all(json.loads("{" + text + "}")["id"] for text in events)


def _wait(process: Process) -> None:
    """Until it stands before its statement."""
    wait_until(lambda: "before:" in process.output or process.returncode is not None)
    assert "before:" in process.output, process.output


def _made(number: int) -> list[str]:
    return [line for line in steps()[number].splitlines() if line.startswith("CREATE TABLE")]
