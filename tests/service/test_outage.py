"""The model server goes away and comes back: the video goes on, the results say so, nothing is lost uncounted.

SIGHTLINE_LONG=1 makes the outage 40 s, as long as a restart of the machine it runs on.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from streamer.inference.channel import OPTIONS
from tests.peers.model_server import ModelServer, run_model_server
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Metrics, Service, run_service, until
from tests.peers.whep_viewer import watch_whep

pytestmark = pytest.mark.timeout(400)

OUTAGE_S = 40 if os.environ.get("SIGHTLINE_LONG") else 5
"""Counted in frames of the camera, which sends thirty a second."""
BACK_MS = 1500
"""From the model server's port being open to the first new event. gRPC's own back-off would take 20 s and more."""


@pytest.fixture
def model_server(index_model: Path) -> Iterator[ModelServer]:
    """Run a model server that may be killed."""
    with run_model_server(index_model, "numbers") as server:
        yield server


@pytest.fixture
def camera(numbered_clip: Path) -> Iterator[RtspServer]:
    """Run a camera."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        yield camera


@pytest.fixture
def service(model_server: ModelServer, camera: RtspServer) -> Iterator[Service]:
    """Run the service with one stream."""
    config = {
        "serving": model_server.settings,
        "streams": {"road": {"url": camera.url("/road"), "sample_fps": 5}},
    }
    with run_service(config) as service:
        yield service


class MjpegCount:
    """How many pictures of an MJPEG stream came."""

    def __init__(self) -> None:
        self.pictures = 0

    async def read(self, response: aiohttp.ClientResponse) -> None:
        """Count until cancelled."""
        reader = aiohttp.MultipartReader.from_response(response)
        while (part := await reader.next()) is not None:
            assert isinstance(part, aiohttp.BodyPartReader)
            assert bytes(await part.read()).startswith(b"\xff\xd8")
            self.pictures += 1


@asynccontextmanager
async def watch_mjpeg(service: Service, stream: str) -> AsyncIterator[MjpegCount]:
    """Watch a stream as MJPEG for as long as the block lasts."""
    count = MjpegCount()
    async with service.open(f"/streams/{stream}.mjpeg") as response:
        reading = asyncio.create_task(count.read(response))
        try:
            yield count
            assert not reading.done(), "the MJPEG stream ended"
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def frames(metrics: Metrics, stage: str) -> int:
    """Frames of the stream that passed a stage."""
    return int(metrics.sum("sightline_frames_total", stream="road", stage=stage))


async def test_an_outage_of_the_model_server(service: Service, model_server: ModelServer, camera: RtspServer) -> None:
    """While the model server is away video keeps flowing, marked stale and why; then results are back at once."""
    await service.wait_for_state("road", "live")
    async with (
        service.events("road") as feed,
        watch_whep(service, "road") as viewer,
        watch_mjpeg(service, "road") as mjpeg,
    ):
        await feed.more(3)
        await viewer.more(10)
        model_server.kill()
        stale = await service.wait_for_reason("road", f"the model server at {model_server.address} cannot be reached")
        assert stale["state"] == "stale"
        assert stale["age_ms"] is None
        unready = await service.ask("/readyz")
        assert unready.status == 503
        assert model_server.address in unready.problem()

        before, whep_before, mjpeg_before = await service.metrics(), viewer.frames, mjpeg.pictures
        events_before, seen = len(feed.arrived), [before]

        async def lasted() -> bool:
            seen.append(await service.metrics())
            return frames(seen[-1], "source") - frames(before, "source") >= 30 * OUTAGE_S

        await until(lasted, lambda: seen[-1].text)
        decoded = frames(seen[-1], "source") - frames(before, "source")
        assert viewer.frames - whep_before >= 0.5 * decoded
        assert mjpeg.pictures - mjpeg_before >= 0.5 * decoded
        assert len(feed.arrived) == events_before

        model_server.start()
        await asyncio.to_thread(model_server.wait)
        await feed.more(3)
        assert dict(OPTIONS)["grpc.max_reconnect_backoff_ms"] < BACK_MS
        await service.wait_for_state("road", "live")
        assert (await service.ask("/readyz")).status == 200
        await viewer.more(10)
    camera.kill()
    await assert_every_frame_is_accounted_for(service)


async def assert_every_frame_is_accounted_for(service: Service) -> None:
    """Once nothing comes any more, decoded = sampled + skipped and sampled = results + dropped, to the frame."""
    await service.wait_for_state("road", "offline")
    last: list[Metrics] = [await service.metrics()]

    async def accounted() -> bool:
        last.append(await service.metrics())
        dropped = [
            last[-1].sum("sightline_frames_dropped_total", stream="road", stage=stage)
            for stage in ("sampler", "scheduler", "predictor")
        ]
        return frames(last[-1], "sampler") == frames(last[-1], "predictor") + sum(dropped)

    await until(accounted, lambda: last[-1].text)  # the last answers may still be out
    now = last[-1]
    assert frames(now, "source") == frames(now, "sampler") + now.sum("sightline_frames_skipped_total", stream="road")
    # Five a second are sampled.
    assert now.sum("sightline_frames_dropped_total", stream="road", reason="model_unavailable") >= 4 * OUTAGE_S
    assert frames(now, "predictor") >= 6
