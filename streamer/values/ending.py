"""Things brought to an end: what fails on the way is said by its name, and keeps nothing else from its own end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

log = logging.getLogger(__name__)


async def ended(name: str, *endings: Awaitable[object]) -> None:
    """Wait until all of these have ended, at once.

    A failure is logged and goes no further: whoever ends one thing has others to end. Being cancelled is how a task
    ends, and no failure.

    Args:
        name: what it is that ends, for the log, such as "stream porch".
        endings: tasks that were cancelled, or what closes something.
    """
    for outcome in await asyncio.gather(*endings, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("%s did not end as it should", name, exc_info=outcome)


def heed() -> None:
    """End this task where it was told to end, and that was swallowed on its way.

    For the beginning of what a task does over and over: before Python 3.12 `asyncio.wait_for`, which libraries use,
    returns what came in the turn in which it was cancelled. Whoever goes on with that would never end, nor would who
    waits for him.

    Raises:
        CancelledError: it was.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def announce(what: str, name: str, listeners: Iterable[Callable[[str], None]]) -> None:
    """Tell all of these the name of something that is no more, whatever one of them raises.

    Args:
        what: it was, for the log, such as "stream".
        name: its own.
        listeners: told in order.
    """
    for told in listeners:
        try:
            told(name)
        except Exception:
            log.exception("the end of %s %s could not be taken note of", what, name)
