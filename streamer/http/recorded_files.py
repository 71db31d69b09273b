"""The files of a stream's recordings, the boxes beside each, and playlists of them for other players."""

import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from functools import partial

from aiohttp import ETag, web

from streamer.access.action import Action
from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.decode_base import moved, timescales
from streamer.archive.recordings.playlist import playlist as playlist_of
from streamer.archive.recordings.segment import Fragment, Segment
from streamer.http.access_keys import ACCESS
from streamer.http.bodies.body import read_query
from streamer.http.bodies.recording import RecordedSpan, ShownBoxes
from streamer.http.entity_tag import tagged
from streamer.http.file_range import (
    FileAnswer,
    Opened,
    in_its_thread,
    part_of,
    read,
    require_readable,
    send,
    send_file,
)
from streamer.http.needs import needs
from streamer.http.operation import Answer, Content, described
from streamer.http.recordings import AWAY, BASE, RECORDINGS, WORDS, require_span
from streamer.values.coded import MICROSECONDS
from streamer.values.errors import Refused
from streamer.values.uuid7 import PATTERN

SEGMENT = f"{BASE}/{{segment:{PATTERN}}}"
FOR_GOOD = "private, max-age=600, immutable"
"""Of what never changes. Only for so long: a browser shows what it keeps to whoever sits before it."""
LATE = 30.0
"""Seconds after a segment's end in which boxes of its last pictures may still come."""
LONGEST_PLAYLIST = 25 * 3600.0
"""Seconds: a day, the longest one of a year too."""
MOST_IN_PLAYLIST = 6000
"""Segments, of a quarter of a minute each."""

FILE_HEADERS = ("ETag", "Accept-Ranges")
FILE = Answer(Content(media=("video/mp4",)), headers=FILE_HEADERS)
PART = Answer(
    Content(media=("video/mp4",)), means="the part that `Range` asks for", headers=(*FILE_HEADERS, "Content-Range")
)
GONE = "there is no such recording; it may have been let go"
RANGES: dict[int, object] = {
    404: GONE,
    416: Answer(means="there is none of what `Range` asks for", headers=("Content-Range",)),
}
RANGE = {"Range": "the bytes that are wanted (RFC 9110 section 14.2)", "If-Range": "of that state of the file alone"}
NO_BOXES: dict[str, object] = {
    key: [] for key in ("classes", "times_us", "counts", "class_index", "scores", "boxes", "tracker_ids")
}
PLAYLIST = Answer(Content(media=("application/vnd.apple.mpegurl",)), means="a playlist (RFC 8216)", headers=("ETag",))

routes = web.RouteTableDef()


@routes.get(f"{SEGMENT}.mp4")
@needs(Action.VIEW, stream="name")
@described({200: FILE, 206: PART, **RANGES, **AWAY}, headers=RANGE)
async def file(request: web.Request) -> web.StreamResponse:
    """One segment, as an MP4 file. The one that is being written grows; what the list says is in it, is."""
    segment = await segment_of(request)
    opened = partial(request.app[RECORDINGS].open, segment)
    cache, tag = ("private, no-cache", None) if segment.ended_at is None else (FOR_GOOD, segment.id)
    return await send_file(request, FileAnswer(opened, segment.stream, cache=cache, gone=GONE, tag=tag))


@routes.get(f"{SEGMENT}/init.mp4")
@needs(Action.VIEW, stream="name")
@described({200: FILE, 206: PART, **RANGES, **AWAY}, headers=RANGE)
async def init(request: web.Request) -> web.Response:
    """What a player needs before any of its fragments: ISO/IEC 14496-12's `ftyp` and `moov`."""
    return part_of(request, (await segment_of(request)).init, "video/mp4", FOR_GOOD)


