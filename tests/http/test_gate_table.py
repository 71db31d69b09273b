"""streamer.http: every route, everybody who may ask, and what he is told. A route without a row is a failure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from streamer.http.needs import need_of
from tests.http.guests import ELSEWHERE, PROXY, Door, bearer, cookie, everybody, run_door

WORD = {"Remote-User": "vera", "Remote-Groups": "guards"}
GUESTS: dict[str, tuple[Mapping[str, str], str]] = {
    "none": ({}, ELSEWHERE),
    "else": (cookie("other"), ELSEWHERE),
    "view": (cookie("viewer"), ELSEWHERE),
    "oper": (cookie("operator"), ELSEWHERE),
    "adm.": (cookie("admin"), ELSEWHERE),
    "t:vi": (bearer("view"), ELSEWHERE),
    "t:pu": (bearer("publish"), ELSEWHERE),
    "t:op": (bearer("operate"), ELSEWHERE),
    "t:ad": (bearer("administer"), ELSEWHERE),
    "t:me": (bearer("metrics"), ELSEWHERE),
    "t:??": (bearer("slt_unknown"), ELSEWHERE),
    "prox": (WORD, PROXY),
    "no-p": (WORD, ELSEWHERE),
}
"""Who asks: what he shows, and from where.

Nobody; a viewer of the stream b alone; a viewer and an operator of the stream a alone; an administrator. Tokens of each
action, and one that is unknown. One whom a trusted proxy names, and whose group may see a; the same from elsewhere.
"""
DOORS = ("any", "open")
"""Nobody again: where `anonymous` may view, and where there is no section `access`, on loopback."""

SHORT = {"/api/streams/{name}/recordings": "R", "/api/outlets/{outlet}": "O", "/api/streams/{name}/video/": "V/"}
"""How the table has what many paths begin with."""

TABLE = """
                                       none else view oper adm. t:vi t:pu t:op t:ad t:me t:?? prox no-p  any open
