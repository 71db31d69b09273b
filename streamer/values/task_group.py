"""Tasks that live and end together."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all of these until one ends, however it ends; then the others are cancelled and waited for.

    In place of `asyncio.TaskGroup`: that of Python 3.11 and 3.12 raises a part's failure alone where it is cancelled
    itself in that turn, so that who catches the failure never ends; and after any failure it leaves its task looking
    cancelled (python/cpython#116720). Nor does it take notice of a part that was cut off by what it waited for.

    Raises:
        Exception: what the part raised that ended first, in the order given where several did.
        CancelledError: this was cancelled, whatever else was raised; or a part was cut off by what it waited for.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await _ended(tasks)
    for task in tasks:
        if task in done:
            task.result()


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
            task.exception()  # asked for, or asyncio complains; what is told is the first end
    if cancelled is not None:
        raise cancelled
