"""streamer.http.silences: nobody is told for a time, by whoever may say so; and everybody it concerns sees it."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.archive.events import an_event
from tests.http.archived import asked, keep, run_archived
from tests.http.guests import Door, cookie, run_door

NOW = time.time()
LIST = "/api/silences"
RULES = {"all": {}, "of-a": {"streams": ["a"]}, "of-b": {"streams": ["b"]}}


async def silence(door: Door, who: str, **of: Any) -> tuple[int, Any]:
    """How somebody's wish for an hour's silence is met."""
    async with door.ask("POST", LIST, cookie(who), json={"seconds": 3600, **of}) as response:
        return response.status, await response.json()


async def seen(door: Door, who: str) -> list[tuple[str | None, str | None, bool]]:
    """Rule, stream, and whether he may end it, of those that somebody sees."""
    found = (await asked(door, LIST, who))["silences"]
    return sorted(((each["rule"], each["stream"], each["may_end"]) for each in found), key=str)


@pytest.mark.parametrize(
    ("of", "statuses"),
    [
        ({"stream": "a"}, {"viewer": 403, "operator": 201, "admin": 201}),
        ({"stream": "b"}, {"viewer": 403, "operator": 404, "admin": 201}),
        ({"rule": "of-a"}, {"viewer": 403, "operator": 201, "admin": 201}),
        ({"rule": "all"}, {"viewer": 403, "operator": 403, "admin": 201}),
        ({"rule": "all", "stream": "a"}, {"viewer": 403, "operator": 201, "admin": 201}),
        ({"rule": "of-b"}, {"viewer": 403, "operator": 422, "admin": 201}),
        ({"rule": "of-b", "stream": "b"}, {"viewer": 403, "operator": 422, "admin": 201}),
        ({}, {"viewer": 403, "operator": 403, "admin": 201}),
        ({"rule": "none"}, {"viewer": 403, "operator": 422, "admin": 422}),
        ({"stream": "none"}, {"viewer": 403, "operator": 404, "admin": 422}),
        ({"seconds": 1}, {"viewer": 403, "operator": 422, "admin": 422}),
        ({"seconds": 10**9}, {"viewer": 403, "operator": 422, "admin": 422}),
    ],
)
async def test_who_operates_all_that_it_is_about_makes_one(
    tmp_path: Path, of: dict[str, Any], statuses: dict[str, int]
) -> None:
    """A stream's is for who operates that, a rule's for who does all its streams, one of all for who does all."""
    async with run_archived(tmp_path, alerts=RULES) as door:
        assert {who: (await silence(door, who, **of))[0] for who in statuses} == statuses


async def test_one_is_seen_by_everybody_it_is_about(tmp_path: Path) -> None:
    """Of everything by all; else by who sees the stream, or one of the rule's; who may end it is told so."""
    async with run_archived(tmp_path, alerts=RULES) as door:
        for of in ({}, {"stream": "a"}, {"stream": "b"}, {"rule": "of-b"}, {"rule": "all"}):
            assert (await silence(door, "admin", **of))[0] == 201
        everything, rule = (None, None), ("all", None)
        assert await seen(door, "viewer") == sorted([(*everything, False), (None, "a", False), (*rule, False)], key=str)
        assert await seen(door, "operator") == sorted(
            [(*everything, False), (None, "a", True), (*rule, False)], key=str
        )
        assert len(await seen(door, "admin")) == 5
        assert all(may_end for *_, may_end in await seen(door, "admin"))


async def test_one_is_ended_by_who_might_have_made_it(tmp_path: Path) -> None:
    """Whoever it was; another's is 403, one that he does not see 404; both ends are in the audit."""
    async with run_archived(tmp_path, alerts=RULES) as door:
        _, of_a = await silence(door, "admin", stream="a")
        _, of_b = await silence(door, "admin", stream="b")
        _, of_all = await silence(door, "admin")
        assert await door.status("DELETE", f"{LIST}/{of_a['id']}", cookie("viewer")) == 403
        assert await door.status("DELETE", f"{LIST}/{of_all['id']}", cookie("operator")) == 403
        assert await door.status("DELETE", f"{LIST}/{of_b['id']}", cookie("operator")) == 404
        assert await door.status("DELETE", f"{LIST}/{of_a['id']}", cookie("operator")) == 204
        assert await door.status("DELETE", f"{LIST}/{of_a['id']}", cookie("operator")) == 404
        assert await door.status("DELETE", f"{LIST}/none", cookie("admin")) == 404
        deeds = (await asked(door, "/api/audit?what=silence"))["deeds"]
    assert [(deed["who"], deed["what"], deed["target"]) for deed in reversed(deeds)] == [
        ("admin", "silence add", "stream a"),
        ("admin", "silence add", "stream b"),
        ("admin", "silence add", "everything"),
        ("operator", "silence end", "stream a"),
    ]
    assert of_a["by"] == "admin"
    assert of_a["until"] == pytest.approx(of_a["made_at"] + 3600, abs=1)


async def test_one_takes_the_place_of_another_of_the_same(tmp_path: Path) -> None:
    """Of a rule and a stream there is one at a time, the last that somebody wished for, be it the shorter."""
    async with run_archived(tmp_path, alerts=RULES) as door:
        for of in ({"stream": "a"}, {"rule": "all", "stream": "a"}):
            assert (await silence(door, "operator", **of))[0] == 201
        _, made = await silence(door, "operator", stream="a", seconds=60)
        found = (await asked(door, LIST))["silences"]
    assert [(each["rule"], each["stream"]) for each in found] == [("all", "a"), (None, "a")]
    assert found[-1] == made


async def test_what_is_met_in_silence_is_noted_and_told_to_nobody(tmp_path: Path) -> None:
    """The rule says until when; its alert is there as silenced; once the silence has ended the next one counts."""
    async with run_archived(tmp_path, alerts={"of-a": {"streams": ["a"], "cooldown": 0}}) as door:
        _, made = await silence(door, "admin", rule="of-a")
        [rule] = (await asked(door, "/api/alerts"))["rules"]
        assert rule["silenced_until"] == made["until"]
        await keep(door, an_event(NOW, stream="a"))
        assert await door.status("DELETE", f"{LIST}/{made['id']}", cookie("admin")) == 204
        await keep(door, an_event(NOW + 1, stream="a"))
        found = (await asked(door, "/api/alerts/history"))["alerts"]
    assert [alert["outcome"] for alert in found] == ["noted", "silenced"]


async def test_where_nothing_is_kept_there_are_none() -> None:
    """Every page asks for them, and is answered with none where there is no archive; rules and outlets are 404."""
    async with run_door(access=None) as door:
        async with door.ask("GET", LIST) as response:
            assert (response.status, await response.json()) == (200, {"silences": []})
        for path in ("/api/alerts", "/api/outlets"):
            status, sentence = await door.sentence("GET", path)
            assert status == 404
            assert "section `archive`" in sentence
