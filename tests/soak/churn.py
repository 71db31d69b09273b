"""Who comes and goes while the service is watched; people leave as people do, some without a word."""

import asyncio
import json
import random
import re
import signal
from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp
import aiortc.rtcrtpreceiver
from aiortc import RTCPeerConnection

from tests.peers.process import Process
from tests.peers.rtc import make_pc, offer_to_watch, take_answer
from tests.peers.rtsp_server import RtspServer
from tests.peers.service import Answer, Service
from tests.peers.whip_publisher import WhipPublisher

SDP = "application/sdp"
PATIENCE = 40.0
"""Seconds after which somebody gives up; that is counted."""


class _NoDecoder:
    def decode(self, frame: object) -> list[object]:
        return []


class Churn:
    """Everybody of one run."""

    def __init__(
        self, service: Service, steady: RtspServer, freezing: RtspServer, silent_port: int, model: Callable[[], Process]
    ) -> None:
        self.did = Counter[str]()
        """What was done how often, and what failed as what."""
        self._service, self._steady, self._freezing, self._silent_port = service, steady, freezing, silent_port
        self._start_model, self._model = model, model()
        self._random = random.Random(5)
        self._names = iter(range(1_000_000))
        # Pictures that nobody looks at are received and not decoded: the machine is the service's.
        aiortc.rtcrtpreceiver.get_decoder = lambda codec: _NoDecoder()  # type: ignore[assignment,attr-defined,return-value]

    async def run(self, seconds: float) -> None:
        """Churn for that long; whoever is there by then stays until done. May be run again."""
        until = asyncio.get_running_loop().time() + seconds
        people: list[tuple[Callable[[], Awaitable[None]], float]] = [
            (self.watch, 0.3),
            (self.watch, 0.3),
            (self.watch_by_mjpeg, 1.0),
            (self.read_events, 0.5),
            (self.look_at_a_still, 0.5),
            (self.offer_and_never_connect, 6.0),
            (self.publish, 4.0),
            (self.add_and_remove, 1.0),
            (self.freeze_a_camera, 30.0),
            (self.restart_the_model, 90.0),
        ]
        async with asyncio.TaskGroup() as group:
            for act, pause in people:
                group.create_task(self._again_and_again(act, pause, until))

    async def _again_and_again(self, act: Callable[[], Awaitable[None]], pause: float, until: float) -> None:
        clock = asyncio.get_running_loop().time
        while clock() < until:
            name = act.__name__.replace("_", " ")
            try:
                async with asyncio.timeout(PATIENCE):
                    await act()
                self.did[name] += 1
            except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
                self.did[f"{name}: {type(error).__name__}"] += 1
            await asyncio.sleep(min(pause * self._random.uniform(0.7, 1.3), max(0.0, until - clock())))

    async def close(self) -> None:
        """Have the model's process ended."""
        await asyncio.to_thread(self._model.stop)

    # ---- viewers

    async def watch(self) -> None:
        """By WebRTC, for up to two seconds; three of ten leave without a word."""
        pc = make_pc()
        try:
            answer = await self._offer(f"/whep/{self._stream()}", await offer_to_watch(pc))
            await take_answer(pc, answer.body.decode())
            await _connected(pc)
            await asyncio.sleep(self._random.uniform(0.1, 2.0))
            if self._random.random() < 0.7:
                await self._service.ask(answer.headers["Location"], method="DELETE")
        finally:
            await pc.close()

    async def watch_by_mjpeg(self) -> None:
        """For a hundred kilobytes."""
        async with self._service.open(f"/streams/{self._stream()}.mjpeg") as response:
            await response.content.readexactly(100_000)

    async def read_events(self) -> None:
        """For two kilobytes, of all streams."""
        async with self._service.open("/api/detections") as response:
            await response.content.readexactly(2_000)

    async def look_at_a_still(self) -> None:
        """The newest picture."""
        await self._service.ask(f"/api/streams/{self._stream()}/frame.jpg")

    async def offer_and_never_connect(self) -> None:
        """An offer without an address, from somebody who is gone."""
        pc = make_pc()
        offer = re.sub(r"a=candidate:.*\r\n", "", await offer_to_watch(pc))
        await pc.close()
        await self._offer(f"/whep/{self._stream()}", offer)

    # ---- cameras

    async def publish(self) -> None:
        """By WebRTC, for three seconds; half of them fall silent instead of leaving."""
        publisher = WhipPublisher()
        try:
            answer = await self._offer(f"/whip/phone-{next(self._names)}", await publisher.offer())
            await take_answer(publisher.pc, answer.body.decode())
            await _connected(publisher.pc)
            await asyncio.sleep(3.0)
            if self._random.random() < 0.5:
                await self._service.ask(answer.headers["Location"], method="DELETE")
            else:
                publisher.fall_silent()
        finally:
            await publisher.close()

    async def add_and_remove(self) -> None:
        """A camera by the API, for three seconds: a good one, one that says nothing, one that is not there."""
        name = f"added-{next(self._names)}"
        good = self._steady.url("/road")
        url = self._random.choice([good, good, f"rtsp://127.0.0.1:{self._silent_port}/road", f"{good}/nowhere"])
        body = json.dumps({"name": name, "url": url})
        answer = await self._service.ask("/api/streams", method="POST", content_type="application/json", body=body)
        if answer.status != 201:
            raise ValueError(answer.body)
        await asyncio.sleep(3.0)
        await self._service.ask(f"/api/streams/{name}", method="DELETE")

    async def freeze_a_camera(self) -> None:
        """For eight seconds, which is longer than a stream waits."""
        await asyncio.to_thread(self._freezing.freeze)
        await asyncio.sleep(8.0)
        await asyncio.to_thread(self._freezing.unfreeze)

    # ---- the model

    async def restart_the_model(self) -> None:
        """Kill it, and have it back three seconds later."""
        self._model.signal(signal.SIGKILL)
        await asyncio.sleep(3.0)
        self._model = await asyncio.to_thread(self._start_model)

    def _stream(self) -> str:
        return self._random.choice(["a", "b"])

    async def _offer(self, path: str, sdp: str) -> Answer:
        answer = await self._service.ask(path, method="POST", body=sdp, content_type=SDP)
        if answer.status != 201:
            raise ValueError(answer.body)
        return answer


async def _connected(pc: RTCPeerConnection) -> None:
    while pc.connectionState != "connected":
        if pc.connectionState in ("failed", "closed"):
            raise ConnectionError(pc.connectionState)
        await asyncio.sleep(0.02)
