"""An alert's picture, as it reaches who is told: in what he is sent, or by a link that shows it to nobody else's."""

import json
from base64 import b64decode
from pathlib import Path

import aiohttp
import pytest

from serving.signature import Contract
from tests.peers.fake_model_server import run_fake_model_server
from tests.peers.process import free_port
from tests.peers.receiver import run_receiver
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import run_service, until

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect", 3: "bird"})
HERE = ["127.0.0.1/32"]


@pytest.mark.timeout(120)
async def test_an_alerts_picture_reaches_who_is_told(numbered_clip: Path, tmp_path: Path) -> None:
    """Though it is drawn a second after the alert; at a service that asks everybody, the link needs nothing else."""
    port = free_port()
    async with run_fake_model_server(CONTRACT) as server, run_receiver() as receiver:
        with run_rtsp_server({"/road": numbered_clip}) as camera:
            config = {
                "server": {"port": port, "public_url": f"http://127.0.0.1:{port}/"},
                "access": {},
                "serving": {"address": server.address, "model": CONTRACT.name},
                "streams": {"road": {"url": camera.url("/road"), "min_score": 0.5}},
                "archive": {"path": "kept"},
                "webhooks": {
                    "linked": {"url": receiver.url("/linked"), "networks": HERE, "picture": "link"},
                    "inline": {"url": receiver.url("/inline"), "networks": HERE, "picture": "inline"},
                },
                "alerts": {"all": {"rule_cooldown": 3600, "outlets": ["linked", "inline"]}},
            }
            with run_service(config, folder=tmp_path) as service:

                async def told() -> bool:
                    return len(receiver.told) >= 2

                await until(told, lambda: f"{len(receiver.told)} letters came:\n{service.process.output}")
                pictures = {each.path: each.document()["picture"] for each in receiver.told}
                shown = b64decode(pictures["/inline"]["base64"])
                assert shown.startswith(b"\xff\xd8")
                async with aiohttp.ClientSession() as client:
                    for key in ("url", "thumbnail_url"):
                        async with client.get(pictures["/linked"][key]) as response:
                            assert (response.status, response.content_type) == (200, "image/jpeg")
                            assert (await response.read()).startswith(b"\xff\xd8")
                    async with client.get(pictures["/linked"]["url"].replace("signature=", "signature=0")) as response:
                        assert response.status == 401
                    async with client.get(json.loads(receiver.told[0].body)["url"]) as response:
                        assert response.status == 200
