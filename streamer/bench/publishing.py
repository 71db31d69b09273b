"""A camera that publishes by WebRTC: how old its pictures are at their detections, and what a lost packet does."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from streamer.bench.footage import RATE, shrunk
from streamer.bench.readings import Reading, model_seconds, reading
from streamer.bench.service import await_live, run_service
from streamer.tools.child import Child, Say, await_until, get
from streamer.tools.demo import serving_command
from streamer.tools.processes import free_port, running
from streamer.values.errors import SightlineError
from streamer.values.packet import TIME_BASE

SIZE = (640, 360)
LOSSES = 6
BETWEEN = 3.0
"""Seconds between two losses: the stream has long recovered."""
NAME = "phone"
SETTLE = 2.0
"""Seconds at the start that are left out: the connection, the first keyframe, the model's first calls."""


def measure_publishing(state: Path, models: Path, footage: Path, seconds: float, say: Say) -> dict[str, Any]:
    """Publish a 640x360 clip at 30 pictures a second, each of which goes to the model."""
    clip = shrunk(footage, state, SIZE)
    serving_port, port = free_port(), free_port()
    page = f"http://127.0.0.1:{port}"
    ingress = {"names": [NAME], "sample_fps": float(RATE)}
    with (
        running(Child("model server", *serving_command(models, serving_port), quiet=True)) as server,
        run_service(state, port, {}, serving_port, ingress) as service,
    ):
        await_until(lambda: get(f"{page}/readyz") is not None, "the model server", [server, service], say)
        say(f"publishing: {SIZE[0]} x {SIZE[1]} by WebRTC, {seconds:g} s, then {LOSSES} lost packets")
        command = [sys.executable, "-P", "-m", "streamer.bench.publisher", f"{page}/whip/{NAME}", str(clip)]
        command += [str(SETTLE + seconds), str(LOSSES), str(BETWEEN)]
        with reading(page) as events, subprocess.Popen(command, stdout=subprocess.PIPE) as publisher:
            try:
                await_live(page, 1, [server, service], say)
                time.sleep(SETTLE)
                before = model_seconds(page)
                time.sleep(seconds)
                after = model_seconds(page)
                sent = json.loads(publisher.communicate(timeout=60 + LOSSES * BETWEEN)[0] or "null")
            except subprocess.TimeoutExpired:
                raise SightlineError("the publisher did not come to its end while measuring") from None
            finally:
                publisher.kill()
    if sent is None or not sent["lost"] or not events:
        raise SightlineError("nothing came of the publisher while measuring; its own words are above")
    begun, first_loss = sent["sent"][0][1] + SETTLE, sent["lost"][0]
    latencies = latencies_of([each for each in events if begun <= each.at < first_loss], sent["sent"])
    stalls = [stall_after(at, events) for at in sent["lost"]]
    p50 = statistics.median(latencies)
    model_ms = 1000 * (after[0] - before[0]) / max(after[1] - before[1], 1)
    return {
        "event_ms_p50": round(p50, 1),
        "event_ms_p95": round(statistics.quantiles(latencies, n=20)[18], 1),
        "model_ms_mean": round(model_ms, 1),
        "event_ms_p50_beyond_model": round(p50 - model_ms, 1),
        "stalls_seconds": [round(stall, 2) for stall in stalls],
    }


def latencies_of(events: Sequence[Reading], sent: Sequence[tuple[int, float]]) -> list[float]:
    """Milliseconds from each picture's being handed to the publisher's encoder to its event.

    The service counts time from its own origin, so the one shift is looked for that puts every event on a picture.
    """
    times = dict(sent)
    if len(events) < 2:
        raise SightlineError("too few events came of the publisher; is the model fast enough?")
    first = events[0].event["pts"]
    for ticks in times:
        found = [_sent_at(times, ticks + round((each.event["pts"] - first) / TIME_BASE)) for each in events]
        if sum(at is not None for at in found) >= 0.9 * len(found):
            return [1000 * (each.at - at) for each, at in zip(events, found, strict=True) if at is not None]
    raise SightlineError("the events' times are not those of the pictures that were published")


def _sent_at(times: dict[int, float], ticks: int) -> float | None:
    return next((times[near] for near in (ticks, ticks - 1, ticks + 1) if near in times), None)


def stall_after(lost_at: float, events: Sequence[Reading]) -> float:
    """Seconds of the longest pause between two events around a loss."""
    near = [each.at for each in events if lost_at - 0.2 <= each.at <= lost_at + BETWEEN - 0.2]
    return max((later - earlier for earlier, later in pairwise(near)), default=BETWEEN)
