"""Two replicas of a cluster and one receiver: one of them tells it at a time, and another when that one dies."""

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
import yaml

from streamer.archive.alerts import lease_table
from streamer.archive.alerts import leases as leases_file
from streamer.archive.alerts.leases import Leases
from streamer.archive.migrations import migrate
from streamer.archive.postgresql import Postgresql
from tests.peers.clock import FakeClock
from tests.peers.postgresql import PostgresqlServer, make_postgresql
from tests.peers.process import Process, run_process
from tests.peers.receiver import Receiver, run_receiver
from tests.peers.required import REPOSITORY
from tests.peers.until import until

ENVIRONMENT = {"PYTHONPATH": f"{REPOSITORY / 'site'}:{REPOSITORY}"}
KILLS = 3
ENDLESS = 1_000_000
"""Events."""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    """A server that runs."""
    with make_postgresql() as server, server.running():
        yield server


@pytest.mark.timeout(240)
async def test_all_is_told_though_who_tells_it_is_killed(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    """Each event of both replicas; one that comes again, as it was on its way at a kill, is known by its id."""
    address = postgresql.make_database()
    async with run_receiver() as receiver:
        paths = {name: _configured(tmp_path / name, receiver, address) for name in ("near", "far")}
        running = {name: _begun(path, name) for name, path in paths.items()}
        try:
            for _ in range(KILLS):
                victim = await _teller(address, running)
                await _more(receiver, 40)
                running[victim].kill()
                running[victim].stop()
                await _teller(address, running, besides=victim)
                await _more(receiver, 1)
                running[victim] = _begun(paths[victim], victim)
        finally:
            for process in running.values():
                process.kill()
                process.stop()
        with run_process(_program(paths["near"], "near", 1), ENVIRONMENT) as last:  # what is left, by who is there
            await until(lambda: "all of it" in last.output or last.returncode is not None)
            assert await asyncio.to_thread(last.wait) == 0, last.output
    _require_all(address, receiver)


def test_a_lease_is_one_replicas_until_it_is_over_or_given_up(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has one takes it anew a second later, nobody else may; one that was stopped tells nothing when it wakes."""
    monkeypatch.setattr(leases_file, "SECONDS", 3600.0)  # the database's own clock goes on
    database, clocks = Postgresql(postgresql.make_database()), (FakeClock(), FakeClock())
    with contextlib.closing(database):
        migrate(database)
        near, far = (
            Leases(database, name, outlets=lambda: ["phone"], clock=clock)
            for name, clock in zip(("near", "far"), clocks, strict=True)
        )
        changes: list[str] = []
        near.on_change.append(lambda: changes.append("near"))

        def look(leases: Leases) -> list[str]:
            with database.reading() as cursor:
                due = leases.due(lease_table.all_(cursor))
            leases.taken(leases.take(due))
            return due

        assert (look(near), look(far), look(near)) == (["phone"], [], [])
        assert (near.has("phone"), near.may_tell("phone"), far.has("phone"), changes) == (True, True, False, ["near"])
        assert far.who("phone") == "near"
        assert far.take(["phone"]) == {}
        clocks[0].now += leases_file.SECONDS
        assert (near.has("phone"), near.may_tell("phone")) == (True, False)
        near.taken(near.take(["phone"]))
        assert (near.may_tell("phone"), changes) == (True, ["near", "near"])
        near.give_up()
        assert (look(far), look(near)) == (["phone"], [])
        assert (far.may_tell("phone"), near.may_tell("phone")) == (True, False)


def _begun(path: Path, replica: str) -> Process:
    return Process(_program(path, replica, ENDLESS), ENVIRONMENT)


def _program(path: Path, replica: str, least: int) -> list[str | Path]:
    return [sys.executable, "-m", "tests.outlets.teller", path, str(least), replica]


def _configured(folder: Path, receiver: Receiver, address: str) -> Path:
    folder.mkdir()
    path = folder / "sightline.yaml"
    said = {
        "archive": {"database": address},
        "webhooks": {"phone": {"url": receiver.url(), "networks": ["127.0.0.0/8"]}},
        "alerts": {"all": {"cooldown": 0.0, "outlets": ["phone"]}},
    }
    path.write_text(yaml.safe_dump(said))
    return path


async def _more(receiver: Receiver, count: int) -> None:
    """Until so many more letters came."""
    before = len(receiver.told)
    await until(lambda: len(receiver.told) >= before + count)


async def _teller(address: str, running: Mapping[str, Process], besides: str = "") -> str:
    """The replica that tells the receiver, once there is one."""
    while True:
        found = await asyncio.to_thread(_leased, address)
        if found not in ("", besides):
            return found
        ended = [process.output for process in running.values() if process.returncode not in (None, -9)]
        assert not ended, ended
        await asyncio.sleep(0.05)


def _leased(address: str) -> str:
    with psycopg.connect(address) as connection:
        try:
            rows = connection.execute("SELECT replica FROM outlet_lease").fetchall()
        except psycopg.errors.UndefinedTable:
            return ""
    return str(rows[0][0]) if rows else ""


def _require_all(address: str, receiver: Receiver) -> None:
    with psycopg.connect(address) as connection:
        kept = {id_ for (id_,) in connection.execute("SELECT id FROM event").fetchall()}
        waiting = connection.execute("SELECT COUNT(*) FROM outbox").fetchall()[0][0]
    ids: dict[str, str] = {}
    times: Counter[str] = Counter()
    for told in receiver.told:
        document = told.document()
        event = document["event"]["id"]
        assert ids.setdefault(event, document["id"]) == document["id"]
        times[event] += 1
    print(f"{len(kept)} events, told {times.total()} times, {sum(n > 1 for n in times.values())} more than once")
    assert (ids.keys() ^ kept, waiting) == (set(), 0)
