"""A camera opened and decoded in a process of its own, which says how it ended and what memory that took.

python -m tests.peers.appetite URL MAX_PIXELS MAX_HELD
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from streamer.source.decoding import Decoding
from streamer.source.kinds import open_target
from streamer.source.stop import Stop
from streamer.source.target import Limits, Target
from streamer.values.errors import SourceError


@dataclass(frozen=True)
class Appetite:
    """How it ended."""

    kind: str
    """The error's, or "none"."""
    sentence: str
    megabytes: float
    """What the process had at its most, above what it began with."""
    seconds: float


async def appetite_for(url: str, limits: Limits) -> Appetite:
    """What a camera has one of our readers take."""
    module = (sys.executable, "-m", "tests.peers.appetite")
    child = await asyncio.create_subprocess_exec(
        *module, url, str(limits.max_pixels), str(limits.max_held), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    return Appetite(**json.loads(said))


def _most() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _read(target: Target) -> None:
    with open_target(target, Stop()) as opened:
        decoding = Decoding(opened.video(target.limits).context, target.limits)
        for unit in opened.units():
            if unit.packet is not None:
                decoding.pictures(unit.packet)


def _main(url: str, max_pixels: int, max_held: int) -> None:
    before, began, kind, sentence = _most(), time.monotonic(), "none", ""
    try:
        _read(Target(url, limits=Limits(max_pixels=max_pixels, max_held=max_held)))
    except SourceError as error:
        kind, sentence = error.kind, str(error)
    print(json.dumps(vars(Appetite(kind, sentence, _most() - before, time.monotonic() - began))))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
