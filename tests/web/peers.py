"""A service with no cameras behind it, for what the page does with answers: each test chooses them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import cv2
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from streamer.http.security_headers import security_headers
from tests.peers.clip import draw_frame
from tests.peers.process import free_port
from tests.peers.required import REPOSITORY

WEB = REPOSITORY / "web"


def stream(name: str, state: str = "live", reason: str | None = None) -> dict[str, Any]:
    """One entry of /api/streams."""
    return {
        "name": name,
        "origin": "file",
        "state": state,
        "reason": reason,
        "width": 320,
        "height": 180,
        "fps": 30.0,
        "detections_per_second": 5.0,
        "age_ms": 40.0,
        "picture_age_ms": 60.0,
        "model": "insulators",
        "findings": [],
        "viewers": 0,
    }


def seen(label: str, score: float = 0.9) -> dict[str, Any]:
    """One detection of an event."""
    return {"label": label, "class_id": 1, "score": score, "box": [0, 0, 1, 1]}


def report(**fields: Any) -> dict[str, Any]:
    """A doctor's answer about a camera that works."""
    return {
        "url": "rtsp://u:***@10.0.0.7/stream",
        "verdict": "healthy",
        "works": True,
        "reason": None,
        "remedy": None,
        "realm": None,
        "findings": [],
        "codec": "h264",
        "profile": "Main",
        "width": 1280,
        "height": 720,
        "fps": 25.0,
        "bits_per_second": 2_081_344,
        "gop_seconds": 2.0,
        "gop_is_at_least": False,
        "first_picture_seconds": 0.9,
        "decode_ms": 2.31,
        "watched_seconds": 7.9,
        "rtsp": None,
    } | fields


def session(kind: str, name: str = "nobody", role: str | None = None, *actions: str) -> dict[str, Any]:
    """An answer of /api/session: somebody who may this, with every stream; a password and another server let him in."""
    principal = {"kind": kind, "name": name, "role": role, "actions": list(actions), "streams": ["*"]}
    ways = {"password": True, "oidc": {"name": "Keycloak", "path": "/api/sign-in/oidc"}}
    return {"principal": principal, "open": kind == "open", "sign_in": ways, "expires_at": None}


OPEN = session("open", "nobody", None, "view", "publish", "operate", "metrics")
"""Nobody is asked who he is."""


