"""Events that are kept, as a client meets them: a real camera, a model that sees things, the archive, the interface."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from serving.signature import Contract
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Answer, Service, run_service, until

pytestmark = pytest.mark.timeout(200)

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect", 3: "bird"})
ZONE = {"points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], "anchor": "center"}


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    """A model that sees three things in every frame, of which one scores enough for an event."""
    async with run_fake_model_server(CONTRACT) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the configuration and the archive lie."""
    return tmp_path


@pytest.fixture
def service(server: FakeModelServer, folder: Path, numbered_clip: Path) -> Iterator[Service]:
    """The service with one camera, a zone, and an archive."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        config = {
            "serving": {"address": server.address, "model": CONTRACT.name},
            "streams": {"road": {"url": camera.url("/road"), "min_score": 0.5, "zones": {"all": ZONE}}},
            "archive": {"path": "kept"},
        }
        with run_service(config, folder=folder) as service:
            yield service


async def patch(service: Service, path: str, document: dict[str, str]) -> Answer:
    """Say something of an event."""
    return await service.ask(path, method="PATCH", body=json.dumps(document), content_type="application/json")


async def events_of(service: Service, query: str = "") -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await service.ask(f"/api/events{query}")).json()["events"]
    return found


async def test_what_a_camera_shows_is_kept_found_judged_and_removed(service: Service, folder: Path) -> None:
    """A thing becomes an event with its picture, is found by what it was, reviewed, and gone when it is removed."""

    async def pictured() -> bool:
        return any(event["has_picture"] for event in await events_of(service))

    await until(pictured, lambda: f"no event with a picture:\n{service.process.output}")
    event = next(event for event in await events_of(service) if event["has_picture"])
    assert event["stream"] == "road"
    assert event["zones"] == ["all"]
    assert float(str(event["score"])) >= 0.6
    path = f"/api/events/{event['id']}"
    picture = await service.ask(f"{path}/picture")
    decoded = cv2.imdecode(np.frombuffer(picture.body, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (240, 320, 3)
    assert (await service.ask(f"{path}/thumbnail")).status == 200

    for query in ("?zone=all", "?stream=road", f"?class={event['label']}", "?min_score=0.5"):
        assert event["id"] in [each["id"] for each in await events_of(service, query)]
    for query in ("?zone=none", "?stream=yard", "?class=car", "?min_score=1", "?reviewed=any"):
        assert await events_of(service, query) == []

    judged = await patch(service, path, {"reviewed": "false", "note": "a fitting"})
    assert (judged.status, judged.json()["reviewed"], judged.json()["note"]) == (200, "false", "a fitting")
    assert [each["id"] for each in await events_of(service, "?reviewed=false")] == [event["id"]]
    assert (await patch(service, path, {"reviewed": "perhaps"})).status == 422

    assert (await service.ask(path, method="DELETE")).status == 204
    assert (await service.ask(path)).status == 404
    assert not list((folder / "kept").rglob(f"{event['id']}*"))


async def test_a_service_that_stops_leaves_no_event_open(service: Service, folder: Path) -> None:
    """Stopped in good order, every event in the database has ended."""

    async def any_event() -> bool:
        return bool(await events_of(service))

    await until(any_event, lambda: "no event")
    service.process.stop()
    with sqlite3.connect(folder / "kept" / "sightline.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM event WHERE ended_ms IS NULL").fetchone() == (0,)
        assert connection.execute("SELECT COUNT(*) FROM event").fetchone() != (0,)
    connection.close()
