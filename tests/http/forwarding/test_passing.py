"""streamer.http.forwarding.passing: a stream that runs at another replica is served here, as who asks may see it."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from streamer.access.accounts import Accounts
from streamer.access.action import Action, Role
from streamer.access.caller import CALLER, LASTS, Caller
from streamer.access.principal import Grant, Principal
from tests.http.guests import bearer, cookie, run_door, signed_in, with_token
from tests.http.replicas import WALL, Map, Two, run_owner, run_replica, run_two
from tests.peers.until import until

VERA = Caller(Principal("user", "vera", (Grant(frozenset({Action.VIEW}), ("b",)),)), "192.0.2.7")
ONE = "/api/streams/b"


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    """Give two replicas that anybody may ask."""
    async with run_two() as two:
        yield two


# ---- passed on


async def test_a_stream_of_another_replica_is_served_here(two: Two) -> None:
    """What its owner says of a stream is answered here, to GET and to HEAD, with one of each header."""
    status, headers, body = await two.here.ask("GET", ONE)
    assert (status, json.loads(body)["name"], json.loads(body)["replica"]) == (200, "b", "there")
    for name in ("Cache-Control", "Content-Security-Policy", "Date", "Vary", "Content-Length"):
        assert len(headers.getall(name)) == 1
    head, headers, nothing = await two.here.ask("HEAD", ONE)
    assert (head, nothing) == (200, b"")
    assert int(headers["Content-Length"]) > 0


async def test_a_refusal_of_the_owner_is_answered_in_its_words(two: Two) -> None:
    """Status, sentence, and when to come back, as if it ran here."""
    assert await two.here.sentence("GET", f"{ONE}/frame.jpg") == (503, "stream b has not had a picture yet")
    _, headers, _ = await two.here.ask("GET", f"{ONE}/frame.jpg")
    assert headers["Retry-After"] == "2"


async def test_a_body_goes_there(two: Two) -> None:
    """What a request carries is read by the owner, who judges it: an offer that is none, one that is too large."""
    sdp = {"Content-Type": "application/sdp"}
    assert (await two.here.sentence("POST", "/whep/b", data="v=0", headers=sdp))[0] == 400
    status, _ = await two.here.sentence("POST", "/whep/b", data=b"x" * (1 << 20), headers=sdp)
    assert status == 413
    assert (await two.here.sentence("POST", "/whep/b", data="v=0", headers={"Content-Type": "text/plain"}))[0] == 415


@pytest.mark.parametrize("path", ["/api/streams/b?x=%2F%3f+%C3%A4&y", "/api/streams/%62", "/api/streams/b?%ff="])
async def test_an_address_arrives_as_it_was_sent(two: Two, path: str) -> None:
    """Nothing of path and query is written anew: the signature is over what came."""
    async with two.here.client.get(URL(two.here.url + path, encoded=True)) as answer:
        assert answer.status == 200


async def test_an_offer_of_another_protocol_is_passed_over(two: Two) -> None:
    """A client that could go on in HTTP/2 is answered in what he speaks, at the owner and at any other replica."""
    offered = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA"}
    for replica in (two.here, two.there):
        assert (await replica.ask("GET", ONE, headers=offered))[0] == 200
        assert (await replica.ask("GET", f"{ONE}/video", headers=offered))[0] == 426


async def test_the_owner_knows_whose_address_asks() -> None:
    """Places are counted there by who watches, and not by the replica that he asked; and his going is noticed there."""
    server = {"trusted_proxies": ["127.0.0.1"], "max_viewers_per_address": 1}
    async with run_two(server=server) as two:
        url, seats = f"{two.here.url}{ONE}/events", two.there.service.streams.seats
        anna, otto = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
        async with two.here.client.get(url, headers=anna) as first, two.here.client.get(url, headers=otto) as other:
            assert (first.status, other.status, first.content_type) == (200, 200, "text/event-stream")
            assert await first.content.readline() == b"retry: 1000\n"
            assert (await two.here.ask("GET", f"{ONE}/events", headers=anna))[0] == 503
            assert len(seats) == 2
        await until(lambda: len(seats) == 0)


async def test_a_name_that_a_proxy_knows_us_by_goes_with_it() -> None:
    """A session's location is below the folder that whoever asks has before our paths, at whichever replica it is."""
    said = Map({"a": "here", "b": "there"})
    seen: list[str] = []

    async def owner(request: web.BaseRequest) -> web.Response:
        seen.append(request.path_qs)
        return web.Response(status=201, headers={"Location": "/cameras/whep/b/1"})

    async with run_owner(owner) as url, run_replica("here", "a", said, server={"base_path": "/cameras"}) as here:
        said.urls["there"] = url
        status, headers, _ = await here.ask("POST", "/cameras/whep/b", data="v=0")
        assert (status, headers["Location"], seen) == (201, "/cameras/whep/b/1", ["/whep/b"])


