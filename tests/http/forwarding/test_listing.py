"""streamer.http.forwarding.listing: one list of all streams, whatever becomes of those who know of them."""

import asyncio
import json
from typing import Any, cast

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.accounts import Accounts
from streamer.access.action import Role
from streamer.http.description import StreamDescription
from streamer.http.elsewhere import ELSEWHERE
from streamer.http.forwarding import listing
from streamer.http.forwarding.listing import FRESH, SLOW, Heard, joined, moving, read
from tests.http.guests import cookie, signed_in
from tests.http.replicas import Map, SaidWhereabouts, run_owner, run_replica, run_two
from tests.peers.until import until

NAMES = st.sampled_from("abcdefgh")
REPLICAS = st.sampled_from(("here", "there", "yonder", "gone"))
URLS = {"here": "http://1", "there": "http://2", "yonder": "http://3"}


def row(name: str, **more: Any) -> StreamDescription:
    """A stream as its owner describes it."""
    return cast(StreamDescription, {**moving(name, "", None), "state": "live", "reason": None, **more})


def rows(names: Any) -> dict[str, StreamDescription]:
    """Several."""
    return {name: row(name) for name in names}


@given(
    st.dictionaries(NAMES, REPLICAS | st.none()),
    st.sets(NAMES),
    st.dictionaries(st.sampled_from(("there", "yonder")), st.sets(NAMES) | st.none()),
)
def test_every_stream_is_listed_once(
    owners: dict[str, str | None], here: set[str], heard: dict[str, set[str] | None]
) -> None:
    """Whoever claims what, and whoever answers or not: all that is shared, and all that runs, in one order, once."""
    said = {name: Heard(0, {}, "away") if ran is None else Heard(0, rows(ran)) for name, ran in heard.items()}
    whereabouts = SaidWhereabouts("here", Map(dict(owners), URLS))
    listed = joined(whereabouts, rows(here), said, {})
    names = [each["name"] for each in listed]
    elsewhere = {name for ran in heard.values() if ran for name in ran}
    assert names == [*owners, *sorted((here | elsewhere) - owners.keys())]
    for each in listed:
        runs_here = each["name"] in here
        assert (each["replica"] == "here") == runs_here
        assert (each["state"] == "moving") == (each["replica"] is None)
        if each["state"] == "moving":
            assert each["reason"]
            assert each["fps"] is None


def test_a_stream_that_moves_keeps_its_form() -> None:
    """Size, model and origin are what they were, so that its tile stays as it is; numbers are none."""
    last = row("a", width=640, height=360, model="yard", origin="api", fps=25.0, viewers=3)
    whereabouts = SaidWhereabouts("here", Map({"a": None}, URLS))
    [found] = joined(whereabouts, {}, {}, {"a": last})
    kept = {key: found[key] for key in ("width", "height", "model", "origin", "fps", "viewers", "state")}
    assert kept == {
        "width": 640,
        "height": 360,
        "model": "yard",
        "origin": "api",
        "fps": None,
        "viewers": 0,
        "state": "moving",
    }


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'[{"name": 1}]', b"[" * 100_000, b"\xff", b'[{"x": "a"}]'])
def test_what_is_no_list_is_none(text: bytes) -> None:
    """A replica of another version, or whatever answers in its place, costs its own streams alone."""
    with pytest.raises(ValueError, match=r"."):
        read(text)


