"""streamer.http.kept_events: what is kept, found, judged and removed, by whoever may."""

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.archive.database import DatabaseAway
from streamer.http import kept_events
from streamer.values.event import Event
from tests.archive.events import a_picture, an_event
from tests.http.archived import archive_of, asked, ids, keep, of, run_archived
from tests.http.guests import ACCESS, cookie
from tests.peers.until import until

NOW = time.time()


def some(count: int, stream: str = "a") -> list[Event]:
    """Events that began one second after the other, the newest first."""
    return [an_event(NOW - second, stream=stream) for second in range(count)]


async def test_pages_lead_through_all_though_others_begin_meanwhile(tmp_path: Path) -> None:
    """Each page's cursor asks for those before its last; what begins in between shifts nothing; the last has none."""
    events = some(5)
    async with run_archived(tmp_path) as door:
        await keep(door, *events)
        first = await asked(door, "/api/events?limit=2")
        await keep(door, an_event(NOW + 1, stream="a"))
        second = await asked(door, f"/api/events?limit=2&cursor={first['cursor']}")
        last = await asked(door, f"/api/events?limit=2&cursor={second['cursor']}")
    found = [event["id"] for page in (first, second, last) for event in page["events"]]
    assert found == of(events)
    assert last["cursor"] is None


async def test_a_page_that_is_the_same_is_not_sent_again(tmp_path: Path) -> None:
    """Asked with the tag of before, a page is 304 without a body, until something in it changes."""
    [event] = some(1)
    async with run_archived(tmp_path) as door:
        await keep(door, event)
        async with door.ask("GET", "/api/events", cookie("admin")) as response:
            tagged = {**cookie("admin"), "If-None-Match": response.headers["ETag"]}
        async with door.ask("GET", "/api/events", tagged) as response:
            assert (response.status, await response.read()) == (304, b"")
        await keep(door, replace(event, ended_at=NOW + 1))
        assert await door.status("GET", "/api/events", tagged) == 200


async def test_everybody_finds_what_is_of_streams_he_sees(tmp_path: Path) -> None:
    """Of a stream that is none of his there is no event, whatever he asks; of one that is gone there still is."""
    [mine], [other], [gone] = some(1, "a"), some(1, "b"), some(1, "gone")
    async with run_archived(tmp_path) as door:
        await keep(door, mine, other, gone, picture=a_picture())
        assert await ids(door, who="viewer") == [mine.id]
        assert await ids(door, "?stream=b,gone", who="viewer") == []
        assert await ids(door, who="other") == [other.id]
        assert await ids(door, "?stream=gone") == [gone.id]
        assert set(await ids(door)) == {mine.id, other.id, gone.id}
        for path in ("", "/picture", "/thumbnail"):
            assert await door.status("GET", f"/api/events/{other.id}{path}", cookie("viewer")) == 404
            assert await door.status("GET", f"/api/events/{mine.id}{path}", cookie("viewer")) == 200


async def test_what_is_asked_for_narrows_what_is_found(tmp_path: Path) -> None:
    """By class, several of them too, by score, zone and time, all at once."""
    car = an_event(NOW, stream="a", label="car", score=0.9, zones=("gate",))
    person = an_event(NOW - 10, stream="a", score=0.6)
    async with run_archived(tmp_path) as door:
        await keep(door, car, person)
        assert await ids(door, "?class=car") == [car.id]
        assert await ids(door, "?class=car, person") == [car.id, person.id]
        assert await ids(door, "?min_score=0.7") == [car.id]
        assert await ids(door, "?zone=gate") == [car.id]
        assert await ids(door, f"?to={NOW - 5}") == [person.id]
        assert await ids(door, f"?from={NOW - 5}&class=person") == []


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("limit=0", "limit"),
        ("cursor=x", "event's id"),
        ("from=noon", "from"),
        ("klass=car", "class"),
        ("zone=%00", "NUL"),
    ],
)
async def test_what_cannot_be_asked_for_is_said_in_a_sentence(tmp_path: Path, query: str, word: str) -> None:
    """A word of the query that is none is 400, and the sentence names it."""
    async with run_archived(tmp_path) as door:
        status, sentence = await door.sentence("GET", f"/api/events?{query}", cookie("admin"))
    assert status == 400
    assert word in sentence


