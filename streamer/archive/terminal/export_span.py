"""A span of one stream's archive in a folder of its own, for whoever has no Sightline: clips, boxes, events, pictures.

Clips are of an hour at the most, and begin anew where the video's form changes: an MP4 file has one.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from streamer.archive import event_table
from streamer.archive.export import csv_of, json_of
from streamer.archive.kept import Kept
from streamer.archive.query import Query
from streamer.archive.recordings import box_table, segment_table, sidecar
from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.clip import write_clip
from streamer.archive.recordings.cut import Part, cut
from streamer.archive.recordings.segment import Segment
from streamer.archive.terminal.at_rest import AtRest
from streamer.values.errors import ConfigError, Refused

PAGE = 200
"""Segments, and events, of one question."""
HOUR = 3600


@dataclass(slots=True)
class Exported:
    """What lies there now."""

    clips: int = 0
    seconds: float = 0.0
    """Of video."""
    size: int = 0
    """Bytes of it."""
    events: int = 0
    left_out: int = 0
    """Segments whose file is not on this machine."""


async def export_span(
    archive: AtRest, stream: str, began: float, ended: float, folder: Path, tell: Callable[[str], None]
) -> Exported:
    """Write it.

    Args:
        archive: which.
        stream: whose.
        began: UTC, seconds since 1970.
        ended: the same.
        folder: made where it is not there; it must be empty.
        tell: told how far it is, often.

    Raises:
        ConfigError: the folder cannot be used, or there is no room for it.
        DatabaseAway: the archive cannot be read.
        OSError: something cannot be written.
    """
    done = Exported()
    segments = await asyncio.to_thread(lambda: list(_segments(archive, stream, began, ended)))
    here = [segment for segment in segments if segment.is_remote or archive.files.is_there(segment)]
    done.left_out = len(segments) - len(here)
    _make_empty(folder)
    _require_room(folder, sum(segment.size for segment in here))
    for number, (name, those) in enumerate(clips := _clips(here)):
        tell(f"clip {number + 1} of {len(clips)}, {done.size / 1e9:.1f} GB so far")
        parts = _parts(those, began, ended)
        if parts:
            await _write_clip(archive, stream, parts, folder / f"{stream}-{name}.mp4", done)
    await _write_events(archive, stream, began, ended, folder, done, tell)
    return done


def _segments(archive: AtRest, stream: str, began: float, ended: float) -> Iterator[Segment]:
    """Those of the span, whole, a page at a time."""
    known: set[str] = set()
    since, is_last = began, False
    while not is_last:
        with archive.database.reading() as cursor:
            page = segment_table.within(cursor, stream, since, ended, PAGE, whole=True)
        fresh = [segment for segment in page if segment.id not in known]
        yield from fresh
        known.update(segment.id for segment in fresh)
        is_last = len(page) < PAGE or not fresh
        since = page[-1].began_at if page else ended


def _clips(segments: Sequence[Segment]) -> list[tuple[str, list[Segment]]]:
    """(name, segments) of each clip: of one form, and of one hour of UTC."""
    found: list[tuple[str, list[Segment]]] = []
    for _, those in groupby(segments, _kind):
        clip = list(those)
        found.append((f"{datetime.fromtimestamp(clip[0].began_at, UTC):%Y-%m-%dT%H-%M-%SZ}", clip))
    return found


def _kind(segment: Segment) -> tuple[str, int, int, int]:
    return segment.codec, segment.width, segment.height, int(segment.began_at // HOUR)


def _parts(segments: Sequence[Segment], began: float, ended: float) -> list[Part]:
    """None where they have but begun."""
    try:
        return cut(segments, began, ended)
    except Refused:
        return []


async def _write_clip(archive: AtRest, stream: str, parts: list[Part], path: Path, done: Exported) -> None:
    async def boxes_of(ids: Sequence[str]) -> Mapping[str, BoxColumns]:
        def ask() -> Mapping[str, BoxColumns]:
            with archive.database.reading() as cursor:
                return box_table.of(cursor, ids)

        return await asyncio.to_thread(ask)

    await asyncio.to_thread(write_clip, parts, lambda part: archive.files.source(part.segment, archive.bucket), path)
    await _write(path.with_suffix(".json"), sidecar.json_of(stream, parts, boxes_of))
    await _write(path.with_suffix(".vtt"), sidecar.vtt_of(parts, boxes_of))
    done.clips += 1
    done.seconds += sum(part.duration for part in parts) / 1e6
    done.size += sum(part.size for part in parts)


async def _write_events(
    archive: AtRest,
    stream: str,
    began: float,
    ended: float,
    folder: Path,
    done: Exported,
    tell: Callable[[str], None],
) -> None:
    """Those that began in the span."""

    async def pages() -> AsyncIterator[Sequence[Kept]]:
        before: str | None = None
        while page := await asyncio.to_thread(_page, archive, stream, began, ended, before):
            yield page
            before = page[-1].event.id

    await _write(folder / "events.csv", csv_of(pages()))
    await _write(folder / "events.json", json_of(pages()))
    async for page in pages():
        for kept in page:
            await asyncio.to_thread(_copy_picture, archive, kept, folder / "pictures")
        done.events += len(page)
        tell(f"{done.events} events")


def _page(archive: AtRest, stream: str, began: float, ended: float, before: str | None) -> list[Kept]:
    query = Query(streams=(stream,), since=began, until=ended, before=before, limit=PAGE)
    with archive.database.reading() as cursor:
        return event_table.page(cursor, query)


def _copy_picture(archive: AtRest, kept: Kept, folder: Path) -> None:
    if not kept.picture_bytes:
        return
    folder.mkdir(exist_ok=True)
    try:
        picture = archive.pictures.read(archive.pictures.image(kept.event), kept.replica)
    except FileNotFoundError:
        return  # it has just been let go
    (folder / f"{kept.event.id}.jpg").write_bytes(picture)


async def _write(path: Path, pieces: AsyncIterator[bytes]) -> None:
    with path.open("wb") as file:
        async for piece in pieces:
            file.write(piece)


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError(f"{folder} is not empty; name a folder that is, or that is not there yet")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be used: {error.strerror}") from None


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ConfigError(f"{folder} has room for {free / 1e9:.1f} GB, and this takes {size / 1e9:.1f}; ask for less")
