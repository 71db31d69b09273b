"""What viewers cost the service."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamer.bench.readings import core_share
from streamer.bench.service import await_live, push, run_service
from streamer.tools.child import Say
from streamer.tools.processes import free_port, running

ADDED_VIEWERS = 8
SETTLE = 4.0
"""Seconds before a window begins."""


def measure_viewers(
    state: Path, footage: Path, seconds: float, say: Say, checkout: Path | None = None
) -> dict[str, Any]:
    """What one more WebRTC viewer of a 720p30 stream costs the service, as a share of a core."""
    port, camera_port = free_port(), free_port()
    url = f"rtsp://127.0.0.1:{camera_port}/drone"
    page = f"http://127.0.0.1:{port}"
    streams = {"drone": {"url": url, "listen": True}}
    with run_service(state, port, streams, checkout=checkout) as service, running(push(footage, url)):
        await_live(page, 1, [service], say)
        say("viewers: nobody watches")
        idle = core_share(service, seconds)
        shares, frames = {}, {}
        for count in (1, 1 + ADDED_VIEWERS):
            say(f"viewers: {count} watching")
            with viewers(f"{page}/whep/drone", count, seconds + SETTLE) as watching:
                time.sleep(SETTLE)
                shares[count] = core_share(service, seconds)
                frames[count] = json.loads(watching.communicate(timeout=60)[0])["frames_per_second"]
    marginal = (shares[1 + ADDED_VIEWERS] - shares[1]) / ADDED_VIEWERS
    return {
        "core_share_unwatched": round(idle, 4),
        "core_share_one_viewer": round(shares[1], 4),
        "core_share_per_added_viewer": round(marginal, 4),
        "added_viewers": ADDED_VIEWERS,
        "frames_per_second_slowest_viewer": round(min(frames[1 + ADDED_VIEWERS]), 1),
    }


@contextmanager
def viewers(url: str, count: int, seconds: float) -> "Iterator[subprocess.Popen[bytes]]":
    """Viewers that receive and decrypt but do not decode: their processor time is not the service's."""
    command = [sys.executable, "-P", "-m", "streamer.bench.viewers", url, str(count), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()
