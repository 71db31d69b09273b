"""streamer.http.gate: who is let through, and what the others are told and shown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from streamer.access.accounts import Accounts
from streamer.access.action import Action, Role
from streamer.http.gate import gate
from tests.http.guests import ELSEWHERE, PROXY, Door, bearer, cookie, everybody, run_door, signed_in, with_token
from tests.peers.until import until

SDP = {"Content-Type": "application/sdp"}


async def asked_all(door: Door, *names: str) -> list[list[tuple[int, str]]]:
    """What one who sees b alone, with every right there, is told of each name, by whatever names a stream."""
    told = []
    for name in names:
        lin = cookie("lin")
        told.append(
            [
                await door.sentence("GET", f"/api/streams/{name}", lin),
                await door.sentence("GET", f"/api/streams/{name}/frame.jpg", lin),
                await door.sentence("GET", f"/api/streams/{name}/events", lin),
                await door.sentence("GET", f"/streams/{name}.mjpeg", lin),
                await door.sentence("PATCH", f"/api/streams/{name}", lin, {"paused": True}),
                await door.sentence("DELETE", f"/api/streams/{name}", lin),
                await door.sentence("POST", "/api/doctor", lin, {"stream": name}),
                await door.sentence("POST", f"/whep/{name}", lin),
                await door.sentence("GET", f"/whep/{name}/none", lin),
            ]
        )
    return told


async def test_a_stream_that_is_not_seen_is_not_there() -> None:
    """Who may not see a stream is told what he is told of one that is not there, which names those he sees alone."""
    async with run_door(signed_in(Accounts(), "lin", Role.ADMIN, "b")) as door:
        hidden, missing = await asked_all(door, "a", "nowhere")
    assert hidden == missing
    assert set(hidden) == {(404, "there is no stream of that name; there are: b")}


async def test_a_missing_stream_is_told_in_one_sentence() -> None:
    """A name within one's own patterns that no stream has is told in the same words whatever is asked of it."""
    async with run_door(signed_in(Accounts(), "lin", Role.ADMIN)) as door:
        [missing] = await asked_all(door, "nowhere")
    assert set(missing[:-1]) == {(404, "there is no stream of that name; there are: a, b")}


async def test_lists_hold_what_is_seen() -> None:
    """The list of streams holds those that whoever asks may see."""
    async with run_door(everybody()) as door:
        for guest, names in (("other", ["b"]), ("viewer", ["a"]), ("admin", ["a", "b"])):
            async with door.ask("GET", "/api/streams", cookie(guest)) as answer:
                assert [stream["name"] for stream in await answer.json()] == names


@pytest.mark.parametrize(
    ("streams", "seen"), [(("*",), {"a", "b", "*"}), (("b",), {"b"}), (("?",), {"a", "b"}), (("line-*",), set())]
)
async def test_the_numbers_are_of_the_streams_that_are_covered(streams: tuple[str, ...], seen: set[str]) -> None:
    """Series of other streams, and of all at once, are left out of /metrics; those of no stream are there."""
    accounts = with_token(Accounts(), "scrape", Action.METRICS, streams=streams)
    async with run_door(accounts) as door, door.ask("GET", "/metrics", bearer("scrape")) as answer:
        families = list(text_string_to_metric_families(await answer.text()))
    shown = {sample.labels["stream"] for family in families for sample in family.samples if "stream" in sample.labels}
    assert shown == seen
    assert "sightline_event_loop_tasks" in {family.name for family in families}


async def test_what_machines_ask_names_no_model_to_strangers() -> None:
    """/readyz tells anybody whether, and who may see streams which model and why."""
    async with run_door(everybody()) as door:
        assert await door.sentence("GET", "/readyz") == (503, "a model server does not answer")
        assert await door.sentence("GET", "/readyz", bearer("slt_unknown")) == (503, "a model server does not answer")
        _, told = await door.sentence("GET", "/readyz", cookie("viewer"))
    assert "127.0.0.1" in told


