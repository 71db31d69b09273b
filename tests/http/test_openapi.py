"""streamer.http.openapi: the API described for programs, whole and true."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import schemathesis
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from streamer.access.action import Action
from streamer.config import StreamSettings, parse
from streamer.http import openapi, page
from streamer.http.needs import needs
from streamer.http.operation import described, operation_of
from streamer.service import Service
from tests.peers.api_document import mistakes
from tests.peers.required import REPOSITORY

Document = dict[str, Any]


@asynccontextmanager
async def application(base_path: str = "/", *, keeps: bool = True) -> AsyncIterator[web.Application]:
    """The application of a service without streams; `keeps`: it has an archive."""
    with TemporaryDirectory() as folder:
        archive = {"archive": {"path": folder}} if keeps else {}
        document = {"server": {"base_path": base_path}, **archive}
        async with Service(parse(document)).run() as app:
            yield app


def routes_of(base_path: str = "/", *, keeps: bool = True) -> list[web.AbstractRoute]:
    """Its routes."""

    async def read() -> list[web.AbstractRoute]:
        async with application(base_path, keeps=keeps) as app:
            return list(app.router.routes())

    return asyncio.run(read())


@pytest.fixture(scope="module", params=[True, False], ids=["archive", "no archive"])
def keeps(request: pytest.FixtureRequest) -> bool:
    """Give whether anything is kept."""
    return bool(request.param)


@pytest.fixture(scope="module")
def document(keeps: bool) -> Document:
    """Give the description."""
    return openapi.document(routes_of(keeps=keeps))


def operations(document: Document) -> dict[str, Document]:
    """Give every operation, by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_every_route_says_what_it_takes_and_answers() -> None:
    """No route but those of the page's files is without a description, whatever base path it lies below."""
    silent = [
        f"{route.method} {route.resource.canonical}"
        for route in routes_of("/cameras")
        if route.resource is not None and operation_of(route.handler) is None
        if route.handler.__module__ != page.__name__
    ]
    assert silent == []


def test_every_route_is_in_the_description_once(document: Document, keeps: bool) -> None:
    """What is mounted below a base path too is described at the root alone; each under a name of its own."""
    below = openapi.document(routes_of("/cameras", keeps=keeps))
    assert below == document
    routes = {
        f"{route.method} {route.resource.canonical}"
        for route in routes_of(keeps=keeps)
        if route.resource is not None and route.method != "HEAD" and route.handler.__module__ != page.__name__
    }
    assert operations(document).keys() == routes
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)


def test_it_is_openapi(document: Document) -> None:
    """It is valid by OpenAPI 3.1's own schema, and each of its references leads somewhere in it."""
    schemathesis.openapi.from_dict(document).validate()
    for reference in references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/")]
        assert found


def references(within: object) -> set[str]:
    """Give what is referred to."""
    if isinstance(within, dict):
        here = {within["$ref"]} if isinstance(within.get("$ref"), str) else set()
        return here.union(*map(references, within.values()))
    return set[str]().union(*map(references, within)) if isinstance(within, list) else set()


def test_every_operation_says_in_words_what_it_is(document: Document) -> None:
    """Each has a summary, an answer that is none of refusal, and what whoever asks needs."""
    for name, operation in operations(document).items():
        assert operation["summary"], name
        assert any(int(status) < 400 for status in operation["responses"]), name
        assert operation.keys() >= {"x-action", "x-roles", "security"}, name


def test_what_is_there_for_older_programs_alone_is_called_deprecated(document: Document) -> None:
    """The published web application's routes are, and no others."""
    deprecated = {name for name, operation in operations(document).items() if operation.get("deprecated")}
    assert deprecated == {"POST /api/", "POST /api/img", "POST /api/json"}


def test_who_may_ask_stands_with_what_is_asked() -> None:
    """An operation's action and roles are those of its route: what a role allows; without an action, anybody may."""

    @needs(Action.OPERATE, stream="name")
    @described({204: None})
    async def guarded(_: web.Request) -> web.Response:
        """Do something."""
        return web.Response(status=204)

    @needs(None)
    @described({204: None})
    async def free(_: web.Request) -> web.Response:
        """Do nothing."""
        return web.Response(status=204)

    app = web.Application()
    app.add_routes([web.delete("/streams/{name}", guarded), web.get("/free", free)])
    found = operations(openapi.document(app.router.routes()))
    one, other = found["DELETE /streams/{name}"], found["GET /free"]
    assert (one["x-action"], one["x-roles"]) == ("operate", ["operator", "admin"])
    assert one["security"] == [{"bearer": []}, {"cookie": []}]
    assert one["responses"].keys() >= {"401", "403", "404"}
    assert (other["x-action"], other["x-roles"]) == (None, ["viewer", "operator", "admin"])
    assert other["security"] == []
    assert not other["responses"].keys() & {"401", "403", "404"}


def test_what_validates_a_stream_is_what_is_described(document: Document) -> None:
    """A stream to be added has every setting of the configuration's, with its limits and words, and a name."""
    shapes = document["components"]["schemas"]
    assert shapes["NewStream"]["properties"].keys() == StreamSettings.model_fields.keys() | {"name"}
    assert set(shapes["NewStream"]["required"]) == {"name", "url"}
    assert shapes["NewStream"]["properties"]["sample_fps"]["maximum"] == 120
    assert shapes["NewStream"]["properties"]["transport"]["description"] == "How RTSP carries the video."


def test_shapes_that_the_documentation_names_are_there() -> None:
    """Where docs/api.md refers to the description for what is in an answer, there is a shape of that name."""
    document = openapi.document(routes_of())
    text = (REPOSITORY / "docs" / "api.md").read_text()
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)` in the \[description\]", text))
    assert named
    assert named <= document["components"]["schemas"].keys()


@pytest.mark.parametrize(
    ("patch", "is_one"),
    [
        ({}, True),
        ({"paused": True, "url": None}, True),
        ({"tls": {"verify": None, "ca": None}}, True),
        ({"sample_fps": 1000}, False),
        ({"name": "another"}, False),
    ],
)
def test_a_patch_may_leave_out_anything_and_say_null(document: Document, patch: Document, is_one: bool) -> None:
    """In what changes a stream (RFC 7396) every key may be missing or null, at any depth, and no other may be there."""
    assert (mistakes(document, "StreamPatch", patch) == []) == is_one


async def test_it_is_served_where_whoever_asks_finds_us() -> None:
    """GET /api/openapi.json gives it, with our place as its server; asked again with its tag, nothing comes."""
    async with application("/cameras") as app, TestClient(TestServer(app)) as client:
        answer = await client.get("/api/openapi.json")
        assert (answer.status, answer.content_type) == (200, "application/json")
        served = await answer.json()
        assert served.pop("servers") == [{"url": "/cameras"}]
        assert served == openapi.document(app.router.routes())
        again = await client.get("/cameras/api/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status, await again.read()) == (304, b"")
