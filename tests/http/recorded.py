"""A service with recordings, which are there before anybody asks."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from streamer.access.accounts import Accounts
from streamer.archive.recordings.recordings import Recordings
from streamer.archive.recordings.segment import Segment
from streamer.values.track import TrackedBox
from tests.http.archived import archive_of
from tests.http.guests import Door, everybody, run_door
from tests.peers.recorded import path_of
from tests.peers.until import until

NOON = 1_764_417_600.0
"""2025-11-29, 12:00 UTC."""
FOR_EVER = {"keep_days": 36_500, "keep_event_days": 36_500, "keep_boxes_days": 36_500}


def folder_of(path: Path) -> Path:
    """Where the segments of a service whose archive is there are made before they are its own."""
    return path / "made"


@asynccontextmanager
async def run_recorded(
    path: Path, *segments: Segment, accounts: Accounts | None = None
) -> AsyncIterator[tuple[Door, Recordings]]:
    """A service whose archive is in that folder, with these segments; everybody is known to it, unless others are."""
    known = everybody() if accounts is None else accounts
    async with run_door(known, archive={"path": str(path), "recordings": FOR_EVER}) as door:
        # What a killed service left is looked for first; or these would be taken for that.
        recorders = door.service.keeping._recorders
        await until(lambda: recorders is not None and recorders._begun is None)
        for segment in segments:
            keep(door, path, segment)
        yield door, archive_of(door).recordings


def keep(door: Door, path: Path, segment: Segment) -> None:
    """Have a segment that was made kept by the service whose archive is there."""
    recordings = archive_of(door).recordings
    to = recordings.path(segment)
    to.parent.mkdir(parents=True, exist_ok=True)
    path_of(folder_of(path), segment.stream, segment.began_at, segment.id).rename(to)
    recordings.put_now(segment)


def found_in(recordings: Recordings, segment: Segment, samples: Mapping[int, Sequence[TrackedBox]]) -> None:
    """Have samples recorded of a segment, by their media times in microseconds."""
    boxes = recordings.boxes_of(segment.stream)
    boxes.begun(segment, opening=1)
    for time, found in samples.items():
        boxes.answered(1, segment.first_time + time, (segment.width, segment.height), found)
    boxes.ended(
        segment.id, segment.first_time + round(1e6 * ((segment.ended_at or segment.began_at) - segment.began_at))
    )
