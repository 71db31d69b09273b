"""Recordings that a service finds when it starts: what a camera sent long enough ago to stand still, and its boxes."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from streamer.archive.migrations import migrate
from streamer.archive.recordings.recordings import Recordings
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.recordings.segment_writer import SegmentWriter
from streamer.archive.recordings.tally import Tally
from streamer.archive.sqlite import Sqlite
from streamer.values.coded import MICROSECONDS, CodedPicture
from streamer.values.track import TrackedBox
from tests.archive.recordings.coded import pictures_of
from tests.peers.clip import make_clip

SIZE = (640, 360)
FPS = 25
STRIDE = 8
"""Pixels that the box of a picture is to the right of the one before's."""
PLACES = 64
"""Pictures after which it is back at the left."""
SIDE = 96


def left_of(number: int) -> int:
    """Where the box of the picture of that number begins, pixels: no two within some seconds at the same place."""
    return number % PLACES * STRIDE


def box_of(number: int) -> TrackedBox:
    """The one thing that is seen on that picture; another one each time it is back at the left."""
    left = float(left_of(number))
    return TrackedBox(1 + number // PLACES, (left, 160.0, left + SIDE, 160.0 + SIDE), "insulator", 1, 0.9)


def numbered(folder: Path, seconds: int, *, b_frames: int = 0, first: int = 0) -> list[CodedPicture]:
    """What a camera sends of a clip whose pictures carry their numbers: a keyframe a second."""
    width, height = SIZE
    path = folder / f"numbered-{seconds}-{b_frames}-{first}.mkv"
    make_clip(path, width=width, height=height, fps=FPS, seconds=seconds, gop=FPS, b_frames=b_frames, first=first)
    sent = pictures_of(path, b_frames)
    form = replace(sent[0].form, frame_rate=float(FPS))
    return [replace(each, received_at=at / FPS, form=form) for at, each in enumerate(sent)]


def keep(folder: Path, stream: str, pictures: Sequence[CodedPicture], began_at: float, *, every: int = 1) -> None:
    """Record them in the archive of that folder, by the recorder's own writer.

    Args:
        folder: of the archive.
        stream: its name.
        pictures: in the order they are decoded in.
        began_at: when the first came, UTC.
        every: one of so many was looked at by the model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database = Sqlite(folder / "sightline.db")
    try:
        migrate(database)
        now = _Now()
        recordings = Recordings(
            database, folder / "recordings", RecordingRules(), wall=lambda: began_at + now.at, opened=asyncio.Event()
        )
        boxes = recordings.boxes_of(stream)
        writer = SegmentWriter(
            stream, recordings, boxes, clock=lambda: now.at, wall=lambda: began_at + now.at, tally=Tally()
        )
        samples = _samples(pictures, every)
        for picture in pictures:
            now.at = picture.received_at
            writer.put(picture, has_event=False)
            coded_at, number = next(samples)
            if number % every == 0:
                boxes.answered(picture.opening, coded_at, SIZE, [box_of(number)])
        writer.close()
        recordings.writer.flush()
    finally:
        database.close()


class _Now:
    at = 0.0


def _samples(pictures: Sequence[CodedPicture], every: int) -> Iterator[tuple[int, int]]:
    """Times of pictures as they are shown, and their numbers."""
    times = sorted(picture.time for picture in pictures)
    yield from ((time, round((time - times[0]) * FPS / MICROSECONDS)) for time in times)
