"""What the embedded model server costs: against the SavedModel called directly, and with a model that does nothing."""

import json
import statistics
from pathlib import Path
from typing import Any

from streamer.tools.child import Child, Say, await_until
from streamer.tools.demo import MODEL, serving_command
from streamer.tools.processes import ask, free_port, listens, newest_version, running

BATCH = 8
IN_FLIGHT = 2
"""Batches run at once: num_batch_threads of serving/batching.config."""
CALLERS = 2 * IN_FLIGHT
"""One batch waits for each that runs, so that none waits for the wire: saturation, as for the model alone."""
ROUNDS = 3
NOTHING = (320, 320)
"""Size of the pictures that nothing is done with."""


def measure_model_server(state: Path, models: Path, seconds: float, say: Say) -> dict[str, Any]:
    """Throughput beside the model alone, in turn so that a slow moment meets both; and a call's overhead."""
    version, port = newest_version(models), free_port()
    contract = json.loads((version / "assets.extra" / "contract.json").read_text())
    shape = f"{BATCH}x{contract['height']}x{contract['width']}"
    served, alone = [], []
    with running(Child("model server", *serving_command(models, port), quiet=True)) as server:
        await_until(lambda: listens(port), "the model server", [server], say)
        for number in range(ROUNDS):
            say(f"model server: batches of {BATCH}, served and alone, round {number + 1} of {ROUNDS}")
            window = str(seconds / ROUNDS)
            served.append(_calls(port, MODEL, shape, CALLERS, window)["images_per_second"])
            only = ("--batch", str(BATCH), "--callers", str(IN_FLIGHT), "--seconds", window)
            alone.append(ask("serving.throughput", version, *only)["best"]["images_per_second"])
    overhead = _overhead(state, seconds, say)
    return {
        "images_per_second": round(statistics.median(served), 1),
        "model_alone_per_second": round(statistics.median(alone), 1),
        "share_of_model_alone": round(statistics.median(served) / statistics.median(alone), 3),
        "overhead_ms_p50": round(overhead["p50_ms"], 2),
        "overhead_ms_p95": round(overhead["p95_ms"], 2),
    }


def _overhead(state: Path, seconds: float, say: Say) -> dict[str, Any]:
    height, width = NOTHING
    say(f"model server: a call of {BATCH} x {height} x {width} with a model that does nothing")
    model, port = state / "bench-nothing", free_port()
    model.mkdir(exist_ok=True)
    with running(
        Child("writing a model", "-m", "serving.nothing", str(model), f"{height}x{width}", quiet=True)
    ) as child:
        child.finish()
    command = ("-m", "serving", "--port", str(port), "--model_name", "nothing", "--model_base_path", str(model))
    with running(Child("model server", *command, quiet=True)) as server:
        await_until(lambda: listens(port), "the model server", [server], say)
        return _calls(port, "nothing", f"{BATCH}x{height}x{width}", 1, str(seconds / ROUNDS))


def _calls(port: int, model: str, shape: str, callers: int, seconds: str) -> dict[str, Any]:
    return ask("serving.calls", f"127.0.0.1:{port}", model, shape, str(callers), seconds)
