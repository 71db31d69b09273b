"""Videos with boxes drawn into them: jobs that take their time, one after the other, that can be watched and cancelled.

They are gone with the service, and the oldest with time.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import av

from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.clip import PathOf, Stopped
from streamer.archive.recordings.cut import Part
from streamer.archive.recordings.made_files import remove_made
from streamer.archive.recordings.render import Choice, Draw, Wanted, write_render
from streamer.values.clock import Clock
from streamer.values.ending import ended
from streamer.values.errands import Errands
from streamer.values.errors import Overloaded, SightlineError
from streamer.values.uuid7 import uuid7

log = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "failed", "cancelled"]

MOST_WAITING = 8
"""Jobs that are not done yet; who comes then comes back later."""
MOST_DONE = 32
"""That are kept; then the oldest go."""
TIDY_INTERVAL = 60.0
KEPT = 86_400.0
"""Seconds."""
MOST_BYTES = 8 << 30
CLOSING = 5.0
"""Seconds that a disk is waited for; it may hang."""
LEFT = 1 << 30
"""Bytes of the disk that no render takes."""


@dataclass(slots=True)
class Render:
    """One job, as it is now."""

    id: str
    stream: str
    began: float
    """Of its span, UTC, seconds since 1970."""
    ended: float
    choice: Choice
    made_at: float
    """When it was asked for."""
    path: Path
    made_of: frozenset[str]
    """Ids of the segments that are in it."""
    state: State = "waiting"
    progress: float = 0.0
    """0..1."""
    reason: str | None = None
    """Why it failed, as a sentence."""
    size: int | None = None
    """Bytes, once it is done."""
    is_unwanted: bool = field(default=False, repr=False)


class Renders:
    """One service's."""

    def __init__(self, folder: Path, path_of: PathOf, draw: Draw, wall: Clock) -> None:
        """Have none.

        Args:
            folder: theirs; what a service left there before is removed.
            path_of: tells where a part's file is.
            draw: draws boxes.
            wall: UTC, seconds since 1970.
        """
        self._folder, self._path_of, self._draw, self._wall = folder, path_of, draw, wall
        self._errands, self._tidying = Errands(1, "renders"), Errands(1, "renders-tidy")
        self._jobs: dict[str, Render] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_swept = False

    async def run(self) -> None:
        """Let go of what was left, and of what is old, until cancelled."""
        await self._errands.run(self._sweep)
        while True:
            await asyncio.sleep(TIDY_INTERVAL)
            await self.tidy()

    async def tidy(self) -> None:
        """Let go of what is old, or too much."""
        for old in self._surplus():
            await self.remove(old.id)

    def begin(
        self,
        parts: Sequence[Part],
        span: tuple[float, float],
        choice: Choice,
        boxes_of: Callable[[Sequence[str]], Awaitable[Mapping[str, BoxColumns]]],
    ) -> Render:
        """Have a span rendered.

        Raises:
            Overloaded: too many wait.
        """
        if len(self._tasks) >= MOST_WAITING:
            raise Overloaded("as many videos as may be wait to be rendered", 30)
        now = self._wall()
        id_ = uuid7(now)
        path, made_of = self._folder / f"{id_}.mp4", frozenset(part.segment.id for part in parts)
        job = Render(id_, parts[0].segment.stream, *span, choice, now, path, made_of)
        self._jobs[id_] = job
        task = self._tasks[id_] = asyncio.create_task(self._make(job, parts, boxes_of))
        task.add_done_callback(lambda _: self._tasks.pop(id_, None))
        return job

    def of(self, stream: str) -> list[Render]:
        """A stream's, the newest first."""
        return [job for job in reversed(self._jobs.values()) if job.stream == stream]

    def one(self, id_: str) -> Render | None:
        """That of an id; None: there is none."""
        return self._jobs.get(id_)

    async def remove(self, id_: str) -> None:
        """Cancel it, if it is not done, and let go of it."""
        job = self._jobs.pop(id_, None)
        if job is None:
            return
        job.is_unwanted = True
        task = self._tasks.get(id_)
        if task is not None:
            if job.state == "waiting":
                task.cancel()
            await asyncio.wait([task], timeout=CLOSING)
        await self._tidying.run(partial(job.path.unlink, missing_ok=True))

    async def forget(self, stream: str, began: float, ended: float) -> None:
        """Let go of what shows some of a span: its recordings were removed, and nobody is to see them."""
        for job in self.of(stream):
            if job.began < ended and began < job.ended:
                await self.remove(job.id)

    async def close(self) -> None:
        """Let go of all."""
        for job in self._jobs.values():
            job.is_unwanted = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await ended("a render", *self._tasks.values())
                await self._tidying.run(partial(remove_made, self._folder))

    async def _make(
        self,
        job: Render,
        parts: Sequence[Part],
        boxes_of: Callable[[Sequence[str]], Awaitable[Mapping[str, BoxColumns]]],
    ) -> None:
        try:
            boxes = await boxes_of([part.segment.id for part in parts])
            await self._errands.run(partial(self._write, job, Wanted(parts, boxes, job.choice)))
        except (Stopped, asyncio.CancelledError):
            job.state = "cancelled"
        except FileNotFoundError:
            job.state, job.reason = "failed", "some of this span has been let go meanwhile"
        except SightlineError as error:
            job.state, job.reason = "failed", str(error)
        except OSError as error:
            job.state, job.reason = "failed", f"it cannot be made: {error.strerror or error}"
            log.error("a render of %s failed: %s", job.stream, error)
        except (ValueError, LookupError, av.FFmpegError) as error:  # its own words have paths in them
            job.state, job.reason = "failed", "there is nothing in this span that can be played"
            log.warning("a render of %s failed: %s", job.stream, error)
        except Exception:
            job.state, job.reason = "failed", "it failed in a way nobody foresaw; the service's log has the details"
            log.exception("a render of %s failed in a way nobody foresaw", job.stream)
        else:
            job.state, job.progress = "done", 1.0
        await self.tidy()

    def _surplus(self) -> list[Render]:
        """Of those that are done, what goes: the oldest."""
        done = [job for job in self._jobs.values() if job.id not in self._tasks and job.state != "waiting"]
        size, now, gone = sum(job.size or 0 for job in done), self._wall(), list[Render]()
        for place, job in enumerate(done):
            if len(done) - place > MOST_DONE or size > MOST_BYTES or job.made_at < now - KEPT:
                gone.append(job)
                size -= job.size or 0
        return gone

    # ---- in its thread

    def _sweep(self) -> None:
        if not self._is_swept:
            remove_made(self._folder)
            self._is_swept = True

    def _write(self, job: Render, wanted: Wanted) -> None:
        if job.is_unwanted:
            raise Stopped
        job.state = "running"
        self._sweep()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < sum(part.size for part in wanted.parts) + LEFT:
            raise Overloaded("there is no room on the disk for it")
        part = job.path.with_suffix(".part")
        try:
            write_render(
                wanted,
                self._path_of,
                self._draw,
                part,
                on_progress=partial(setattr, job, "progress"),
                is_stopped=lambda: job.is_unwanted,
            )
            part.chmod(0o600)
            part.replace(job.path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        job.size = job.path.stat().st_size
