"""`/api/config`: what a page must know of the configuration before it offers to change anything."""

from aiohttp import web
from typing_extensions import TypedDict

from streamer.access.action import Action
from streamer.control.reload import FileState
from streamer.http.keys import RELOAD, STREAM_CHANGES
from streamer.http.needs import PRINCIPAL, needs, token_helps
from streamer.http.operation import described

routes = web.RouteTableDef()


class ApiStreamsState(TypedDict):
    """What the API may be asked to change."""

    allowed: bool
    """Streams may be added."""
    token: bool
    """Whoever asks has to sign in, or to show a token, before he may change anything."""
    schemes: list[str]
    """Of the URLs that may be added."""


class ConfigurationState(FileState):
    """Whether the configuration file is in force, and whether streams may be added."""

    api_streams: ApiStreamsState


@routes.get("/api/config")
@needs(Action.VIEW)
@described({200: ConfigurationState})
async def configuration(request: web.Request) -> web.Response:
    """Whether the configuration file is in force, and whether streams may be added. Its mistakes are told operators."""
    reload, policy = request.app[RELOAD], request.app[STREAM_CHANGES].policy
    operates = request[PRINCIPAL].may(Action.OPERATE)
    unfollowed: FileState = {"ok": True, "error": None, "read_at": None, "restart_needed": []}
    file = unfollowed if reload is None else reload.describe()
    if not operates:
        file = {**file, "error": None, "restart_needed": []}
    may: ApiStreamsState = {
        "allowed": policy.allowed,
        "token": token_helps(request, Action.OPERATE),
        "schemes": list(policy.schemes),
    }
    state: ConfigurationState = {**file, "api_streams": may}
    return web.json_response(state)
