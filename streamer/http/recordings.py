"""`/api/streams/{name}/recordings`: when there is video of a stream, in which files, what was seen in it; let go."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from aiohttp import web

from streamer.access.action import Action
from streamer.archive.recordings.found import Removed, Seen, Span
from streamer.archive.recordings.recordings import Recordings
from streamer.archive.recordings.segment import Segment
from streamer.http.access_keys import ACCESS
from streamer.http.audit import note
from streamer.http.bodies.body import Body, read_query
from streamer.http.bodies.recording import (
    MOST_WITH_FRAGMENTS,
    DaySearch,
    RecordedSpan,
    RecordingSearch,
    RemovedRecordings,
    ShownDay,
    ShownDays,
    ShownRecordings,
    ShownSegment,
    ShownSpan,
    ShownTimeline,
    TimelineSearch,
)
from streamer.http.changes import whole
from streamer.http.entity_tag import tagged
from streamer.http.file_range import FILES, STORED, in_its_thread
from streamer.http.json_body import answer
from streamer.http.keys import no_stream, stream_names
from streamer.http.needs import needs
from streamer.http.operation import Answer, Content, described
from streamer.values.errands import Errands
from streamer.values.errors import Refused

RECORDINGS: web.AppKey[Recordings] = web.AppKey("recordings", Recordings)
Forget = Callable[[str, float, float], Awaitable[None]]
"""Lets go of what shows some of a span of a stream: UTC, seconds since 1970."""
MADE_OF: web.AppKey[list[Forget]] = web.AppKey("made_of")
"""Of what is made of recordings, and lies beside them for a while."""

BASE = "/api/streams/{name}/recordings"
AWAY = {503: Answer(means="the archive cannot be used now", headers=("Retry-After",))}
WORDS = {400: "a word of the query is none, or the span is too long"}
LONGEST = 31 * 86_400.0
"""Seconds of one question."""
LONGEST_DAYS = 400 * 86_400.0
MOST_STEPS = 10_000
READERS = 8
"""Threads that read files, which is more than a disk does at a time."""
FETCHERS = 8
"""Those that read from object storage, where each waits for a round trip."""

routes = web.RouteTableDef()


@routes.get(BASE)
@needs(Action.VIEW, stream="name")
@described({200: Answer(Content(ShownRecordings), headers=("ETag",)), **WORDS, **AWAY}, query=RecordingSearch)
async def listing(request: web.Request) -> web.Response:
    """When there is video of a stream, and the files it is in, oldest first."""
    asked = read_query(RecordingSearch, request.query)
    began, ended = span_of(request, asked, LONGEST)
    recordings, stream = request.app[RECORDINGS], request.match_info["name"]
    spans = await recordings.spans(stream, began, ended)
    segments, limit = list[Segment](), asked.limit
    if asked.detail == "segments":
        segments = list(await recordings.outlines(stream, began, ended, limit + 1))
    elif asked.detail == "fragments":
        limit = min(limit, MOST_WITH_FRAGMENTS)
        segments = list(await recordings.segments(stream, began, ended, limit + 1))
    await require_known(request, known=bool(spans or segments))
    away = frozenset(segment.id for segment in segments if recordings.files.is_unreachable(segment))
    made = partial(_listing, stream, (began, ended), spans, segments, limit, asked.detail == "fragments", away)
    return await _told(request, made)


@routes.get(f"{BASE}/days")
@needs(Action.VIEW, stream="name")
@described({200: Answer(Content(ShownDays), headers=("ETag",)), **WORDS, **AWAY}, query=DaySearch)
async def days(request: web.Request) -> web.Response:
    """The days with video, and how much."""
    asked = read_query(DaySearch, request.query)
    began, ended = span_of(request, asked, LONGEST_DAYS)
    stream = request.match_info["name"]
    found = await request.app[RECORDINGS].days(stream, began, ended, asked.offset)
    await require_known(request, known=bool(found))
    shown = (ShownDay(day=day.day, seconds=day.seconds, bytes=day.bytes, events=day.events) for day in found)
    return await _told(request, lambda: ShownDays(stream=stream, days=tuple(shown)))


@routes.get(f"{BASE}/timeline")
@needs(Action.VIEW, stream="name")
@described({200: Answer(Content(ShownTimeline), headers=("ETag",)), **WORDS, **AWAY}, query=TimelineSearch)
async def timeline(request: web.Request) -> web.Response:
    """When there is video, and what was seen in each step of time."""
    asked = read_query(TimelineSearch, request.query)
    began, ended = span_of(request, asked, LONGEST)
    if (ended - began) / asked.step > MOST_STEPS:
        raise Refused(400, f"step: {asked.step} s makes more than {MOST_STEPS} steps of this span; ask for longer ones")
    recordings, stream = request.app[RECORDINGS], request.match_info["name"]
    spans = await recordings.spans(stream, began, ended)
    seen = await recordings.seen(stream, began, ended, asked.step)
    await require_known(request, known=bool(spans or seen))
    return await _told(request, partial(_timeline, stream, (began, ended), asked.step, spans, seen))


@routes.delete(BASE)
@needs(Action.OPERATE, stream="name")
@described({200: RemovedRecordings, **WORDS, **AWAY}, query=RecordedSpan)
async def remove(request: web.Request) -> web.Response:
    """Let go of what lies wholly in a span, but not of what bookmarked events are in; clips of it go too."""
    asked = read_query(RecordedSpan, request.query)
    began, ended = span_of(request, asked, LONGEST_DAYS)
    stream = request.match_info["name"]
    await require_known(request, known=False)
    removing = _removed(request.app, stream, began, ended)
    removed = await whole(request, removing, partial(_note, request, stream, began, ended))
    return answer(RemovedRecordings(segments=removed.segments, bytes=removed.bytes))


# ---- what others of its kind need too


def set_up(app: web.Application, recordings: Recordings) -> None:
    """Answer for these."""
    app[RECORDINGS], app[FILES] = recordings, Errands(READERS, "recordings-read")
    app[MADE_OF] = []
    app[STORED] = Errands(FETCHERS, "storage-read")


def span_of(request: web.Request, asked: RecordedSpan, longest: float) -> tuple[float, float]:
    """What is asked for: beginning and end.

    Raises:
        Refused: 400 it ends before it begins, or is too long.
    """
    ended = request.app[ACCESS].wall() if asked.until is None else asked.until
    return require_span(asked.since, ended, longest)


def require_span(began: float, ended: float, longest: float) -> tuple[float, float]:
    """The same, of two times.

    Raises:
        Refused: 400.
    """
    if ended <= began:
        raise Refused(400, "to: it must be later than `from`")
    if ended - began > longest:
        raise Refused(400, f"to: it must be within {_words(longest)} of `from`")
    return began, ended


def _words(seconds: float) -> str:
    for size, word in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:g} {word}"
    return f"{seconds:g} seconds"


async def require_known(request: web.Request, *, known: bool) -> None:
    """Refuse a name that neither a stream has nor anything that was recorded.

    Raises:
        Refused: 404.
    """
    name = request.match_info["name"]
    if known or name in stream_names(request.app):
        return
    if name not in await request.app[RECORDINGS].streams():
        raise no_stream(request)


async def _told(request: web.Request, make: Callable[[], Body]) -> web.Response:
    """An answer whose text takes milliseconds, made in a thread."""
    body = await in_its_thread(request, lambda: make().model_dump_json(by_alias=True).encode())
    response = tagged(request, body, "application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _listing(
    stream: str,
    span: tuple[float, float],
    spans: Sequence[Span],
    segments: Sequence[Segment],
    limit: int,
    with_fragments: bool,
    away: frozenset[str],
) -> ShownRecordings:
    more = segments[limit].began_at if len(segments) > limit else None
    return ShownRecordings.model_validate(
        {
            "stream": stream,
            "from": span[0],
            "to": span[1],
            "spans": _spans(spans),
            "segments": [
                _shown(each, with_fragments=with_fragments, is_away=each.id in away) for each in segments[:limit]
            ],
            "more": more,
        },
        strict=False,
    )


def _timeline(
    stream: str, span: tuple[float, float], step: int, spans: Sequence[Span], seen: Sequence[Seen]
) -> ShownTimeline:
    labels = {label: number for number, label in enumerate(sorted({each.label for each in seen}))}
    rows = [(each.at, labels[each.label], each.samples, round(each.best, 5)) for each in seen]
    return ShownTimeline.model_validate(
        {
            "stream": stream,
            "from": span[0],
            "to": span[1],
            "step": step,
            "spans": _spans(spans),
            "labels": tuple(labels),
            "seen": rows,
        },
        strict=False,
    )


def _spans(spans: Sequence[Span]) -> list[ShownSpan]:
    return [
        ShownSpan.model_validate(
            {"from": round(each.began_at, 3), "to": round(each.ended_at, 3), "has_event": each.has_event}
        )
        for each in spans
    ]


def _shown(segment: Segment, *, with_fragments: bool, is_away: bool) -> ShownSegment:
    fragments = None
    if with_fragments:
        fragments = tuple(
            (each.offset, each.size, each.time_ms, each.duration_ms, int(each.is_key)) for each in segment.fragments
        )
    return ShownSegment(
        id=segment.id,
        began_at=round(segment.began_at, 6),
        ended_at=None if segment.ended_at is None else round(segment.ended_at, 6),
        codec=segment.codec,
        mime=segment.mime,
        width=segment.width,
        height=segment.height,
        pictures=segment.pictures,
        size=segment.size,
        follows=segment.follows,
        has_event=segment.has_event,
        unreachable=is_away,
        fragments=fragments,
    )


async def _removed(app: web.Application, stream: str, began: float, ended: float) -> Removed:
    removed = await app[RECORDINGS].remove(stream, began, ended)
    for forget in app[MADE_OF]:
        await forget(stream, began, ended)
    return removed


def _note(request: web.Request, stream: str, began: float, ended: float, removed: Removed) -> None:
    note(request, "recording remove", stream, detail=f"{removed.segments} segments from {began:.0f} to {ended:.0f}")
