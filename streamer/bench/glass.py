"""From a picture's due time at the camera to its being painted by a browser on the same machine."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from streamer.bench.browser import chromium
from streamer.bench.footage import RATE, numbered
from streamer.bench.readings import hold_of, results_of
from streamer.bench.service import await_live, run_service, streams_of
from streamer.tools.child import Child, Say, await_until
from streamer.tools.demo import serving_command
from streamer.tools.processes import ask, free_port, listens, running
from streamer.values.errors import ConfigError, SightlineError

SIZE = (1280, 720)
PICTURES = 10 * RATE
SAMPLES = 5.0
"""A second."""
SETTLE = 10.0
"""Seconds from the first picture on the page to the window: what holds pictures back learns in them."""
CLEAN = {"soonest": ("webcodecs", "soonest"), "exact": ("webcodecs",), "mse": ("mse", "soonest")}
"""The ways by which the camera's own video comes, and in what manner the page shows it."""
OWN_VIDEO = "web/webcodecs_way.js"
"""Only a checkout that has this knows them."""


def require_chromium() -> None:
    """Raise ConfigError unless it is installed."""
    if chromium() is None:
        raise ConfigError("bench glass looks at the page with Chromium, which is not installed: `apt install chromium`")


def measure_glass(
    state: Path, models: Path, footage: Path, seconds: float, say: Say, checkout: Path | None = None
) -> dict[str, Any]:
    """The age of pictures when they are painted, on a machine that does nothing else and with one core taken."""
    with numbers_page(state, models, footage, say, checkout) as (page, epoch):
        say("glass: a browser watches")
        figures = painted_ages(page, epoch, seconds)
        for name, way in CLEAN.items() if checkout is None or (checkout / OWN_VIDEO).exists() else ():
            say(f"glass: a browser has the camera's own video, {name}")
            clean = painted_ages(page, epoch, seconds, *way)
            figures |= {f"{name}_{key}": clean[key] for key in ("painted_ms_p50", "painted_ms_p95")}
        say("glass: a browser watches, and one core is taken by other work")
        with _busy(1):
            loaded = painted_ages(page, epoch, seconds)
    return figures | {f"loaded_{name}": figure for name, figure in loaded.items()}


@contextmanager
def numbers_page(
    state: Path, models: Path, footage: Path, say: Say, checkout: Path | None = None
) -> Iterator[tuple[str, float]]:
    """The page of a service with one camera whose pictures are numbered, and when the first was due, monotonic."""
    require_chromium()
    clip = numbered(footage, state, SIZE, PICTURES)
    serving_port, port, camera_port = free_port(), free_port(), free_port()
    page, epoch = f"http://127.0.0.1:{port}", time.monotonic()
    url = f"rtsp://127.0.0.1:{camera_port}/cam"
    command = ("-m", "streamer.bench.numbered_camera", str(camera_port), str(clip), repr(epoch))
    with ExitStack() as stack:
        server = stack.enter_context(running(Child("model server", *serving_command(models, serving_port), quiet=True)))
        camera = stack.enter_context(running(Child("camera", *command, quiet=True)))
        children = [server, camera]
        await_until(lambda: listens(camera_port) and listens(serving_port), "camera and model server", children, say)
        streams = {"numbers": {"url": url, "sample_fps": SAMPLES}}
        service = stack.enter_context(run_service(state, port, streams, serving_port, checkout=checkout))
        children.append(service)
        await_live(page, 1, children, say)
        await_until(lambda: results_of(page) > 0, "the first result", children, say)
        yield page, epoch


def painted_ages(page: str, epoch: float, seconds: float, way: str = "webrtc", *manner: str) -> dict[str, float]:
    """How old pictures are when a browser paints them.

    Args:
        page: address.
        epoch: when the first picture was due.
        seconds: for which is looked.
        way: by which the video comes, as the page's address has it; pages that know one alone do not heed it.
        manner: more for the onlooker, such as "soonest".
    """
    seen = ask("streamer.bench.onlooker", f"{page}/?transport={way}#numbers", str(seconds), str(SETTLE), *manner)
    held, told = hold_of(page), streams_of(page)[0].get("latency") or {}
    ages = ages_of(seen["painted"], epoch)
    if len(ages) < 2:
        raise SightlineError("no picture was painted whose number could be read")
    twenty = statistics.quantiles(ages, n=20)
    return {
        "painted_ms_p50": round(1000 * statistics.median(ages), 1),
        "painted_ms_p95": round(1000 * twenty[18], 1),
        "hold_ms": round(1000 * held, 1),
        "frames_per_second": round(len(ages) / seconds, 1),
    } | ({"ledger_ms": told["total"]} if told.get("paint") is not None else {})


def ages_of(painted: Sequence[tuple[int | None, float]], epoch: float) -> list[float]:
    """Seconds from each picture's due time to its first callback; those whose number was not read are left out.

    Numbers begin again after PICTURES, so the newest is meant that was due by then.
    """
    ages, last = [], None
    for number, at in painted:
        if number is None or number == last:
            continue
        last = number
        ages.append((at - epoch - number / RATE) % (PICTURES / RATE))
    return ages


@contextmanager
def _busy(cores: int) -> Iterator[None]:
    """Other work, that takes so many cores for as long as it gets them."""
    with ExitStack() as stack:
        for _ in range(cores):
            stack.enter_context(running(Child("other work", "-c", "while True: pass")))
        yield
