"""streamer.http.forwarding.other_disks: files of another replica, which holds up nobody else's where it is silent."""

import asyncio

import pytest
from aiohttp import web

from streamer.archive.storage.bucket import StorageAway
from streamer.http.forwarding import other_disks
from streamer.http.forwarding.neighbours import Neighbours
from streamer.http.forwarding.other_disks import SILENT, NeighbourDisks
from tests.http.replicas import KEY, Map, SaidWhereabouts, run_owner
from tests.peers.clock import FakeClock


async def test_one_that_is_silent_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are away at once then, with no thread that waits; after it one thread asks, until it answers."""
    monkeypatch.setattr(other_disks, "PATIENCE", 3)
    is_silent, asked = True, 0

    async def owner(request: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        if is_silent:
            await asyncio.sleep(3600)
        return web.Response(body=b"part")

    async with run_owner(owner) as url:
        clock = FakeClock()
        neighbours = Neighbours(SaidWhereabouts("here", Map({}, {"there": url})), KEY, clock=clock)
        disks = NeighbourDisks(neighbours, asyncio.get_running_loop())

        async def outcomes(threads: int) -> list[bytes | BaseException]:
            reading = (asyncio.to_thread(disks.read, "there", "a.mp4", 0, 4) for _ in range(threads))
            return await asyncio.gather(*reading, return_exceptions=True)

        try:
            for expected in (1, 2):
                assert disks.answers("there")
                assert [type(each) for each in await outcomes(expected)] == [StorageAway] * expected
                assert [type(each) for each in await outcomes(2)] == [StorageAway] * 2
                assert not disks.answers("there")
                assert asked == expected  # of two that asked after a while the one
                clock.advance(SILENT)
            is_silent = False
            monkeypatch.setattr(other_disks, "PATIENCE", 20)
            assert await outcomes(1) == [b"part"]
            assert await outcomes(3) == [b"part"] * 3
            assert disks.answers("there")
        finally:
            await neighbours.close()
