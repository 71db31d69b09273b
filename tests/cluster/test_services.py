"""Services that are replicas of one cluster: each stream is run by one of them, whatever becomes of the others."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.services import CONTRACT, replica, run_once, runner, running
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.nats_server import run_nats_server
from tests.peers.rtsp_server import run_rtsp_server

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def model() -> AsyncIterator[FakeModelServer]:
    """One that all replicas ask."""
    async with run_fake_model_server(CONTRACT) as server:
        yield server


async def test_each_stream_is_run_by_one_of_two_and_by_the_other_after_it(
    model: FakeModelServer, numbered_clip: Path
) -> None:
    """Both files have it; who is stopped hands it over."""
    with run_nats_server() as nats, run_rtsp_server({"/road": numbered_clip, "/yard": numbered_clip}) as camera:
        streams = {name: {"url": camera.url(f"/{name}")} for name in ("road", "yard")}
        a_config, b_config = (replica(name, nats, model, streams) for name in ("first", "second"))
        with running(a_config) as a, running(b_config) as b:
            await run_once((a, b), streams)
            here, other = runner((a, b), "road")
            await here.wait_for_state("road", "live")
            here.process.signal(signal.SIGTERM)
            await run_once((other,), streams)
            await other.wait_for_state("road", "live")
            assert here.process.wait() == 0, here.process.output
