"""Pictures that people send beside a camera that is watched, in a burst without an end."""

import asyncio
import io
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from tests.peers.clip import draw_frame
from tests.peers.model_server import ModelServer
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import run_service

pytestmark = pytest.mark.timeout(120)

SAMPLES = 40
"""Answers of the camera that are waited for, at ten a second."""


async def test_a_burst_of_pictures_costs_no_camera_a_result(model_server: ModelServer, numbered_clip: Path) -> None:
    """While pictures are sent as fast as they are answered, a busy machine alone costs the camera an answer or two."""
    to = io.BytesIO()
    Image.fromarray(draw_frame(7, 1280, 720)).save(to, "jpeg")
    answered = list[int]()

    async def send(client: aiohttp.ClientSession, url: str) -> None:
        while True:
            async with client.post(url, data=to.getvalue(), headers={"Content-Type": "image/jpeg"}) as response:
                answered.append(response.status)

    with run_rtsp_server({"/road": numbered_clip}) as camera:
        config = {
            "serving": model_server.settings,
            "streams": {"road": {"url": camera.url("/road"), "sample_fps": 10}},
        }
        with run_service(config) as service:
            async with service.events("road") as feed, aiohttp.ClientSession() as client:
                await feed.more(1)
                senders = [asyncio.create_task(send(client, f"{service.url}/api/detect")) for _ in range(4)]
                await feed.more(SAMPLES)
                for sender in senders:
                    sender.cancel()
                await asyncio.gather(*senders, return_exceptions=True)
            metrics = await service.metrics()
    assert answered.count(200) >= SAMPLES / 4
    assert set(answered) == {200}
    assert metrics.sum("sightline_frames_dropped_total", stream="road", stage="scheduler") <= SAMPLES / 10