# ---- real ones


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow a loaded machine makes one of them."""
    for name in ("ASKING", "PATIENCE"):
        monkeypatch.setattr(listing, name, 60)


@pytest.mark.usefixtures("patient")
async def test_each_replica_lists_all() -> None:
    """The same streams in the same order, with who runs each; one that nobody runs is moving, and says so."""
    async with run_two() as two:
        two.map.owners["c"] = None
        for replica in (two.here, two.there):
            found = await replica.listed()
            assert {name: each["replica"] for name, each in found.items()} == {"a": "here", "b": "there", "c": None}
            assert list(found) == ["a", "b", "c"]
            assert found["c"]["state"] == "moving"
            assert "no replica runs it" in found["c"]["reason"]
            assert found["a"].keys() == found["b"].keys() == found["c"].keys()


@pytest.mark.usefixtures("patient")
async def test_one_sees_of_all_replicas_what_one_may() -> None:
    """Whoever may see one stream is listed one, wherever it runs and whether it does."""
    accounts = signed_in(Accounts(), "vera", Role.VIEWER, "b", "d")
    async with run_two(accounts, access={}) as two:
        two.map.owners |= {"c": None, "d": None}
        _, _, body = await two.here.ask("GET", "/api/streams", headers=cookie("vera"))
        assert [each["name"] for each in json.loads(body)] == ["b", "d"]


@pytest.mark.usefixtures("patient")
async def test_a_replica_that_is_gone_costs_its_own_streams() -> None:
    """They are moving, say that it is away, and keep their form."""
    said = Map({"a": "here", "b": "there"})
    async with run_replica("here", "a", said) as here:
        async with run_replica("there", "b", said):
            assert (await here.listed())["b"]["state"] != "moving"
        here.clock.advance(FRESH)
        found = await here.listed()
        assert found["a"]["state"] != "moving"
        assert (found["b"]["state"], found["b"]["replica"]) == ("moving", None)
        assert "replica there is away" in found["b"]["reason"]


async def test_a_slow_replica_is_taken_at_its_last_word_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not answer in time is waited for once, by all who ask; then its last word counts, for a while."""
    for name in ("ASKING", "PATIENCE"):
        monkeypatch.setattr(listing, name, 60)
    is_slow, goes_on, asked = asyncio.Event(), asyncio.Event(), 0

    async def owner(request: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        if is_slow.is_set():
            await goes_on.wait()
        return web.json_response([row("b")])

    said = Map({"b": "there"})
    async with run_owner(owner) as url, run_replica("here", "a", said) as here:
        said.urls["there"], lists = url, here.application[ELSEWHERE].listing  # type: ignore[attr-defined]
        assert (await here.listed())["b"]["state"] == "live"
        await here.listed()
        assert asked == 1  # it was fresh
        is_slow.set()
        monkeypatch.setattr(listing, "ASKING", 0.1)
        here.clock.advance(FRESH)
        both = await asyncio.gather(here.listed(), here.listed())
        assert [each["b"]["state"] for each in both] == ["live", "live"]
        await until(lambda: asked == 2)
        monkeypatch.setattr(listing, "ASKING", 3600)  # for which nobody waits any more
        assert (await here.listed())["b"]["state"] == "live"
        here.clock.advance(SLOW)
        assert (await here.listed())["b"]["reason"] == "its replica there does not answer this replica"
        goes_on.set()
        await until(lambda: asked == 2 and not lists._asking)
        assert (await here.listed())["b"]["state"] == "live"
        assert (asked, lists._slow) == (2, set())


@pytest.mark.parametrize("answer", [b"[" + b" " * (9 << 20) + b"]", b"no JSON", b'[{"name": 7}]'])
async def test_a_list_that_is_none_is_as_no_answer(answer: bytes) -> None:
    """One without an end, too, of which no more is read than a list may have."""

    async def owner(request: web.BaseRequest) -> web.Response:
        return web.Response(body=answer, content_type="application/json")

    said = Map({"b": "there"})
    async with run_owner(owner) as url, run_replica("here", "a", said) as here:
        said.urls["there"] = url
        assert (await here.listed())["b"]["state"] == "moving"


async def test_who_is_asked_by_a_replica_says_its_own_alone() -> None:
    """Nobody asks on: what two say of a third would be old."""
    async with (
        run_two() as two,
        two.here.neighbours.get(two.here.neighbours.whereabouts.others()[0], "/api/streams") as answer,
    ):
        assert [each["name"] for each in await answer.json()] == ["b"]
