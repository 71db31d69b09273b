"""`sightline serve` with a leak planted in it: the control of `make soak`, which has to be found out.

Every request for a still leaves 64 KiB, a descriptor and a task behind.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from streamer import cli
from streamer.http import application

_build = application.build
_kept: list[object] = []


@web.middleware
async def _keep(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if request.path.endswith("/frame.jpg"):
        _kept.append((os.urandom(1 << 16), os.dup(1), asyncio.create_task(asyncio.Event().wait())))
    return await handler(request)


def _build_leaking(**parts: Any) -> web.Application:
    app = _build(**parts)
    app.middlewares.append(_keep)
    return app


if __name__ == "__main__":
    application.build = _build_leaking
    sys.exit(cli.main())
