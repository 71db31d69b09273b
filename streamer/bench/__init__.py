"""`sightline bench`: what this machine makes of Sightline, as figures that mean something elsewhere too.

Absolute times tell more about the machine than about the software, so throughput is told as a share of what the model
itself gives in the same run, and processor time as a share of a core. docs/benchmark.md says how each is measured.
"""

import json
import signal
import sys
import time
from pathlib import Path

from streamer.bench.measure import measure_saturation, measure_start, measure_viewers
from streamer.bench.model_server import measure_model_server
from streamer.bench.report import table
from streamer.child import Child
from streamer.demo import prepare, require_tensorflow


def run(state: Path, seconds: float, *, as_json: bool) -> int:
    """Measure, print, and return the exit code.

    Args:
        state: where the model and the footage are kept.
        seconds: length of each window.
        as_json: one JSON document on stdout instead of a table; progress goes to stderr either way.
    """
    require_tensorflow()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    started = time.monotonic()

    def say(sentence: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {sentence}", file=sys.stderr, flush=True)

    children: list[Child] = []
    try:
        models, footage = prepare(state.absolute(), say, children)
        figures = {
            "start": measure_start(state, say),
            "viewers": measure_viewers(state, footage, seconds, say),
            "model_server": measure_model_server(state, models, seconds, say),
            "saturation": measure_saturation(state, models, footage, seconds, say),
        }
    except KeyboardInterrupt:
        return 130
    finally:
        for child in children:
            child.stop()
    print(json.dumps(figures, indent=2) if as_json else table(figures))
    return 0
