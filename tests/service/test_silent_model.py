"""A model that says who it is and then never answers: its streams say so, and so does what the alert reads."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from serving.signature import Contract
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service

pytestmark = pytest.mark.timeout(200)

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator"})


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    """Run a model server that answers whatever is asked about the model, and nothing about frames."""
    async with run_fake_model_server(CONTRACT) as server:
        server.is_busy = True
        yield server


@pytest.fixture
def service(server: FakeModelServer, numbered_clip: Path) -> Iterator[Service]:
    """Run the service with one stream."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        config = {
            "serving": {"address": server.address, "model": CONTRACT.name, "deadline": 0.2},
            "streams": {"road": {"url": camera.url("/road"), "sample_fps": 5}},
        }
        with run_service(config) as service:
            yield service


async def test_a_model_that_is_up_and_never_answers(service: Service, server: FakeModelServer) -> None:
    """Video without a single detection is stale, with a reason, for the API and the alert, and live once they come."""
    stale = await service.wait_for_reason("road", "no detections for ")
    assert stale["state"] == "stale"
    assert stale["reason"].endswith(": the model does not keep up")
    metrics = await service.metrics()
    assert metrics.sum("sightline_stream_state", stream="road", state="stale") == 1
    assert metrics.sum("sightline_stream_state", stream="road") == 1
    assert metrics.sum("sightline_model_up", model=CONTRACT.name) == 1
    assert metrics.sum("sightline_predict_errors_total", code="DEADLINE_EXCEEDED") > 0
    assert metrics.sum("sightline_frames_total", stream="road", stage="predictor") == 0
    server.is_busy = False
    await service.wait_for_state("road", "live")
