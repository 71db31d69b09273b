"""What changes something, done to its end and written down, also where whoever asked for it has left by then.

A request is cancelled when its client goes. Who hangs up in time must not change anything that is in no audit.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web

from streamer.access.accounts import Accounts
from streamer.http.access_keys import ACCESS
from streamer.http.audit import note
from streamer.values.ending import ended
from streamer.values.errors import SightlineError

log = logging.getLogger(__name__)

UNDER_WAY: web.AppKey[set[asyncio.Task[Any]]] = web.AppKey("under_way", set)
"""Changes that have begun."""

T = TypeVar("T")


def set_up(app: web.Application) -> None:
    """Have what has begun waited for at the end."""
    app[UNDER_WAY] = set()
    app.on_cleanup.append(_settle)


async def change_accounts(
    request: web.Request,
    edit: Callable[[Accounts], Accounts],
    what: str,
    target: str,
    *,
    who: str | None = None,
    detail: str = "",
) -> Accounts:
    """Change users, tokens or sessions. The words are those of `note`.

    Raises:
        Refused: 503 it cannot be kept; or whatever the edit raises. Nothing was changed.
    """
    change = request.app[ACCESS].store.change(edit)
    return await whole(request, change, lambda _: note(request, what, target, who=who, detail=detail))


async def whole(request: web.Request, change: Coroutine[Any, Any, T], told: Callable[[T], None]) -> T:
    """Make a change, and tell what came of it.

    Args:
        request: whose it is.
        change: it.
        told: notes that it was made.

    Raises:
        Exception: whatever the change raises.
    """

    async def made() -> T:
        outcome = await change
        told(outcome)
        return outcome

    task = asyncio.create_task(made())
    request.app[UNDER_WAY].add(task)
    task.add_done_callback(request.app[UNDER_WAY].discard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_told_to_nobody)
        raise


def _told_to_nobody(task: asyncio.Task[Any]) -> None:
    """It came to its end after whoever asked for it had left: a refusal is no news, a breakdown is."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, SightlineError):
        log.error("a change failed in a way nobody foresaw", exc_info=error)


async def _settle(app: web.Application) -> None:
    await ended("a change", *app[UNDER_WAY])
