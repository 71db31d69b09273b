"""What a viewer notices of somebody who guesses passwords, as fast as he is answered."""

import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamer.bench.service import await_live, config_of, push, run_service
from streamer.bench.watching import viewers
from streamer.tools.child import Child, Say
from streamer.tools.processes import ask, free_port, running
from streamer.values.errors import SightlineError

GUESSES, CONNECTIONS = 10_000, 4
"""All from one address."""
LOOKED_AT = 5
"""Of them; all others are told to come back later."""
PROBE_INTERVAL = 0.01
"""Seconds from an answer of the event loop to the next question."""
CONNECT = 4.0
"""Seconds a viewer gets to have its first pictures."""
PATIENCE = 300.0
"""Seconds all of it may take."""


def measure_signing_in(state: Path, footage: Path, seconds: float, say: Say) -> dict[str, Any]:
    """The frames of one viewer, and how late the event loop answers, while passwords are guessed.

    Raises:
        SightlineError: of them others were looked at than the first five.
    """
    port, camera_port = free_port(), free_port()
    url, page = f"rtsp://127.0.0.1:{camera_port}/drone", f"http://127.0.0.1:{port}"
    streams = {"drone": {"url": url, "listen": True}}
    with tempfile.TemporaryDirectory(prefix="users-", dir=state) as users:
        access = {"anonymous": ["view"], "store": f"{users}/users.json"}
        with run_service(state, port, streams, access=access) as service, running(push(footage, url)):
            _add_a_user(state)
            await_live(page, 1, [service], say)
            with viewers(f"{page}/whep/drone", 1, PATIENCE) as viewer, _probed(port) as probed:
                time.sleep(CONNECT)
                say("signing in: a viewer, and nobody signs in")
                began = time.monotonic()
                time.sleep(seconds)
                say(f"signing in: {GUESSES} wrong passwords from one address")
                guessing = time.monotonic()
                guessed = ask("streamer.bench.guesser", "127.0.0.1", str(port), str(GUESSES), str(CONNECTIONS))
                ended = time.monotonic()
                viewer.terminate()
                [arrivals] = json.loads(viewer.communicate(timeout=60)[0])["arrivals"]
    answers: dict[str, int] = guessed["answers"]
    if answers != {"401": LOOKED_AT, "429": GUESSES - LOOKED_AT}:
        raise SightlineError(f"{GUESSES} wrong passwords in a row were answered so: {answers}")
    quiet, beside = rate_within(arrivals, began, guessing), rate_within(arrivals, guessing, ended)
    late_ms = [1000 * late for at, late in probed if guessing <= at < ended]
    return {
        "guesses_per_second": round(GUESSES / guessed["seconds"]),
        "frames_per_second": round(beside, 2),
        "share_of_frames": round(beside / quiet, 3),
        "event_loop_ms_p50": round(statistics.median(late_ms), 1),
        "event_loop_ms_p99": round(statistics.quantiles(late_ms, n=100)[-1], 1),
    }


def rate_within(arrivals: list[float], began: float, ended: float) -> float:
    """Frames a second of those that came from one moment on until another, in monotonic seconds."""
    return sum(began <= at < ended for at in arrivals) / (ended - began)


def _add_a_user(state: Path) -> None:
    """One whose password is guessed."""
    Child(
        "user", "-m", "streamer", "user", "add", "admin", "--role", "admin", "--generate",
        "--config", str(config_of(state)), quiet=True,
    ).finish()  # fmt: skip


@contextmanager
def _probed(port: int) -> Iterator[list[tuple[float, float]]]:
    """Ask the event loop for the least it does, over and over: when, in monotonic seconds, and seconds to the answer.

    The way there and back is in it, so that the loop is not as late as this.
    """
    seen: list[tuple[float, float]] = []
    over = threading.Event()

    def probe() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not over.wait(PROBE_INTERVAL):
            asked = time.monotonic()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            seen.append((asked, time.monotonic() - asked))
        connection.close()

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
