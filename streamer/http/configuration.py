"""`/api/config`: what a page must know of the configuration before it offers to change anything."""

from aiohttp import web

from streamer.http.keys import RELOAD, STREAM_CHANGES

routes = web.RouteTableDef()


@routes.get("/api/config")
async def configuration(request: web.Request) -> web.Response:
    """Whether the configuration file is in force, and whether streams may be added."""
    reload, policy = request.app[RELOAD], request.app[STREAM_CHANGES].policy
    file = {"ok": True, "error": None, "read_at": None, "restart_needed": []} if reload is None else reload.describe()
    may = {"allowed": policy.allowed, "token": policy.token is not None, "schemes": list(policy.schemes)}
    return web.json_response(file | {"api_streams": may})