@pytest.mark.parametrize("path", ["nothing", "..%2f..%2fetc", "01AC0D31-5E00-7000-8000-000000000000", "%00"])
async def test_what_is_no_id_leads_nowhere(tmp_path: Path, path: str) -> None:
    """A path that can be no event's is 404, to whoever asks."""
    async with run_archived(tmp_path) as door:
        for tail in ("", "/picture"):
            assert await door.status("GET", f"/api/events/{path}{tail}", cookie("admin")) == 404


async def test_judging_and_removing_are_for_operators_and_are_written_down(tmp_path: Path) -> None:
    """A viewer's word is 403, of a stream he does not see 404; an operator's counts, with his name, and is audited."""
    [mine], [other] = some(1, "a"), some(1, "b")
    async with run_archived(tmp_path) as door:
        await keep(door, mine, other, picture=a_picture())
        path = f"/api/events/{mine.id}"
        said = {"reviewed": "false", "note": "a fitting"}
        assert (await door.sentence("PATCH", path, cookie("viewer"), said))[0] == 403
        assert (await door.sentence("PATCH", f"/api/events/{other.id}", cookie("operator"), said))[0] == 404
        found = await asked(door, path, "operator", "PATCH", said)
        assert (found["reviewed"], found["note"], found["reviewed_by"]) == ("false", "a fitting", "operator")
        kept = await asked(door, path, "operator", "PATCH", {"bookmarked": True})
        assert (kept["reviewed"], kept["note"], kept["bookmarked"]) == ("false", "a fitting", True)
        assert (await asked(door, path, "operator", "PATCH", {"reviewed": None}))["reviewed"] is None
        assert await door.status("DELETE", path, cookie("viewer")) == 403
        assert await door.status("DELETE", path, cookie("operator")) == 204
        assert await door.status("DELETE", path, cookie("operator")) == 404
        deeds = (await asked(door, "/api/audit?what=event"))["deeds"]
    assert [(deed["who"], deed["what"], deed["target"]) for deed in reversed(deeds)] == [
        *[("operator", "event review", mine.id)] * 3,
        ("operator", "event remove", mine.id),
    ]


async def test_whom_a_proxy_names_is_told_from_who_signs_in_here(tmp_path: Path) -> None:
    """A review by the operator whom a trusted proxy names is not that of the operator who is a user here."""
    [event] = some(1)
    access = {**ACCESS, "groups": {"guards": "operator"}}
    named = {"Remote-User": "operator", "Remote-Groups": "guards"}
    async with run_archived(tmp_path, access=access) as door:
        await keep(door, event)
        found = []
        for who in (named, cookie("operator")):
            async with door.ask("PATCH", f"/api/events/{event.id}", who, json={"reviewed": "false"}) as response:
                found.append((await response.json())["reviewed_by"])
    assert found == ["operator (proxy)", "operator"]


@pytest.mark.parametrize(("said", "word"), [({"reviewed": "perhaps"}, "reviewed"), ({"note": "\0"}, "NUL")])
async def test_what_cannot_be_said_of_an_event_is_refused(tmp_path: Path, said: object, word: str) -> None:
    """Another verdict than the two, and a text that no database keeps, are 422 and change nothing."""
    [event] = some(1)
    async with run_archived(tmp_path) as door:
        await keep(door, event)
        status, sentence = await door.sentence("PATCH", f"/api/events/{event.id}", cookie("operator"), said)
        assert status == 422
        assert word in sentence
        assert (await asked(door, f"/api/events/{event.id}"))["reviewed_at"] is None


