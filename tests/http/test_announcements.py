"""`/api/events/stream`: events as they are kept, and those that were missed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from streamer.archive.database import DatabaseAway
from streamer.archive.kept import Kept
from streamer.http import announcements
from streamer.http.announcements import BUFFERED, Announcements
from tests.archive.events import an_event
from tests.http.archived import archive_of, asked, keep, run_archived
from tests.http.guests import Door, cookie

NOW = time.time()


@dataclass(frozen=True)
class News:
    """One that was told."""

    number: str
    kind: str
    event: dict[str, Any]


@asynccontextmanager
async def listening(door: Door, who: str = "admin", after: int | None = None) -> AsyncIterator["Listener"]:
    """Somebody who listens; he does from when this begins."""
    headers = cookie(who) | ({} if after is None else {"Last-Event-ID": str(after)})
    async with door.ask("GET", "/api/events/stream", headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert await response.content.readline() == b"retry: 1000\n"
        await response.content.readline()
        yield Listener(response)


class Listener:
    """What he is told, one after the other."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content

    async def next(self) -> News:
        """The next one."""
        fields: dict[str, str] = {}
        while line := (await self._content.readline()).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        return News(fields["id"], fields["event"], json.loads(fields["data"]))


async def test_an_event_is_told_as_it_begins_changes_and_ends(tmp_path: Path) -> None:
    """`new`, `updated` and `ended`, each with the whole event as a question for it would have it, and its number."""
    event = an_event(NOW, stream="a")
    async with run_archived(tmp_path) as door, listening(door) as listener:
        await keep(door, event)
        new = await listener.next()
        assert new.event == await asked(door, f"/api/events/{event.id}")
        assert new.number == str(new.event["changed"])
        await keep(door, replace(event, score=0.9))
        updated = await listener.next()
        await keep(door, replace(event, score=0.9, ended_at=NOW + 1))
        ended = await listener.next()
        await asked(door, f"/api/events/{event.id}", "operator", "PATCH", {"reviewed": "confirmed"})
        judged = await listener.next()
    assert [each.kind for each in (new, updated, ended, judged)] == ["new", "updated", "ended", "updated"]
    assert (updated.event["score"], ended.event["ended_at"] is None, judged.event["reviewed"]) == (
        0.9,
        False,
        "confirmed",
    )


async def test_nobody_is_told_of_streams_he_does_not_see(tmp_path: Path) -> None:
    """Not as they come, and not where he asks for what he missed."""
    mine, other = an_event(NOW, stream="a"), an_event(NOW, stream="b")
    async with run_archived(tmp_path) as door:
        async with listening(door, "viewer") as listener:
            await keep(door, other, mine)
            assert (await listener.next()).event["id"] == mine.id
        async with listening(door, "viewer", after=0) as listener:
            assert (await listener.next()).event["id"] == mine.id


async def test_what_was_missed_is_told_first_also_after_a_restart(tmp_path: Path) -> None:
    """Behind `Last-Event-ID` nothing is left out and nothing told twice, though the service is another one by then."""
    first, second, third = (an_event(NOW + second, stream="a") for second in range(3))
    async with run_archived(tmp_path) as door:
        async with listening(door) as listener:
            await keep(door, first)
            known = int((await listener.next()).number)
        await keep(door, second)
    async with run_archived(tmp_path) as door, listening(door, after=known) as listener:
        told = [await listener.next() for _ in range(2)]  # the restart ended both: they went on
        assert {each.event["id"] for each in told} == {first.id, second.id}
        assert {each.kind for each in told} == {"ended"}
        await keep(door, third)
        assert (await listener.next()).event["id"] == third.id


async def test_a_number_that_is_none_asks_for_nothing(tmp_path: Path) -> None:
    """What no client of ours would send is as if it were not there."""
    async with run_archived(tmp_path) as door:
        await keep(door, an_event(NOW, stream="a"))
        headers = {**cookie("admin"), "Last-Event-ID": "²"}
        async with door.ask("GET", "/api/events/stream", headers) as response:
            assert response.status == 200


async def test_a_number_from_another_archive_asks_for_what_is_new(tmp_path: Path) -> None:
    """One beyond the newest there is, as after a database was made anew, leaves nobody waiting for it."""
    async with run_archived(tmp_path) as door:
        await keep(door, an_event(NOW, stream="a"))
        async with listening(door, after=10_000) as listener:
            event = an_event(NOW, stream="a")
            await keep(door, event)
            assert (await listener.next()).event["id"] == event.id


async def test_what_a_listener_was_too_slow_for_he_is_told_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where his buffer ran over, what fell out of it comes from the database: each event once, in order."""
    monkeypatch.setattr(announcements, "BUFFERED", 2)
    events = [an_event(NOW + second, stream="a") for second in range(20)]
    async with run_archived(tmp_path) as door, listening(door) as listener:
        await keep(door, *events)
        assert [(await listener.next()).event["id"] for _ in events] == [event.id for event in events]
        assert door.application[announcements.ANNOUNCEMENTS].dropped > 0


async def test_while_the_database_is_away_nobody_begins_to_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He is told 503 and when to ask again, and not that all is well."""
    async with run_archived(tmp_path) as door:

        def away() -> None:
            raise DatabaseAway("the server is gone")

        monkeypatch.setattr(archive_of(door)._database, "reading", away)
        assert await door.status("GET", "/api/events/stream", cookie("admin")) == 503


async def test_who_is_slow_loses_the_oldest_and_holds_up_nobody() -> None:
    """Beyond BUFFERED the oldest are dropped and counted, of him alone; telling never waits."""
    told = Announcements()
    events = [Kept(an_event(NOW, stream="a"), changed=number) for number in range(BUFFERED + 10)]
    with told.listen(lambda _: True) as slow, told.listen(lambda name: name == "b") as other:
        told.tell(events)
        assert told.dropped == 10
        assert (await slow.take()).changed == 10
        taking = asyncio.ensure_future(other.take())
        told.tell([Kept(an_event(NOW, stream="b"), changed=1000)])
        assert (await taking).changed == 1000
    assert len(told) == 0
