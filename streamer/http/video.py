"""`/api/streams/{name}/video`: the camera's own pictures, and beside them where everything is. docs/api.md.

A WebSocket (`viewer_way`). What is sent is made and written by `view.clean`; what a viewer says is a wish.
"""

import contextlib
import json
from dataclasses import dataclass
from typing import Literal

from aiohttp import WSCloseCode, web
from typing_extensions import TypedDict

from streamer.access.action import Action
from streamer.http.connection import Connection
from streamer.http.feeds import FULL, GONE, endless
from streamer.http.keys import STREAMS, pipeline_of
from streamer.http.needs import needs
from streamer.http.operation import Answer, described
from streamer.http.viewer_way import hear, limit_unsent, part, viewer_way
from streamer.stream.pipeline import Pipeline
from streamer.values.errors import Refused

routes = web.RouteTableDef()

SIZES = ("large", "small")


class VideoQuery(TypedDict, total=False):
    """What a viewer may say as he comes."""

    size: Literal["large", "small"]
    """How he sees it; `small`: the camera's smaller video will do. The large one is sent where there is no other."""


UPGRADED = Answer(means="messages follow as docs/api.md has them", headers=("Upgrade", "Sec-WebSocket-Accept"))
NO_UPGRADE = Answer(means="it was not asked for as a WebSocket", headers=("Upgrade",))


@routes.get("/api/streams/{name}/video", allow_head=False)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({101: UPGRADED, 400: "a size that is none", 426: NO_UPGRADE, 503: FULL}, query=VideoQuery)
async def video(request: web.Request) -> web.StreamResponse:
    """The camera's own pictures, and where everything is in them, by WebSocket."""
    pipeline = pipeline_of(request)
    small = _asks_for_small(request)
    way, connection = viewer_way(request)
    with request.app[STREAMS].seats.seated(pipeline.name, request.remote or ""):
        code: int = WSCloseCode.GOING_AWAY
        with contextlib.suppress(*GONE):
            async with endless(request, pipeline.name):
                await way.prepare(request)
                code = await _attend(way, connection, pipeline, small=small)
        await part(way, connection, code)
    return way


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer says. None: nothing of that."""

    pause: bool | None = None
    """Whether nothing is to be sent for now."""
    small: bool | None = None
    """Whether he sees it small, and the camera's smaller video will do."""


async def _attend(way: web.WebSocketResponse, connection: Connection, pipeline: Pipeline, *, small: bool) -> int:
    """Serve a viewer until he leaves; gives the code to part with (RFC 6455 section 7.4.1)."""
    limit_unsent(way)
    sizes = pipeline.sizes
    viewer = sizes.join(_Wire(connection), pipeline.state(), small=small)
    connection.on_room = viewer.flush

    async def obey(said: str) -> bool:
        wish = read_wish(said)
        if wish is None:
            return False
        if wish.small is not None:
            sizes.wish(viewer, small=wish.small)
        if wish.pause is not None:
            sizes.let_pause(viewer, pause=wish.pause)
        return True

    try:
        return await hear(way, obey)
    finally:
        connection.on_room = None
        sizes.leave(viewer)


def read_wish(said: str) -> Wish | None:
    """What a viewer wants from now on; None: that is not what he says."""
    try:
        wish = json.loads(said)
    except (ValueError, RecursionError):
        return None
    if not isinstance(wish, dict):
        return None
    pause, size = wish.get("pause"), wish.get("size")
    if not isinstance(pause, bool | None) or size not in (None, *SIZES) or pause is size is None:
        return None
    return Wish(pause, None if size is None else size == "small")


def _asks_for_small(request: web.Request) -> bool:
    size = request.query.get("size", "large")
    if size not in SIZES:
        raise Refused(400, f"size: {size[:20]!r} is not allowed; allowed are large and small")
    return size == "small"


@dataclass(frozen=True, slots=True)
class _Wire:
    """The way to a viewer: whole messages go past aiohttp's writer, which would make each one anew for everybody."""

    connection: Connection

    @property
    def is_full(self) -> bool:
        return self.connection.is_full

    def write(self, data: bytes) -> None:
        transport = self.connection.transport
        if transport is not None and not transport.is_closing():
            transport.write(data)
