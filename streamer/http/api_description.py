"""`/api/openapi.json`: the API described for programs. Made when somebody first asks, and kept."""

import asyncio
import json

from aiohttp import web

from streamer.http import openapi
from streamer.http.entity_tag import tagged
from streamer.http.keys import location
from streamer.http.needs import needs
from streamer.http.operation import JSON, Answer, Content, described

routes = web.RouteTableDef()


class ApiDescription:
    """One application's."""

    def __init__(self) -> None:
        self._made: str | None = None
        self._making = asyncio.Lock()

    async def text(self, app: web.Application, prefix: str) -> str:
        """The document as JSON.

        Args:
            app: whose routes it describes.
            prefix: what whoever asks has before our paths.
        """
        async with self._making:
            if self._made is None:
                document = await asyncio.to_thread(openapi.document, list(app.router.routes()))
                self._made = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        servers = json.dumps([{"url": prefix or "/"}])
        return f'{{"servers":{servers},{self._made.removeprefix("{")}'


API_DESCRIPTION: web.AppKey[ApiDescription] = web.AppKey("api_description", ApiDescription)


@routes.get("/api/openapi.json")
@needs(None)
@described({200: Answer(Content(dict[str, object]), "an OpenAPI 3.1 document", ("ETag",)), 304: "it has not changed"})
async def api_description(request: web.Request) -> web.Response:
    """The API, as programs read it."""
    text = await request.app[API_DESCRIPTION].text(request.app, location(request, ""))
    return tagged(request, text.encode(), JSON)
