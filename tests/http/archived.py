"""A service with an archive, and events that are kept in it before anybody asks."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from streamer.access.accounts import Accounts
from streamer.archive.archive import Archive
from streamer.values.event import Event, Picture
from tests.http.guests import Door, cookie, everybody, run_door
from tests.peers.until import until


@asynccontextmanager
async def run_archived(folder: Path, accounts: Accounts | None = None, **sections: Any) -> AsyncIterator[Door]:
    """A service whose archive is in that folder; everybody is known to it, unless others are named."""
    accounts = everybody() if accounts is None else accounts
    async with run_door(accounts, archive={"path": str(folder)}, **sections) as door:
        yield door


def archive_of(door: Door) -> Archive:
    """A service's."""
    assert door.service.keeping.archive is not None
    return door.service.keeping.archive


async def keep(door: Door, *events: Event, picture: Picture | None = None) -> None:
    """Have these kept, each with this picture, and wait until they are."""
    archive = archive_of(door)
    wanted = archive.writer.kept + len(events)
    for event in events:
        archive.put(event, picture)
    await until(lambda: archive.writer.kept >= wanted)


async def asked(door: Door, path: str, who: str = "admin", method: str = "GET", json: object = None) -> Any:
    """What somebody is answered, as JSON."""
    async with door.ask(method, path, cookie(who), json=json) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def ids(door: Door, query: str = "", who: str = "admin") -> list[str]:
    """Of the events somebody finds."""
    return [event["id"] for event in (await asked(door, f"/api/events{query}", who))["events"]]


def of(events: Iterable[Event]) -> list[str]:
    """Their ids."""
    return [event.id for event in events]
