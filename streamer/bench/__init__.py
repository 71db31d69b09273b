"""`sightline bench`: what this machine makes of Sightline, as figures that mean something elsewhere too.

Absolute times tell more about the machine than about the software, so throughput is told as a share of what the model
itself gives in the same run, and processor time as a share of a core. docs/benchmark.md says how each is measured.
"""

import json
import signal
import sys
import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from streamer.bench.access import measure_access
from streamer.bench.archive import measure_archive
from streamer.bench.browser import chromium
from streamer.bench.cameras import measure_cameras
from streamer.bench.glass import measure_glass, require_chromium
from streamer.bench.model_server import measure_model_server
from streamer.bench.offers import measure_offers
from streamer.bench.publishing import measure_publishing
from streamer.bench.recordings import measure_recordings
from streamer.bench.report import PARTS, table
from streamer.bench.saturation import measure_saturation
from streamer.bench.signing_in import measure_signing_in
from streamer.bench.start import measure_start
from streamer.bench.tracks import measure_tracks
from streamer.bench.watching import measure_viewers
from streamer.tools.child import Child, Say
from streamer.tools.demo import prepare, require_tensorflow
from streamer.values.errors import ConfigError

ALONE: dict[str, Callable[[Path, Say], dict[str, Any]]] = {
    "start": measure_start,
    "offers": measure_offers,
    "access": measure_access,
    "tracks": measure_tracks,
}
"""What needs neither a model nor cameras."""


def run(
    state: Path, seconds: float, parts: Collection[str], *, as_json: bool, events: int, database: str | None
) -> int:
    """Measure, print, and return the exit code.

    Args:
        state: where the model and the footage are kept.
        seconds: length of each window.
        parts: which of the parts of report.ROWS; none: all.
        as_json: one JSON document on stdout instead of a table; progress goes to stderr either way.
        events: that the archive has when it is measured.
        database: a PostgreSQL server, on which the archive is measured too.

    Raises:
        ConfigError: there is no such part, TensorFlow or, where it was asked for by name, Chromium is not installed,
            or the database cannot be used.
    """
    if unknown := set(parts) - set(PARTS):
        raise ConfigError(f"bench has no part {min(unknown)!r}; there are: {', '.join(PARTS)}")
    wanted = [part for part in PARTS if not parts or part in parts]
    if "glass" in parts:
        require_chromium()
    alone = ALONE | {
        "archive": partial(measure_archive, events=events, database=database, seconds=seconds),
        "recordings": partial(measure_recordings, seconds=seconds),
    }
    if not alone.keys() >= set(wanted):
        require_tensorflow()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    started = time.monotonic()

    def say(sentence: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {sentence}", file=sys.stderr, flush=True)

    if "glass" in wanted and chromium() is None:
        say("glass is left out: Chromium is not installed")
        wanted.remove("glass")
    state = state.absolute()
    state.mkdir(parents=True, exist_ok=True)
    try:
        figures = {part: measure(state, say) for part, measure in alone.items() if part in wanted}
        figures |= _with_model(state, seconds, [part for part in wanted if part not in alone], say)
    except KeyboardInterrupt:
        return 130
    print(json.dumps(figures, indent=2) if as_json else table(figures))
    return 0


def _with_model(state: Path, seconds: float, wanted: Collection[str], say: Say) -> dict[str, dict[str, Any]]:
    """Measure what needs the bundled model or the demo's footage."""
    if not wanted:
        return {}
    children: list[Child] = []
    try:
        models, footage = prepare(state, say, children, aside=True)
    finally:
        for child in children:
            child.stop()
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "viewers": lambda: measure_viewers(state, footage, seconds, say),
        "signing_in": lambda: measure_signing_in(state, footage, seconds, say),
        "publishing": lambda: measure_publishing(state, models, footage, seconds, say),
        "cameras": lambda: measure_cameras(state, models, footage, say),
        "model_server": lambda: measure_model_server(state, models, seconds, say),
        "saturation": lambda: measure_saturation(state, models, footage, seconds, say),
        "glass": lambda: measure_glass(state, models, footage, seconds, say),
    }
    return {part: measure() for part, measure in measures.items() if part in wanted}