GET     /                               200  200  200  200  200  200  200  200  200  200  200  200  200  200  200
POST    /api/                           401  503  503  503  503  503  403  403  403  403  401  503  401  503  503
GET     /api/alerts                     401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
GET     /api/alerts/history             401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
POST    /api/alerts/try                 401  403  403  415  415  403  403  415  403  403  401  403  401  401  415
DELETE  /api/alerts/{rule}              401  403  403  404  404  403  403  404  403  403  401  403  401  401  404
PUT     /api/alerts/{rule}              401  403  403  415  415  403  403  415  403  403  401  403  401  401  415
GET     /api/audit                      401  403  403  403  200  403  403  403  200  403  401  403  401  401  403
GET     /api/cluster                    401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     /api/config                     401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
POST    /api/detect                     401  503  503  503  503  503  403  403  403  403  401  503  401  503  503
GET     /api/detections                 401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
POST    /api/doctor                     401  403  403  415  415  403  403  415  403  403  401  403  401  401  415
GET     /api/events                     401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
GET     /api/events/export              401  400  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     /api/events/facets              401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
GET     /api/events/stream              401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
DELETE  /api/events/{event}             401  403  403  404  404  403  403  404  403  403  401  403  401  401  404
GET     /api/events/{event}             401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
PATCH   /api/events/{event}             401  403  403  404  404  403  403  404  403  403  401  403  401  401  404
GET     /api/events/{event}/picture     401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     /api/events/{event}/thumbnail   401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
POST    /api/img                        401  503  503  503  503  503  403  403  403  403  401  503  401  503  503
GET     /api/ingress                    401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
POST    /api/json                       401  503  503  503  503  503  403  403  403  403  401  503  401  503  503
POST    /api/links                      401  415  415  415  415  415  403  403  403  403  401  415  401  415  415
GET     /api/openapi.json               200  200  200  200  200  200  200  200  200  200  200  200  200  200  200
GET     /api/outlets                    401  403  403  403  200  403  403  200  403  403  401  403  401  401  200
DELETE  O/dead                          401  403  403  403  404  403  403  404  403  403  401  403  401  401  404
GET     O/dead                          401  403  403  403  404  403  403  404  403  403  401  403  401  401  404
POST    O/dead/resend                   401  403  403  403  404  403  403  404  403  403  401  403  401  401  404
POST    O/test                          401  403  403  403  404  403  403  404  403  403  401  403  401  401  404
DELETE  /api/session                    204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
GET     /api/session                    200  200  200  200  200  200  200  200  200  200  200  200  200  200  200
POST    /api/session                    415  415  415  415  415  415  415  415  415  415  415  415  415  415  415
PUT     /api/session/password           401  415  415  415  415  401  401  401  401  401  401  401  401  401  401
DELETE  /api/sessions                   401  204  204  204  204  204  204  204  204  204  401  204  401  401  204
GET     /api/sessions                   401  200  200  200  200  200  200  200  200  200  401  200  401  401  200
DELETE  /api/sessions/{id}              401  404  204  404  404  404  404  404  404  404  401  404  401  401  404
GET     /api/sign-in/oidc               404  404  404  404  404  404  404  404  404  404  404  404  404  404  404
GET     /api/sign-in/oidc/callback      404  404  404  404  404  404  404  404  404  404  404  404  404  404  404
GET     /api/sign-in/oidc/sign-out      404  404  404  404  404  404  404  404  404  404  404  404  404  404  404
GET     /api/silences                   401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
POST    /api/silences                   401  403  403  415  415  403  403  415  403  403  401  403  401  401  415
DELETE  /api/silences/{silence}         401  403  403  404  404  403  403  404  403  403  401  403  401  401  404
GET     /api/streams                    401  200  200  200  200  200  403  403  403  403  401  200  401  200  200
OPTIONS /api/streams                    204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
POST    /api/streams                    401  403  403  415  415  403  403  415  403  403  401  403  401  401  415
DELETE  /api/streams/{name}             401  404  403  409  409  403  403  409  403  403  401  403  401  401  409
GET     /api/streams/{name}             401  404  200  200  200  200  403  403  403  403  401  200  401  200  200
OPTIONS /api/streams/{name}             204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
PATCH   /api/streams/{name}             401  404  403  415  415  403  403  415  403  403  401  403  401  401  415
GET     /api/streams/{name}/counts      401  404  200  200  200  200  403  403  403  403  401  200  401  200  200
GET     /api/streams/{name}/events      401  404  200  200  200  200  403  403  403  403  401  200  401  200  200
GET     /api/streams/{name}/frame.jpg   401  404  503  503  503  503  403  403  403  403  401  503  401  503  503
GET     /api/streams/{name}/places      401  404  200  200  200  200  403  403  403  403  401  200  401  200  200
PUT     /api/streams/{name}/places      401  404  403  415  415  403  403  415  403  403  401  403  401  401  415
DELETE  R                               401  404  403  400  400  403  403  400  403  403  401  403  401  401  400
GET     R                               401  404  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     R/clip.json                     401  404  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     R/clip.mp4                      401  404  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     R/clip.vtt                      401  404  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     R/days                          401  404  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     R/playlist.m3u8                 401  404  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     R/renders                       401  404  200  200  200  200  403  403  403  403  401  200  401  200  200
POST    R/renders                       401  404  403  415  415  403  403  415  403  403  401  403  401  401  415
DELETE  R/renders/{render}              401  404  403  404  404  403  403  404  403  403  401  403  401  401  404
GET     R/renders/{render}              401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     R/renders/{render}/video.mp4    401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     R/thumbnail.jpg                 401  404  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     R/timeline                      401  404  400  400  400  400  403  403  403  403  401  400  401  400  400
GET     R/{segment}.mp4                 401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     R/{segment}/boxes               401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     R/{segment}/init.mp4            401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     R/{segment}/{begin}-{end}.m4s   401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     /api/streams/{name}/video       401  404  426  426  426  426  403  403  403  403  401  426  401  426  426
OPTIONS V/{viewer}/painted              204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
POST    V/{viewer}/painted              401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     /api/tokens                     401  403  403  403  200  403  403  403  200  403  401  403  401  401  403
POST    /api/tokens                     401  403  403  403  415  403  403  403  415  403  401  403  401  401  403
DELETE  /api/tokens/{id}                401  403  403  403  204  403  403  403  204  403  401  403  401  401  403
GET     /api/users                      401  403  403  403  200  403  403  403  200  403  401  403  401  401  403
POST    /api/users                      401  403  403  403  415  403  403  403  415  403  401  403  401  401  403
DELETE  /api/users/{user}               401  403  403  403  204  403  403  403  204  403  401  403  401  401  403
PATCH   /api/users/{user}               401  403  403  403  415  403  403  403  415  403  401  403  401  401  403
GET     /healthz                        200  200  200  200  200  200  200  200  200  200  200  200  200  200  200
GET     /metrics                        401  403  403  403  200  403  403  403  403  200  401  403  401  401  200
GET     /readyz                         503  503  503  503  503  503  503  503  503  503  503  503  503  503  503
GET     /streams/{name}.mjpeg           401  404  200  200  200  200  403  403  403  403  401  200  401  200  200
GET     /web/{path}                     200  200  200  200  200  200  200  200  200  200  200  200  200  200  200
GET     /whep/{name}                    401  404  204  204  204  204  403  403  403  403  401  204  401  204  204
OPTIONS /whep/{name}                    204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
POST    /whep/{name}                    401  404  415  415  415  415  403  403  403  403  401  415  401  415  415
DELETE  /whep/{name}/{session}          401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     /whep/{name}/{session}          401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
OPTIONS /whep/{name}/{session}          204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
PATCH   /whep/{name}/{session}          401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
OPTIONS /whep/{name}/{session}/painted  204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
POST    /whep/{name}/{session}/painted  401  404  404  404  404  404  403  403  403  403  401  404  401  404  404
GET     /whip/{name}                    401  403  403  204  204  403  204  403  403  403  401  403  401  401  204
OPTIONS /whip/{name}                    204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
POST    /whip/{name}                    401  403  403  415  415  403  415  403  403  403  401  403  401  401  415
DELETE  /whip/{name}/{session}          401  403  403  404  404  403  404  403  403  403  401  403  401  401  404
GET     /whip/{name}/{session}          401  403  403  404  404  403  404  403  403  403  401  403  401  401  404
OPTIONS /whip/{name}/{session}          204  204  204  204  204  204  204  204  204  204  204  204  204  204  204
PATCH   /whip/{name}/{session}          401  403  403  404  404  403  404  403  403  403  401  403  401  401  404
"""
"""What is asked for is the stream a, which stands in the configuration and whose camera is away; without a body.