@pytest.mark.parametrize("base", ["/api", "/a", "/whep", "/api/streams"])
async def test_a_folder_of_any_name_is_taken_away_where_it_is_one(base: str) -> None:
    """With the folder before it and, by a proxy that takes it away, without: the owner is asked the same."""
    said, seen = Map({"b": "there"}), list[str]()

    async def owner(request: web.BaseRequest) -> web.Response:
        seen.append(request.path_qs)
        return web.Response()

    async with run_owner(owner) as url, run_replica("here", "a", said, server={"base_path": base}) as here:
        said.urls["there"] = url
        for path in (f"{ONE}?x", f"{base}{ONE}?x"):
            assert (await here.ask("GET", path))[0] == 200
    assert seen == [f"{ONE}?x"] * 2


async def test_what_somebody_shows_of_himself_stays_here() -> None:
    """Neither his token nor his cookie goes to the owner, who is told his name."""
    said, seen = Map({"b": "there"}), dict[str, str]()
    accounts = with_token(Accounts(), "slt_secret", Action.VIEW)

    async def owner(request: web.BaseRequest) -> web.Response:
        seen.update(request.headers)
        of_a_connection = {"Connection": "X-Hop", "X-Hop": "1"}
        return web.Response(headers={"Set-Cookie": "sightline=his", "X-Its-Own": "kept", **of_a_connection})

    async with run_owner(owner) as url, run_replica("here", "", said, accounts=accounts, access={}) as here:
        said.urls["there"] = url
        shown = {**bearer("slt_secret"), "Cookie": "sightline=x", "X-Forwarded-For": "1.2.3.4", "Accept": "image/*"}
        _, headers, _ = await here.ask("GET", ONE, headers=shown)
    assert seen.keys() == {"Host", "Accept", "Accept-Encoding", "User-Agent", CALLER}
    assert "X-Its-Own" in headers
    assert "Set-Cookie" not in headers
    assert "X-Hop" not in headers


