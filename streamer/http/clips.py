"""Spans of a stream's recordings as clips, what was found in them beside these, and small pictures of moments."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from aiohttp import ETag, web

from streamer.access.action import Action
from streamer.archive.recordings.clips import Clips
from streamer.archive.recordings.cut import Part, cut, length_of
from streamer.archive.recordings.recordings import Recordings
from streamer.archive.recordings.sidecar import BoxesOf, json_of, vtt_of
from streamer.archive.recordings.thumbnails import Thumbnails, tag_of
from streamer.archive.storage.bucket import StorageAway
from streamer.http.audit import note
from streamer.http.bodies.body import read_query
from streamer.http.bodies.recording import ClipSearch, ClipSidecar, ThumbnailSearch
from streamer.http.credentials import unsealed
from streamer.http.file_range import FileAnswer, send, send_file
from streamer.http.keys import METRICS
from streamer.http.needs import PRINCIPAL, needs
from streamer.http.operation import Answer, Content, described
from streamer.http.recorded_files import FILE, GONE, PART, RANGE, RANGES
from streamer.http.recordings import AWAY, BASE, MADE_OF, RECORDINGS, WORDS, require_span
from streamer.values.clock import monotonic
from streamer.values.coded import MICROSECONDS
from streamer.values.errors import Overloaded, Refused
from streamer.values.supervision import supervise

LONGEST = 3600.0
"""Seconds of a clip."""
MOST = 1000
"""Segments of one; an hour has sixty."""
NEAR = 2 * MICROSECONDS
"""Microseconds behind what is known of the one that is being written, in which the newest picture will do."""
CLIPS: web.AppKey[Clips] = web.AppKey("clips", Clips)
THUMBNAILS: web.AppKey[Thumbnails] = web.AppKey("thumbnails", Thumbnails)
NO_CLIP = {
    **WORDS,
    404: "nothing of it is recorded",
    409: "the video changes its form in it, and no file holds both",
    413: "it would be too large",
    503: Answer(
        means="others are being made, there is no room, or the archive cannot be used now", headers=("Retry-After",)
    ),
}
BESIDE = {**{status: NO_CLIP[status] for status in (404, 409, 413)}, **WORDS, **AWAY}
PICTURE = Answer(Content(media=("image/jpeg",)), headers=("ETag",))

routes = web.RouteTableDef()


@routes.get(f"{BASE}/clip.mp4")
@needs(Action.VIEW, stream="name")
@described({200: FILE, 206: PART, **RANGES, **NO_CLIP}, query=ClipSearch, headers=RANGE)
async def clip(request: web.Request) -> web.StreamResponse:
    """A span as one MP4 file, as the camera sent it; it begins exactly there. What is not recorded is left out."""
    asked = read_query(ClipSearch, unsealed(request))
    parts = await parts_of(request, asked.since, asked.until)
    made = await request.app[CLIPS].of(parts, _maker(request))
    name = name_of(request.match_info["name"], parts[0].began_at, "mp4")
    if asked.download and request.method == "GET" and "Range" not in request.headers:
        note(request, "clip download", request.match_info["name"], detail=name)
    download = name if asked.download else None
    stream = request.match_info["name"]
    return await send_file(request, FileAnswer(made.path, stream, download=download, gone=GONE, tag=made.key))


@routes.get(f"{BASE}/clip.json")
@needs(Action.VIEW, stream="name")
@described({200: ClipSidecar, **BESIDE}, query=ClipSearch)
async def boxes_as_json(request: web.Request) -> web.StreamResponse:
    """What was found in the pictures of a clip of that span, in its time and in UTC."""
    return await _beside(request, "json", "application/json", partial(json_of, request.match_info["name"]))


@routes.get(f"{BASE}/clip.vtt")
@needs(Action.VIEW, stream="name")
@described({200: Answer(Content(media=("text/vtt",)), means="WebVTT with metadata"), **BESIDE}, query=ClipSearch)
async def boxes_as_vtt(request: web.Request) -> web.StreamResponse:
    """The same as WebVTT, for a `<track kind="metadata">`: the text of each cue is JSON."""
    return await _beside(request, "vtt", "text/vtt", vtt_of)


@routes.get(f"{BASE}/thumbnail.jpg")
@needs(Action.VIEW, stream="name")
@described({200: PICTURE, 404: "nothing is recorded then", **WORDS, **AWAY}, query=ThumbnailSearch)
async def thumbnail(request: web.Request) -> web.Response:
    """A small picture of a moment: of the keyframe before it."""
    asked = read_query(ThumbnailSearch, request.query)
    recordings, stream = request.app[RECORDINGS], request.match_info["name"]
    segment = await recordings.at(stream, asked.at)
    time = 0 if segment is None else max(0, round((asked.at - segment.began_at) * MICROSECONDS))
    if segment is None or time > length_of(segment) + NEAR:
        raise Refused(404, "nothing is recorded at this moment")
    headers = {"Cache-Control": "private, max-age=600"}
    tag = ETag(tag_of(segment, time, asked.width))
    if request.if_none_match and tag in request.if_none_match:
        response = web.Response(status=304, headers=headers)
    else:
        try:
            source = partial(recordings.source, segment)
            body = await request.app[THUMBNAILS].of(source, segment, time, asked.width)
        except StorageAway as error:
            raise Overloaded(str(error), 10) from None
        except (OSError, ValueError):
            raise Refused(404, GONE) from None
        response = web.Response(body=body, content_type="image/jpeg", headers=headers)
    response.etag = tag
    return response


# ---- what they have in common


def set_up(app: web.Application, recordings: Recordings) -> None:
    """Answer for these."""
    folder = recordings.folder.with_name("clips")
    app[CLIPS] = Clips(folder, lambda part: recordings.source(part.segment), monotonic)
    app[MADE_OF].append(app[CLIPS].forget)
    app[THUMBNAILS] = Thumbnails()
    app.cleanup_ctx.append(_tended)


async def _tended(app: web.Application) -> AsyncIterator[None]:
    running = asyncio.create_task(
        supervise("clips", app[CLIPS].run, on_restart=lambda: app[METRICS].restarted("clips")), name="clips"
    )
    yield
    running.cancel()
    await app[CLIPS].close()


async def parts_of(request: web.Request, began: float, ended: float, longest: float = LONGEST) -> list[Part]:
    """What a clip of that span is made of.

    Raises:
        Refused: 400 it is no span, 404 nothing of it is recorded, 409 it is not all in one form, 413 it is in too
            many files.
    """
    began, ended = require_span(began, ended, longest)
    segments = await request.app[RECORDINGS].segments(request.match_info["name"], began, ended, MOST + 1)
    if len(segments) > MOST:
        raise Refused(413, f"this span is in more than {MOST} files; ask for a shorter one")
    return cut(segments, began, ended)


def _maker(request: web.Request) -> str:
    """Who asks, as far as that is known: by name, else by address."""
    principal = request[PRINCIPAL]
    return principal.name if principal.kind in ("user", "token", "proxy") else request.remote or ""


def name_of(what: str, began: float, suffix: str) -> str:
    """A file's, by when it is of: UTC, seconds since 1970."""
    return f"{what}-{datetime.fromtimestamp(began, UTC):%Y%m%dT%H%M%SZ}.{suffix}"


async def _beside(
    request: web.Request, suffix: str, media: str, made: Callable[[Sequence[Part], BoxesOf], AsyncIterator[bytes]]
) -> web.StreamResponse:
    asked = read_query(ClipSearch, request.query)
    parts, stream = await parts_of(request, asked.since, asked.until), request.match_info["name"]
    response = web.StreamResponse(headers={"Cache-Control": "private, no-cache"})
    response.content_type, response.charset = media, "utf-8"
    if asked.download:
        response.headers["Content-Disposition"] = f'attachment; filename="{name_of(stream, parts[0].began_at, suffix)}"'
    await send(request, response, made(parts, request.app[RECORDINGS].boxes), stream)
    return response
