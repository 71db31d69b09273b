"""streamer.http.alerts: rules that are seen, tried, made and removed by whoever may; and what came of them."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamer.http.bodies.alert import MOST_TRIED
from tests.archive.events import an_event
from tests.http.archived import asked, keep, run_archived
from tests.http.guests import Door, bearer, cookie
from tests.peers.until import until

NOW = time.time()
FILE = {"anything": {}, "of-a": {"streams": ["a"]}, "of-b": {"streams": ["b"]}, "both": {"streams": ["a", "b"]}}
ONE = "/api/alerts/night"


async def rules(door: Door, who: str = "admin") -> dict[str, Any]:
    """Those that somebody sees, by name."""
    return {rule["name"]: rule for rule in (await asked(door, "/api/alerts", who))["rules"]}


async def put(door: Door, who: str, json: object, path: str = ONE) -> int:
    """How somebody's rule is taken."""
    async with door.ask("PUT", path, cookie(who), json=json) as response:
        return response.status


async def outcomes(door: Door, query: str = "", who: str = "admin") -> list[str]:
    """What came of alerts, the newest first."""
    return [alert["outcome"] for alert in (await asked(door, f"/api/alerts/history{query}", who))["alerts"]]


async def test_a_rule_is_seen_by_who_sees_one_of_its_streams(tmp_path: Path) -> None:
    """Of its streams he is told those that are his; of a rule about others he hears nothing."""
    async with run_archived(tmp_path, alerts=FILE) as door:
        assert list(await rules(door)) == ["anything", "both", "of-a", "of-b"]
        assert list(await rules(door, "viewer")) == ["anything", "both", "of-a"]
        assert list(await rules(door, "other")) == ["anything", "both", "of-b"]
        assert (await rules(door))["both"]["rule"]["streams"] == ["a", "b"]
        assert (await rules(door, "viewer"))["both"]["rule"]["streams"] == ["a"]
        assert (await rules(door, "other"))["anything"]["rule"]["streams"] == ["*"]


async def test_the_list_says_everything_of_a_rule(tmp_path: Path) -> None:
    """All keys, also those that nobody said; where it comes from; and to who may make some, whom they may tell."""
    webhooks = {"phone": {"url": "http://127.0.0.1:1/secret"}}
    night = {"streams": ["a"], "hours": ["22:00-06:00"], "outlets": ["phone"], "min_score": 0.5}
    async with run_archived(tmp_path, alerts={"night": night}, webhooks=webhooks) as door:
        assert (await asked(door, "/api/alerts", "operator"))["outlets"] == ["phone"]
        found = await asked(door, "/api/alerts", "viewer")
    assert found == {
        "rules": [
            {
                "name": "night",
                "origin": "file",
                "may_change": False,
                "hidden": False,
                "rule": {
                    **night,
                    "labels": [],
                    "zones": [],
                    "lines": [],
                    "dwell": 0.0,
                    "cooldown": 60.0,
                    "rule_cooldown": 0.0,
                    "tell_end": False,
                },
                "unknown_outlets": [],
                "silenced_until": None,
                "alerts": 0,
                "told": 0,
                "last_told_at": None,
            }
        ],
        "outlets": [],
        "failing": None,
    }


async def test_a_rule_is_changed_by_who_operates_all_its_streams(tmp_path: Path) -> None:
    """One that looks, or looked, at others is none of his: 403; a viewer makes none; whoever made it, it is audited."""
    async with run_archived(tmp_path) as door:
        assert await put(door, "viewer", {"streams": ["a"]}) == 403
        for streams in (["*"], ["a", "b"], ["?"]):
            status, sentence = await door.sentence("PUT", ONE, cookie("operator"), {"streams": streams})
            assert (status, repr(streams[-1]) in sentence) == (403, True)
        assert await put(door, "operator", {"streams": ["a"]}) == 201
        assert await put(door, "operator", {"streams": ["a"], "min_score": 0.7}) == 200
        assert (await rules(door, "operator"))["night"]["may_change"]
        assert not (await rules(door, "viewer"))["night"]["may_change"]
        assert await put(door, "admin", {"streams": ["a", "b"]}) == 200
        assert not (await rules(door, "operator"))["night"]["may_change"]
        assert await put(door, "operator", {"streams": ["a"]}) == 403
        assert await door.status("DELETE", ONE, cookie("operator")) == 403
        assert await door.status("DELETE", ONE, cookie("admin")) == 204
        assert await door.status("DELETE", ONE, cookie("admin")) == 404
        deeds = (await asked(door, "/api/audit?what=rule"))["deeds"]
    assert [(deed["who"], deed["what"], deed["detail"]) for deed in reversed(deeds)] == [
        ("operator", "rule add", "a; nobody"),
        ("operator", "rule change", "a; nobody"),
        ("admin", "rule change", "a b; nobody"),
        ("admin", "rule remove", ""),
    ]


