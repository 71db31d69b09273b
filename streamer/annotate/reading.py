"""What is given becomes pictures in the model's own size, some ahead of the model: read and decoded in threads."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
from av.video.reformatter import VideoReformatter

from streamer.annotate import photo, video
from streamer.annotate.answer import Unreadable
from streamer.annotate.listing import Given
from streamer.annotate.shot import Look, Origin, Shot, sample_of
from streamer.values.errands import Errands

THREADS = max(2, min(8, os.cpu_count() or 1))
FRAME_QUALITY = 95
"""Of the JPEG of a frame that is to be learned from."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not be read, or not to its end."""

    path: Path
    why: str
    """A sentence."""


@dataclass(frozen=True, slots=True)
class Known:
    """Nothing is left to do about a picture."""


@dataclass(frozen=True, slots=True)
class VideoDone:
    """All frames of a video came before this."""

    name: str
    origin: Origin


Outcome = Shot | Known | VideoDone | Failed
Put = Callable[[Awaitable[Outcome]], Awaitable[None]]
"""Takes what comes next; waits while enough is ahead."""


class Past(Protocol):
    """What was done before."""

    @property
    def wants_frames(self) -> bool:
        """Whether a video's frames are wanted as pictures."""

    def refuses(self, name: str, origin: Origin) -> str | None:
        """Why a picture of that name has no place here."""

    def has(self, name: str, origin: Origin, *, is_frame: bool) -> bool:
        """Whether nothing is left to do about it."""

    def has_video(self, name: str, origin: Origin) -> bool:
        """The same of a video."""


class Reading:
    """One run's."""

    def __init__(self, look: Look, past: Past) -> None:
        """Have read nothing yet; what `past` has need not be done again."""
        self._look, self._past = look, past
        self.errands = Errands(THREADS, "reading")
        """Where it is done."""
        self._reformatter = VideoReformatter()

    async def run(self, files: Sequence[Given], put: Put, group: asyncio.TaskGroup) -> None:
        """Read all, in order.

        Args:
            files: what is given.
            put: takes each outcome, which may still be made.
            group: has the tasks that make them.
        """
        for given in files:
            if given.is_video:
                await self._read_video(given, put)
            else:
                await put(group.create_task(self.errands.run(partial(self._photo, given))))

    def _photo(self, given: Given) -> Outcome:
        try:
            origin = _origin_of(given.path)
            if why := self._past.refuses(given.name, origin):
                return Failed(given.path, why)
            if self._past.has(given.name, origin, is_frame=False):
                return Known()
            sample = sample_of(photo.pixels_of(given.path), self._look)
        except Unreadable as error:
            return Failed(given.path, str(error))
        return Shot(given.name, origin, sample)

    async def _read_video(self, given: Given, put: Put) -> None:
        outcomes = self._video(given)
        # One after the other: a decoder goes on where it stood.
        while (outcome := await self.errands.run(partial(next, outcomes, None))) is not None:
            await put(_ready(outcome))

    def _video(self, given: Given) -> Iterator[Outcome]:
        try:
            origin = _origin_of(given.path)
            if why := self._past.refuses(given.name, origin):
                yield Failed(given.path, why)
                return
            if self._past.has_video(given.name, origin):
                yield Known()
                return
            for frame in video.frames_of(given.path, self._look.every):
                yield self._frame(given, origin, frame)
        except Unreadable as error:
            yield Failed(given.path, str(error))
        else:
            yield VideoDone(given.name, origin)

    def _frame(self, given: Given, origin: Origin, frame: video.VideoFrame) -> Outcome:
        name = f"{given.name}/{frame.number:06d}.jpg"
        if self._past.has(name, origin, is_frame=True):
            return Known()
        pixels = frame.rgb(self._reformatter)
        jpeg = None
        if self._past.wants_frames:
            quality = [cv2.IMWRITE_JPEG_QUALITY, FRAME_QUALITY]
            jpeg = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)[1].tobytes()
        return Shot(name, origin, sample_of(pixels, self._look), frame.seconds, jpeg)


def _origin_of(path: Path) -> Origin:
    try:
        return Origin.of(path)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None


def _ready(outcome: Outcome) -> Awaitable[Outcome]:
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    future.set_result(outcome)
    return future
