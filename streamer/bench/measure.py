"""The measurements. Each starts its own processes, reads the operating system's accounting of them, and stops them."""

import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import yaml

from streamer.bench.processes import ask, free_port, listens, newest_version, running, running_all
from streamer.child import Child, Say, await_until, get, open_local
from streamer.demo import MODEL, serving_command
from streamer.errors import SightlineError

Figures = dict[str, Any]

STARTS = 5
ADDED_VIEWERS = 8
CAMERAS = 4
CAMERA_SIZE = (640, 360)
SETTLE = 4.0
"""Seconds after the first result before a window begins."""


def measure_start(state: Path, say: Say) -> Figures:
    """Seconds from the command to the open port, and memory before the first stream; the median of several starts."""
    say(f"start: {STARTS} times, without streams")
    listening, resident = [], []
    for _ in range(STARTS):
        port = free_port()
        started = time.monotonic()
        with _service(state, port, {}) as service:
            while not listens(port):
                service.require_alive()
                time.sleep(0.005)
            listening.append(time.monotonic() - started)
            while get(f"http://127.0.0.1:{port}/healthz") is None:
                service.require_alive()
            resident.append(service.resident_bytes())
    return {
        "listening_seconds": round(statistics.median(listening), 2),
        "resident_mb": round(statistics.median(resident) / 1e6, 1),
    }


def measure_viewers(state: Path, footage: Path, seconds: float, say: Say) -> Figures:
    """What one more WebRTC viewer of a 720p30 stream costs the service, as a share of a core."""
    port, camera_port = free_port(), free_port()
    url = f"rtsp://127.0.0.1:{camera_port}/drone"
    page = f"http://127.0.0.1:{port}"
    with _service(state, port, {"drone": {"url": url, "listen": True}}) as service, running(_camera(footage, url)):
        _await_live(page, 1, [service], say)
        say("viewers: nobody watches")
        idle = _core_share(service, seconds)
        shares, frames = {}, {}
        for count in (1, 1 + ADDED_VIEWERS):
            say(f"viewers: {count} watching")
            with _viewers(f"{page}/whep/drone", count, seconds + SETTLE) as watching:
                time.sleep(SETTLE)
                shares[count] = _core_share(service, seconds)
                frames[count] = json.loads(watching.communicate(timeout=60)[0])["frames_per_second"]
    marginal = (shares[1 + ADDED_VIEWERS] - shares[1]) / ADDED_VIEWERS
    return {
        "core_share_unwatched": round(idle, 4),
        "core_share_one_viewer": round(shares[1], 4),
        "core_share_per_added_viewer": round(marginal, 4),
        "added_viewers": ADDED_VIEWERS,
        "frames_per_second_slowest_viewer": round(min(frames[1 + ADDED_VIEWERS]), 1),
    }


def measure_saturation(state: Path, models: Path, footage: Path, seconds: float, say: Say) -> Figures:
    """Results a second with more frames offered than the model can take, against the model alone in the same run."""
    say(f"saturation: making a {CAMERA_SIZE[0]} x {CAMERA_SIZE[1]} clip")
    clip = _shrunk(footage, state / f"bench-{CAMERA_SIZE[1]}p.mp4")
    version = newest_version(models)
    say("saturation: the model alone, before")
    alone = [_model_alone(version, seconds)]
    serving_port, port = free_port(), free_port()
    page = f"http://127.0.0.1:{port}"
    urls = {f"cam-{number}": f"rtsp://127.0.0.1:{free_port()}/cam" for number in range(CAMERAS)}
    streams = {name: {"url": url, "listen": True, "sample_fps": 30.0} for name, url in urls.items()}
    with (
        running(Child("model server", *serving_command(models, serving_port), quiet=True)) as server,
        _service(state, port, streams, serving_port) as service,
        running_all([_camera(clip, url) for url in urls.values()]),
    ):
        _await_live(page, CAMERAS, [server, service], say)
        await_until(lambda: _results(page) > 0, "the first result", [server, service], say)
        time.sleep(SETTLE)
        say(f"saturation: {CAMERAS} cameras at 30 samples/s")
        before, cpu, started = _results(page), service.cpu_seconds(), time.monotonic()
        ages = _ages(page, seconds)
        results, elapsed = _results(page) - before, time.monotonic() - started
        cpu = service.cpu_seconds() - cpu
    say("saturation: the model alone, after")
    alone.append(_model_alone(version, seconds))
    best = statistics.mean(alone)
    return {
        "cameras": CAMERAS,
        "results_per_second": round(results / elapsed, 1),
        "model_alone_per_second": [round(figure, 1) for figure in alone],
        "share_of_model_alone": round(results / elapsed / best, 3),
        "age_ms_p50": round(statistics.median(ages), 1),
        "age_ms_p99": round(statistics.quantiles(ages, n=100)[98], 1),
        "service_cpu_ms_per_result": round(1000 * cpu / max(results, 1), 2),
    }


