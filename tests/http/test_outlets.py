"""streamer.http.outlets: how telling goes, a test, and letters that were given up; for who operates every stream."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from streamer.archive.alerts.stored_outbox import StoredOutbox
from tests.archive.events import an_event
from tests.http.archived import archive_of, asked, keep, run_archived
from tests.http.guests import Door, bearer, cookie
from tests.peers.until import until

NOW = time.time()
LIST, PHONE = "/api/outlets", "/api/outlets/phone"
SECRET = "a-secret-topic"
"""In the path of the receiver's address."""
ALERTS = {"all": {"outlets": ["phone"], "cooldown": 0}}


@asynccontextmanager
async def run_receiver(status: int = 204) -> AsyncIterator[tuple[str, list[Any]]]:
    """One that answers with this status; gives its address, and what it was told."""
    told: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        told.append(await request.json())
        return web.Response(status=status)

    app = web.Application()
    app.add_routes([web.post(f"/{SECRET}", take)])
    async with TestServer(app) as server:
        yield str(server.make_url(f"/{SECRET}")), told


def to(url: str) -> dict[str, Any]:
    """A section `webhooks` with a telephone at this address."""
    return {"phone": {"url": url, "networks": ["127.0.0.0/8"]}}


def outbox_of(door: Door) -> StoredOutbox:
    """A service's."""
    return archive_of(door).outbox


@asynccontextmanager
async def run_dead(folder: Path, count: int = 3) -> AsyncIterator[tuple[Door, list[str]]]:
    """A service that has given up as many letters to a telephone that takes none; and the events they tell of."""
    events = [an_event(NOW - 10 * number, stream="a") for number in range(count)]
    async with run_receiver(400) as (url, _), run_archived(folder, alerts=ALERTS, webhooks=to(url)) as door:
        await keep(door, *reversed(events))
        while letters := await outbox_of(door).due("phone", NOW + 1e6, 10):
            for letter in letters:
                await outbox_of(door).dead(letter.number, "it answered 400")
        yield door, [event.id for event in events]


async def letters(door: Door, query: str = "") -> list[dict[str, Any]]:
    """Those that an administrator finds."""
    found: list[dict[str, Any]] = (await asked(door, f"{PHONE}/dead{query}"))["letters"]
    return found


async def test_who_does_not_operate_every_stream_hears_of_no_outlet(tmp_path: Path) -> None:
    """A viewer, and an operator of some streams, are 403, whether there is such an outlet; with a sentence."""
    async with run_archived(tmp_path, webhooks=to("http://127.0.0.1:1/x")) as door:
        for method, path in (
            ("GET", LIST),
            *[("POST", f"{LIST}/{name}/test") for name in ("phone", "none")],
            ("GET", f"{PHONE}/dead"),
            ("DELETE", f"{PHONE}/dead"),
            ("POST", f"{PHONE}/dead/resend"),
        ):
            for who in ("viewer", "operator"):
                status, sentence = await door.sentence(method, path, cookie(who))
                assert (status, "phone" in sentence) == (403, False), (method, path, who)
        assert "for who operates every stream" in (await door.sentence("GET", LIST, cookie("operator")))[1]
        assert (await door.sentence("GET", f"{LIST}/none/dead", cookie("admin")))[0] == 404


async def test_an_outlet_is_shown_without_its_secret(tmp_path: Path) -> None:
    """Its name, its kind and its host; nothing of its path, and no more where it fails."""
    async with run_archived(tmp_path, webhooks=to(f"http://127.0.0.1:1/{SECRET}")) as door:
        [idle] = (await asked(door, LIST))["outlets"]
        tried = await asked(door, f"{PHONE}/test", method="POST")
        async with door.ask("GET", LIST, cookie("admin")) as response:
            text = await response.text()
    assert (idle["name"], idle["kind"], idle["recipe"], idle["state"]) == ("phone", "webhook", "plain", "idle")
    assert idle["host"].startswith("127.0.0.1")
    assert (idle["waiting"], idle["dead"], idle["lost"], idle["oldest_at"], idle["why"]) == (0, 0, 0, None, None)
    assert tried["outcome"] == "failed"
    assert SECRET not in text + tried["detail"]


