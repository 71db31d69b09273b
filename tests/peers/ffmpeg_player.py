"""FFmpeg as a player of what we serve: which pictures it shows, and what it says of a file."""

import asyncio
import json
from typing import Any

import numpy as np

from tests.peers.clip import read_index
from tests.peers.required import requires


async def played(source: object, size: tuple[int, int], *options: str) -> list[int]:
    """The numbers (clip.py) of the pictures of a file or an address, each as often as it is there.

    Args:
        source: what ffmpeg opens.
        size: of its pictures.
        options: of ffmpeg's, before the source.
    """
    form = ("-f", "rawvideo", "-pix_fmt", "gray", "-vsync", "passthrough", "-")
    data = await _said("ffmpeg", "-v", "error", *options, "-i", str(source), *form)
    pictures = np.frombuffer(data, np.uint8).reshape(-1, size[1], size[0])
    return [read_index(picture[:, :, np.newaxis]) for picture in pictures]


async def probed(source: object, *options: str) -> dict[str, Any]:
    """What ffprobe says of it and of its streams, `format` and `streams`."""
    wanted = ("-show_format", "-show_streams", "-count_packets", "-of", "json")
    return dict(json.loads(await _said("ffprobe", "-v", "error", *options, *wanted, str(source))))


async def _said(*command: str) -> bytes:
    requires("ffmpeg")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    said, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    return said
