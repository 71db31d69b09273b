"""The page, and the files it is made of."""

from importlib.resources import files
from pathlib import Path

from aiohttp import web


def set_up(app: web.Application) -> None:
    """Serve it."""
    app.router.add_get("/", page)
    app.router.add_static("/web", folder())


async def page(_: web.Request) -> web.StreamResponse:
    """The viewer."""
    return web.FileResponse(folder() / "index.html")


def folder() -> Path:
    """Where they lie."""
    return Path(str(files("streamer") / "page"))
