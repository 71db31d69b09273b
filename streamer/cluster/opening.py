"""The bucket, by whichever server serves it first: after a partition each second counts in which two run one stream.

One that was cut off from the other servers still knows the bucket, and takes nothing; it answers again seconds after
those that were never cut off.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from streamer.cluster.bucket import Bucket, NatsAway, opened
from streamer.cluster.servers import Servers
from streamer.values.ending import ended, heed

AHEAD = 0.5
"""Seconds that a server has before the next is asked, too: the first is the nearest."""
PAUSE = 0.25
"""Seconds from a server's refusal until it is asked again; and there are two who ask: of the network's return one hears
by a packet that was sent after it, and who asks sends one each second and gives up after two."""

Opening = tuple[AsyncExitStack, Bucket]
"""What closes it, and itself."""


@asynccontextmanager
async def first_opened(
    servers: Servers,
    name: str,
    *,
    copies: int = 1,
    prove: Callable[[Bucket], Awaitable[None]],
    on_away: Callable[[NatsAway], None],
) -> AsyncIterator[Bucket]:
    """Ask each server, as often as it takes, until one of them serves the bucket.

    Args:
        servers: which, and how we show each other who we are.
        name: the cluster's.
        copies: NATS servers that hold the bucket, where it has to be made.
        prove: uses the bucket; raises NatsAway where that is of no use.
        on_away: told why a server could not be used, each time.
    """

    async def attempt(url: str) -> Opening:
        while True:
            heed()
            try:
                async with AsyncExitStack() as opening:
                    bucket = await opening.enter_async_context(opened(servers, url, name, copies=copies))
                    await prove(bucket)
                    return opening.pop_all(), bucket
            except NatsAway as away:
                on_away(away)
            await asyncio.sleep(PAUSE)

    async with AsyncExitStack() as stack:
        attempts: list[asyncio.Task[Opening]] = []
        stack.push_async_callback(_end, attempts)
        for url in servers.urls * 2:
            attempts.append(asyncio.create_task(attempt(url)))
            if (await asyncio.wait(attempts, timeout=AHEAD, return_when=asyncio.FIRST_COMPLETED))[0]:
                break
        await asyncio.wait(attempts, return_when=asyncio.FIRST_COMPLETED)
        first = next(each for each in attempts if each.done())
        attempts.remove(first)
        late = asyncio.create_task(_end(tuple(attempts)))  # a farewell may take a second: it is waited for at the end
        attempts.clear()
        stack.push_async_callback(asyncio.wait, (late,))
        opening, bucket = first.result()
        stack.push_async_exit(opening)
        yield bucket


async def _end(attempts: Sequence["asyncio.Task[Opening]"]) -> None:
    """Those that came too late."""
    for each in attempts:
        each.cancel()
    came = await asyncio.gather(*attempts, return_exceptions=True)
    await ended("a connection that came too late", *(each[0].aclose() for each in came if isinstance(each, tuple)))
