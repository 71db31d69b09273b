"""Eight cameras and a light model: how much of the model is used, how old results are, and what each costs.

The age is counted from when the camera's picture was due to its event's coming to whoever reads events. Which picture
that is, the event's box says: the model reads it from the number drawn there (`serving.numbered`).
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from streamer.bench.best import Best
from streamer.bench.footage import numbered
from streamer.bench.numbered_camera import APART
from streamer.bench.readings import Reading, reading, results_of
from streamer.bench.service import await_live, run_service
from streamer.bench.turns import in_turn
from streamer.tools.child import Child, Say, await_until
from streamer.tools.demo import serving_command
from streamer.tools.processes import free_port, listens, newest_version, running
from streamer.values.errors import SightlineError

CAMERAS = 8
SIZE, FPS, MEGABITS = (640, 480), 25, 1.5
PICTURES, NUMBERS = 500, 512
"""Of the cameras' clip, whole seconds of it; and those that the model tells apart."""
MODEL = "numbered"
EVERY, SOME = 30.0, 5.0
"""Samples a second: more than a camera sends, and what people ask for."""
CONNECTED = 0.2
"""Seconds in which whoever reads events is there."""
SETTLE = 4.0
"""Seconds after the first result before a window begins."""


@dataclass(frozen=True)
class Fleet:
    """Cameras and a model server that stand by; a service is measured with them as often as asked."""

    state: Path
    seconds: float
    say: Say
    best: Best
    epoch: float
    """Monotonic, when picture 0 of the first camera was due."""
    camera_port: int
    serving_port: int
    standing: list[Child]

    def url(self, camera: int) -> str:
        """Where a camera is asked."""
        return f"rtsp://127.0.0.1:{self.camera_port}/{camera}"

    def measure(self, checkout: Path | None = None) -> dict[str, Any]:
        """One block, with the service of a checkout."""
        before = self.best.last()
        every = self._window(EVERY, checkout)
        best = statistics.mean((before, self.best.measure()))
        some = self._window(SOME, checkout)
        return {
            "cameras": CAMERAS,
            "share_of_model_alone": round(every["results_per_second"] / best, 3),
            **every,
            **{f"sampled_{key}": figure for key, figure in some.items()},
        }

    def _window(self, samples: float, checkout: Path | None) -> dict[str, Any]:
        """A window with so many samples a second of each camera."""
        port = free_port()
        page = f"http://127.0.0.1:{port}"
        streams = {str(camera): {"url": self.url(camera), "sample_fps": samples} for camera in range(CAMERAS)}
        with run_service(self.state, port, streams, self.serving_port, model=MODEL, checkout=checkout) as service:
            children = [*self.standing, service]
            await_live(page, CAMERAS, children, self.say)
            await_until(lambda: results_of(page) > 0, "the first result", children, self.say)
            time.sleep(SETTLE)
            self.say(f"fleet: {CAMERAS} cameras at {samples:g} samples/s{', the other service' if checkout else ''}")
            with reading(page) as events:
                time.sleep(CONNECTED)
                before, cpu, started = results_of(page), service.cpu_seconds(), time.monotonic()
                time.sleep(self.seconds)
                results, cpu = results_of(page) - before, service.cpu_seconds() - cpu
                elapsed = time.monotonic() - started
        return figures_of([age for age in ages_of(events, self.epoch) if age is not None], results, elapsed, cpu)


@contextmanager
def stand_by(state: Path, footage: Path, seconds: float, say: Say) -> Iterator[Fleet]:
    """Make what is not there yet, and run cameras and model server for as long as the block lasts."""
    say(f"fleet: making a {SIZE[0]} x {SIZE[1]} clip with numbers, and a light model")
    clip = numbered(footage, state, SIZE, PICTURES, rate=FPS, megabits=MEGABITS)
    models = state / "bench-numbered"
    with running(Child("writing a model", "-m", "serving.numbered", str(models), quiet=True)) as child:
        child.finish()
    best = Best(newest_version(models), seconds / 2, lambda sentence: say(f"fleet: {sentence}"))
    serving_port, camera_port, epoch = free_port(), free_port(), time.monotonic()
    cameras = ("-m", "streamer.bench.numbered_camera", str(camera_port), str(clip), repr(epoch), str(FPS))
    with (
        running(Child("model server", *serving_command(models, serving_port, MODEL), quiet=True)) as server,
        running(Child("cameras", *cameras, quiet=True)) as sending,
    ):
        for port, name in ((serving_port, "the model server"), (camera_port, "the cameras")):
            await_until(partial(listens, port), name, [server, sending], say)
        yield Fleet(state, seconds, say, best, epoch, camera_port, serving_port, [server, sending])


def figures_of(ages: Sequence[float], results: int, elapsed: float, cpu: float) -> dict[str, Any]:
    """What a window gave.

    Args:
        ages: of results, in seconds.
        results: how many there were.
        elapsed: seconds of the window.
        cpu: seconds of processor time that whoever asked the model used.

    Raises:
        SightlineError: there were none.
    """
    if len(ages) < 2:
        raise SightlineError("no results came while measuring the fleet; the model server's log says why")
    return {
        "results_per_second": round(results / elapsed, 1),
        "age_ms_p50": round(1000 * statistics.median(ages), 1),
        "age_ms_p99": round(1000 * statistics.quantiles(ages, n=100)[98], 1),
        "cpu_ms_per_result": round(1000 * cpu / max(results, 1), 2),
    }


def ages_of(events: Sequence[Reading], epoch: float) -> list[float | None]:
    """Seconds from each event's picture's being due to the event; None where it has no number."""
    return [
        None if (number := number_of(each.event)) is None else age_of(int(each.event["stream"]), number, each.at, epoch)
        for each in events
    ]


def number_of(event: dict[str, Any]) -> int | None:
    """The number of the picture an event is about, 0..PICTURES-1, from its box (`serving.numbered`)."""
    for detection in event["detections"]:
        if detection["label"] == "frame":
            return round(float(detection["box"][0]) / int(event["width"]) * 2 * NUMBERS) % NUMBERS
    return None


def age_of(camera: int, number: int, now: float, epoch: float) -> float:
    """Seconds since a camera's last picture of that number was due."""
    return (now - epoch - camera * APART - number / FPS) % (PICTURES / FPS)


def measure_fleet(state: Path, footage: Path, seconds: float, say: Say, against: Path | None) -> dict[str, Any]:
    """Both rates, with this checkout's service and, where there is another, with both in turn."""
    with stand_by(state, footage, seconds, say) as fleet:
        return in_turn(fleet.measure, against) | fleet.best.said()
