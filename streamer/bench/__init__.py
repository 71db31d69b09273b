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
from streamer.bench.arrival import measure_arrival
from streamer.bench.browser import chromium
from streamer.bench.cameras import measure_cameras
from streamer.bench.cluster import measure_cluster, nats_server, require_nats
from streamer.bench.fleet import measure_fleet
from streamer.bench.glass import measure_glass, require_chromium
from streamer.bench.model_server import measure_model_server
from streamer.bench.offers import measure_offers
from streamer.bench.peers import measure_peers
from streamer.bench.publishing import measure_publishing
from streamer.bench.recordings import measure_recordings
from streamer.bench.report import PARTS, table
from streamer.bench.saturation import measure_saturation
from streamer.bench.signing_in import measure_signing_in
from streamer.bench.start import measure_start
from streamer.bench.tracks import measure_tracks
from streamer.bench.turns import in_turn
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
AGAINST = {"viewers", "saturation", "fleet", "glass", "arrival", "cluster"}
"""What is measured with another checkout's service too, where one is named."""


def run(
    state: Path,
    seconds: float,
    parts: Collection[str],
    *,
    as_json: bool,
    events: int,
    database: str | None,
    against: Path | None = None,
    streamvision: Path | None = None,
) -> int:
    """Measure, print, and return the exit code.

    Args:
        state: where the model and the footage are kept.
        seconds: length of each window.
        parts: which of the parts of report.ROWS; none: all.
        as_json: one JSON document on stdout instead of a table; progress goes to stderr either way.
        events: that the archive has when it is measured.
        database: a PostgreSQL server, on which the archive is measured too.
        against: a working copy of Sightline, whose service is measured in turn with this one in the parts of AGAINST.
        streamvision: an interpreter that has it, to be measured among the peers.

    Raises:
        ConfigError: there is no such part or working copy, TensorFlow or, where they were asked for by name, Chromium
            or NATS's server is not installed, or the database cannot be used.
    """
    if unknown := set(parts) - set(PARTS):
        raise ConfigError(f"bench has no part {min(unknown)!r}; there are: {', '.join(PARTS)}")
    wanted = [part for part in PARTS if not parts or part in parts]
    if "glass" in parts:
        require_chromium()
    if "cluster" in parts:
        require_nats()
    if against is not None:
        against = _checkout(against, wanted)
    alone = ALONE | {
        "archive": partial(measure_archive, events=events, database=database, seconds=seconds),
        "recordings": partial(measure_recordings, seconds=seconds),
        "cluster": lambda state, say: in_turn(partial(measure_cluster, state, seconds, say), against),
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
    if "cluster" in wanted and nats_server() is None:
        say("cluster is left out: nats-server is not installed, or its client is not")
        wanted.remove("cluster")
    state = state.absolute()
    state.mkdir(parents=True, exist_ok=True)
    try:
        figures = {part: measure(state, say) for part, measure in alone.items() if part in wanted}
        figures |= _with_model(
            state, seconds, [part for part in wanted if part not in alone], say, against, streamvision
        )
    except KeyboardInterrupt:
        return 130
    print(json.dumps(figures, indent=2) if as_json else table(figures))
    return 0


def _checkout(against: Path, wanted: Collection[str]) -> Path:
    """The working copy at a path, that something of what is wanted can be measured with."""
    if not (against / "site" / "streamer").is_dir():
        raise ConfigError(
            f"--against {against}: there is no working copy of Sightline, which has a folder site/streamer"
        )
    if not AGAINST & set(wanted):
        raise ConfigError(f"--against is for {', '.join(sorted(AGAINST))}; none of them is to be measured")
    return against.absolute()


def _with_model(
    state: Path,
    seconds: float,
    wanted: Collection[str],
    say: Say,
    against: Path | None,
    streamvision: Path | None,
) -> dict[str, dict[str, Any]]:
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
        "arrival": lambda: in_turn(partial(measure_arrival, state, footage, seconds, say), against),
        "viewers": lambda: in_turn(partial(measure_viewers, state, footage, seconds, say), against),
        "signing_in": lambda: measure_signing_in(state, footage, seconds, say),
        "publishing": lambda: measure_publishing(state, models, footage, seconds, say),
        "cameras": lambda: measure_cameras(state, models, footage, say),
        "model_server": lambda: measure_model_server(state, models, seconds, say),
        "saturation": lambda: measure_saturation(state, models, footage, seconds, say, against),
        "fleet": lambda: measure_fleet(state, footage, seconds, say, against),
        "peers": lambda: measure_peers(state, footage, seconds, say, streamvision),
        "glass": lambda: in_turn(partial(measure_glass, state, models, footage, seconds, say), against),
    }
    return {part: measure() for part, measure in measures.items() if part in wanted}