class FakeService:
    """The page's routes under the service's own headers. No WebRTC video comes: every picture is a JPEG."""

    def __init__(self) -> None:
        self.port = free_port()
        self.streams: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        """Sent to every page that opens /api/detections, once."""
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
        self.listeners = 0
        """Pages that have opened /api/detections, ever."""
        self.may: dict[str, Any] = {"allowed": False, "token": False, "schemes": ["rtsp", "http"]}
        """What /api/config says of changing streams."""
        self.publishable: list[str] = []
        """Names that may be published."""
        self.session = OPEN
        """Who asks, whatever he shows."""
        self.signed_in: dict[str, Any] | None = None
        """Who asks once he has signed in; None: that is refused."""
        self.refused_sign_in: tuple[int, str, dict[str, str]] = (401, "the name or the password is wrong", {})
        """How that is refused."""
        self.questions = 0
        """How often it was asked who asks."""
        self.token: str | None = None
        self.link = ""
        """What is said of ICE servers with an answer."""
        """What must be shown to change streams, or to learn the ICE servers of publishers."""
        self.refusal: tuple[int, str] | None = None
        """Status and sentence with which changes are refused; None: they are made."""
        self.changes: list[tuple[str, str, Any]] = []
        """Method, path and body of every request for a change or an examination whose token was right."""
        self.diagnosis: dict[str, Any] = report()
        """What the doctor says."""
        self.examining = asyncio.Event()
        """The doctor answers once this is set."""
        self.examining.set()
        self._runner: web.AppRunner | None = None
        self._dropped = asyncio.Event()

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
        app.router.add_get("/api/session", self._who)
        app.router.add_post("/api/session", self._sign_in)
        app.router.add_get("/api/streams", self._list)
        app.router.add_get("/api/detections", self._send_events)
        app.router.add_get("/api/config", self._config)
        app.router.add_get("/api/ingress", self._publisher)
        app.router.add_post("/api/streams", self._change)
        app.router.add_patch("/api/streams/{name}", self._change)
        app.router.add_delete("/api/streams/{name}", self._change)
        app.router.add_post("/api/doctor", self._examine)
        app.router.add_post("/whep/{name}", self._whep)
        app.router.add_delete("/whep/{name}/{session}", self._end)
        app.router.add_get("/streams/{name}.mjpeg", self._mjpeg)
        app.router.add_get("/api/streams/{name}/frame.jpg", self._still)
        app.router.add_get("/api/streams/{name}/places", self._places)
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
        response.headers.update(security_headers())

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(WEB / "index.html")

    async def _who(self, _: web.Request) -> web.Response:
        self.questions += 1
        if self.session is OPEN and (self.may["token"] or self.token is not None):  # it is the key to changes
            return web.json_response(session("open", "nobody", None, "view", "publish", "metrics"))
        return web.json_response(self.session)

    async def _sign_in(self, _: web.Request) -> web.Response:
        if self.signed_in is None:
            return _refused(*self.refused_sign_in)
        self.session = self.signed_in
        return web.json_response(self.session, status=201)

    async def _list(self, _: web.Request) -> web.Response:
        if "view" not in self.session["principal"]["actions"]:
            return _refused(401, "nobody may see streams without signing in")
        return web.json_response(self.streams)

    async def _config(self, _: web.Request) -> web.Response:
        return web.json_response({"ok": True, "api_streams": self.may})

    async def _publisher(self, _: web.Request) -> web.Response:
        return web.json_response({"names": self.publishable, "token": False})

    def _shows_token(self, request: web.Request) -> bool:
        return self.token is None or request.headers.get("Authorization") == f"Bearer {self.token}"

    async def _change(self, request: web.Request) -> web.Response:
        name, body = request.match_info.get("name"), json.loads(await request.read() or b"null")
        if not self._shows_token(request):
            return _refused(401, "changing streams needs the token")
        self.changes.append((request.method, request.path, body))
        if self.refusal is not None:
            return _refused(*self.refusal)
        if request.method == "POST":
            self.streams.append(stream(body["name"], "connecting") | {"origin": "api"})
            return web.json_response({}, status=201)
        if request.method == "DELETE":
            self.streams = [each for each in self.streams if each["name"] != name]
            return web.Response(status=204)
        for each in self.streams:
            if each["name"] == name:
                each["state"] = "paused" if body["paused"] else "connecting"
        return web.json_response({})

    async def _examine(self, request: web.Request) -> web.Response:
        if not self._shows_token(request):
            return _refused(401, "changing streams needs the token")
        self.changes.append((request.method, request.path, await request.json()))
        if self.refusal is not None:
            return _refused(*self.refusal)
        await self.examining.wait()
        return web.json_response(self.diagnosis)

    async def _send_events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "text/event-stream"
        await response.prepare(request)
        self.listeners += 1
        for event in self.events:
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await self._dropped.wait()
        return response

    def drop_listeners(self) -> None:
        """End every open /api/detections."""
        self._dropped.set()
        self._dropped = asyncio.Event()

    async def _whep(self, request: web.Request) -> web.Response:
        self.offers += 1
        if not self.room:
            return _refused(503, "all places for viewers are taken", {"Retry-After": "60"})
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        path = f"{request.path}/{self.offers}"
        self.sessions[path] = pc
        await pc.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        sdp = pc.localDescription.sdp
        headers = {"Location": path} | ({"Link": self.link} if self.link else {})
        return web.Response(status=201, text=sdp, content_type="application/sdp", headers=headers)

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

    async def _places(self, _: web.Request) -> web.Response:
        return web.json_response({"zones": {}, "lines": {}, "masks": []})

    async def _still(self, _: web.Request) -> web.Response:
        self.stills += 1
        return web.Response(body=jpeg(self.stills), content_type="image/jpeg")


def _refused(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"title": "No", "status": status, "detail": sentence}, status=status, headers=headers)


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