async def test_the_broker_is_an_outlet_like_any_other(tmp_path: Path) -> None:
    """Named mqtt, by its host and without its user; a test says why it cannot be told."""
    mqtt = {"url": f"mqtt://sightline:{SECRET}@127.0.0.1:1"}
    async with run_archived(tmp_path, mqtt=mqtt) as door:
        tried = await asked(door, f"{LIST}/mqtt/test", method="POST")
        async with door.ask("GET", LIST, cookie("admin")) as response:
            text = await response.text()
        [broker] = (await asked(door, LIST))["outlets"]
        assert (await asked(door, "/api/alerts"))["outlets"] == ["mqtt"]
    assert (broker["name"], broker["kind"], broker["recipe"]) == ("mqtt", "mqtt", None)
    assert broker["host"].startswith("127.0.0.1")
    assert tried["outcome"] == "failed"
    assert "sightline:" not in text + tried["detail"]
    assert SECRET not in text + tried["detail"]


async def test_a_test_is_told_at_once_and_says_what_came_of_it(tmp_path: Path) -> None:
    """Sent: the receiver has it. Failed: why, in a sentence, and 200 all the same. Either is in the audit."""
    async with run_receiver() as (url, told), run_archived(tmp_path / "well", webhooks=to(url)) as door:
        assert await asked(door, f"{PHONE}/test", method="POST") == {"outcome": "sent", "detail": None}
        assert [each["kind"] for each in told] == ["test"]
    async with run_receiver(500) as (url, _), run_archived(tmp_path / "ill", webhooks=to(url)) as door:
        tried = await asked(door, f"{PHONE}/test", method="POST")
        deeds = (await asked(door, "/api/audit?what=outlet"))["deeds"]
    assert tried["outcome"] == "failed"
    assert "500" in tried["detail"]
    assert [(deed["what"], deed["target"], deed["ok"]) for deed in deeds] == [("outlet test", "phone", False)]


async def test_how_telling_goes_is_told(tmp_path: Path) -> None:
    """An alert reaches its outlet, which is ok from then on; one that does not waits, and the outlet says why."""
    async with run_receiver() as (url, told), run_archived(tmp_path / "well", alerts=ALERTS, webhooks=to(url)) as door:
        await keep(door, an_event(NOW, stream="a"))
        await until(lambda: outbox_of(door).queues["phone"].waiting == 0)
        [outlet] = (await asked(door, LIST))["outlets"]
        [rule] = (await asked(door, "/api/alerts"))["rules"]
    assert [(each["kind"], each["rule"]) for each in told] == [("alert", "all")]
    assert (outlet["state"], outlet["sent"], outlet["waiting"], outlet["failing_since"]) == ("ok", 1, 0, None)
    assert (rule["alerts"], rule["told"]) == (1, 1)
    async with run_receiver(500) as (url, _), run_archived(tmp_path / "ill", alerts=ALERTS, webhooks=to(url)) as door:
        await keep(door, an_event(NOW, stream="a"))
        await until(lambda: door.service.outgoing.states()[0].status == "failing")
        [outlet] = (await asked(door, LIST))["outlets"]
    assert (outlet["state"], outlet["sent"], outlet["waiting"]) == ("failing", 0, 1)
    assert outlet["oldest_at"] <= outlet["failing_since"]
    assert "500" in outlet["why"]


async def test_an_outlet_that_wants_no_more_is_off_until_a_test_reaches_it(tmp_path: Path) -> None:
    """410 turns it off, and it says so; what it is to be told waits, and is told once a person's test was taken."""
    status, told = [410], list[str]()

    async def take(request: web.Request) -> web.Response:
        told.append((await request.json())["kind"])
        return web.Response(status=status[0])

    app = web.Application()
    app.add_routes([web.post("/", take)])
    async with TestServer(app) as server:
        webhooks = to(str(server.make_url("/")))
        async with run_archived(tmp_path, alerts=ALERTS, webhooks=webhooks) as door:
            await keep(door, an_event(NOW, stream="a"))
            await until(lambda: door.service.outgoing.states()[0].status == "off")
            [off] = (await asked(door, LIST))["outlets"]
            assert (await asked(door, f"{PHONE}/test", method="POST"))["outcome"] == "failed"
            status[0] = 204
            assert (await asked(door, f"{PHONE}/test", method="POST"))["outcome"] == "sent"
            await until(lambda: outbox_of(door).queues["phone"].waiting == 0)
            [ok] = (await asked(door, LIST))["outlets"]
    assert (off["state"], off["waiting"], "410" in off["why"]) == ("off", 1, True)
    assert (ok["state"], ok["waiting"], ok["why"]) == ("ok", 0, None)
    assert told == ["alert", "test", "test", "alert"]


