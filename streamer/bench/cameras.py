"""Cameras that reboot, fall silent or change what they send, and what the doctor says of one: how long each takes."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from streamer.bench.footage import RATE, shrunk
from streamer.bench.readings import Reading, reading
from streamer.bench.service import await_live, run_service, streams_of
from streamer.tools.child import Child, Say, await_until
from streamer.tools.demo import serving_command
from streamer.tools.processes import free_port, listens, running
from streamer.values.errors import SightlineError

CAMERAS = 16
SMALL = (320, 180)
"""Sixteen of them take half a core to decode."""
AWAY = 5.0
"""Seconds that the cameras are gone for: the time they take to boot is not ours."""
STEADY = 2.0
"""Seconds of pictures before they are gone again."""
PATIENCE = 20.0
"""Seconds after which a silence that was not noticed ends the run."""
ROUNDS = 3
EACH = 10.0
"""Seconds of each format: longer than the longest pause that is allowed."""
FORMATS = (((640, 360), "libx264"), ((480, 270), "libx264"), ((320, 180), "libx265"))
"""The second differs from the first in size, the third from the second and the first in codec."""


def measure_cameras(state: Path, models: Path, footage: Path, say: Say) -> dict[str, Any]:
    """All of them."""
    small = shrunk(footage, state, SMALL)
    return _reboot(state, small, say) | _change(state, models, footage, say) | _examine(small, say)


def _reboot(state: Path, clip: Path, say: Say) -> dict[str, Any]:
    """Seconds from the cameras' listening again to the last picture's coming, and to a silence's being noticed."""
    port, camera_port = free_port(), free_port()
    page = f"http://127.0.0.1:{port}"
    streams = {f"cam-{n}": {"url": f"http://127.0.0.1:{camera_port}/{n}.ts"} for n in range(CAMERAS)}
    back, noticed = list[float](), list[float]()
    with run_service(state, port, streams) as service:
        for number in range(1 + ROUNDS):
            say(f"cameras: {CAMERAS} start together" + (f" again, round {number} of {ROUNDS}" if number else ""))
            with running(_web_camera(camera_port, clip)) as cameras:
                await_until(lambda: listens(camera_port), "the cameras' server", [service, cameras], say)
                started = time.monotonic()
                await_live(page, CAMERAS, [service, cameras], say)
                back.append(time.monotonic() - started)
                time.sleep(STEADY)
                if number == ROUNDS:
                    say("cameras: all fall silent")
                    noticed = _noticed(page, cameras)
            time.sleep(AWAY)
    return {
        "cameras": CAMERAS,
        "back_seconds": [round(seconds, 1) for seconds in back[1:]],
        "silence_noticed_seconds_p50": round(statistics.median(noticed), 1),
        "silence_noticed_seconds_max": round(max(noticed), 1),
    }


def _noticed(page: str, cameras: Child) -> list[float]:
    """Seconds from the cameras' standing still to each stream's saying so."""
    started, noticed = time.monotonic(), dict[str, float]()
    os.kill(cameras.pid, signal.SIGSTOP)
    try:
        while len(noticed) < CAMERAS:
            for stream in streams_of(page):
                if stream["error"] == "stalled":
                    noticed.setdefault(stream["name"], time.monotonic() - started)
            if time.monotonic() - started > PATIENCE:
                raise SightlineError(f"{CAMERAS - len(noticed)} silent cameras were not noticed in {PATIENCE:g} s")
            time.sleep(0.05)
    finally:
        os.kill(cameras.pid, signal.SIGCONT)
    return list(noticed.values())


def _change(state: Path, models: Path, footage: Path, say: Say) -> dict[str, Any]:
    """Seconds between the last event of one format and the first of the next."""
    clips = [shrunk(footage, state, size, encoder=encoder, seconds=EACH) for size, encoder in FORMATS]
    serving_port, port = free_port(), free_port()
    page, url = f"http://127.0.0.1:{port}", f"udp://127.0.0.1:{free_port()}"
    streams = {"encoder": {"url": url, "sample_fps": float(RATE)}}
    with (
        running(Child("model server", *serving_command(models, serving_port), quiet=True)) as server,
        run_service(state, port, streams, serving_port) as service,
    ):
        await_until(lambda: listens(serving_port), "the model server", [server, service], say)
        say("cameras: an encoder that changes size and codec")
        with reading(page) as events, running(_encoder(url, [*clips, *clips])) as encoder:
            encoder.finish()
            time.sleep(1)
    gaps = gaps_of(events)
    expected = 2 * len(FORMATS) - 1
    if len(gaps) != expected:
        raise SightlineError(f"the encoder changed {expected} times, and {len(gaps)} of them were seen")
    return {
        "size_change_seconds": [gaps[0], gaps[3]],
        "codec_change_seconds": [gaps[1], gaps[2], gaps[4]],
    }


def gaps_of(events: Sequence[Reading]) -> list[float]:
    """Seconds without an event wherever the size changes."""
    return [
        round(later.at - earlier.at, 1)
        for earlier, later in pairwise(events)
        if earlier.event["width"] != later.event["width"]
    ]


def _examine(clip: Path, say: Say) -> dict[str, Any]:
    """Seconds the doctor takes, its program's start included, for a camera that works and one that is not there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/0.ts"
    say("cameras: the doctor")
    with running(_web_camera(port, clip)) as camera:
        await_until(lambda: listens(port), "the camera", [camera], say)
        works = _doctor(url, {0, 3})
    return {"doctor_seconds": round(works, 1), "doctor_seconds_refused": round(_doctor(url, {1}), 1)}


def _doctor(url: str, verdicts: set[int]) -> float:
    """Seconds until it has spoken; its exit code must be one of these."""
    started = time.monotonic()
    command = [sys.executable, "-P", "-m", "streamer", "doctor", url, "--json"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in verdicts:
        raise SightlineError(f"the doctor ended with code {done.returncode}; `sightline doctor {url}` says why")
    return time.monotonic() - started


def _web_camera(port: int, clip: Path) -> Child:
    return Child("cameras", "-m", "streamer.bench.web_camera", str(port), str(clip), quiet=True)


def _encoder(url: str, clips: Sequence[Path]) -> Child:
    return Child("encoder", "-m", "streamer.bench.encoder", f"{url}?pkt_size=1316", str(EACH), *map(str, clips))
