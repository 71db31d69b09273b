"""What a measurement reads of a running service: its use of the processor, its metrics, its events."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from streamer.tools.child import Child, get, open_local


@dataclass(frozen=True, slots=True)
class Reading:
    """One event of /api/detections."""

    at: float
    """Monotonic seconds at which it came; that clock is one for all processes of a machine."""
    event: dict[str, Any]


def core_share(process: Child, seconds: float) -> float:
    """Processor seconds a second, over a window."""
    cpu, started = process.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    return (process.cpu_seconds() - cpu) / (time.monotonic() - started)


def results_of(page: str) -> int:
    """Frames the model has answered since the start."""
    return int(_sum(page, "sightline_frames_total", 'stage="predictor"'))


def model_seconds(page: str) -> tuple[float, int]:
    """Seconds that Predict calls have taken since the start, all together, and how many there were."""
    return _sum(page, "sightline_predict_seconds_sum"), int(_sum(page, "sightline_predict_seconds_count"))


def hold_of(page: str) -> float:
    """Seconds that the frames of all streams were held last for their boxes."""
    return _sum(page, "sightline_hold_seconds")


def pictures_of(page: str, what: str) -> int:
    """Encoded pictures that were "taken" to be recorded, or "written", of all streams since the start."""
    return int(_sum(page, "sightline_recording_pictures_total", f'what="{what}"'))


def pictures_dropped(page: str) -> dict[str, int]:
    """Those that were to be recorded and were not, by reason."""
    text = get(f"{page}/metrics") or ""
    found = re.findall(
        r'^sightline_recording_pictures_dropped_total\{.*reason="(\w+)".*\} ([0-9.e+-]+)$', text, re.MULTILINE
    )
    dropped: Counter[str] = Counter()
    for reason, count in found:
        dropped[reason] += int(float(count))
    return dict(+dropped)


def _sum(page: str, metric: str, label: str = "") -> float:
    text = get(f"{page}/metrics") or ""
    found = re.findall(rf"^{metric}\{{[^}}]*{re.escape(label)}[^}}]*\}} ([0-9.e+-]+)$", text, re.MULTILINE)
    return sum(float(value) for value in found)


@contextmanager
def reading(page: str) -> Iterator[list[Reading]]:
    """Read every event of all streams for as long as the block lasts, in a thread; the list grows."""
    seen: list[Reading] = []
    over = threading.Event()

    def read() -> None:
        with open_local(f"{page}/api/detections", timeout=30) as events:
            for line in events:
                if over.is_set():
                    return
                if line.startswith(b"data: "):
                    seen.append(Reading(time.monotonic(), json.loads(line[6:])))

    threading.Thread(target=read, daemon=True).start()
    try:
        yield seen
    finally:
        over.set()
