"""What users would write or take today, on the cameras and the model server of `fleet`, counted alike."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from streamer.bench.fleet import CAMERAS, EVERY, SOME, Fleet, age_of, figures_of, stand_by
from streamer.tools.child import Say
from streamer.values.errors import SightlineError

START = 8.0
"""Seconds in which a peer has begun to answer."""


def measure_peers(
    state: Path, footage: Path, seconds: float, say: Say, streamvision: Path | None = None
) -> dict[str, Any]:
    """A loop a camera, and streamvision where an interpreter is named that has it; both rates of each."""
    figures: dict[str, Any] = {}
    with stand_by(state, footage, seconds, say) as fleet:
        for name, python in {"plain": Path(sys.executable), "streamvision": streamvision}.items():
            if python is None:
                continue
            before = fleet.best.last()
            say(f"peers: {name}, every picture")
            every = _window(fleet, name, python, EVERY)
            best = statistics.mean((before, fleet.best.measure()))
            say(f"peers: {name}, {SOME:g} samples/s")
            some = _window(fleet, name, python, SOME)
            every["share_of_model_alone"] = round(every["results_per_second"] / best, 3)
            figures |= {f"{name}_{key}": figure for key, figure in every.items()}
            figures |= {f"{name}_sampled_{key}": figure for key, figure in some.items()}
        return figures | fleet.best.said()


def _window(fleet: Fleet, name: str, python: Path, samples: float) -> dict[str, Any]:
    """One window of a peer: of a plain loop a process a camera, of others one for all."""
    begin = time.monotonic() + START
    urls = [fleet.url(camera) for camera in range(CAMERAS)]
    given = (str(fleet.serving_port), str(samples), repr(begin), repr(begin + fleet.seconds))
    groups = [[url] for url in urls] if name == "plain" else [urls]
    commands = [[str(python), "-m", "serving.loops", name, *given, *group] for group in groups]
    told = _told(fleet.state, commands, START + fleet.seconds)
    seen = [each for one in told for each in one["seen"]]
    ages = [age_of(camera, number, at, fleet.epoch) for at, camera, number in seen]
    return figures_of(ages, len(ages), fleet.seconds, sum(float(one["cpu"]) for one in told))


def _told(state: Path, commands: Sequence[list[str]], seconds: float) -> list[dict[str, Any]]:
    """What each prints in the end."""
    # The interpreter may be another's, that has packages of its own: of ours it is given serving/ alone.
    beside = state / "bench-peers"
    beside.mkdir(exist_ok=True)
    if not (beside / "serving").exists():
        (beside / "serving").symlink_to(Path(__file__).resolve().parents[2] / "serving")
    found: list[dict[str, Any]] = []
    with ExitStack() as stack:
        running = []
        for command in commands:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(beside)}
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            running.append(process)
        for process in running:
            try:
                words, _ = process.communicate(timeout=seconds + 30)
            except subprocess.TimeoutExpired:
                words = b""
            if not words.strip():
                raise SightlineError(f"`{' '.join(commands[0][:4])}` gave no result; run it to see why")
            found.append(json.loads(words.splitlines()[-1]))
    return found
