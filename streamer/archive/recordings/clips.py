"""Clips that were asked for, kept for a while: whoever plays one asks for many parts of it.

They lie beside the recordings, few at a time, and are gone with the service.
"""

import asyncio
import contextlib
import hashlib
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av

from streamer.archive.recordings.clip import PathOf, Stopped, write_clip
from streamer.archive.recordings.cut import Part
from streamer.archive.recordings.made_files import remove_made
from streamer.values.clock import Clock
from streamer.values.coded import MICROSECONDS
from streamer.values.ending import ended
from streamer.values.errands import Errands
from streamer.values.errors import Overloaded, Refused

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Clips that are made at a time."""
TIDY_INTERVAL = 60.0
KEPT = 600.0
"""Seconds after it was asked for last that a clip is there."""
MOST_BYTES = 8 << 30
"""Of all clips; then those that were asked for longest ago go."""
LARGEST = 4 << 30
"""Bytes of one."""
CLOSING = 5.0
"""Seconds that a disk is waited for; it may hang."""
LEFT = 1 << 30
"""Bytes of the disk that no clip takes."""


@dataclass(slots=True)
class Clip:
    """One that is there."""

    key: str
    """The same for as long as its content is."""
    stream: str
    began: float
    ended: float
    """What it shows: UTC, seconds since 1970."""
    path: Path
    size: int
    asked_at: float
    """Monotonic seconds."""


class Clips:
    """One service's."""

    def __init__(self, folder: Path, path_of: PathOf, clock: Clock) -> None:
        """Have none.

        Args:
            folder: theirs; what a service left there before is removed.
            path_of: tells where a part's file is.
            clock: monotonic seconds.
        """
        self._folder, self._path_of, self._clock = folder, path_of, clock
        self._errands, self._tidying = Errands(AT_ONCE, "clips"), Errands(1, "clips-tidy")
        self._made: dict[str, Clip] = {}
        self._making: dict[str, asyncio.Task[Clip]] = {}
        self._makers: dict[str, str] = {}
        """For whom each of these is made."""
        self._is_swept = self._is_closed = False

    async def run(self) -> None:
        """Let go of what was left, and of what nobody has asked for in a while, until cancelled."""
        await self._tidying.run(self._sweep)
        while True:
            await asyncio.sleep(TIDY_INTERVAL)
            await self.tidy()

    async def tidy(self, size: int = 0) -> None:
        """Let go of what nobody has asked for in a while, and make room for one of that size."""
        for old in self._surplus(size):
            del self._made[old.key]
            await self._tidying.run(partial(old.path.unlink, missing_ok=True))

    async def of(self, parts: Sequence[Part], maker: str) -> Clip:
        """The clip of these, made if need be.

        Args:
            parts: what it is of.
            maker: who asks. One of his is made at a time, so that nobody keeps others from theirs.

        Raises:
            Refused: 413 it would be too large; 404 what it is of has just been let go.
            Overloaded: others are being made, or another for him, or the disk is full.
        """
        key = _key(parts)
        clip = self._made.get(key)
        if clip is None:
            task = self._making.get(key) or self._begin(key, parts, maker)
            clip = await asyncio.shield(task)
        clip.asked_at = self._clock()
        return clip

    async def forget(self, stream: str, began: float, ended: float) -> None:
        """Let go of what shows some of a span: its recordings were removed, and nobody is to see them."""
        for clip in list(self._made.values()):
            if clip.stream == stream and clip.began < ended and began < clip.ended:
                del self._made[clip.key]
                await self._tidying.run(partial(clip.path.unlink, missing_ok=True))

    async def close(self) -> None:
        """Let go of all."""
        self._is_closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await ended("a clip", *self._making.values())
                await self._tidying.run(partial(remove_made, self._folder))

    def _begin(self, key: str, parts: Sequence[Part], maker: str) -> "asyncio.Task[Clip]":
        if len(self._making) >= AT_ONCE:
            raise Overloaded("as many clips as may be are being made already", 5)
        if maker in self._makers.values():
            raise Overloaded("another clip is being made for you; this one comes after it", 5)
        size = sum(part.size for part in parts)
        if size > LARGEST:
            sentence = f"the clip would be {size / 1e9:.1f} GB, and {LARGEST / 1e9:.1f} GB is the most; ask for less"
            raise Refused(413, sentence)
        task = self._making[key] = asyncio.create_task(self._make(key, parts, size))
        self._makers[key] = maker
        task.add_done_callback(lambda _: (self._making.pop(key, None), self._makers.pop(key, None)))
        return task

    async def _make(self, key: str, parts: Sequence[Part], size: int) -> Clip:
        try:
            await self._tidying.run(self._sweep)
            await self.tidy(size)
            clip = await self._errands.run(partial(self._write, key, parts, size))
        except Stopped:
            raise Overloaded("the service is stopping") from None
        except FileNotFoundError:
            raise Refused(404, "some of this span has just been let go") from None
        except OSError as error:
            log.error("a clip cannot be made: %s", error)
            raise Overloaded(f"the clip cannot be made: {error.strerror or error}", 10) from None
        except (ValueError, LookupError, av.FFmpegError) as error:  # its own words have paths in them
            log.warning("a clip cannot be made: %s", error)
            raise Refused(404, "there is nothing in this span that can be played") from None
        self._made[key] = clip
        return clip

    def _surplus(self, size: int) -> list[Clip]:
        """Those that are to go before one of that size comes, longest asked for first."""
        now, gone = self._clock(), list[Clip]()
        left = sum(clip.size for clip in self._made.values()) + size
        for clip in sorted(self._made.values(), key=lambda clip: clip.asked_at):
            if clip.asked_at < now - KEPT or left > MOST_BYTES:
                gone.append(clip)
                left -= clip.size
        return gone

    # ---- in its threads

    def _sweep(self) -> None:
        if not self._is_swept:
            remove_made(self._folder)
            self._is_swept = True

    def _write(self, key: str, parts: Sequence[Part], size: int) -> Clip:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < size + LEFT:
            raise Overloaded("there is no room on the disk for this clip", 60)
        path = self._folder / f"{key}.mp4"
        part = path.with_suffix(".part")
        try:
            write_clip(parts, self._path_of, part, lambda: self._is_closed)
            part.chmod(0o600)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        first, last = parts[0], parts[-1]
        ended_at = last.began_at + last.duration / MICROSECONDS
        return Clip(key, first.segment.stream, first.began_at, ended_at, path, path.stat().st_size, self._clock())


def _key(parts: Sequence[Part]) -> str:
    said = [(part.segment.id, part.begin, part.end, len(part.segment.fragments)) for part in parts]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]
