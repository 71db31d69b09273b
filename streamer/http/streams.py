"""`/api/streams`: which there are, how each is, its newest picture, and what changes them. docs/api.md."""

from typing import Annotated, Any

from aiohttp import web

from streamer.access.action import Action
from streamer.control.stream_bodies import new_stream, stream_patch, stream_settings
from streamer.http.audit import note
from streamer.http.body import JSON, settings_of
from streamer.http.changes import whole
from streamer.http.description import StreamDescription, WholeStream, describe, describe_whole
from streamer.http.elsewhere import ELSEWHERE
from streamer.http.gate import require_name
from streamer.http.keys import SIGNALLING, STREAM_CHANGES, STREAMS, location, no_stream, pipeline_of
from streamer.http.needs import PASSED, PRINCIPAL, needs
from streamer.http.operation import Answer, Content, Later, described
from streamer.values.errors import Overloaded, Refused

routes = web.RouteTableDef()

LIST, ONE = "/api/streams", "/api/streams/{name}"
MERGE_PATCH = "application/merge-patch+json"


class ChangedStream(StreamDescription):
    """A stream, and what it was given."""

    settings: Annotated[dict[str, Any], Later(stream_settings)]
    """What was said of it; a password reads `***`."""


STILL = Answer(Content(media=("image/jpeg",)))
NOT_NOW = {
    409: "its name is taken, as many were added as may be, or the configuration file or a publisher has the say",
    422: "a setting that cannot be",
    503: "it cannot be kept for the next start; nothing was done",
}
OPTIONS = Answer(means="what may be asked here", headers=("Allow",))


@routes.get(LIST)
@needs(Action.VIEW)
@described({200: list[StreamDescription]})
async def list_streams(request: web.Request) -> web.Response:
    """Every stream that one may see, with its state and its numbers; in a cluster those of all replicas."""
    sees = request[PRINCIPAL].sees
    rows = [describe(stream) for stream in request.app[STREAMS] if sees(stream.name)]
    elsewhere = request.app.get(ELSEWHERE)
    if elsewhere is not None and PASSED not in request:  # another replica asks for ours alone
        rows = await elsewhere.listed(rows, sees)
    return web.json_response(rows)


@routes.get(ONE)
@needs(Action.VIEW, stream="name", at_owner=True)
@described({200: WholeStream})
async def describe_stream(request: web.Request) -> web.Response:
    """One stream, and what its model tells apart."""
    found, elsewhere = describe_whole(pipeline_of(request)), request.app.get(ELSEWHERE)
    if elsewhere is not None:
        found["replica"] = elsewhere.me
    return web.json_response(found)


