"""streamer.http.places: zones, lines and masks are read by who may see the stream, and drawn by who may operate."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from streamer.stream.events import StreamEvents
from tests.http.guests import Door, bearer, cookie, everybody, run_door
from tests.peers.process import free_port

TRIANGLE = [[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]]
DRAWN: dict[str, Any] = {
    "zones": {"yard": {"points": TRIANGLE, "dwell": 10.0, "labels": ["person"], "hours": ["22:00-06:00"]}},
    "lines": {"kerb": {"points": [[0.0, 0.6], [1.0, 0.6]], "anchor": "center"}},
    "masks": [TRIANGLE],
}
PATH = "/api/streams/mine/places"
OPERATOR = bearer("operate")


@asynccontextmanager
async def run_drawn_on(**given: Any) -> AsyncIterator[Door]:
    """A service with a stream that the API added, `mine`, whose camera is away; `given`: settings of it."""
    allowed = {"allowed": True, "networks": ["127.0.0.1/32"]}
    async with run_door(everybody(), api_streams=allowed) as door:
        settings = {"name": "mine", "url": f"rtsp://127.0.0.1:{free_port()}/x", **given}
        async with door.ask("POST", "/api/streams", OPERATOR, json=settings) as response:
            assert response.status == 201, await response.text()
        yield door


async def read(door: Door, path: str = PATH, who: str = "admin") -> tuple[Any, str]:
    """What is drawn, and its tag."""
    async with door.ask("GET", path, cookie(who)) as response:
        assert response.status == 200, await response.text()
        return await response.json(), response.headers["ETag"]


async def draw(door: Door, document: Any, **headers: str) -> tuple[int, Any]:
    """Draw that, and be answered."""
    async with door.ask("PUT", PATH, {**OPERATOR, **headers}, json=document) as response:
        return response.status, await response.json()


async def test_what_is_drawn_takes_the_place_of_all_before() -> None:
    """Places are answered whole, with what was not said of them; what is left out is gone, and other settings stay."""
    async with run_drawn_on(min_score=0.25, zones={"old": {"points": TRIANGLE}}) as door:
        status, answered = await draw(door, DRAWN)
        assert status == 200
        found, _ = await read(door)
        async with door.ask("PATCH", "/api/streams/mine", OPERATOR, json={}) as response:
            settings = (await response.json())["settings"]
    assert answered == found
    assert list(found["zones"]) == ["yard"]
    assert found["zones"]["yard"] | DRAWN["zones"]["yard"] == found["zones"]["yard"]
    assert (found["lines"]["kerb"]["min_score"], found["masks"]) == (0.0, DRAWN["masks"])
    assert (settings["min_score"], settings["zones"]) == (0.25, DRAWN["zones"])


async def test_what_was_changed_meanwhile_is_not_written_over() -> None:
    """Who names what he has read is refused with 412 where it is another by now; who names nothing is not."""
    async with run_drawn_on() as door:
        _, tag = await read(door)
        assert (await draw(door, DRAWN, **{"If-Match": tag}))[0] == 200
        status, problem = await draw(door, {}, **{"If-Match": tag})
        assert (status, "somebody else" in problem["detail"]) == (412, True)
        assert (await read(door))[0]["zones"] != {}
        assert (await draw(door, {}, **{"If-Match": (await read(door))[1]}))[0] == 200
        assert (await read(door))[0] == {"zones": {}, "lines": {}, "masks": []}
        assert (await draw(door, DRAWN))[0] == (await draw(door, {}, **{"If-Match": "*"}))[0] == 200


@pytest.mark.parametrize(
    ("document", "status", "word"),
    [
        ({"zones": {"yard": {"points": [[0.0, 0.0], [1.0, 0.0]]}}}, 422, "zones.yard.points"),
        ({"zones": {"yard": {"points": [*TRIANGLE, [0.5, 1.5]]}}}, 422, "zones.yard.points.3.1: 1.5"),
        ({"zones": {"yard": {"points": [*TRIANGLE, [0.5, float("nan")]]}}}, 422, "zones.yard.points.3.1"),
        ({"zones": {"yard": {"points": TRIANGLE * 40}}}, 422, "at most 100"),
        ({"zones": {"<b>yard</b>": {"points": TRIANGLE}}}, 422, "is not a name of 1 to 64 letters"),
        ({"zones": {"yard": {"points": [[[0.0], 0.0], *TRIANGLE]}}}, 422, "no setting of a stream is that deep"),
        ({"lines": {"kerb": {"points": TRIANGLE}}}, 422, "lines.kerb.points"),
        ({"masks": [TRIANGLE[:2]]}, 422, "masks.0"),
        ({"zones": {"yard": {"points": TRIANGLE, "hours": ["25:00-26:00"]}}}, 422, "zones.yard.hours.0"),
        ({"url": "rtsp://u:canary-pa55@10.0.0.7/x"}, 422, "url: unknown key; allowed here are zones, lines, masks"),
        ({"zones": {"yard": {"points": [[0.5, 0.5]] * 8_000}}}, 413, ""),
        ([TRIANGLE], 400, "mapping"),
    ],
)
async def test_what_cannot_be_drawn_is_said_at_its_place(document: Any, status: int, word: str) -> None:
    """The sentence begins with the key it is about, holds no password, and nothing was done."""
    async with run_drawn_on() as door:
        assert (await draw(door, DRAWN))[0] == 200
        before = await read(door)
        answered, problem = await draw(door, document)
        assert await read(door) == before
    assert answered == status
    assert word in problem["detail"]
    assert "canary" not in problem["detail"]


async def test_the_configuration_file_has_the_say() -> None:
    """Of a stream of the file places are read, and drawn there alone: 409."""
    async with run_door(everybody(), streams={"mine": {"url": "rtsp://127.0.0.1:1/x", "masks": [TRIANGLE]}}) as door:
        assert (await read(door))[0]["masks"] == [TRIANGLE]
        status, problem = await draw(door, DRAWN)
    assert status == 409
    assert "configuration file" in problem["detail"]


async def test_who_may_only_look_draws_nothing() -> None:
    """A viewer reads and does not draw; to whom the stream is none of his, there is none."""
    async with run_door(everybody()) as door:
        assert (await read(door, "/api/streams/a/places", "viewer"))[0]["zones"] == {}
        assert (await door.sentence("PUT", "/api/streams/a/places", cookie("viewer"), DRAWN))[0] == 403
        for method in ("GET", "PUT"):
            assert (await door.sentence(method, "/api/streams/a/places", cookie("other"), DRAWN))[0] == 404


async def test_drawing_is_written_down() -> None:
    """The audit says who drew on which stream."""
    async with run_drawn_on() as door:
        await draw(door, DRAWN)
        async with door.ask("GET", "/api/audit?what=stream", cookie("admin")) as response:
            deed = (await response.json())["deeds"][0]
    assert (deed["target"], deed["what"], deed["detail"]) == ("mine", "stream change", "zones, lines, masks")


async def test_zones_are_patched_one_by_one() -> None:
    """By PATCH a zone comes beside the others, and one of its settings changes alone."""
    async with run_drawn_on(zones={"old": {"points": TRIANGLE}}) as door:
        for patch in ({"zones": {"yard": {"points": TRIANGLE}}}, {"zones": {"yard": {"dwell": 3.0}, "old": None}}):
            async with door.ask("PATCH", "/api/streams/mine", OPERATOR, json=patch) as response:
                assert response.status == 200, await response.text()
        found = (await read(door))[0]["zones"]
    assert {name: zone["dwell"] for name, zone in found.items()} == {"yard": 3.0}


async def test_crossings_and_who_is_where_are_counted_for_who_may_see(tmp_path: Path) -> None:
    """Of each line the crossings by direction and class, each zone with a 0; without an archive there is nothing."""
    path, zones = "/api/streams/a/counts", {"yard": {"points": TRIANGLE}}
    streams = {"a": {"url": "rtsp://127.0.0.1:1/x", "zones": zones}}
    async with run_door(everybody(), streams=streams, archive={"path": str(tmp_path)}) as door:
        pipeline = door.service.streams.get("a")
        assert pipeline is not None
        assert isinstance(pipeline.events, StreamEvents)
        pipeline.events.crossings.update({("kerb", "forward", "car"): 2})
        async with door.ask("GET", path, cookie("viewer")) as response:
            found = await response.json()
    assert found == {
        "crossings": [{"line": "kerb", "direction": "forward", "label": "car", "count": 2}],
        "occupancy": [{"zone": "yard", "label": "", "count": 0}],
    }
    async with run_door(everybody()) as door, door.ask("GET", path, cookie("viewer")) as response:
        assert await response.json() == {"crossings": [], "occupancy": []}


async def test_a_stream_says_whether_its_zones_are_watched(tmp_path: Path) -> None:
    """Zones and lines are watched where events are kept, and one stream's description says so."""
    for archive in (None, {"path": str(tmp_path)}):
        async with (
            run_door(everybody(), archive=archive) as door,
            door.ask("GET", "/api/streams/a", cookie("viewer")) as response,
        ):
            found = await response.json()
        assert (found["labels"], found["makes_events"]) == ([], archive is not None)
