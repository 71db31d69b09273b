"""streamer.http.security_headers: what browsers are told, by every route."""

import ssl

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from streamer.http.needs import need_of
from streamer.http.security_headers import content_policy, has_host_to_itself
from tests.http.guests import Door, cookie, everybody, run_door
from tests.http.test_gate_table import PATHS, resources

SAME_EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def test_every_answer_has_them() -> None:
    """Every route's answer, granted and refused, has them all; what somebody alone may see is kept by nobody."""
    async with run_door(everybody()) as door:
        for route in resources(door):
            need = need_of(route.handler)
            assert need is not None
            for guest in ("admin", "nobody"):
                await check(door, route.method, path_of(route), guest, is_own=need.action is not None)
        await check(door, "GET", "/nothing/here", "admin", is_own=False)


async def check(door: Door, method: str, path: str, guest: str, *, is_own: bool) -> None:
    """One request's answer has them."""
    async with door.ask(method, path, cookie(guest)) as answer:
        headers = answer.headers
    where = f"{method} {path} of {guest}: {answer.status}"
    assert headers.items() >= SAME_EVERYWHERE.items(), where
    policy = directives(headers["Content-Security-Policy"])
    assert policy["default-src"] == policy["frame-ancestors"] == ["'self'"], where
    assert policy["object-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"], where
    assert "unsafe" not in headers["Content-Security-Policy"], where
    assert "camera=(self)" in headers["Permissions-Policy"], where
    assert "microphone=()" in headers["Permissions-Policy"], where
    assert "Server" not in headers, where
    assert "Strict-Transport-Security" not in headers, where
    if is_own:
        assert headers["Cache-Control"] == "no-store", where
        assert {"Authorization", "Cookie"} <= set(headers["Vary"].split(", ")), where
    else:
        assert headers["Cache-Control"] in ("no-cache", "no-store"), where


async def test_the_configuration_says_who_may_frame_the_page() -> None:
    """Every answer has what server.frame_ancestors says."""
    async with (
        run_door(everybody(), server={"frame_ancestors": ["self", "https://home.example"]}) as door,
        door.ask("GET", "/") as answer,
    ):
        policy = directives(answer.headers["Content-Security-Policy"])
    assert policy["frame-ancestors"] == ["'self'", "https://home.example"]


def test_nobody_frames_what_none_may() -> None:
    """Where no origin is listed, no page may frame ours."""
    assert directives(content_policy(()))["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize(
    ("host", "asks"),
    [("cameras.example", True), ("cameras.example:8443", False), ("[::1]", True), ("[::1]:8443", False)],
)
def test_tls_is_asked_of_a_host_that_is_ours_alone(host: str, asks: bool) -> None:
    """Browsers are told to come by TLS where we have its own port: the word counts for all ports of the host."""
    request = make_mocked_request("GET", "/", {"Host": host}, sslcontext=ssl.create_default_context())
    assert has_host_to_itself(request) is asks
    assert not has_host_to_itself(make_mocked_request("GET", "/", {"Host": host}))


async def test_an_answer_varies_by_all_it_depends_on() -> None:
    """A page of a listed origin reads an answer that says it depends on the origin, and on who asks."""
    shown = cookie("admin") | {"Origin": "https://home.example"}
    async with (
        run_door(everybody(), server={"origins": ["https://home.example"]}) as door,
        door.ask("GET", "/api/streams", shown) as answer,
    ):
        assert answer.headers["Vary"] == "Origin, Authorization, Cookie"


def path_of(route: web.AbstractRoute) -> str:
    """A path that it answers."""
    path = "" if route.resource is None else route.resource.canonical
    for variable, value in PATHS.items():
        path = path.replace(variable, value)
    return path


def directives(policy: str) -> dict[str, list[str]]:
    """A policy's directives by name."""
    return {name: sources for name, *sources in (each.split() for each in policy.split(";"))}