async def test_a_rule_of_streams_that_one_does_not_see_is_not_there(tmp_path: Path) -> None:
    """Who may operate some stream is told of a rule of others what he is told of none: 404."""
    async with run_archived(tmp_path) as door:
        assert await put(door, "admin", {"streams": ["b"]}) == 201
        told = [await door.sentence("DELETE", f"/api/alerts/{name}", cookie("operator")) for name in ("night", "none")]
    assert [status for status, _ in told] == [404, 404]
    assert told[0][1].replace("night", "none") == told[1][1]


async def test_the_file_has_the_say_about_its_rules(tmp_path: Path) -> None:
    """Neither changed nor removed here, whoever asks: 409, and the sentence names the file."""
    async with run_archived(tmp_path, alerts={"night": {}}) as door:
        for method, body in (("PUT", {}), ("DELETE", None)):
            status, sentence = await door.sentence(method, ONE, cookie("admin"), body)
            assert status == 409
            assert "configuration file" in sentence
        assert (await rules(door))["night"]["origin"] == "file"


async def test_what_was_made_here_is_there_after_a_restart(tmp_path: Path) -> None:
    """A rule is kept with the events."""
    made = {"streams": ["a"], "labels": ["person"], "hours": ["22:00-06:00"], "cooldown": 5.0}
    async with run_archived(tmp_path) as door:
        assert await put(door, "operator", made) == 201
        before = await rules(door)
    async with run_archived(tmp_path) as door:
        assert await rules(door) == before
    assert before["night"]["origin"] == "here"
    assert {key: before["night"]["rule"][key] for key in made} == made


@pytest.mark.parametrize(
    ("said", "status", "word"),
    [
        ({"min_score": 2}, 422, "min_score"),
        ({"outlets": ["pager"]}, 422, "'pager' is no outlet; there is none"),
        ({"klass": []}, 422, "klass: unknown key"),
        ([], 400, "mapping"),
    ],
)
async def test_what_is_no_rule_is_refused_in_a_sentence(tmp_path: Path, said: object, status: int, word: str) -> None:
    """Saved or tried, it is refused in the same words, the key first; and nothing is kept."""
    async with run_archived(tmp_path) as door:
        told = [
            await door.sentence(method, path, cookie("admin"), said)
            for method, path in (("PUT", ONE), ("POST", "/api/alerts/try"))
        ]
        assert await rules(door) == {}
    assert told[0] == told[1]
    assert told[0][0] == status
    assert word in told[0][1]


@pytest.mark.parametrize("name", ["history", "try", "a%2fb", ".hidden", "x" * 65])
async def test_what_cannot_be_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    """No rule is called as what stands beside the rules is, or as no stream may be."""
    async with run_archived(tmp_path) as door:
        assert await put(door, "admin", {}, f"/api/alerts/{name}") in (404, 405)


