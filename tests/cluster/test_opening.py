"""Of several servers the first that has the bucket is used."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streamer.cluster import opening
from streamer.cluster.bucket import NatsAway
from streamer.cluster.opening import first_opened
from streamer.cluster.servers import Servers


class Farm:
    """Servers that are there, refuse, are silent, or take nothing; their buckets are their addresses."""

    def __init__(self, **servers: str) -> None:
        self.servers = servers
        self.asked: list[str] = []
        self.open: set[str] = set()
        self.left_by: list[str] = []

    @asynccontextmanager
    async def opened(self, _: Servers, url: str, name: str, *, copies: int) -> AsyncIterator[Any]:
        assert (name, copies) == ("test", 3)
        self.asked.append(url)
        while self.servers[url] == "silent":  # noqa: ASYNC110  a knob
            await asyncio.sleep(0.001)
        if self.servers[url] == "refuses":
            raise NatsAway(f"{url} refuses")
        self.open.add(url)
        try:
            yield url
        except NatsAway as away:
            self.left_by.append(f"{url}: {away}")
            raise
        finally:
            self.open.discard(url)

    async def prove(self, bucket: Any) -> None:
        if self.servers[bucket] == "takes nothing":
            raise NatsAway(f"{bucket} takes nothing")


Make = Callable[..., Farm]


@pytest.fixture
def farm(monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(**servers: str) -> Farm:
        made = Farm(**servers)
        monkeypatch.setattr(opening, "opened", made.opened)
        monkeypatch.setattr(opening, "AHEAD", 0.01)
        monkeypatch.setattr(opening, "PAUSE", 0.001)
        return made

    return make


def use(farm: Farm, told: list[str] | None = None) -> Any:
    """The bucket, of all servers there are."""
    said = [] if told is None else told
    servers, tell = Servers(tuple(farm.servers)), lambda away: said.append(str(away))
    return first_opened(servers, "test", copies=3, prove=farm.prove, on_away=tell)


async def test_the_first_is_asked_alone_while_it_answers(farm: Make) -> None:
    """It is the nearest."""
    made = farm(near="there", far="there")
    async with use(made) as bucket:
        assert bucket == "near"
    assert made.asked == ["near"]
    assert made.open == set()


async def test_who_is_silent_keeps_nobody_from_asking_the_next(farm: Make) -> None:
    """Nor does he who refuses, and who is asked again, for he may be back first."""
    told: list[str] = []
    made = farm(near="silent", other="refuses", far="there")
    async with use(made, told) as bucket:
        assert bucket == "far"
    assert "other refuses" in told
    made = farm(near="silent", other="refuses")

    async def come_back() -> None:
        while made.asked.count("other") < 3:  # noqa: ASYNC110  what is asked is looked at
            await asyncio.sleep(0.001)
        made.servers["other"] = "there"

    coming = asyncio.create_task(come_back())
    async with use(made) as bucket:
        assert bucket == "other"
    await coming
    assert made.open == set()


async def test_who_has_the_bucket_and_takes_nothing_is_not_used(farm: Make) -> None:
    """He was cut off from the other servers, and does not know; he is left, and asked again."""
    told: list[str] = []
    made = farm(near="takes nothing", far="there")
    async with use(made, told) as bucket:
        assert (bucket, made.open) == ("far", {"far"})
    assert "near takes nothing" in told


async def test_one_that_comes_too_late_is_let_go(farm: Make) -> None:
    """And no other is left open, however the use of it ends; its own is told why."""
    made = farm(near="silent", far="there")

    async def lose() -> None:
        async with use(made):
            made.servers["near"] = "there"
            await asyncio.sleep(0)
            raise NatsAway("lost")

    with pytest.raises(NatsAway, match="lost"):
        await lose()
    assert made.open == set()
    assert made.left_by == ["far: lost"]


async def test_who_asks_may_be_stopped_before_any_answers(farm: Make) -> None:
    """Nothing is left open, nor asked."""
    made = farm(near="silent", far="silent")

    async def ask() -> None:
        async with use(made):
            pass

    asking = asyncio.create_task(ask())
    while len(made.asked) < 2:  # noqa: ASYNC110  what is asked is looked at
        await asyncio.sleep(0.001)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    made.servers = dict.fromkeys(made.servers, "there")
    assert made.open == set()
    assert [task for task in asyncio.all_tasks() if "attempt" in repr(task)] == []
