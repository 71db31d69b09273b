"""Tasks that live and end together."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from streamer.values.ending import heed
from streamer.values.errors import SightlineError

log = logging.getLogger(__name__)


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all of these until one ends, however it ends; then the others are cancelled and waited for.

    In place of `asyncio.TaskGroup`: that of Python 3.11 and 3.12 raises a part's failure alone where it is cancelled
    itself in that turn, so that who catches the failure never ends; and after any failure it leaves its task looking
    cancelled (python/cpython#116720). Nor does it take notice of a part that was cut off by what it waited for.

    Raises:
        Exception: what the part raised that ended first, in the order given where several did.
        CancelledError: this was cancelled, whatever else was raised; or a part was cut off by what it waited for.
    """
    try:
        heed()  # a library's connecting may have swallowed it just now, and the parts are tasks of their own
    except asyncio.CancelledError:
        for part in parts:
            part.close()
        raise
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await _ended(tasks)
    first = next(task for task in tasks if task in done)
    for task in tasks:
        error = None if task is first or task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SightlineError):  # two that lose one connection are no news
            log.error("a part failed as another ended", exc_info=error)
    first.result()


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Wait until all have come to their ends, which nothing cuts off: whoever is told to end meanwhile waits, too."""
    cancelled: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # asked for, or asyncio complains where nobody is told of it
    if cancelled is not None:
        raise cancelled
