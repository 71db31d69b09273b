"""A service that is killed: nothing that was kept is left untold."""

import random
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from streamer.archive.alerts.letter import Queue
from streamer.archive.archive import Archive
from streamer.archive.database import Database
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.values.clock import monotonic
from tests.archive.alerts.drafts import EVERYTHING
from tests.peers.postgresql import PostgresqlServer
from tests.peers.process import run_process
from tests.peers.required import REPOSITORY
from tests.peers.until import wait_until

KILLS = 10
ENVIRONMENT = {"PYTHONPATH": f"{REPOSITORY / 'site'}:{REPOSITORY}"}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.timeout(180)
async def test_no_kept_event_is_left_untold_after_any_of_ten_kills(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Of every event that was kept beginning and end are told to both outlets, at least once, in order a stream."""
    dice = random.Random(17)
    database: Database
    if kind == "sqlite":
        address = str(tmp_path / "sightline.db")
        database = Sqlite(Path(address))
    else:
        from streamer.archive.postgresql import Postgresql

        server: PostgresqlServer = request.getfixturevalue("postgresql")
        address = server.make_database()
        database = Postgresql(address)
    kept: set[str] = set()
    told: dict[str, list[tuple[int, str, str]]] = {"phone": [], "mqtt": []}
    program = [sys.executable, "-m", "tests.archive.alerts.announcer"]
    for _ in range(KILLS):
        with run_process([*program, address, tmp_path / "pictures"], ENVIRONMENT) as process:
            wanted = dice.randint(1, 60)
            wait_until(lambda: process.output.count("kept:") >= wanted or process.returncode is not None)  # noqa: B023
            process.kill()
            output = process.output
        whole, _, _ = output.rpartition("\n")
        assert "Error" not in whole, whole
        for word in whole.split():
            what, _, rest = word.partition(":")
            if what == "kept":
                kept.add(rest)
            else:
                number, kind_told, event = rest.split(":")
                told["phone"].append((int(number), kind_told, event))
    archive = Archive(database, tmp_path / "pictures", RetentionRules(), clock=monotonic)
    archive.alerts.change(EVERYTHING, ("phone", "mqtt"))
    await archive.open()  # ends what the last one left open
    for outlet, letters in told.items():
        while some := await archive.outbox.due(outlet, 2**40, 10):
            letters += [(each.number, each.kind, each.event["id"]) for each in some]
            await archive.outbox.sent([each.number for each in some])
    assert archive.outbox.queues["phone"] == archive.outbox.queues["mqtt"] == Queue()
    await archive.close()

    assert len(kept) > KILLS
    for outlet, pair in {"phone": ["alert", "alert_ended"], "mqtt": ["event_began", "event_ended"]}.items():
        kinds: dict[str, list[str]] = defaultdict(list)
        for _, kind_told, event in dict.fromkeys(told[outlet]):
            kinds[event].append(kind_told)
        assert kept <= kinds.keys()
        assert [event for event, those in kinds.items() if those != pair] == []
