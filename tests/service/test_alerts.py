"""Rules, as somebody meets them who is told: a real camera, a model that sees things, the archive, a receiver."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from serving.signature import Contract
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.receiver import Receiver, run_receiver
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service, until, write_config

pytestmark = pytest.mark.timeout(200)

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect", 3: "bird"})


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    """A model that sees three things in every frame, of which one scores enough for an event."""
    async with run_fake_model_server(CONTRACT) as server:
        yield server


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who takes what he is told."""
    async with run_receiver() as receiver:
        yield receiver


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """What he was, in order; what was sent twice, since nobody lived to note that it had arrived, is one letter."""
    letters = (json.loads(each.body) for each in receiver.told)
    return list({letter["id"]: letter for letter in letters}.values())


async def told_of(receiver: Receiver, count: int, service: Service) -> None:
    """Wait until he was told so often."""

    async def reached() -> bool:
        return len(told(receiver)) >= count

    await until(reached, lambda: f"{len(told(receiver))} letters came:\n{service.process.output}")


async def test_who_asks_for_a_dwell_is_told_as_it_passes(
    server: FakeModelServer, receiver: Receiver, numbered_clip: Path, tmp_path: Path
) -> None:
    """By the rules of the file and by those that come into it; once each, and the end with the next start."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        config: dict[str, Any] = {
            "serving": {"address": server.address, "model": CONTRACT.name},
            "streams": {"road": {"url": camera.url("/road"), "min_score": 0.5}},
            "archive": {"path": "kept"},
            "webhooks": {"hook": {"url": receiver.url(), "networks": ["127.0.0.1/32"]}},
            "alerts": {"three": {"dwell": 3, "rule_cooldown": 3600, "tell_end": True, "outlets": ["hook"]}},
        }
        with run_service(config, folder=tmp_path) as service:
            await told_of(receiver, 1, service)
            (first,) = told(receiver)
            assert (first["kind"], first["rule"], first["stream"]) == ("alert", "three", "road")
            assert 3 <= first["event"]["last_at"] - first["event"]["began_at"] < 9  # and not the ten of each event
            config["alerts"] = {"eight": {"dwell": 8, "rule_cooldown": 3600, "outlets": ["hook"]}}
            write_config(service.path, config)
            await told_of(receiver, 2, service)
            service.process.kill()
        with run_service(config, folder=tmp_path) as service:
            await told_of(receiver, 3, service)
    assert [(each["kind"], each["rule"]) for each in told(receiver)[:3]] == [
        ("alert", "three"),
        ("alert", "eight"),
        ("alert_ended", "three"),
    ]
    assert told(receiver)[2]["event"]["id"] == first["event"]["id"]
