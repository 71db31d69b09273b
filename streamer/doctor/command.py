"""`sightline doctor`: examine one camera, and say it on the terminal."""

import asyncio
import json
import sys
from pathlib import Path

from streamer.doctor.examination import Examination
from streamer.doctor.observation import Observation
from streamer.doctor.printout import printout
from streamer.doctor.report import Report, report
from streamer.source.target import Target
from streamer.tools.progress import Progress
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import ConfigError

LOOK = 0.2
"""Seconds from one line of progress to the next."""


def run(target: Target, *, sample_fps: float, still: Path | None, as_json: bool) -> int:
    """Examine a camera and print the answer on stdout; gives the exit code, which is the report's.

    Args:
        target: the camera.
        sample_fps: pictures a second that the model is to see.
        still: where to write a picture as a JPEG, or None.
        as_json: print a JSON document.

    Raises:
        ConfigError: the file for the still cannot be written.
    """
    found = asyncio.run(_examine(target, sample_fps))
    print(json.dumps(found.document(), indent=2, ensure_ascii=False) if as_json else printout(found), flush=True)
    picture = None if still is None else found.still()
    if still is not None and picture is not None:
        try:
            still.write_bytes(picture)
        except OSError as error:
            raise ConfigError(f"--still: {still} cannot be written: {error.strerror}") from None
        print(f"sightline: a picture is in {still}", file=sys.stderr)
    elif still is not None:
        print("sightline: there was no picture to write", file=sys.stderr)
    return found.exit_code


async def _examine(target: Target, sample_fps: float, clock: Clock = monotonic) -> Report:
    examination = Examination(target, clock)
    ended = examination.start()
    counting = asyncio.create_task(_count(examination.observation)) if sys.stderr.isatty() else None
    try:
        seen = await examination.wait(ended)
    finally:
        if counting is not None:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)
    return report(target, seen, sample_fps=sample_fps)


async def _count(seen: Observation) -> None:
    """Say how far it is, until cancelled; for a terminal."""
    progress = Progress()
    try:
        while True:
            progress.count(_state(seen))
            await asyncio.sleep(LOOK)
    finally:
        progress.end()


def _state(seen: Observation) -> str:
    if seen.opened_at is None:
        return "asking the camera" if seen.resolved_at is not None else "looking for the camera"
    return f"watching: {len(seen.arrivals)} packets, {seen.pictures} pictures"
