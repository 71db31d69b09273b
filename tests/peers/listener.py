"""A TCP port in the test's own event loop, which lets go of whatever it accepted before that loop ends."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def run_listener(
    converse: Converse, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Listen on a free port, which it gives, for as long as the block lasts.

    asyncio's own server leaves open what it accepted, and goes on accepting what had knocked before it was closed.

    Args:
        converse: with one client; its end closes the connection, and the end of the block ends it.
        host: where to listen.
        tls: spoken with each.
    """
    accepted, tasks = list[asyncio.StreamWriter](), set[asyncio.Task[None]]()
    over = False

    async def until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await converse(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if over:
            writer.transport.abort()
            return
        accepted.append(writer)
        task = asyncio.ensure_future(until_closed(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        over = True
        ending = list(tasks)
        for task in ending:
            task.cancel()
        for writer in accepted:
            writer.transport.abort()  # also where the task never began, or the client takes nothing any more
        await asyncio.gather(*ending, *(writer.wait_closed() for writer in accepted), return_exceptions=True)