async def test_who_may_not_is_not_passed_on() -> None:
    """The replica that is asked refuses whom it does not let in; the owner hears nothing of him."""
    asked: list[str] = []

    async def owner(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response()

    accounts = signed_in(signed_in(Accounts(), "vera", Role.VIEWER, "b"), "other", Role.VIEWER, "a")
    said = Map({"a": "here", "b": "there"})
    async with run_owner(owner) as url, run_replica("here", "a", said, accounts=accounts, access={}) as here:
        said.urls["there"] = url
        statuses = [(await here.ask("GET", ONE, headers=cookie(name)))[0] for name in ("nobody", "other", "vera")]
    assert (statuses, asked) == ([401, 404, 200], [ONE])


async def test_what_changes_a_stream_is_not_passed_on(two: Two) -> None:
    """Settings are the registry's, which every replica reads and writes itself."""
    assert (await two.here.ask("DELETE", ONE))[0] == 403
    assert (await two.here.ask("OPTIONS", "/whep/b"))[0] == 204


async def test_what_is_known_to_its_owner_alone_is_asked_of_it() -> None:
    """Places and settings of what is published there, or cannot be read here: each replica answers as the owner."""
    async with run_two(api_streams={"allowed": True}) as two:
        for replica in (two.here, two.there):
            status, _, body = await replica.ask("GET", f"{ONE}/places")
            assert (status, json.loads(body)["zones"]) == (200, {})
            status, sentence = await replica.sentence("DELETE", ONE)
            assert (status, "stands in the configuration file" in sentence) == (409, True)
            status, _, body = await replica.ask("PATCH", ONE, json={"paused": replica is two.here})
            assert (status, json.loads(body)["settings"]["paused"]) == (200, replica is two.here)
            assert (await replica.sentence("PUT", f"{ONE}/places", json={}))[0] == 409


async def test_what_nobody_runs_and_cannot_be_read_here_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 503 with the reason, and not as if there were none; a name that nobody has is 404."""
    async with run_two(api_streams={"allowed": True}) as two:
        two.map.owners["b"] = None
        why = "url: the variable ${CAMERA} is not set"
        monkeypatch.setattr(two.here.service.stream_changes, "why_not_here", lambda name: why)
        for method, path in (("GET", f"{ONE}/places"), ("PUT", f"{ONE}/places"), ("PATCH", ONE), ("DELETE", ONE)):
            status, sentence = await two.here.sentence(method, path)
            assert (status, why in sentence) == (503, True)
            assert (await two.here.sentence(method, path.replace("/b", "/c")))[0] == 404


# ---- where it is at nobody's


async def test_a_stream_that_nobody_runs_is_said_to_move(two: Two) -> None:
    """It is 503 with the time to come back, not 404; a name that nobody shares is 404, and all names are told."""
    two.map.owners["b"] = None
    status, sentence = await two.here.sentence("GET", ONE)
    assert status == 503
    assert "no replica runs 'b'" in sentence
    assert (await two.here.ask("GET", ONE))[1]["Retry-After"] == "1"
    assert await two.here.sentence("GET", "/api/streams/c/frame.jpg") == (
        404,
        "there is no stream of that name; there are: a, b",
    )


async def test_what_is_pushed_begins_where_it_arrives() -> None:
    """A name that nobody runs is free for a publisher, also one that is shared; with one that runs he is passed on."""
    sdp, said, asked = {"Content-Type": "application/sdp"}, Map({"b": "there", "cam": None}), list[str]()

    async def owner(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(status=409)

    async with run_owner(owner) as url, run_replica("here", "a", said, ingress={"names": ["*"]}) as here:
        said.urls["there"] = url
        statuses = [(await here.ask("POST", f"/whip/{name}", data="v=0", headers=sdp))[0] for name in ("cam", "b")]
    assert (statuses, asked) == ([400, 409], ["/whip/b"])  # 400: it is no offer


async def test_nothing_is_passed_on_twice() -> None:
    """Two that each take the other for the owner answer 503 to it, and ask nobody further."""
    said = Map({"x": "there"})
    async with run_replica("here", "a", said) as here, run_replica("there", "b", said) as there:
        there.neighbours.whereabouts.map = Map({"x": "here"}, said.urls)  # type: ignore[attr-defined]
        status, sentence = await here.sentence("GET", "/api/streams/x")
        assert status == 503
        assert "the replica there does not run 'x'" in sentence


async def test_what_moves_while_it_is_watched_ends() -> None:
    """An answer without an end is cut off when its stream is another replica's, so that who reads it asks again."""

    async def owner(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await asyncio.Event().wait()
        return response

    said = Map({"b": "there"})
    async with run_owner(owner) as url, run_replica("here", "", said) as here:
        said.urls["there"] = url
        async with here.client.get(f"{here.url}{ONE}/events") as answer:
            assert await answer.content.readline() == b"data: 1\n"
            said.owners["b"] = None
            with pytest.raises(aiohttp.ClientError):
                await answer.read()


async def test_what_lasts_ends_with_the_permission() -> None:
    """A token that is taken away ends here what was begun with it at another replica."""
    accounts = with_token(Accounts(), "slt_secret", Action.VIEW)
    async with (
        run_two(accounts, access={}) as two,
        two.here.client.get(f"{two.here.url}{ONE}/events", headers=bearer("slt_secret")) as answer,
    ):
        assert answer.status == 200
        two.here.service.entrance.store.change_now(lambda _: Accounts())
        two.here.service.admissions.look()
        await until(lambda: len(two.there.service.streams.seats) == 0)


# ---- the caller's header


async def test_who_is_passed_on_is_who_he_is_here(two: Two) -> None:
    """The owner goes by what is signed, and by nothing else that the request shows."""
    signed = two.there.signed("GET", ONE, VERA)
    assert (await two.there.ask("GET", ONE, headers={CALLER: signed, **bearer("slt_unknown")}))[0] == 200
    nobody = Caller(Principal("nobody", "nobody"), "192.0.2.7")
    signed = two.there.signed("GET", ONE, nobody)
    assert (await two.there.ask("GET", ONE, headers={CALLER: signed}))[0] in (401, 403)


async def test_a_page_of_any_name_may_be_passed_on(two: Two) -> None:
    """Host and origin were looked at where it was asked; the owner is asked by a name of its own."""
    headers = {CALLER: two.there.signed("GET", ONE, VERA), "Host": "replica-2.internal", "Origin": "https://x.example"}
    assert (await two.there.ask("GET", ONE, headers=headers))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "to", "now"),
    [
        ("GET", ONE + "/frame.jpg", None, WALL),
        ("HEAD", ONE, None, WALL),
        ("GET", ONE + "?x", None, WALL),
        ("GET", ONE, "here", WALL),
        ("GET", ONE, None, WALL - LASTS),
        ("GET", ONE, None, WALL + 3600),
    ],
)
async def test_a_header_for_something_else_opens_nothing(
    two: Two, method: str, path: str, to: str | None, now: float
) -> None:
    """Replayed at another path, method or replica, or too late, it is 401, though anybody may see this stream."""
    signed = two.there.signed(method, path, VERA, to=to, now=now)
    status, headers, _ = await two.there.ask("GET", ONE, headers={CALLER: signed})
    assert (status, headers[CALLER]) == (401, "refused")