async def test_dead_letters_are_listed_newest_first(tmp_path: Path) -> None:
    """Each with what it told of, when and why it was given up; a cursor leads through all of them."""
    async with run_dead(tmp_path) as (door, events):
        first = await asked(door, f"{PHONE}/dead?limit=2")
        last = await asked(door, f"{PHONE}/dead?limit=2&cursor={first['cursor']}")
        for query, word in (("limit=0", "limit"), ("cursor=x", "cursor")):
            status, sentence = await door.sentence("GET", f"{PHONE}/dead?{query}", cookie("admin"))
            assert (status, word in sentence) == (400, True)
    found = [*first["letters"], *last["letters"]]
    assert [letter["event"]["id"] for letter in found] == events
    assert {(letter["kind"], letter["rule"], letter["stream"], letter["error"]) for letter in found} == {
        ("alert", "all", "a", "it answered 400")
    }
    assert all(letter["made_at"] <= letter["died_at"] for letter in found)
    assert last["cursor"] is None


async def test_dead_letters_are_sent_again_or_discarded_by_a_person(tmp_path: Path) -> None:
    """Those he names, or all; what is none of them is passed over; both are in the audit."""
    async with run_dead(tmp_path) as (door, _):
        one, two, three = (letter["id"] for letter in await letters(door))
        other = "01ac0d31-5e00-7000-8000-000000000000"
        assert await asked(door, f"{PHONE}/dead?ids={one},{other}", method="DELETE") == {"count": 1}
        assert [letter["id"] for letter in await letters(door)] == [two, three]
        assert await asked(door, f"{PHONE}/dead/resend", method="POST", json={"ids": [two]}) == {"count": 1}
        assert await asked(door, f"{PHONE}/dead", method="DELETE") == {"count": 1}
        assert three not in [letter["id"] for letter in await letters(door)]
        assert await asked(door, f"{PHONE}/dead?ids={one}", method="DELETE") == {"count": 0}
        deeds = (await asked(door, "/api/audit?what=outlet"))["deeds"]
    assert [(deed["what"], deed["detail"]) for deed in reversed(deeds)] == [
        ("outlet discard", "1 letters"),
        ("outlet resend", "1 letters"),
        ("outlet discard", "1 letters"),
        ("outlet discard", "0 letters"),
    ]


@pytest.mark.parametrize("ids", ["x", "", ",".join(["01ac0d31-5e00-7000-8000-000000000000"] * 201)])
async def test_what_are_no_ids_discards_nothing(tmp_path: Path, ids: str) -> None:
    """400, and never all: an empty list is none."""
    async with run_dead(tmp_path, 1) as (door, _):
        assert (await door.sentence("DELETE", f"{PHONE}/dead?ids={ids}", cookie("admin")))[0] == 400
        said = {"ids": [ids]}
        assert (await door.sentence("POST", f"{PHONE}/dead/resend", cookie("admin"), said))[0] == 422
        assert len(await letters(door)) == 1


async def test_letters_to_an_outlet_that_is_no_more_are_found_and_discarded(tmp_path: Path) -> None:
    """It is listed as gone for as long as it has some; it can neither be tested nor be sent them again."""
    async with run_dead(tmp_path, 1):
        pass
    async with run_archived(tmp_path) as door:
        [gone] = (await asked(door, LIST))["outlets"]
        assert (gone["name"], gone["state"], gone["dead"], gone["host"]) == ("phone", "gone", 1, None)
        for path, said in (("test", None), ("dead/resend", {})):
            assert (await door.sentence("POST", f"{PHONE}/{path}", cookie("admin"), said))[0] == 404
        assert await asked(door, f"{PHONE}/dead", method="DELETE") == {"count": 1}
        assert (await asked(door, LIST))["outlets"] == []


async def test_who_may_operate_and_not_view_is_shown_no_event(tmp_path: Path) -> None:
    """A token for operating alone finds letters, and not what they tell of."""
    async with run_dead(tmp_path, 1) as (door, _), door.ask("GET", f"{PHONE}/dead", bearer("operate")) as response:
        assert [letter["event"] for letter in (await response.json())["letters"]] == [None]
