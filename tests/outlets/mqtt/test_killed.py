"""A service that is killed, and a broker that comes and goes: whoever listens hears of each event that was kept."""

import json
import random
import sys
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.outlets.mqtt.told import FOUR
from tests.peers.mosquitto import lasting, make_mosquitto
from tests.peers.process import Process, run_process
from tests.peers.required import REPOSITORY
from tests.peers.until import until

KILLS, RESTARTS = 20, 5
EVENTS = 1000
"""At the least."""
ENVIRONMENT = {"PYTHONPATH": f"{REPOSITORY / 'site'}:{REPOSITORY}"}
PERSISTENT = ("allow_anonymous true", "persistence true", "persistence_location {folder}/", "max_queued_messages 0")
"""The broker keeps what it has acknowledged: to lose that is no matter of ours."""


async def kept_by(process: Process, count: int) -> None:
    """Wait until it has said that it keeps so many."""
    await until(lambda: len(ids(process)) >= count or process.returncode is not None)


def ids(process: Process) -> list[str]:
    """Of events that it has said it keeps."""
    whole = process.output.rpartition("\n")[0]
    return list(dict.fromkeys(line.removeprefix("kept ") for line in whole.splitlines() if line.startswith("kept ")))


@pytest.mark.timeout(300)
async def test_nothing_kept_is_untold_after_twenty_kills_and_a_broker_that_comes_and_goes(tmp_path: Path) -> None:
    """Each event is told at least once and in order a stream, and who is told twice knows it by the id."""
    dice = random.Random(17)
    kept: list[str] = []
    program = [sys.executable, "-m", "tests.outlets.mqtt.teller"]
    with make_mosquitto(*PERSISTENT) as broker, ExitStack() as running:
        running.enter_context(broker.running())
        async with lasting(broker.port, "sightline/streams/+/event") as ear:
            for turn in range(KILLS):
                with run_process([*program, str(broker.port), tmp_path, "100000"], ENVIRONMENT) as process:
                    wanted = dice.randint(EVENTS // KILLS, EVENTS // KILLS + 40)
                    if turn % (KILLS // RESTARTS) == 1:
                        await kept_by(process, wanted // 2)
                        running.close()
                    await kept_by(process, wanted)
                    process.kill()
                    kept += ids(process)
                    assert "Traceback" not in process.output, process.output
                if turn % (KILLS // RESTARTS) == 2:
                    running.enter_context(broker.running())
            with run_process([*program, str(broker.port), tmp_path, "0"], ENVIRONMENT) as process:
                await until(lambda: "nothing waits" in process.output or process.returncode is not None)
                assert "nothing waits" in process.output
            last = set(kept[-10:])
            await until(lambda: last <= {json.loads(each.payload)["event"]["id"] for each in ear.heard[-100:]})
        heard = [json.loads(message.payload) for message in ear.heard]
    assert len(kept) >= EVENTS
    begun = [letter for letter in heard if letter["kind"] == "event_began"]
    letters: dict[tuple[str, str], set[str]] = defaultdict(set)
    for letter in heard:
        letters[letter["event"]["id"], letter["kind"]].add(letter["id"])
    assert all(len(ids) == 1 for ids in letters.values())
    for stream in FOUR:
        order = list(dict.fromkeys(letter["event"]["id"] for letter in begun if letter["stream"] == stream))
        assert order == sorted(order)
    assert {letter["event"]["id"] for letter in begun} >= set(kept)
