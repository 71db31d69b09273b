"""Who is told: a webhook's receiver of ours, a listener at each replica's stream of events, and the table itself."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import psycopg
from aiohttp import web

from tests.faults.results import PAUSE
from tests.faults.told import Ears, KeptEvent, News, letter_of
from tests.peers.receiver import Told as Request
from tests.peers.receiver import run_receiver

SILENCE = 20.0
"""Seconds without a word after which a listener asks anew: comments come sooner."""


@asynccontextmanager
async def listening(port: int, host: str, urls: Sequence[str]) -> AsyncIterator[Ears]:
    """Be told for as long as the block lasts.

    Args:
        port: the receiver's.
        host: its address.
        urls: of replicas.
    """
    ears = Ears()

    async def taken(request: Request) -> web.StreamResponse:
        letter = letter_of(request.document())
        if letter is not None:
            ears.letters.append(letter)
        receiver.told.clear()
        return web.Response(status=204)

    async with run_receiver(port, host) as receiver:
        receiver.answer = taken
        followers = [asyncio.create_task(_follow(url, ears)) for url in urls]
        try:
            yield ears
        finally:
            for each in followers:
                each.cancel()
            await asyncio.gather(*followers, return_exceptions=True)


async def _follow(url: str, ears: Ears) -> None:
    """Listen at one replica, each time from where it broke off."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=SILENCE)
    headers = dict[str, str]()
    while True:
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.get(f"{url}/api/events/stream", headers=headers) as got,
            ):
                number = kind = b""
                async for line in got.content:
                    field, _, value = line.rstrip(b"\n").partition(b": ")
                    if field == b"id":
                        number = value
                    elif field == b"event":
                        kind = value
                    elif field == b"data" and number:
                        headers = {"Last-Event-ID": number.decode()}
                        if kind == b"new":
                            ears.news.append(News(url, json.loads(value)["id"]))
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(PAUSE)


def kept_since(database: str, change: int) -> tuple[int, list[KeptEvent]]:
    """The last change with which a new event came, and those that came later than the given one, in their order."""
    to_monotonic = time.monotonic() - time.time()
    sql = "SELECT made, id, stream, replica, began_ms FROM event WHERE made > %s ORDER BY made"
    rows = list[tuple[Any, ...]]()
    with psycopg.connect(database) as connection, contextlib.suppress(psycopg.errors.UndefinedTable):  # none yet
        rows = connection.execute(sql, (change,)).fetchall()
    kept = [
        KeptEvent(id_, stream, replica or "", began_ms / 1000 + to_monotonic)
        for _, id_, stream, replica, began_ms in rows
    ]
    return max((row[0] for row in rows), default=change), kept