async def test_a_rule_is_tried_on_the_last_day_before_it_is_saved(tmp_path: Path) -> None:
    """How often it would have told somebody, with its cool-downs, and of which events; and it changes nothing."""
    car, first, second = (
        an_event(NOW - 30, stream="a", label="car"),
        an_event(NOW - 20, stream="a"),
        an_event(NOW - 10, stream="a"),
    )
    old, others = an_event(NOW - 2 * 86_400, stream="a"), an_event(NOW - 10, stream="b")
    async with run_archived(tmp_path) as door:
        await keep(door, car, first, second, old, others)
        said = {"streams": ["a"], "labels": ["person"]}
        found = await asked(door, "/api/alerts/try", "operator", "POST", said)
        patient = await asked(door, "/api/alerts/try", "operator", "POST", {**said, "cooldown": 0})
        everywhere = await asked(door, "/api/alerts/try", "admin", "POST", {"cooldown": 0})
        assert await door.status("POST", "/api/alerts/try", cookie("viewer")) == 403
        assert (await door.sentence("POST", "/api/alerts/try", cookie("operator"), {}))[0] == 403
        assert await rules(door) == {}
        assert await outcomes(door) == []
    assert (found["count"], found["cooled"], found["complete"]) == (1, 1, True)
    assert [each["event"]["id"] for each in found["alerts"]] == [first.id]
    assert abs(found["since"] - (time.time() - 86_400)) < 60
    assert [each["event"]["id"] for each in patient["alerts"]] == [second.id, first.id]
    assert everywhere["count"] == 4


async def test_a_trial_shows_the_newest_and_counts_all(tmp_path: Path) -> None:
    """Of many alerts the list has the newest, newest first."""
    many = [an_event(NOW - second, stream="a") for second in range(MOST_TRIED + 3)]
    async with run_archived(tmp_path) as door:
        await keep(door, *many)
        found = await asked(door, "/api/alerts/try", "operator", "POST", {"streams": ["a"], "cooldown": 0})
    assert found["count"] == len(many)
    assert [each["event"]["id"] for each in found["alerts"]] == [event.id for event in many[:MOST_TRIED]]


async def test_who_may_operate_and_not_view_is_shown_no_event(tmp_path: Path) -> None:
    """A token for operating alone tries a rule on nothing."""
    async with run_archived(tmp_path) as door:
        await keep(door, an_event(NOW, stream="a"))
        async with door.ask("POST", "/api/alerts/try", bearer("operate"), json={}) as response:
            assert (response.status, (await response.json())["alerts"]) == (200, [])


async def test_what_came_of_each_alert_is_told(tmp_path: Path) -> None:
    """The first is noted, the next comes too soon; the list counts both, and says when somebody was told last."""
    first, second = an_event(NOW - 20, stream="a"), an_event(NOW - 10, stream="a")
    async with run_archived(tmp_path, alerts={"night": {"streams": ["a"]}}) as door:
        await keep(door, first)
        await keep(door, second)
        page = await asked(door, "/api/alerts/history")
        [rule] = (await rules(door)).values()
    assert [(each["outcome"], each["event"]["id"]) for each in page["alerts"]] == [
        ("cooled", second.id),
        ("noted", first.id),
    ]
    assert [(each["rule"], each["stream"], each["told"]) for each in page["alerts"]] == [("night", "a", [])] * 2
    assert (page["cursor"], page["failing"]) == (None, None)
    assert (rule["alerts"], rule["told"], rule["last_told_at"]) == (2, 0, None)


async def test_history_is_of_streams_one_sees_and_of_what_is_asked_for(tmp_path: Path) -> None:
    """Nobody finds alerts of another's streams, nor counts them; and every word of the query narrows what is found."""
    events = [an_event(NOW - 10 * number, stream=stream) for number, stream in enumerate(("a", "b", "a", "b"))]
    async with run_archived(tmp_path, alerts={"all": {"cooldown": 0}, "of-b": {"streams": ["b"]}}) as door:
        await keep(door, *reversed(events))

        async def found(query: str = "", who: str = "admin") -> list[tuple[str, str]]:
            page = await asked(door, f"/api/alerts/history?{query}", who)
            return sorted((each["rule"], each["stream"]) for each in page["alerts"])

        assert await found() == [*[("all", "a")] * 2, *[("all", "b")] * 2, *[("of-b", "b")] * 2]
        assert await found(who="viewer") == [("all", "a")] * 2
        assert await found("stream=b", "viewer") == []
        assert await found("stream=b&rule=all") == [("all", "b")] * 2
        assert await found("outcome=cooled") == [("of-b", "b")]
        assert await found(f"to={NOW - 15}") == [("all", "a"), ("all", "b"), ("of-b", "b")]
        assert (await rules(door))["all"]["alerts"] == 4
        assert (await rules(door, "viewer"))["all"]["alerts"] == 2


