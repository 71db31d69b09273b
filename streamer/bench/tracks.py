"""What following things costs: the camera's motion from frame to frame, and the boxes of a sample.

The service's own code, in this process and in one thread, whose processor time is taken: what else the machine does
slows it down, and does not count as its own.
"""

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.bench.flight import HEIGHT, RATE, STEP, WIDTH, boxes_at, flown, record
from streamer.tools.child import Say
from streamer.tracking.camera import STRIDE, Camera
from streamer.tracking.camera_path import CameraPath
from streamer.tracking.similarity import Similarity
from streamer.tracking.tracker import Tracker
from streamer.values.detections import Detections
from streamer.values.errors import SightlineError
from streamer.values.frame import Frame

FRAMES = 300
SAMPLES = 200
WARMING_UP = 0.1
"""Share of these, at first, which is not counted."""
BOXES = (3, 20, 100)
EVERY = 5
"""Frames from one sample to the next."""
ASTRAY = 0.02
"""Of the way that was flown, what may be measured more or less."""


def measure_tracks(state: Path, say: Say, *, frames: int = FRAMES, samples: int = SAMPLES) -> dict[str, Any]:
    """Milliseconds of processor time.

    Args:
        state: the folder the flight's clip is in meanwhile.
        say: told of each step.
        frames: of the flight.
        samples: of each number of boxes.

    Raises:
        SightlineError: what was followed is not what there was: then the times are of something else.
    """
    cv2.setNumThreads(1)  # as the service does: a thread of OpenCV's own would not be counted
    say(f"tracks: a flight of {frames} frames, and {samples} samples of {', '.join(map(str, BOXES))} boxes")
    with TemporaryDirectory(dir=state, prefix="tracks-") as folder:
        clip = Path(folder) / "flight.mp4"
        record(clip, frames)
        figures = _motion(clip, frames)
    for count in BOXES:
        updates, places = _boxes(count, samples)
        figures |= {f"sample_ms_p50_{count}": _p50(updates), f"frame_ms_p50_{count}": _p50(places)}
    return figures


def _motion(clip: Path, frames: int) -> dict[str, Any]:
    """Of each frame in turn: decoding it, following it while somebody watches, and while nobody does."""
    clock, flight = time.thread_time, flown(clip)
    decoding, watched, unwatched = list[float](), list[float](), list[float]()
    close, loose = Camera(), Camera()
    for number in range(frames):
        began = clock()
        picture = next(flight)
        decoded = clock()
        frame = Frame("bench", number, number / RATE, number / RATE, picture)
        close.follow(frame, closely=True)
        followed = clock()
        loose.follow(frame, closely=False)
        unwatched.append(clock() - followed)
        watched.append(followed - decoded)
        decoding.append(decoded - began)
    for camera in (close, loose):
        _require_the_way(camera, (frames - 1) // STRIDE * STRIDE)
    return {
        "motion_ms_p50": _p50(watched),
        "motion_unwatched_ms_mean": round(1000 * statistics.fmean(_warm(unwatched)), 3),
        "motion_share_of_decoding": round(_p50(watched) / _p50(decoding), 2),
    }


def _require_the_way(camera: Camera, frames: int) -> None:
    way = camera.path.between(0.0, frames / RATE)
    if way is None or abs(way.shift + complex(*STEP) * frames) > ASTRAY * abs(complex(*STEP)) * frames:
        raise SightlineError(f"the camera was not followed where it flew, but {way}: its times are of something else")


def _boxes(count: int, samples: int) -> tuple[list[float], list[float]]:
    """Seconds of each sample, and of each frame, where so many things are to be seen."""
    clock, path = time.thread_time, CameraPath()
    tracker, updates, places = Tracker(path), list[float](), list[float]()
    for number in range(samples * EVERY):
        path.add(number / RATE, Similarity(1, -complex(*STEP)))
        began = clock()
        tracker.at((number - EVERY) / RATE)
        places.append(clock() - began)
        if number % EVERY == 0:
            answer = _answer(boxes_at(number, count), number / RATE)
            began = clock()
            tracker.update(answer)
            updates.append(clock() - began)
    if len(tracker) != count:
        raise SightlineError(f"{count} things were followed as {len(tracker)}: the times are of something else")
    return updates, places


def _answer(boxes: NDArray[np.float64], pts: float) -> Detections:
    """What a model would have said."""
    count = len(boxes)
    return Detections(
        stream="bench",
        pts=pts,
        received_at=pts,
        answered_at=pts,
        model="bench",
        version=1,
        width=WIDTH,
        height=HEIGHT,
        boxes=boxes.astype(np.float32),
        scores=np.full(count, 0.9, np.float32),
        class_ids=np.ones(count, np.int64),
        labels=("thing",) * count,
    )


def _warm(times: list[float]) -> list[float]:
    return times[round(WARMING_UP * len(times)) :]


def _p50(times: list[float]) -> float:
    """Milliseconds."""
    return round(1000 * statistics.median(_warm(times)), 3)