async def test_a_forged_header_is_never_somebody_else(two: Two) -> None:
    """It is 401 with whatever else is shown, twice, empty, or where nothing is asked for."""
    good = two.there.signed("GET", ONE, VERA)
    for said in ("", "1.e30.0", good[:-1], good + "0", "x" * 7000):
        assert (await two.there.ask("GET", ONE, headers={CALLER: said}))[0] == 401
        assert (await two.there.ask("GET", "/", headers={CALLER: said}))[0] == 401
    assert (await two.there.ask("GET", ONE, headers=[(CALLER, good), (CALLER, good)]))[0] == 401


async def test_a_key_that_differs_is_said_as_what_it_is() -> None:
    """Whoever asks is told 502 in a sentence that names what to look at, and not that he is nobody."""
    said = Map({"a": "here", "b": "there"})
    async with run_replica("here", "a", said) as here, run_replica("there", "b", said, key=b"x" * 32):
        status, sentence = await here.sentence("GET", ONE)
    assert status == 502
    assert "`cluster.key`" in sentence


async def test_a_service_without_a_cluster_refuses_it() -> None:
    """There is nobody who could have signed it."""
    async with run_door(access=None) as door, door.ask("GET", "/", {CALLER: "1.e30.0"}) as answer:
        assert answer.status == 401
        assert "no cluster" in (await answer.json())["detail"]
