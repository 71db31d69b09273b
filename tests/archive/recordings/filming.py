"""A service that records and prints of each segment how many pictures are on disk; to be killed.

python -m tests.archive.recordings.filming CLIP FOLDER
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from streamer.archive.archive import Archive
from streamer.archive.recordings.recorders import Recorders
from streamer.archive.recordings.segment import Segment
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.values.coded import CodedPicture
from streamer.values.recording import Recording
from tests.archive.recordings.coded import STEP, pictures_of

SPEED = 10
"""Times as fast as the camera would be: what a segment is in a minute, it is in six seconds."""


def clock() -> float:
    """Monotonic seconds of that time."""
    return time.monotonic() * SPEED


def endless(clip: list[CodedPicture]) -> Iterator[CodedPicture]:
    """The clip over and over."""
    for number in count():
        turn, place = divmod(number, len(clip))
        yield replace(clip[place], time=clip[place].time + turn * len(clip) * STEP, received_at=clock())


async def main(clip: Path, folder: Path) -> None:
    """Until killed."""
    archive = Archive(Sqlite(folder / "sightline.db"), folder / "pictures", RetentionRules(), clock=clock)
    await archive.open()
    put = archive.recordings.put

    def announce(segment: Segment) -> None:
        put(segment)
        print(segment.id, segment.pictures, flush=True)

    archive.recordings.put = announce  # type: ignore[method-assign]
    began = time.time() - clock()
    recorders = Recorders(archive.recordings, clock=clock, wall=lambda: began + clock())
    recorder = recorders.of("gate", Recording("continuous"))
    async with asyncio.TaskGroup() as group:
        group.create_task(archive.recordings.write())
        group.create_task(recorders.run())
        group.create_task(recorder.run())
        for picture in endless(pictures_of(clip)):
            recorder.put(picture)
            await asyncio.sleep(STEP / 1_000_000 / SPEED)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