# ---- processes


@contextmanager
def _service(
    state: Path, port: int, streams: dict[str, dict[str, Any]], serving_port: int | None = None
) -> Iterator[Child]:
    config = state / "bench.yaml"
    address = f"127.0.0.1:{serving_port or free_port()}"
    document = {"server": {"port": port}, "serving": {"address": address, "model": MODEL}, "streams": streams}
    config.write_text(yaml.safe_dump(document))
    with running(Child("service", "-m", "streamer", "serve", "--config", str(config), quiet=True)) as service:
        yield service


@contextmanager
def _viewers(url: str, count: int, seconds: float) -> "Iterator[subprocess.Popen[bytes]]":
    """Viewers that receive and decrypt but do not decode: their processor time is not the service's."""
    command = [sys.executable, "-m", "streamer.bench.viewers", url, str(count), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _camera(file: Path, url: str) -> Child:
    return Child("camera", "-m", "streamer", "camera", str(file), url, quiet=True)


def _model_alone(version: Path, seconds: float) -> float:
    figures: dict[str, float] = ask("serving.throughput", version, "--seconds", str(seconds))["images_per_second"]
    return max(figures.values())


# ---- readings


def _core_share(process: Child, seconds: float) -> float:
    """Processor seconds a second, over a window."""
    cpu, started = process.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    return (process.cpu_seconds() - cpu) / (time.monotonic() - started)


def _results(page: str) -> int:
    text = get(f"{page}/metrics") or ""
    found = re.findall(r'^sightline_frames_total\{stage="predictor",.*\} ([0-9.e+]+)$', text, re.MULTILINE)
    return int(sum(float(count) for count in found))


def _ages(page: str, seconds: float) -> list[float]:
    """`age_ms` of every event in a window."""
    ages: list[float] = []
    over = threading.Event()

    def read() -> None:
        with open_local(f"{page}/api/events", timeout=5) as events:
            for line in events:
                if over.is_set():
                    return
                if line.startswith(b"data: "):
                    ages.append(json.loads(line[6:])["age_ms"])

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    time.sleep(seconds)
    over.set()
    if len(ages) < 2:
        raise SightlineError("no results came while measuring saturation; the model server's log says why")
    return ages


def _await_live(page: str, count: int, children: list[Child], say: Say) -> None:
    def live() -> bool:
        streams = json.loads(get(f"{page}/api/streams") or "[]")
        return sum(stream["fps"] is not None for stream in streams) >= count

    await_until(live, "the cameras", children, say)


def _shrunk(footage: Path, clip: Path) -> Path:
    """The footage at a size of which one core decodes many; made once."""
    if clip.exists():
        return clip
    draft = clip.with_suffix(".part.mp4")
    with av.open(str(footage)) as source, av.open(str(draft), "w") as sink:
        out = sink.add_stream("libx264", rate=30, options={"preset": "veryfast", "bf": "0", "g": "30", "crf": "26"})
        out.width, out.height, out.pix_fmt = *CAMERA_SIZE, "yuv420p"
        for frame in source.decode(video=0):
            small = frame.reformat(*CAMERA_SIZE, format="yuv420p")
            small.pict_type = av.video.frame.PictureType.NONE
            sink.mux(out.encode(small))
        sink.mux(out.encode(None))
    return draft.rename(clip)
