"""Results a second with more frames offered than the model can take."""

import statistics
import time
from pathlib import Path
from typing import Any

from streamer.bench.best import Best
from streamer.bench.footage import shrunk
from streamer.bench.readings import reading, results_of
from streamer.bench.service import await_live, push, run_service
from streamer.bench.turns import in_turn
from streamer.tools.child import Child, Say, await_until
from streamer.tools.demo import serving_command
from streamer.tools.processes import free_port, newest_version, running, running_all
from streamer.values.errors import SightlineError

CAMERAS = 4
CAMERA_SIZE = (640, 360)
SETTLE = 4.0
"""Seconds after the first result before the window begins."""


def measure_saturation(
    state: Path, models: Path, footage: Path, seconds: float, say: Say, against: Path | None = None
) -> dict[str, Any]:
    """Results a second with more frames offered than the model can take, against the model alone in the same run."""
    say(f"saturation: making a {CAMERA_SIZE[0]} x {CAMERA_SIZE[1]} clip")
    clip = shrunk(footage, state, CAMERA_SIZE)
    best = Best(newest_version(models), seconds / 2, lambda sentence: say(f"saturation: {sentence}"))
    return in_turn(lambda other: _block(state, models, clip, seconds, say, best, other), against) | best.said()


def _block(
    state: Path, models: Path, clip: Path, seconds: float, say: Say, best: Best, checkout: Path | None
) -> dict[str, Any]:
    """One window, with the service of a checkout, and the model's best before and after it."""
    alone = [best.last()]
    serving_port, port = free_port(), free_port()
    page = f"http://127.0.0.1:{port}"
    urls = {f"cam-{number}": f"rtsp://127.0.0.1:{free_port()}/cam" for number in range(CAMERAS)}
    streams = {name: {"url": url, "listen": True, "sample_fps": 30.0} for name, url in urls.items()}
    with (
        running(Child("model server", *serving_command(models, serving_port), quiet=True)) as server,
        run_service(state, port, streams, serving_port, checkout=checkout) as service,
        running_all([push(clip, url) for url in urls.values()]),
    ):
        await_live(page, CAMERAS, [server, service], say)
        await_until(lambda: results_of(page) > 0, "the first result", [server, service], say)
        time.sleep(SETTLE)
        say(f"saturation: {CAMERAS} cameras at 30 samples/s")
        before, cpu, started = results_of(page), service.cpu_seconds(), time.monotonic()
        ages = _ages(page, seconds)
        results, elapsed = results_of(page) - before, time.monotonic() - started
        cpu = service.cpu_seconds() - cpu
    alone.append(best.measure())
    return {
        "cameras": CAMERAS,
        "results_per_second": round(results / elapsed, 1),
        "share_of_model_alone": round(results / elapsed / statistics.mean(alone), 3),
        "age_ms_p50": round(statistics.median(ages), 1),
        "age_ms_p99": round(statistics.quantiles(ages, n=100)[98], 1),
        "service_cpu_ms_per_result": round(1000 * cpu / max(results, 1), 2),
    }


def _ages(page: str, seconds: float) -> list[float]:
    """`age_ms` of every event in a window."""
    with reading(page) as events:
        time.sleep(seconds)
        ages = [each.event["age_ms"] for each in events]
    if len(ages) < 2:
        raise SightlineError("no results came while measuring saturation; the model server's log says why")
    return ages
