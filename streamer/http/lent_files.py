"""`/api/cluster/files`: files of the archive that lie here, for other replicas and for nobody else."""

from pathlib import Path

from aiohttp import web

from streamer.access.action import Action
from streamer.http.file_range import FileAnswer, send_file
from streamer.http.kept_events import ARCHIVE
from streamer.http.needs import PASSED, needs
from streamer.http.operation import Answer, Content, described
from streamer.http.recorded_files import RANGE
from streamer.values.errors import Refused
from streamer.values.name import NAME
from streamer.values.uuid7 import PATTERN

GONE = "there is no such file here; it may have been let go"
FILE = Answer(Content(media=("video/mp4", "image/jpeg")), headers=("ETag", "Accept-Ranges"))
PART = Answer(
    Content(media=("video/mp4", "image/jpeg")),
    means="the part that `Range` asks for",
    headers=("ETag", "Accept-Ranges", "Content-Range"),
)
DAY = r"{day:\d{4}/\d\d/\d\d}"

routes = web.RouteTableDef()


@routes.get(f"/api/cluster/files/recordings/{{name:{NAME}}}/{DAY}/{{file:{PATTERN}\\.mp4}}")
@needs(Action.VIEW, stream="name")
@described(
    {200: FILE, 206: PART, 404: GONE, 416: Answer(means="it has no such part", headers=("Content-Range",))},
    headers=RANGE,
)
async def recording(request: web.Request) -> web.StreamResponse:
    """A recording that lies on this replica's disk, for another of its cluster."""
    return await _lent(request, request.app[ARCHIVE].recordings.folder, "video/mp4")


@routes.get(f"/api/cluster/files/pictures/{{name:{NAME}}}/{DAY}/{{file:{PATTERN}(?:\\.thumbnail)?\\.jpg}}")
@needs(Action.VIEW, stream="name")
@described(
    {200: FILE, 206: PART, 404: GONE, 416: Answer(means="it has no such part", headers=("Content-Range",))},
    headers=RANGE,
)
async def picture(request: web.Request) -> web.StreamResponse:
    """A picture of an event that lies on this replica's disk, for another of its cluster."""
    return await _lent(request, request.app[ARCHIVE].pictures.folder, "image/jpeg")


async def _lent(request: web.Request, folder: Path, media: str) -> web.StreamResponse:
    if PASSED not in request:
        raise Refused(404, "files lie here for other replicas of a cluster alone")
    name, day, file = (request.match_info[each] for each in ("name", "day", "file"))
    return await send_file(request, FileAnswer(folder / name / day / file, name, media=media, gone=GONE))
