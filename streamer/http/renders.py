"""`/api/streams/{name}/recordings/renders`: spans with boxes drawn into them, made one after the other.

It takes a core for minutes and room on the disk: who may operate has them made, whoever may see the stream takes them.
"""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from streamer.access.action import Action
from streamer.archive.recordings.render import Choice
from streamer.archive.recordings.renders import Render, Renders
from streamer.http.audit import note
from streamer.http.bodies.render import NewRender, ShownRender, ShownRenders
from streamer.http.changes import whole
from streamer.http.clips import MOST, NO_CLIP, name_of, parts_of
from streamer.http.elsewhere import ELSEWHERE
from streamer.http.file_range import FileAnswer, send_file
from streamer.http.json_body import FITS, body_of
from streamer.http.keys import METRICS, location
from streamer.http.needs import needs
from streamer.http.operation import Answer, described
from streamer.http.recorded_files import FILE, PART, RANGE, RANGES
from streamer.http.recordings import AWAY, BASE, MADE_OF, RECORDINGS, require_known
from streamer.values.errors import Refused
from streamer.values.supervision import supervise
from streamer.values.uuid7 import PATTERN

LONGEST = 1800.0
"""Seconds of one: some minutes of work."""
RENDERS: web.AppKey[Renders] = web.AppKey("renders", Renders)
LIST = f"{BASE}/renders"
ONE = f"{LIST}/{{render:{PATTERN}}}"
NO_RENDER = "there is no such render; it may have been let go"

routes = web.RouteTableDef()


@routes.post(LIST)
@needs(Action.OPERATE, stream="name")
@described(
    {
        202: Answer(means="it is being made", headers=("Location",)),
        **{status: NO_CLIP[status] for status in (400, 404, 409, 413)},
        503: Answer(means="too many wait, or the archive cannot be used now", headers=("Retry-After",)),
        **FITS,
    },
    body=NewRender,
)
async def make(request: web.Request) -> web.Response:
    """Have a span rendered. What becomes of it is at `Location`."""
    new, stream = await body_of(request, NewRender), request.match_info["name"]
    parts = await parts_of(request, new.since, new.until, LONGEST)
    choice = Choice(frozenset(new.labels), new.min_score)
    job = request.app[RENDERS].begin(parts, (new.since, new.until), choice, request.app[RECORDINGS].boxes)
    note(request, "render make", stream, detail=f"{new.until - new.since:.0f} s from {new.since:.0f}")
    response = _answer(_shown(request, job), 202)
    response.headers["Location"] = location(request, _path(job))
    return response


@routes.get(LIST)
@needs(Action.VIEW, stream="name")
@described({200: ShownRenders, **AWAY})
async def listing(request: web.Request) -> web.Response:
    """Those there are, and how far each is."""
    jobs = request.app[RENDERS].of(request.match_info["name"])
    await require_known(request, known=bool(jobs))
    return _answer(ShownRenders(renders=tuple(_shown(request, job) for job in jobs)))


@routes.get(ONE)
@needs(Action.VIEW, stream="name")
@described({200: ShownRender, 404: NO_RENDER})
async def one(request: web.Request) -> web.Response:
    """One, and how far it is."""
    return _answer(_shown(request, _render(request)))


@routes.delete(ONE)
@needs(Action.OPERATE, stream="name")
@described({204: None, 404: NO_RENDER})
async def remove(request: web.Request) -> web.Response:
    """Cancel it, or remove what was made."""
    job = _render(request)
    removing = request.app[RENDERS].remove(job.id)
    await whole(request, removing, lambda _: note(request, "render remove", job.stream, detail=job.id))
    return web.Response(status=204)


@routes.get(f"{ONE}/video.mp4")
@needs(Action.VIEW, stream="name")
@described({200: FILE, 206: PART, **RANGES, 404: NO_RENDER, 409: "it is not done", **AWAY}, headers=RANGE)
async def video(request: web.Request) -> web.StreamResponse:
    """What was made."""
    job = _render(request)
    if job.state != "done":
        raise Refused(409, f"it is {job.state}" if job.reason is None else f"it is {job.state}: {job.reason}")
    await _require_recorded(request, job)
    name = name_of(f"{job.stream}-boxes", job.began, "mp4")
    return await send_file(request, FileAnswer(job.path, job.stream, download=name, gone=NO_RENDER, tag=job.id))


# ---- what they have in common


def set_up(app: web.Application, renders: Renders) -> None:
    """Answer for these."""
    app[RENDERS] = renders
    app[MADE_OF].append(renders.forget)
    app.cleanup_ctx.append(_tended)


async def _tended(app: web.Application) -> AsyncIterator[None]:
    running = asyncio.create_task(
        supervise("renders", app[RENDERS].run, on_restart=lambda: app[METRICS].restarted("renders")), name="renders"
    )
    yield
    running.cancel()
    await app[RENDERS].close()


def _render(request: web.Request) -> Render:
    """The one that a request names, of the stream it names.

    Raises:
        Refused: 404 there is none.
    """
    job = request.app[RENDERS].one(request.match_info["render"])
    if job is None or job.stream != request.match_info["name"]:
        raise Refused(404, NO_RENDER)
    return job


async def _require_recorded(request: web.Request, job: Render) -> None:
    """Let go of one that shows what was removed at another replica, which knows none of ours.

    Raises:
        Refused: 404 some of what is in it is recorded no longer.
    """
    if ELSEWHERE not in request.app:
        return
    segments = await request.app[RECORDINGS].outlines(job.stream, job.began, job.ended, MOST + 1)
    if not job.made_of <= {segment.id for segment in segments}:
        await request.app[RENDERS].remove(job.id)
        raise Refused(404, NO_RENDER)


def _path(job: Render) -> str:
    return LIST.replace("{name}", job.stream) + f"/{job.id}"


def _shown(request: web.Request, job: Render) -> ShownRender:
    return ShownRender.model_validate(
        {
            "id": job.id,
            "stream": job.stream,
            "from": job.began,
            "to": job.ended,
            "labels": tuple(sorted(job.choice.labels)),
            "min_score": job.choice.min_score,
            "state": job.state,
            "progress": round(job.progress, 3),
            "reason": job.reason,
            "size": job.size,
            "made_at": round(job.made_at, 3),
            "url": location(request, f"{_path(job)}/video.mp4") if job.state == "done" else None,
        }
    )


def _answer(body: ShownRender | ShownRenders, status: int = 200) -> web.Response:
    text, head = body.model_dump_json(by_alias=True), {"Cache-Control": "no-store"}
    return web.Response(text=text, status=status, content_type="application/json", headers=head)