async def test_what_is_removed_while_it_goes_on_stays_removed(tmp_path: Path) -> None:
    """A thing that is still there does not bring back the event that somebody removed, nor its picture."""
    [event] = some(1)
    async with run_archived(tmp_path) as door:
        await keep(door, event, picture=a_picture())
        assert await door.status("DELETE", f"/api/events/{event.id}", cookie("operator")) == 204
        archive_of(door).put(replace(event, ended_at=NOW + 1), a_picture())
        await keep(door, an_event(NOW, stream="b"))
        assert await door.status("GET", f"/api/events/{event.id}", cookie("admin")) == 404
        assert await asyncio.to_thread(lambda: list(tmp_path.rglob(f"{event.id}*"))) == []


async def test_an_event_without_a_picture_says_so(tmp_path: Path) -> None:
    """Before there is one, and where it could not be kept, its picture is 404 in words of its own."""
    [event] = some(1)
    async with run_archived(tmp_path) as door:
        await keep(door, event)
        status, sentence = await door.sentence("GET", f"/api/events/{event.id}/picture", cookie("admin"))
    assert (status, "picture" in sentence) == (404, True)


async def test_while_the_database_is_away_that_is_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is 503 with a time to ask again, in a sentence; it is answered once the database is back."""
    [event] = some(1)
    async with run_archived(tmp_path) as door:
        await keep(door, event)
        database = archive_of(door)._database

        def away() -> None:
            raise DatabaseAway("the server is gone")

        for name in ("reading", "writing"):
            monkeypatch.setattr(database, name, away)
        one = f"/api/events/{event.id}"
        for method, path in (("GET", "/api/events"), ("GET", one), ("DELETE", one), ("GET", f"{one}/picture")):
            async with door.ask(method, path, cookie("admin")) as response:
                assert response.status == 503, (method, path)
                assert int(response.headers["Retry-After"]) > 0
                assert "the server is gone" in (await response.json())["detail"]
        monkeypatch.undo()
        assert await ids(door) == [event.id]


async def test_pictures_on_a_disk_that_hangs_hold_up_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait for one, the threads that everybody draws and reads in stay free."""
    [event], go_on, waiting = some(1), threading.Event(), threading.Event()

    def hang(_: Path) -> tuple[bytes, str]:
        waiting.set()
        go_on.wait()
        return b"picture", "tag"

    async with run_archived(tmp_path) as door:
        await keep(door, event, picture=a_picture())
        monkeypatch.setattr(kept_events, "_read", hang)
        path = f"/api/events/{event.id}/picture"
        many = [asyncio.create_task(door.status("GET", path, cookie("admin"))) for _ in range(40)]
        await until(waiting.is_set)
        await asyncio.gather(*(asyncio.to_thread(int) for _ in range(8)))
        go_on.set()
        assert set(await asyncio.gather(*many)) == {200}


async def test_a_link_shows_one_events_picture_to_who_has_nothing_else(tmp_path: Path) -> None:
    """Made by who sees its stream; one that says another stream than the event's opens nothing."""
    [mine], [other] = some(1, "a"), some(1, "b")
    async with run_archived(tmp_path) as door:
        await keep(door, mine, other, picture=a_picture())
        for tail in ("picture", "thumbnail"):
            path = f"/api/events/{mine.id}/{tail}?stream=a"
            async with door.ask("POST", "/api/links", cookie("viewer"), json={"path": path, "seconds": 60}) as response:
                url = (await response.json())["url"]
            assert await door.status("GET", url) == 200
            assert await door.status("GET", url.replace(mine.id, other.id)) == 401
            assert await door.status("GET", url.replace("stream=a", "stream=b")) == 401
        lie = {"path": f"/api/events/{other.id}/picture?stream=a", "seconds": 60}
        async with door.ask("POST", "/api/links", cookie("viewer"), json=lie) as response:
            assert await door.status("GET", (await response.json())["url"]) == 404
        beyond = {"path": f"/api/events/{other.id}/picture?stream=b", "seconds": 60}
        assert (await door.sentence("POST", "/api/links", cookie("viewer"), json=beyond))[0] == 404
