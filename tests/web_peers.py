"""A service with no cameras behind it, for what the page does with answers: each test chooses them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import cv2
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from streamer.api import HEADERS
from tests.peers.clip import draw_frame
from tests.peers.process import free_port
from tests.peers.required import REPOSITORY

WEB = REPOSITORY / "web"


def stream(name: str, state: str = "live", reason: str | None = None) -> dict[str, Any]:
    """One entry of /api/streams."""
    return {
        "name": name,
        "state": state,
        "reason": reason,
        "width": 320,
        "height": 180,
        "fps": 30.0,
        "detections_per_second": 5.0,
        "age_ms": 40.0,
        "picture_age_ms": 60.0,
        "model": "insulators",
        "viewers": 0,
    }


def seen(label: str, score: float = 0.9) -> dict[str, Any]:
    """One detection of an event."""
    return {"label": label, "class_id": 1, "score": score, "box": [0, 0, 1, 1]}


class FakeService:
    """The page's routes under the service's own headers. No WebRTC video comes: every picture is a JPEG."""

    def __init__(self) -> None:
        self.port = free_port()
        self.streams: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        """Sent to every page that opens /api/events, once."""
        self.room = False
        """Whether WHEP offers are answered, with a session that never sends a frame; else the server is full."""
        self.offers = 0
        """WHEP offers that came."""
        self.sessions: dict[str, RTCPeerConnection] = {}
        """Answered and not deleted, by path."""
        self.stills = 0
        """Stills that were fetched."""
        self.endless = 0
        """MJPEG responses being sent now."""
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The page."""
        return f"http://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        """Listen; again after `stop`, on the same port."""
        app = web.Application()
        app.on_response_prepare.append(self._add_headers)
        app.router.add_get("/", self._page)
        app.router.add_static("/web", WEB)
        app.router.add_get("/api/streams", self._list)
        app.router.add_get("/api/events", self._send_events)
        app.router.add_post("/whep/{name}", self._whep)
        app.router.add_delete("/whep/{name}/{session}", self._end)
        app.router.add_get("/streams/{name}.mjpeg", self._mjpeg)
        app.router.add_get("/api/streams/{name}/frame.jpg", self._still)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Close every connection. May be called twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        for pc in self.sessions.values():
            await pc.close()

    async def _add_headers(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(WEB / "index.html")

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(self.streams)

    async def _send_events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "text/event-stream"
        await response.prepare(request)
        for event in self.events:
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await asyncio.Event().wait()
        return response

    async def _whep(self, request: web.Request) -> web.Response:
        self.offers += 1
        if not self.room:
            detail = {"title": "Service Unavailable", "status": 503, "detail": "all places for viewers are taken"}
            return web.json_response(detail, status=503, headers={"Retry-After": "60"})
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        path = f"{request.path}/{self.offers}"
        self.sessions[path] = pc
        await pc.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        sdp = pc.localDescription.sdp
        return web.Response(status=201, text=sdp, content_type="application/sdp", headers={"Location": path})

    async def _end(self, request: web.Request) -> web.Response:
        await self.sessions.pop(request.path).close()
        return web.Response()

    async def _mjpeg(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        self.endless += 1
        try:
            for index in range(1_000_000):
                picture = jpeg(index)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                await response.write(head.encode() + picture + b"\r\n")
                await asyncio.sleep(0.05)
        except ConnectionResetError:
            pass
        finally:
            self.endless -= 1
        return response

    async def _still(self, _: web.Request) -> web.Response:
        self.stills += 1
        return web.Response(body=jpeg(self.stills), content_type="image/jpeg")


def jpeg(index: int) -> bytes:
    """Frame `index` of the tests' clips as a JPEG."""
    return bytes(cv2.imencode(".jpg", draw_frame(index % 1000, 320, 180))[1])


@asynccontextmanager
async def run_fake_service() -> AsyncIterator[FakeService]:
    """The service, for as long as the block lasts."""
    service = FakeService()
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
