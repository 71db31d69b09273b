"""What is kept by replicas of one cluster: a real camera, NATS, PostgreSQL and a receiver, and one of two is killed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cluster.services import CONTRACT, replica, run_once, runner, running
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.mosquitto import Listener, Mosquitto, listening, run_mosquitto
from tests.peers.nats_server import run_nats_server
from tests.peers.postgresql import make_postgresql
from tests.peers.receiver import Receiver, run_receiver
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, until
from tests.peers.until import until as condition

pytestmark = pytest.mark.timeout(300)

LIST = "/api/streams/road/recordings"


@pytest.fixture
async def model() -> AsyncIterator[FakeModelServer]:
    """One that sees things in every frame, of which one scores enough for an event."""
    async with run_fake_model_server(CONTRACT) as server:
        yield server


async def test_what_a_killed_replica_kept_goes_on_at_the_other(
    model: FakeModelServer, numbered_clip: Path, tmp_path: Path
) -> None:
    """Either has all streams' detections, events and pictures; one tells the receiver, each letter once, and the broker
    of all streams; an event that the dead one left open ends; its recordings are out of reach, and there again with it.
    """
    async with run_receiver() as receiver:
        with ExitStack() as stack:
            broker = stack.enter_context(run_mosquitto())
            async with listening(broker.port) as ear:
                await _lived_through(stack, model, numbered_clip, tmp_path, receiver, (broker, ear))
    ids: dict[tuple[str, str], set[str]] = {}
    for letter in (json.loads(each.body) for each in receiver.told):  # what was on its way may come again, as it was
        ids.setdefault((letter["kind"], letter["event"]["id"]), set()).add(letter["id"])
    assert all(len(each) == 1 for each in ids.values()), ids


async def _lived_through(
    stack: ExitStack,
    model: FakeModelServer,
    clip: Path,
    folder: Path,
    receiver: Receiver,
    mqtt: tuple[Mosquitto, Listener],
) -> None:
    database = stack.enter_context(make_postgresql())
    nats = stack.enter_context(run_nats_server())
    camera = stack.enter_context(run_rtsp_server({"/road": clip, "/yard": clip}))
    stack.enter_context(database.running())
    address = database.make_database()
    configs = [
        _configured(replica(name, nats, model, _streams(camera)), folder / name, address, receiver)
        for name in ("first", "second")
    ]
    broker, ear = mqtt
    for config in configs:
        config["mqtt"] = {"url": f"mqtt://127.0.0.1:{broker.port}", "pictures": 1}
    both = [stack.enter_context(running(config)) for config in configs]
    await run_once(both, ("road", "yard"))
    here, other = runner(both, "road")
    async with other.events() as feed:
        await feed.more(2, stream="road")
        await feed.more(1, stream="yard")
    for name in ("road", "yard"):
        await _is_live(ear, name)
        await _has_more(ear, f"sightline/streams/{name}/picture")
    event = await _event_with_picture(other, "road")
    assert (await other.ask(f"/api/events/{event['id']}/picture")).body[:2] == b"\xff\xd8"
    await _recorded(address, configs[both.index(here)]["cluster"]["replica"], here)
    here.process.kill()
    await run_once((other,), ("road", "yard"))
    await _ended(other, event["id"])
    await _told_of_end(receiver, event["id"], other)
    for name in ("road", "yard"):
        await _has_more(ear, f"sightline/streams/{name}/picture")
        await _is_live(ear, name)
        assert b"" not in ear.on(f"sightline/streams/{name}/state"), "it was gone for the broker"
    found = await _segments(other)
    assert any(each["unreachable"] for each in found), found
    segment = next(each for each in found if each["unreachable"])
    answer = await other.ask(f"{LIST}/{segment['id']}.mp4")
    assert (answer.status, "cannot be reached now" in answer.problem()) == (503, True)
    stack.enter_context(running(configs[both.index(here)]))

    async def is_back() -> bool:
        return (await other.ask(f"{LIST}/{segment['id']}.mp4")).status == 200

    await until(is_back, lambda: other.process.output)


def _streams(camera: Any) -> dict[str, Any]:
    return {
        name: {"url": camera.url(f"/{name}"), "min_score": 0.5, "record": {"mode": "continuous"}}
        for name in ("road", "yard")
    }


def _configured(config: dict[str, Any], folder: Path, address: str, receiver: Receiver) -> dict[str, Any]:
    return {
        **config,
        "archive": {"path": str(folder), "database": address},
        "webhooks": {"hook": {"url": receiver.url(), "networks": ["127.0.0.1/32"]}},
        "alerts": {"all": {"cooldown": 0, "tell_end": True, "outlets": ["hook"]}},
    }


async def _is_live(ear: Listener, stream: str) -> None:
    await condition(lambda: json.loads(ear.newest(f"sightline/streams/{stream}/state") or b"{}").get("state") == "live")


async def _has_more(ear: Listener, topic: str) -> None:
    before = len(ear.on(topic))
    await condition(lambda: len(ear.on(topic)) > before)


async def _event_with_picture(service: Service, stream: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def pictured() -> bool:
        events = (await service.ask(f"/api/events?stream={stream}")).json()["events"]
        found[:] = [event for event in events if event["has_picture"] and event["ended_at"] is None]
        return bool(found)

    await until(pictured, lambda: f"no event with a picture:\n{service.process.output}")
    return found[0]


async def _recorded(address: str, replica: str, service: Service) -> None:
    """Wait until the index has something of road that this replica recorded."""

    def count() -> int:
        with psycopg.connect(address) as connection:
            sql = "SELECT COUNT(*) FROM segment WHERE stream = 'road' AND replica = %s"
            return int(connection.execute(sql, (replica,)).fetchall()[0][0])

    async def reached() -> bool:
        return bool(await asyncio.to_thread(count))

    await until(reached, lambda: f"nothing is recorded:\n{service.process.output}")


async def _segments(service: Service) -> list[dict[str, Any]]:
    now = round(time.time())
    answer = await service.ask(f"{LIST}?from={now - 3600}&to={now + 60}&detail=segments")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json()["segments"]
    return found


async def _ended(service: Service, event: str) -> None:
    async def reached() -> bool:
        return (await service.ask(f"/api/events/{event}")).json()["ended_at"] is not None

    await until(reached, lambda: f"the event goes on:\n{service.process.output}")


async def _told_of_end(receiver: Receiver, event: str, service: Service) -> None:
    async def reached() -> bool:
        letters = [json.loads(each.body) for each in receiver.told]
        return ("alert_ended", event) in [(letter["kind"], letter["event"]["id"]) for letter in letters]

    await until(reached, lambda: f"{len(receiver.told)} letters:\n{service.process.output}")
