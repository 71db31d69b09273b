"""`/api/config`: what a page must know of the configuration before it offers to change anything."""

from aiohttp import web

from streamer.access.action import Action
from streamer.http.keys import RELOAD, STREAM_CHANGES
from streamer.http.needs import PRINCIPAL, needs

routes = web.RouteTableDef()


@routes.get("/api/config")
@needs(Action.VIEW)
async def configuration(request: web.Request) -> web.Response:
    """Whether the configuration file is in force, and whether streams may be added. Its mistakes are told operators."""
    reload, policy = request.app[RELOAD], request.app[STREAM_CHANGES].policy
    operates = request[PRINCIPAL].may(Action.OPERATE)
    file = {"ok": True, "error": None, "read_at": None, "restart_needed": []} if reload is None else reload.describe()
    if not operates:
        file |= {"error": None, "restart_needed": []}
    may = {"allowed": policy.allowed, "token": not operates, "schemes": list(policy.schemes)}
    return web.json_response(file | {"api_streams": may})