@routes.get(f"{ONE}/frame.jpg")
@needs(Action.VIEW, stream="name", at_owner=True)
@described({200: STILL, 503: "it has not had a picture yet"})
async def still(request: web.Request) -> web.Response:
    """The newest annotated picture."""
    pipeline = pipeline_of(request)
    picture = await pipeline.view.still(pipeline.notice())
    if picture is None:
        raise web.HTTPServiceUnavailable(
            text=f"stream {pipeline.name} has not had a picture yet", headers={"Retry-After": "2"}
        )
    return web.Response(body=picture.data, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


# ---- what changes them


@routes.post(LIST)
@needs(Action.OPERATE)
@described(
    {201: Answer(Content(ChangedStream), headers=("Location",)), **NOT_NOW}, body=Annotated[Any, Later(new_stream)]
)
async def add(request: web.Request) -> web.Response:
    """Add a stream."""
    stream_changes = request.app[STREAM_CHANGES]
    stream_changes.require_allowed()
    document = await settings_of(request, JSON)
    if isinstance(named := document.get("name"), str):
        require_name(request, Action.OPERATE, named)
    adding = stream_changes.add(document, taken=request.app[STREAMS].is_taken)
    name = await whole(request, adding, lambda name: note(request, "stream add", name))
    return web.json_response(
        await _shown(request, name), status=201, headers={"Location": location(request, f"/api/streams/{name}")}
    )


@routes.patch(ONE)
@needs(Action.OPERATE, stream="name")
@described(
    {200: ChangedStream, **NOT_NOW}, body=Content(Annotated[Any, Later(stream_patch)], media=(JSON, MERGE_PATCH))
)
async def change(request: web.Request) -> web.StreamResponse:
    """Change some settings of a stream, or pause it (RFC 7396)."""
    stream_changes = request.app[STREAM_CHANGES]
    stream_changes.require_allowed()
    if (answer := await answered_elsewhere(request)) is not None:
        return answer
    name = changeable(request)
    patch = await settings_of(request, JSON, MERGE_PATCH)
    said = ", ".join(sorted(patch))
    changing = stream_changes.change(name, patch)
    await whole(request, changing, lambda _: note(request, "stream change", name, detail=said))
    return web.json_response(await _shown(request, name))


@routes.delete(ONE)
@needs(Action.OPERATE, stream="name")
@described({204: None, 409: NOT_NOW[409], 503: NOT_NOW[503]})
async def remove(request: web.Request) -> web.StreamResponse:
    """Remove a stream."""
    stream_changes = request.app[STREAM_CHANGES]
    stream_changes.require_allowed()
    if (answer := await answered_elsewhere(request)) is not None:
        return answer
    name = changeable(request)
    await whole(request, stream_changes.remove(name), lambda _: note(request, "stream remove", name))
    return web.Response(status=204)


@routes.options(LIST)
@needs(None)
@described({204: OPTIONS})
async def list_options(request: web.Request) -> web.Response:
    """What may be asked of the list."""
    return _options(request, "GET, HEAD, OPTIONS, POST")


@routes.options(ONE)
@needs(None)
@described({204: OPTIONS})
async def one_options(request: web.Request) -> web.Response:
    """What may be asked of a stream."""
    return _options(request, "DELETE, GET, HEAD, OPTIONS, PATCH")


async def answered_elsewhere(request: web.Request) -> web.StreamResponse | None:
    """What is answered by the owner of a stream that is none here; None: it is for us to answer.

    It is published there, or its settings cannot be here, where a variable of theirs is not set.

    Raises:
        Overloaded: nobody else runs it either.
        Refused: as `Elsewhere.pass_to`.
    """
    name, stream_changes = request.match_info["name"], request.app[STREAM_CHANGES]
    elsewhere, is_here = request.app.get(ELSEWHERE), stream_changes.has(name) or request.app[STREAMS].is_taken(name)
    if elsewhere is None or is_here or name not in elsewhere.names():
        return None
    replica = elsewhere.owner(name)
    if replica is not None:
        return await elsewhere.pass_to(request, replica, name)
    why = stream_changes.why_not_here(name)
    raise Overloaded(f"no replica runs {name!r} at this moment" + ("" if why is None else f", and here {why}"), 1)


def changeable(request: web.Request) -> str:
    """The name a request gives, which no publisher has.

    Raises:
        Refused: 404 no stream has it, 409 a publisher has.
    """
    name = request.match_info["name"]
    pipeline = request.app[STREAMS].get(name)
    if pipeline is not None and pipeline.origin == "publisher":
        raise Refused(409, f"{name!r} is published to this service; its publisher ends it")
    if not request.app[STREAM_CHANGES].has(name):
        raise no_stream(request)
    return name


async def _shown(request: web.Request, name: str) -> ChangedStream:
    settings = request.app[STREAM_CHANGES].settings(name)
    pipeline, elsewhere = request.app[STREAMS].get(name), request.app.get(ELSEWHERE)
    row = None if pipeline is None else describe(pipeline)
    if row is None and elsewhere is not None:
        row = await elsewhere.described(name)
    if row is None:
        raise Refused(404, f"{name!r} was changed, and has ended meanwhile")
    return {**row, "settings": settings}


def _options(request: web.Request, methods: str) -> web.Response:
    headers = {"Allow": methods}
    if "Access-Control-Request-Method" in request.headers:
        headers |= request.app[SIGNALLING].origins.preflight(request.headers.get("Origin"), methods)
    return web.Response(status=204, headers=headers)