Who is let through is answered 200 or 204; 400, for a query is missing; 415, for a body is; 426, for it is no WebSocket;
503, for there is no picture and no model; 409, for the configuration has the say; 404, for there is no such event,
recording, rule, silence, outlet or session of WHEP or WHIP, or it is not one of his, or nobody signs in elsewhere.
"""

PATHS = {
    "sessions/{id}": "sessions/session-viewer",
    "tokens/{id}": "tokens/id-view",
    "{user}": "viewer",
    "{name}": "a",
    "{session}": "none",
    "{viewer}": "none",
    "{path}": "app.js",
    "{event}": "01ac0d31-5e00-7000-8000-000000000000",
    "{segment}": "01ac0d31-5e00-7000-8000-000000000000",
    "{rule}": "night",
    "{silence}": "01ac0d31-5e00-7000-8000-000000000000",
    "{outlet}": "phone",
    "{render}": "01ac0d31-5e00-7000-8000-000000000000",
    "{begin}-{end}": "0-1",
}
"""What a path of the table asks for: a session and the user of viewer, the token of view."""


async def test_everybody_is_told_what_the_table_says(tmp_path: Path) -> None:
    """Every route answers everybody as the table says, and the table has every route."""
    doors = [kept(tmp_path / name) for name in ("door", "ajar", "wide")]
    async with (
        run_door(everybody(), **doors[0]) as door,
        run_door(everybody(), access={"anonymous": ["view"]}, **doors[1]) as ajar,
        run_door(access=None, **doors[2]) as wide,
    ):
        table = [["", *GUESTS, *DOORS]]
        for method, path in routes_of(door):
            told = [await answered(door, method, path, *guest) for guest in GUESTS.values()]
            told += [await answered(each, method, path) for each in (ajar, wide)]
            for begins, letter in SHORT.items():
                path = path.replace(begins, letter)
            table.append([f"{method:8}{path}", *map(str, told)])
    assert written(table) == TABLE.strip("\n").splitlines()


async def test_every_route_says_what_it_needs(tmp_path: Path) -> None:
    """No handler of the router is without its need, at the root and below a base path, whether anything is kept."""
    for sections in ({}, kept(tmp_path)):
        async with run_door(server={"base_path": "/sightline"}, **sections) as door:
            silent = [route for route in resources(door) if need_of(route.handler) is None]
        assert silent == []


async def test_where_nothing_is_kept_that_is_said() -> None:
    """Without an archive /api/events says so to who may view, and is the live feed for who asks for a stream."""
    async with run_door(everybody()) as door:
        status, sentence = await door.sentence("GET", "/api/events", cookie("viewer"))
        assert status == 404
        assert "/api/detections" in sentence
        assert await door.status("GET", "/api/events") == 401
        async with door.ask("GET", "/api/events", {"Accept": "text/event-stream", **cookie("viewer")}) as response:
            assert (response.status, response.content_type) == (200, "text/event-stream")


def kept(folder: Path) -> dict[str, Any]:
    """A section `archive` that keeps things there."""
    return {"archive": {"path": str(folder)}}


async def answered(
    door: Door, method: str, path: str, shown: Mapping[str, str] | None = None, address: str = ELSEWHERE
) -> int:
    """The status of a request, of a service on which none had an effect before."""
    if door.service.entrance.store.accounts.users:
        door.service.entrance.store.change_now(lambda _: everybody())
    for variable, value in PATHS.items():
        path = path.replace(variable, value)
    async with door.ask(method, path, shown, address=address) as response:
        return response.status


def resources(door: Door) -> list[web.AbstractRoute]:
    """Every route."""
    return list(door.application.router.routes())


def routes_of(door: Door) -> list[tuple[str, str]]:
    """Method and path of each; HEAD goes with its GET."""
    found = {
        (route.method, "" if route.resource is None else route.resource.canonical)
        for route in resources(door)
        if route.method != "HEAD"
    }
    return sorted(found, key=lambda each: (each[1], each[0]))


def written(table: list[list[str]]) -> list[str]:
    """A table as text."""
    return ["".join([f"{row[0]:38}", *(f"{cell:>5}" for cell in row[1:])]).rstrip() for row in table]