async def test_the_configuration_s_mistakes_are_for_operators(tmp_path: Path) -> None:
    """What is wrong with the configuration file, and what waits for a restart, is told who may operate."""
    path = tmp_path / "sightline.yaml"
    path.write_text("streams: {yard: {url: rtsp://h/, sample_fsp: 1}}\n")
    async with run_door(everybody(), path=path) as door:
        reload = door.service.reload
        assert reload is not None
        await until(lambda: reload.error is not None)
        for guest, operates in (("viewer", False), ("operator", True)):
            async with door.ask("GET", "/api/config", cookie(guest)) as answer:
                told = await answer.json()
            assert told["ok"] is False
            assert ("sample_fsp" in (told["error"] or "")) is operates
            assert told["api_streams"]["token"] is False  # the configuration names none that would help


async def test_who_may_change_some_streams_adds_under_their_names() -> None:
    """An operator of line-* adds a stream of such a name, and under no other, whether it is taken or not."""
    accounts = signed_in(Accounts(), "lin", Role.OPERATOR, "line-*")
    async with run_door(accounts) as door:
        lin = cookie("lin")
        told = {
            await door.sentence("POST", "/api/streams", lin, {"name": name, "url": "rtsp://10.0.0.1/"})
            for name in ("a", "yard", "line")
        }
        sentence = "changing streams is allowed to lin under the names line-*, and under no other"
        assert told == {(403, sentence)}
        document = {"name": "line-1", "url": "rtsp://10.255.255.1/", "paused": True}
        async with door.ask("POST", "/api/streams", lin, json=document) as answer:
            assert answer.status == 201
        async with door.ask("PATCH", "/api/streams/line-1", lin, json={"sample_fps": 2}) as answer:
            assert answer.status == 200
        assert (await door.sentence("PATCH", "/api/streams/a", lin, {"paused": True}))[0] == 404
        assert not any(stream.paused for stream in door.service.streams if stream.name == "a")


async def test_changes_of_streams_are_written_down() -> None:
    """The audit has who added, changed and removed a stream, what of it, and from where; never its address."""
    async with run_door(everybody(), server={"trusted_proxies": [ELSEWHERE]}) as door:
        document = {"name": "yard", "url": "rtsp://u:secret@10.255.255.1/", "paused": True}
        for method, path, body, status in (
            ("POST", "/api/streams", document, 201),
            ("PATCH", "/api/streams/yard", {"sample_fps": 2, "paused": True}, 200),
            ("DELETE", "/api/streams/yard", None, 204),
        ):
            async with door.ask(method, path, cookie("admin"), json=body) as answer:
                assert answer.status == status, await answer.text()
        await door.service.entrance.audit.write()
        async with door.ask("GET", "/api/audit", cookie("admin")) as answer:
            deeds = (await answer.json())["deeds"]
    assert [(deed["who"], deed["what"], deed["target"], deed["detail"]) for deed in deeds] == [
        ("admin", "stream remove", "yard", ""),
        ("admin", "stream change", "yard", "paused, sample_fps"),
        ("admin", "stream add", "yard", ""),
    ]
    assert {deed["address"] for deed in deeds} == {PROXY}
    assert "secret" not in str(deeds)


async def test_whom_a_proxy_names_is_not_taken_for_who_signs_in_under_that_name() -> None:
    """The audit tells a proxy's anna from the anna of the users, whom no user can be called after."""
    access = {"proxy": {"user_header": "Remote-User", "default_role": "operator"}}
    async with run_door(signed_in(Accounts(), "anna", Role.ADMIN), access=access) as door:
        for name, who in (("one", {"Remote-User": "anna"}), ("two", cookie("anna"))):
            document = {"name": name, "url": "rtsp://10.255.255.1/", "paused": True}
            async with door.ask("POST", "/api/streams", who, json=document) as answer:
                assert answer.status == 201
        await door.service.entrance.audit.write()
        async with door.ask("GET", "/api/audit", cookie("anna")) as answer:
            deeds = (await answer.json())["deeds"]
    assert [(deed["who"], deed["target"]) for deed in deeds] == [("anna", "two"), ("anna (proxy)", "one")]


