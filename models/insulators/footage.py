"""The demo camera's footage: one closed flight of a rendered scene as an H.264 file, and the truth of every frame.

    python -m sightline_models.insulators.footage --output drone.mp4 [--seconds 20]

Writes drone.mp4 and drone.gt.json, a list of {"frame": number, "boxes": [[label, x_min, y_min, x_max, y_max, id], …]},
in pixels; the id says which thing it is, the same in every frame. The flight closes, so the file can be looped without
a jump. Needs no TensorFlow.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np

from sightline_models.insulators.scenery.flight import Flight
from sightline_models.insulators.scenery.light import Light, towards
from sightline_models.insulators.scenery.line import Line
from sightline_models.insulators.scenes import HEIGHT, WIDTH, Frame, Scene

FPS: Final = 30
SECONDS: Final = 20
WORLD_SEED: Final = 7
LINE_SEED: Final = 174
"""Two numbers, tried out: fields worth looking at, and broken discs where the drone comes near."""
BIT_RATE: Final = 3_000_000
CODEC_OPTIONS: Final = {
    "preset": "veryfast",
    "profile": "main",
    "maxrate": "3500k",
    "bufsize": "3500k",
    # A keyframe every second and never elsewhere, no B-frames, headers before each keyframe: a viewer that joins
    # between two keyframes waits a second at most, and decode order is display order.
    "x264-params": f"keyint={FPS}:min-keyint={FPS}:scenecut=0:bframes=0:repeat-headers=1",
}


_interrupted = threading.Event()
"""Set by the first Ctrl-C or SIGTERM."""


def demo_scene() -> Scene:
    """The world people see first: a clear late afternoon, two towers, strings of brown porcelain and of glass."""
    light = Light(
        sun=towards(np.radians(228), np.radians(34)),
        sunlight=np.array([0.98, 0.87, 0.70]),
        skylight=np.array([0.40, 0.45, 0.53]),
        zenith=np.array([0.30, 0.50, 0.80]),
        haze=np.array([0.88, 0.88, 0.87]),
        visibility=620.0,
    )
    line = Line.for_demo(np.random.default_rng(LINE_SEED))
    return Scene(WORLD_SEED, light=light, line=line, flight=Flight.for_demo())


def flight(seconds: float) -> Iterator[Frame]:
    """The demo flight's frames, in order, rendered by every core; the flight closes after `seconds`."""
    count = max(1, round(seconds * FPS))
    cores = len(os.sched_getaffinity(0))
    period = Flight.for_demo().period
    times = [period * number / count for number in range(count)]
    # spawn, not fork: a thread of OpenCV or of the caller may hold a lock at this moment. Neighbouring frames go to one
    # process, because they show the same discs from the same angles.
    processes = multiprocessing.get_context("spawn").Pool(cores, _start_process)
    try:
        yield from processes.imap(_render, times, chunksize=FPS // 3)
    finally:
        if not _interrupted.is_set():  # else see main
            processes.terminate()


_SCENE: list[Scene] = []


def _start_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the one that started these ends them
    cv2.setNumThreads(1)
    _SCENE.append(demo_scene())


def _render(time: float) -> Frame:
    return _SCENE[0].frame(time)


def write_clip(path: Path, frames: Iterator[Frame], count: int) -> list[dict[str, Any]]:
    """Encode `frames` to an mp4 at `path`, under a temporary name until it is whole; returns the truth.

    Raises:
        OSError: the file cannot be written.
    """
    truth: list[dict[str, Any]] = []
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=FPS, options=dict(CODEC_OPTIONS))
            stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", BIT_RATE
            stream.codec_context.time_base = Fraction(1, FPS)
            for number, frame in enumerate(frames):
                if _interrupted.is_set():
                    raise KeyboardInterrupt
                picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
                picture.pts, picture.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(picture))
                truth.append(
                    {
                        "frame": number,
                        "boxes": [[*box, thing] for box, thing in zip(frame.boxes, frame.ids, strict=True)],
                    }
                )
                show_progress(number + 1, count)
            container.mux(stream.encode(None))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return truth


def show_progress(done: int, count: int) -> None:
    """One line that updates itself, or on anything but a terminal a line every two seconds of footage."""
    if sys.stdout.isatty():
        print(f"\rrendering the demo flight: frame {done}/{count}", end="\n" if done == count else "", flush=True)
    elif done % (2 * FPS) == 0 or done == count:
        print(f"rendering the demo flight: frame {done}/{count}", flush=True)


def write_footage(path: Path, seconds: float = SECONDS) -> None:
    """Write the demo clip to `path` and its truth beside it, as .gt.json.

    Raises:
        OSError: either file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    truth = write_clip(path, flight(seconds), max(1, round(seconds * FPS)))
    unfinished = path.with_name(f".{path.stem}.gt.json.part")
    unfinished.write_text(json.dumps(truth))
    unfinished.replace(path.with_suffix(".gt.json"))


def _interrupt(_number: int, _frame: object) -> None:
    # Raised once, for a second signal would break off the cleaning up; and remembered, for what is raised inside a
    # callback or a destructor is printed there and lost.
    if not _interrupted.is_set():
        _interrupted.set()
        raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sightline_models.insulators.footage", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.mp4")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"length of the loop (default {SECONDS})")
    options = parser.parse_args()
    if options.output.suffix != ".mp4":
        print(f"--output {options.output}: the name must end in .mp4", file=sys.stderr)
        return 2
    if not 0.5 <= options.seconds <= 600:
        print(f"--seconds {options.seconds:g}: allowed are 0.5 to 600", file=sys.stderr)
        return 2
    # So that the rendering processes and the half-made file go with this one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        write_footage(options.output, options.seconds)
    except KeyboardInterrupt:
        # The signal reaches a rendering process too, perhaps while it holds the lock of the pool's queue, and whoever
        # then ends the pool in good order waits for that lock for ever. The half-made file is gone by now.
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(130)
    except OSError as error:
        print(f"{options.output}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
