"""streamer.http.feeds: answers without an end, and the places of who reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from streamer import config
from streamer.service import Service
from streamer.values.packet import EncodedPacket
from tests.peers.process import free_port
from tests.peers.until import until

Client = TestClient[web.Request, web.Application]

ONE, OTHER, ALL = "/api/streams/a/events", "/api/streams/b/events", "/api/detections"


@asynccontextmanager
async def run_service(**limits: int) -> AsyncIterator[tuple[Service, Client]]:
    """A service of two streams with these limits on viewers, and a client of it; cameras and model server are away."""
    away = {"url": f"rtsp://127.0.0.1:{free_port()}/x"}
    settings = config.parse(
        {
            "server": limits,
            "serving": {"address": f"127.0.0.1:{free_port()}"},
            "streams": {"a": away, "b": away},
        }
    )
    service = Service(settings)
    async with service.run() as app, TestClient(TestServer(app)) as client:
        yield service, client


@pytest.mark.parametrize(
    ("limits", "first", "second", "elsewhere"),
    [
        ({"max_viewers": 1}, ONE, ALL, None),
        ({"max_viewers": 1}, ALL, OTHER, None),
        ({"max_viewers_per_stream": 1}, ONE, ONE, OTHER),
        ({"max_viewers_per_stream": 1}, ONE, ONE, ALL),
        ({"max_viewers_per_address": 1}, ALL, ALL, None),
        ({"max_viewers_per_address": 1}, ONE, OTHER, None),
    ],
)
async def test_events_take_places_as_video_does(
    limits: dict[str, int], first: str, second: str, elsewhere: str | None
) -> None:
    """Who reads events has a place among the viewers of its stream, its address and all; with none free it is 503."""
    async with run_service(**limits) as (service, client):
        reading = await client.get(first)
        assert reading.status == 200
        refused = await client.get(second)
        assert (refused.status, refused.content_type) == (503, "application/problem+json")
        assert int(refused.headers["Retry-After"]) > 0
        assert f"server.{next(iter(limits))})" in (await refused.json())["detail"]
        if elsewhere is not None:
            assert (await client.get(elsewhere)).status == 200
        reading.close()
        await until(lambda: len(service.streams.seats) == (elsewhere is not None))
        assert (await client.get(second)).status == 200


async def test_a_stream_that_ends_gives_its_readers_places_back() -> None:
    """The events of a stream that is no more end, and their places are free."""
    async with run_service() as (service, client):
        reading = await client.get(ONE)
        await service.streams.remove("a")
        await reading.read()
        await until(lambda: len(service.streams.seats) == 0)


@pytest.mark.parametrize("path", [ONE, ALL, "/streams/a.mjpeg"])
async def test_an_answer_without_an_end_has_no_head(path: str) -> None:
    """HEAD, whose answer would never be complete, is refused at once and takes no place."""
    async with run_service() as (service, client):
        refused = await client.head(path)
        assert (refused.status, refused.headers["Allow"]) == (405, "GET")
        assert len(service.streams.seats) == 0


async def test_a_picture_that_leaves_as_jpeg_is_in_the_ledger() -> None:
    """Who watches by MJPEG is a viewer: what his connection takes is told by its pts."""
    async with run_service() as (service, client):
        pipeline = service.streams.get("a")
        assert pipeline is not None
        sent: list[int] = []
        pipeline.ledger.sent = lambda pts, at: sent.append(pts)  # type: ignore[method-assign]
        reading = await client.get("/streams/a.mjpeg")
        await until(lambda: len(pipeline.view.jpeg) == 1)
        pipeline.view.jpeg.publish(EncodedPacket(b"jpeg", 4711, True))
        await until(lambda: sent == [4711])
        reading.close()
