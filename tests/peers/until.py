"""Waiting for what another thread, process or task does."""

import asyncio
import threading
from collections.abc import Callable

LOOK = 0.005
"""Seconds between two looks."""


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; pytest's timeout ends what never comes."""
    while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
        await asyncio.sleep(LOOK)


def wait_until(condition: Callable[[], object]) -> None:
    """The same for a test without an event loop."""
    while not condition():
        threading.Event().wait(LOOK)