async def test_publishing_elsewhere_is_403_whether_the_name_is_there_or_not() -> None:
    """Who may publish under some names is told those, the same of a name that is taken and one that is not."""
    accounts = with_token(Accounts(), "drone", Action.PUBLISH, streams=("drone-*",))
    async with run_door(accounts) as door:
        told = {await door.sentence("POST", f"/whip/{name}", bearer("drone") | SDP) for name in ("a", "nowhere")}
        assert told == {(403, "publishing is allowed to token drone under the names drone-*, and under no other")}
        assert (await door.sentence("POST", "/whip/drone-1", bearer("drone")))[0] == 415


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ({}, "is for who signs in, or shows a token"),
        (cookie("gone"), "is for who signs in, or shows a token"),
        (bearer("slt_wrong"), "none that is known here, or it has expired"),
        ({"Authorization": "Basic YTpi"}, "is for who signs in, or shows a token"),
    ],
)
async def test_who_is_not_known_is_told_how_to_be(shown: Mapping[str, str], words: str) -> None:
    """401 says what to show, by header and in a sentence, and never what was shown."""
    async with run_door(everybody()) as door, door.ask("GET", "/api/streams", shown) as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        told = (await answer.json())["detail"]
    assert words in told
    assert "slt_" not in told


async def test_a_wrong_token_is_told_even_where_anybody_may() -> None:
    """Who shows an unknown token is refused also where nobody need show one: a program is not to find out late."""
    async with run_door(everybody(), access={"anonymous": ["view"]}) as door:
        assert await door.status("GET", "/api/streams") == 200
        assert await door.status("GET", "/api/streams", bearer("slt_wrong")) == 401


async def test_a_token_too_many_does_no_harm() -> None:
    """Where nobody is asked who he is, an unknown token is as good as none."""
    async with run_door(access=None) as door:
        assert await door.status("GET", "/api/streams", bearer("slt_wrong")) == 200


@pytest.mark.parametrize(
    ("authorization", "may"),
    [
        ("Bearer sesame-open", True),
        ("bearer sesame-open", True),
        ("Bearer  sesame-open ", True),
        ("", False),
        ("Bearer", False),
        ("Bearer sesame", False),
        ("Bearer sesame-openx", False),
        ("Bearer s\udce9same-open", False),
        ("Basic sesame-open", False),
        ("sesame-open", False),
    ],
)
async def test_the_configuration_s_token_publishes(authorization: str, may: bool) -> None:
    """The very token of ingress.token, as a Bearer token, publishes; all else is 401, in a sentence with the key."""
    async with (
        run_door(access=None, ingress={"names": ["*"], "token": "sesame-open"}) as door,
        door.ask("GET", "/whip/x", {"Authorization": authorization}) as answer,
    ):
        assert answer.status == (204 if may else 401)
        if not may:
            told = (await answer.json())["detail"]
            assert "publishing needs the token of ingress.token, as `Authorization: Bearer …`" in told
            assert "sesame" not in told


async def test_the_first_user_shuts_an_open_door() -> None:
    """On loopback without access nobody is asked who he is, until there is a user."""
    async with run_door(access=None) as door:
        assert await door.status("GET", "/api/streams") == 200
        accounts = door.service.entrance.store
        await accounts.change(lambda before: signed_in(before, "admin", Role.ADMIN))
        assert await door.status("GET", "/api/streams") == 401
        assert await door.status("GET", "/api/streams", cookie("admin")) == 200


async def test_what_says_nothing_is_answered_to_nobody() -> None:
    """A route whose handler names no action is refused, also to an administrator; what the router refuses stays so."""

    async def forgotten(_: web.Request) -> web.Response:
        return web.Response()

    async with run_door(everybody()) as door:
        app = web.Application(middlewares=[*door.application.middlewares])
        for key in door.application:
            app[key] = door.application[key]
        app.router.add_get("/forgotten", forgotten)
        async with TestClient(TestServer(app)) as client:
            asked: list[Any] = [
                await client.get("/forgotten", headers=cookie("admin")),
                await client.get("/nothing", headers=cookie("admin")),
                await client.post("/forgotten"),
            ]
    assert [answer.status for answer in asked] == [403, 404, 405]
    assert gate in door.application.middlewares