async def test_pages_of_history_lead_through_all(tmp_path: Path) -> None:
    """Each page's cursor asks for those before; the last has none."""
    events = [an_event(NOW - 10 * number, stream="a") for number in range(5)]
    async with run_archived(tmp_path, alerts={"all": {"cooldown": 0}}) as door:
        await keep(door, *reversed(events))
        found, query = list[str](), "?limit=2"
        while query:
            page = await asked(door, f"/api/alerts/history{query}")
            found += [alert["event"]["id"] for alert in page["alerts"]]
            query = f"?limit=2&cursor={page['cursor']}" if page["cursor"] else ""
    assert found == [event.id for event in events]


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "outcome=lost", "rule=%00", "from=noon"])
async def test_what_cannot_be_asked_for_is_said_in_a_sentence(tmp_path: Path, query: str) -> None:
    """A word of the query that is none is 400, and the sentence names it."""
    async with run_archived(tmp_path) as door:
        status, sentence = await door.sentence("GET", f"/api/alerts/history?{query}", cookie("admin"))
    assert status == 400
    assert query.split("=")[0] in sentence or "event's id" in sentence


async def test_an_event_that_goes_on_gives_one_alert(tmp_path: Path) -> None:
    """However often it changes, and whatever becomes of it."""
    event = an_event(NOW, stream="a")
    async with run_archived(tmp_path, alerts={"all": {"cooldown": 0}}) as door:
        await keep(door, event)
        await keep(door, replace(event, score=0.9))
        await keep(door, replace(event, ended_at=NOW + 5))
        page = await asked(door, "/api/alerts/history")
    assert [alert["event"]["ended_at"] for alert in page["alerts"]] == [pytest.approx(NOW + 5, abs=0.001)]


async def test_an_edited_file_changes_rules_and_outlets_at_once(tmp_path: Path) -> None:
    """Its rules and outlets come and go while the service runs; one made here says which of its outlets is no more."""
    path = tmp_path / "sightline.yaml"
    away = {"phone": {"url": "http://127.0.0.1:1/x"}, "team": {"url": "http://127.0.0.1:1/y"}}

    def write(alerts: dict[str, Any], *names: str) -> None:
        webhooks = {name: away[name] for name in names}
        streams = {"a": {"url": "rtsp://127.0.0.1:1/x"}}
        document = {"archive": {}, "access": {}, "streams": streams, "alerts": alerts, "webhooks": webhooks}
        path.write_text(json.dumps(document))

    write({})
    async with run_archived(tmp_path / "archive", path=path) as door:
        outlets = door.service.outgoing.states
        write({"night": {"outlets": ["phone"]}}, "phone", "team")
        await until(lambda: len(outlets()) == 2)
        assert await put(door, "admin", {"streams": ["b"], "outlets": ["team"]}, "/api/alerts/made") == 201
        before = await asked(door, "/api/alerts")
        write({"made": {"streams": ["a"]}}, "phone")
        await until(lambda: len(outlets()) == 1)
        after = await asked(door, "/api/alerts")
        assert await door.status("DELETE", "/api/alerts/made", cookie("operator")) == 409
        assert await put(door, "admin", {}, "/api/alerts/made") == 409
        assert await door.status("DELETE", "/api/alerts/made", cookie("admin")) == 204
        assert [rule["origin"] for rule in (await rules(door)).values()] == ["file"]
    assert before["outlets"] == ["phone", "team"]
    assert [(rule["name"], rule["origin"]) for rule in before["rules"]] == [("made", "here"), ("night", "file")]
    assert after["outlets"] == ["phone"]
    found = [(rule["origin"], rule["hidden"], rule["may_change"], rule["unknown_outlets"]) for rule in after["rules"]]
    assert found == [("file", False, False, []), ("here", True, True, ["team"])]
