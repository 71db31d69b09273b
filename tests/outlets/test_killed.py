"""A receiver that does all that receivers do, and a service that is killed: nobody is told nothing, or in disorder."""

import asyncio
import random
import sqlite3
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from tests.peers.process import Process, run_process
from tests.peers.receiver import HangUp, Receiver, Told, run_receiver
from tests.peers.required import REPOSITORY
from tests.peers.until import until

KILLS = 20
EVENTS = 1000
ENVIRONMENT = {"PYTHONPATH": f"{REPOSITORY / 'site'}:{REPOSITORY}"}


class Moods:
    """How a receiver answers: as each comes, by dice."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.seen: Counter[str] = Counter()

    async def answer(self, told: Told) -> web.StreamResponse:
        """Two times in three well."""
        mood = self.dice.choice(
            ["takes it"] * 12 + ["answers 500", "answers 429", "answers 503", "hangs", "cuts", "cuts"]
        )
        self.seen[mood] += 1
        if mood == "hangs":
            await asyncio.Event().wait()
        if mood == "cuts":  # it has it, and nobody knows
            raise HangUp
        if mood == "takes it":
            return web.Response(status=204)
        return web.Response(status=int(mood.rpartition(" ")[2]))


@pytest.mark.timeout(240)
async def test_a_thousand_events_reach_a_bad_receiver_through_twenty_kills(tmp_path: Path) -> None:
    """Each that is kept is received, in order a stream; one that comes again is known by its id."""
    dice = random.Random(17)
    async with run_receiver() as receiver:
        moods = Moods(dice)
        receiver.answer = moods.answer
        path = _configured(tmp_path, receiver)
        for _ in range(KILLS):
            with run_process(_program(path, EVENTS * 2), ENVIRONMENT) as process:
                wanted = dice.randint(20, 80)
                await until(lambda: _put(process) >= wanted or process.returncode is not None)  # noqa: B023
                process.kill()
                assert "Error" not in process.output, process.output
        with run_process(_program(path, EVENTS), ENVIRONMENT) as process:
            await until(lambda: "all of it" in process.output or process.returncode is not None)
            assert process.wait() == 0, process.output
    _require_all(tmp_path / "archive" / "sightline.db", receiver, moods)


def _program(path: Path, least: int) -> list[str | Path]:
    return [sys.executable, "-m", "tests.outlets.teller", path, str(least)]


def _put(process: Process) -> int:
    """How many events it has made."""
    return max(0, process.output.count("\n") - 1)


def _configured(folder: Path, receiver: Receiver) -> Path:
    path = folder / "sightline.yaml"
    said = {
        "archive": {},
        "webhooks": {"phone": {"url": receiver.url(), "networks": ["127.0.0.0/8"]}},
        "alerts": {"all": {"cooldown": 0.0, "outlets": ["phone"]}},
    }
    path.write_text(yaml.safe_dump(said))
    return path


def _require_all(database: Path, receiver: Receiver, moods: Moods) -> None:
    connection = sqlite3.connect(database)
    kept = {id_ for (id_,) in connection.execute("SELECT id FROM event")}
    waiting = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
    connection.close()
    by_stream: dict[str, list[str]] = defaultdict(list)
    ids: dict[str, str] = {}
    for told in receiver.told:
        document = told.document()
        event = document["event"]["id"]
        by_stream[document["stream"]].append(event)
        assert ids.setdefault(event, document["id"]) == document["id"] == told.headers["webhook-id"]
    assert len(kept) >= EVENTS
    assert (ids.keys() - kept, kept - ids.keys(), waiting) == (set(), set(), 0)
    for events in by_stream.values():
        assert events == sorted(events)
    again = len(receiver.told) - len(ids)
    assert again > KILLS
    assert min(moods.seen.values()) > KILLS, moods.seen