@routes.get(f"{SEGMENT}/{{begin:\\d{{1,10}}}}-{{end:\\d{{1,10}}}}.m4s")
@needs(Action.VIEW, stream="name")
@described({200: Answer(Content(media=("video/mp4",)), headers=("ETag",)), 404: GONE, **AWAY})
async def entry(request: web.Request) -> web.StreamResponse:
    """Some of its fragments, as a playlist names them: their times are UTC."""
    segment = await segment_of(request)
    begin, end = int(request.match_info["begin"]), int(request.match_info["end"])
    some = [each for each in segment.fragments if begin <= each.offset and each.offset + each.size <= end]
    if sum(each.size for each in some) != end - begin or not some:
        raise Refused(404, GONE)
    response = web.StreamResponse(headers={"Cache-Control": FOR_GOOD})
    response.content_type, response.content_length = "video/mp4", end - begin
    response.etag = ETag(f"{segment.id}-{begin}-{end}")
    if request.if_none_match and response.etag in request.if_none_match:
        return web.Response(status=304, headers=response.headers)
    try:
        file = await in_its_thread(request, partial(request.app[RECORDINGS].open, segment))
    except OSError:
        raise Refused(404, GONE) from None
    with contextlib.closing(file):
        await require_readable(request, file, GONE)
        await send(request, response, _moved_to_utc(request, file, segment, some), segment.stream)
    return response


@routes.get(f"{SEGMENT}/boxes")
@needs(Action.VIEW, stream="name")
@described({200: Answer(Content(ShownBoxes), headers=("ETag",)), 404: GONE, **AWAY})
async def boxes(request: web.Request) -> web.Response:
    """What was found in each of its sampled pictures."""
    segment = await segment_of(request)
    found = (await request.app[RECORDINGS].boxes([segment.id])).get(segment.id)
    response = tagged(request, await in_its_thread(request, partial(_boxes, segment, found)), "application/json")
    is_whole = segment.ended_at is not None and request.app[ACCESS].wall() - segment.ended_at > LATE
    response.headers["Cache-Control"] = FOR_GOOD if is_whole else "private, no-cache"
    return response


@routes.get(f"{BASE}/playlist.m3u8")
@needs(Action.VIEW, stream="name")
@described(
    {
        200: PLAYLIST,
        404: "nothing of it is recorded, or not yet",
        413: "it is in too many files",
        **WORDS,
        **AWAY,
    },
    query=RecordedSpan,
)
async def playlist(request: web.Request) -> web.Response:
    """A span as HLS, for other players. Where it has no end yet, neither has the playlist."""
    asked, now = read_query(RecordedSpan, request.query), request.app[ACCESS].wall()
    goes_on = asked.until is None or asked.until > now
    began, ended = require_span(asked.since, now if asked.until is None else min(asked.until, now), LONGEST_PLAYLIST)
    segments = await request.app[RECORDINGS].segments(request.match_info["name"], began, ended, MOST_IN_PLAYLIST + 1)
    if len(segments) > MOST_IN_PLAYLIST:
        raise Refused(413, f"this span is in more than {MOST_IN_PLAYLIST} files; ask for a shorter one")
    made = partial(playlist_of, segments, began, None if goes_on else ended)
    text = await in_its_thread(request, made)
    if text is None:
        raise Refused(404, "nothing that can be played is recorded in this span")
    response = tagged(request, text.encode(), "application/vnd.apple.mpegurl")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


async def segment_of(request: web.Request) -> Segment:
    """The segment that a request names, of the stream it names.

    Raises:
        Refused: 404 there is none.
    """
    segment = await request.app[RECORDINGS].one(request.match_info["segment"])
    if segment is None or segment.stream != request.match_info["name"]:
        raise Refused(404, GONE)
    return segment


async def _moved_to_utc(
    request: web.Request, file: Opened, segment: Segment, fragments: Sequence[Fragment]
) -> AsyncIterator[bytes]:
    scales, by = timescales(segment.init), round(segment.began_at * MICROSECONDS)
    for fragment in fragments:
        yield moved(await read(request, file, fragment.size, fragment.offset), scales, by)


def _boxes(segment: Segment, found: BoxColumns | None) -> bytes:
    document = NO_BOXES | {"width": segment.width, "height": segment.height} if found is None else found.document()
    head = {"segment": segment.id, "stream": segment.stream, "began_at": round(segment.began_at, 6)}
    return json.dumps({**head, **document}, separators=(",", ":")).encode()
