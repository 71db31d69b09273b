"""A broker, as it is told by a whole service: a real camera, a model that sees things, the archive, mosquitto."""

import json
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from serving.signature import Contract
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.mosquitto import Listener, Mosquitto, listening, run_mosquitto
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service
from tests.peers.until import until

pytestmark = pytest.mark.timeout(200)

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect", 3: "bird"})
ZONE = {"points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], "anchor": "center"}


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    """A model that sees three things in every frame, of which one scores enough for an event."""
    async with run_fake_model_server(CONTRACT) as server:
        yield server


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    """One that lets everybody in."""
    with run_mosquitto() as broker:
        yield broker


@pytest.fixture
def service(server: FakeModelServer, broker: Mosquitto, tmp_path: Path, numbered_clip: Path) -> Iterator[Service]:
    """The service with one camera, a zone, a rule, and the broker."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        config = {
            "serving": {"address": server.address, "model": CONTRACT.name},
            "streams": {"road": {"url": camera.url("/road"), "min_score": 0.5, "zones": {"all": ZONE}}},
            "archive": {"path": "kept"},
            "alerts": {"anything": {"outlets": ["mqtt"]}},
            "mqtt": {
                "url": f"mqtt://127.0.0.1:{broker.port}",
                "pictures": 1,
                "discovery": "homeassistant",
                "commands": True,
            },
        }
        with run_service(config, folder=tmp_path) as service:
            yield service


@pytest.fixture
async def ear(broker: Mosquitto) -> AsyncIterator[Listener]:
    """Who listens to everything."""
    async with listening(broker.port) as ear:
        yield ear


async def hears(ear: Listener, topic: str, **wanted: Any) -> dict[str, Any]:
    """Wait until the newest JSON of a topic says this."""

    def newest() -> dict[str, Any]:
        payload = ear.newest(topic)
        return {} if not payload else json.loads(payload)

    await until(lambda: topic and newest() and wanted.items() <= newest().items())
    return newest()


def shows_a_picture(payload: bytes) -> bool:
    decoded = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)
    return decoded is not None and decoded.shape == (240, 320, 3)


async def test_what_a_camera_shows_is_told(ear: Listener, service: Service) -> None:
    """State, counts, pictures, an event, an alert and what Home Assistant needs; and commands are obeyed."""
    await hears(ear, "sightline/streams/road/state", state="live")
    event = await hears(ear, "sightline/streams/road/event", kind="event_began")
    assert event["event"]["stream"] == "road"
    alert = await hears(ear, "sightline/alerts/anything", kind="alert", rule="anything")
    assert alert["event"]["id"]
    assert await ear.hears("sightline/alerts/anything/state", b"ON")
    counts = await hears(ear, "sightline/streams/road/counts")
    assert counts["zones"].keys() == {"all"}
    assert shows_a_picture(await ear.hears("sightline/streams/road/picture"))
    assert shows_a_picture(await ear.hears("sightline/streams/road/event_picture"))
    device, parts = "homeassistant/device/sightline/road/config", {"zone_all_occupancy", "picture", "running"}
    await until(lambda: {"label_bird", *parts} <= json.loads(ear.newest(device) or "{}").get("components", {}).keys())
    await hears(ear, "homeassistant/device/sightline/_rules/config")

    await ear.say("sightline/streams/road/command", "pause")
    await hears(ear, "sightline/streams/road/state", state="paused")
    await hears(ear, "sightline/alerts/anything", kind="alert_ended")
    assert await ear.hears("sightline/alerts/anything/state", b"OFF")
    await ear.say("sightline/alerts/anything/command", "snooze 3600")
    await ear.say("sightline/alerts/nothing/command", "snooze 3600")
    await ear.say("sightline/streams/road/command", "resume")
    await hears(ear, "sightline/streams/road/state", state="live")
    (silence,) = (await service.ask("/api/silences")).json()["silences"]
    assert (silence["rule"], silence["by"]) == ("anything", "mqtt")
    await service.wait_for_output("there is no rule 'nothing'")
    service.process.stop()
    deeds = [json.loads(line) for line in service.path.with_name("sightline.audit.jsonl").read_text().splitlines()]
    assert [(deed["what"], deed["target"], deed["detail"]) for deed in deeds if deed["who"] == "mqtt"] == [
        ("stream change", "road", "paused"),
        ("silence add", "anything", "3600 s"),
        ("stream change", "road", "resumed"),
    ]


async def test_a_service_that_is_killed_is_offline_and_one_that_leaves_says_so(ear: Listener, service: Service) -> None:
    """And what is held of its streams stays, for when it comes back."""
    await hears(ear, "homeassistant/device/sightline/road/config")
    await hears(ear, "sightline/streams/road/state")
    await ear.hears("sightline/status", b"online")
    service.process.signal(signal.SIGKILL)
    await ear.hears("sightline/status", b"offline")
    assert ear.newest("homeassistant/device/sightline/road/config")


async def test_a_broker_is_left_and_met_again_as_the_configuration_says(ear: Listener, service: Service) -> None:
    """While the service runs, and nothing that is held is taken away by a stop."""
    await ear.hears("sightline/status", b"online")
    await hears(ear, "sightline/streams/road/state")
    config = yaml.safe_load(service.path.read_text())
    config["mqtt"]["prefix"] = "home"
    service.path.write_text(yaml.safe_dump(config))
    await ear.hears("sightline/status", b"offline")
    await ear.hears("home/status", b"online")
    await hears(ear, "home/streams/road/state")
    service.process.stop()
    await ear.hears("home/status", b"offline")
    assert ear.newest("home/streams/road/state")
