"""A task that lives as long as the service does: after an end that nobody foresaw it is run again, and that is told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from streamer.values.ending import heed

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds before it is run again: what fails at once must not keep the processor busy with failing."""


async def supervise(
    name: str, run: Callable[[], Awaitable[None]], *, pause: float = PAUSE, on_restart: Callable[[], None]
) -> None:
    """Run something until cancelled, over and over: each end but that one is logged, and followed by a new beginning.

    Args:
        name: what it is called in the log, such as "stream porch".
        run: one life of it, which is to end by nothing but being cancelled.
        pause: seconds from an end to the next beginning.
        on_restart: told of each end, for the metric: `sightline_task_restarts_total{task}`. Must not raise.
    """
    while True:
        try:
            await run()
            heed()
            log.error("%s ended, as it never should; it starts again in %g s", name, pause)
        except asyncio.CancelledError:
            heed()
            # Something that it waited for was cancelled, and not itself: without this, that would be its silent end.
            log.exception("%s was cut off by what it waited for; it starts again in %g s", name, pause)
        except Exception:
            heed()
            log.exception("%s failed in a way nobody foresaw; it starts again in %g s", name, pause)
        on_restart()
        await asyncio.sleep(pause)
