"""The page, and the files it is made of."""

import mimetypes
from importlib.resources import files
from pathlib import Path

from aiohttp import web

from streamer.http.entity_tag import tagged
from streamer.http.needs import needs


def set_up(app: web.Application, base: str) -> None:
    """Serve it below a path, such as "/sightline"."""
    app.router.add_get(f"{base}/", page)
    app.router.add_get(f"{base}/web/{{path:.+}}", part)
    if base:
        app.router.add_get(base, _into_the_folder)


@needs(None)
async def page(request: web.Request) -> web.StreamResponse:
    """The viewer."""
    return _answer(request, folder() / "index.html")


@needs(None)
async def part(request: web.Request) -> web.StreamResponse:
    """A file it loads."""
    wanted = request.match_info["path"]
    for found in folder().rglob("*"):
        if found.relative_to(folder()).as_posix() == wanted and found.is_file():
            return _answer(request, found)
    raise web.HTTPNotFound


@needs(None)
async def _into_the_folder(request: web.Request) -> web.StreamResponse:
    """What the page loads is named from its folder, and without the slash that would be the one above."""
    raise web.HTTPPermanentRedirect(request.rel_url.with_path(f"{request.path}/", keep_query=True))


def _answer(request: web.Request, path: Path) -> web.Response:
    """A file, or that it is what the browser has.

    Read whole, since all are small: aiohttp's way, sendfile(2), ends in a traceback where a viewer leaves meanwhile.
    """
    return tagged(request, path.read_bytes(), mimetypes.guess_type(path.name)[0])


def folder() -> Path:
    """Where they lie."""
    return Path(str(files("streamer") / "page"))
