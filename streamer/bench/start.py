"""How long the service takes to listen, and what it holds before the first stream."""

import statistics
import time
from pathlib import Path
from typing import Any

from streamer.bench.service import run_service
from streamer.tools.child import Say, get
from streamer.tools.processes import free_port, listens

STARTS = 5


def measure_start(state: Path, say: Say) -> dict[str, Any]:
    """Seconds from the command to the first answer, and memory before the first stream: medians of several starts."""
    say(f"start: {STARTS} times, without streams")
    return started(state)


def started(state: Path, archive: dict[str, Any] | None = None) -> dict[str, Any]:
    """The same with a section of the configuration."""
    listening, resident = [], []
    for _ in range(STARTS):
        port = free_port()
        began = time.monotonic()
        with run_service(state, port, {}, archive=archive) as service:
            while not listens(port):
                service.require_alive()
                time.sleep(0.005)
            # Of a port that is open already: nothing takes its connections before everything runs.
            while get(f"http://127.0.0.1:{port}/healthz") is None:
                service.require_alive()
            listening.append(time.monotonic() - began)
            resident.append(service.resident_bytes())
    return {
        "listening_seconds": round(statistics.median(listening), 2),
        "resident_mb": round(statistics.median(resident) / 1e6, 1),
    }
