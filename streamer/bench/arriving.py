"""`python arriving.py URL LISTEN PICTURES`: when a source hands on a camera's pictures. Prints a line of JSON for each.

[monotonic seconds, the picture in base64], and before them the decoder's extradata, which containers keep apart. It is
run by its path and imports nothing of the bench, so that it can measure the sources of another checkout too.
"""

import base64
import itertools
import json
import sys
import time

import av

from streamer.source.kinds import open_target
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.errors import SourceError

PATIENCE = 15.0
"""Seconds in which the camera has to be there."""


def main() -> None:
    """Read, and print it all at the end: printing takes time."""
    url, listen, pictures = sys.argv[1:]
    until = time.monotonic() + PATIENCE
    while True:
        try:
            print("\n".join(_read(Target(url, listen=listen == "True"), int(pictures))))
            return
        except (SourceError, OSError, av.FFmpegError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _read(target: Target, pictures: int) -> list[str]:
    seen: list[tuple[float, bytes]] = []
    with open_target(target, Stop()) as opened:
        video = opened.video(target.limits)
        described = bytes(video.context.extradata or b"")
        whole = (unit.packet for unit in opened.units() if unit.packet is not None and unit.packet.size)
        seen.extend((time.monotonic(), bytes(packet)) for packet in itertools.islice(whole, pictures))
    lines = [json.dumps(base64.b64encode(described).decode())]
    return lines + [json.dumps([at, base64.b64encode(data).decode()]) for at, data in seen]


if __name__ == "__main__":
    main()
