"""What recording costs, whether every picture that came is kept, and what a killed service leaves.

Cameras are those of web_camera.py, a program of their own; there is no model. Files are read afterwards, by FFmpeg.
"""

import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import yaml

from streamer.archive.recordings import segment_table
from streamer.archive.recordings.files import RecordingFiles
from streamer.archive.recordings.segment import Segment
from streamer.archive.sqlite import Sqlite
from streamer.bench.flight import film
from streamer.bench.readings import core_share, pictures_dropped, pictures_of
from streamer.bench.service import await_live, config_of, run_service, streams_of
from streamer.tools.child import Child, Say, await_until, open_local
from streamer.tools.processes import free_port, listens, running
from streamer.values.errors import SightlineError

LARGE, SMALL = (1280, 720), (640, 360)
MEGABITS = 2.0
"""A second, of each camera."""
COSTING, MANY, KILLED = 4, 16, 4
"""Cameras: of which the cost is measured, of which the pictures are counted, and that are recorded while killed."""
ROUNDS = 4
"""Windows without recording and with it, in turn."""
LONGER = 6
"""Windows that pictures are counted for."""
KILLS = 20
SETTLE = 3.0
"""Seconds in which a changed configuration is in force, and an unchanged one forgotten."""
EACH_AGE = 0.1
"""Seconds from one look at a picture's age to the next."""
FOREVER, MOST = 1e11, 100_000
"""A time after all, and more segments than there are."""


def measure_recordings(
    state: Path, say: Say, *, seconds: float, kills: int = KILLS, rounds: int = ROUNDS
) -> dict[str, Any]:
    """All of it.

    Args:
        state: the folder of clips and, meanwhile, recordings.
        say: told of each step.
        seconds: of each window.
        kills: how often the service is killed.
        rounds: windows without recording and with it, in turn.

    Raises:
        SightlineError: a picture is missing that was said to be kept, a file does not play, or the index differs.
    """
    with TemporaryDirectory(dir=state, prefix="recordings-") as name:
        folder = Path(name)
        large, small = (film(folder / f"{size[0]}.mp4", size, MEGABITS) for size in (LARGE, SMALL))
        return (
            _cost(folder / "cost", large, seconds, rounds, say)
            | _count(folder / "count", small, seconds * LONGER, say)
            | _kill(folder / "kill", small, kills, say)
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a service of ours keeps what it records."""

    folder: Path
    page: str
    service: Child

    def set_mode(self, mode: str) -> None:
        """Have all its streams recorded so from now on."""
        path = config_of(self.folder)
        document = yaml.safe_load(path.read_text())
        for stream in document["streams"].values():
            stream["record"] = mode
        path.write_text(yaml.safe_dump(document))
        self.await_state("off" if mode == "off" else "recording")

    def await_state(self, word: str) -> None:
        """Wait until that is what becomes of every stream's video."""

        def there() -> bool:
            return {each["recording"]["state"] for each in streams_of(self.page)} == {word}

        await_until(there, f"all streams' being {word}", [self.service], lambda _: None)


@contextmanager
def _cameras(clip: Path, port: int, say: Say) -> Iterator[Child]:
    with running(Child("cameras", "-m", "streamer.bench.web_camera", str(port), str(clip), quiet=True)) as cameras:
        await_until(lambda: listens(port), "the cameras' server", [cameras], say)
        yield cameras


@contextmanager
def _recorded(folder: Path, camera_port: int, count: int, mode: str, say: Say) -> Iterator[_Place]:
    """A service that so many cameras are recorded by."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    streams = {f"cam-{n}": {"url": f"http://127.0.0.1:{camera_port}/{n}.ts", "record": mode} for n in range(count)}
    with run_service(folder, port, streams, archive={}) as service:
        page = f"http://127.0.0.1:{port}"
        await_live(page, count, [service], say)
        yield _Place(folder, page, service)


# ---- what it costs


def _cost(folder: Path, clip: Path, seconds: float, rounds: int, say: Say) -> dict[str, Any]:
    """Shares of a core a stream and memory, and how old a watched stream's pictures get, each way in turn."""
    camera_port = free_port()
    shares, ages, memory = _both(), _both(), _both()
    with _cameras(clip, camera_port, say), _recorded(folder, camera_port, COSTING, "off", say) as place:
        say(f"recordings: {COSTING} streams of 720p30, not recorded and recorded in turn")
        for mode in _in_turn(place, rounds):
            shares[mode].append(core_share(place.service, seconds) / COSTING)
            memory[mode].append(place.service.resident_bytes() / COSTING / 1e6)
        say("recordings: the ages of pictures that one watches, likewise")
        with _watched(f"{place.page}/streams/cam-0.mjpeg"):
            for mode in _in_turn(place, rounds):
                ages[mode].append(statistics.median(_ages(place.page, seconds)))
    return {
        "core_share_not_recorded": round(statistics.median(shares["off"]), 4),
        "core_share_added": round(_median(shares, lambda on, off: on - off), 4),
        "ratio_recorded": round(_median(shares, lambda on, off: on / off), 3),
        "memory_added_mb": round(_median(memory, lambda on, off: on - off), 1),
        "age_ratio": round(_median(ages, lambda on, off: on / off), 3),
    }


def _both() -> dict[str, list[float]]:
    return {"off": [], "continuous": []}


def _median(figures: dict[str, list[float]], of: Callable[[float, float], float]) -> float:
    """Of each pair, first the one with recording."""
    return statistics.median(map(of, figures["continuous"], figures["off"]))


def _in_turn(place: _Place, rounds: int) -> Iterator[str]:
    for mode in ("off", "continuous") * rounds:
        place.set_mode(mode)
        time.sleep(SETTLE)
        yield mode


def _ages(page: str, seconds: float) -> list[float]:
    """What is said of the first stream's newest picture, again and again."""
    until, found = time.monotonic() + seconds, list[float]()
    while time.monotonic() < until:
        age = streams_of(page)[0]["picture_age_ms"]
        if age is not None:
            found.append(age)
        time.sleep(EACH_AGE)
    if not found:
        raise SightlineError("no picture was sent while it was watched")
    return found


@contextmanager
def _watched(url: str) -> Iterator[None]:
    """By one who reads as fast as it comes."""
    over = threading.Event()

    def watch() -> None:
        with open_local(url, timeout=30) as video:
            while not over.is_set() and video.read1(1 << 16):
                pass

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# ---- whether all is kept


def _count(folder: Path, clip: Path, seconds: float, say: Say) -> dict[str, Any]:
    """Pictures that came, as the service counts them, and those that FFmpeg finds in the files."""
    camera_port = free_port()
    with _cameras(clip, camera_port, say), _recorded(folder, camera_port, MANY, "continuous", say) as place:
        say(f"recordings: {MANY} streams of {MEGABITS:g} Mbit/s for {seconds:.0f} s")
        share = core_share(place.service, seconds)
        place.set_mode("off")
        segments = _ended(folder, place.service)
        taken = pictures_of(place.page, "taken")
        dropped = pictures_dropped(place.page)
    say("recordings: their files, read by FFmpeg")
    found = sum(_packets_in(folder, segment) for segment in segments)
    return {
        "streams": MANY,
        "pictures_came": taken,
        "pictures_dropped": sum(dropped.values()),
        "pictures_dropped_by_reason": dropped,
        "pictures_in_files": found,
        "segments": len(segments),
        "megabytes": round(sum(segment.size for segment in segments) / 1e6),
        "core_share_all": round(share, 3),
    }


def _ended(folder: Path, service: Child) -> list[Segment]:
    """All segments, once each has its end."""
    found: list[Segment] = []

    def ended() -> bool:
        found[:] = _segments(folder)
        return all(segment.ended_at is not None for segment in found)

    await_until(ended, "the ends of all files", [service], lambda _: None)
    return found


def _segments(folder: Path) -> list[Segment]:
    """As the index has them."""
    database = Sqlite(folder / "archive" / "sightline.db")
    try:
        with database.reading() as cursor:
            names = [f"cam-{number}" for number in range(MANY)]
            return [each for name in names for each in segment_table.within(cursor, name, 0, FOREVER, MOST)]
    finally:
        database.close()


def _path(folder: Path, segment: Segment) -> Path:
    return RecordingFiles(folder / "archive" / "recordings").path(segment)


def _packets_in(folder: Path, segment: Segment) -> int:
    """Encoded pictures that FFmpeg finds in a file; each as whole as the index has it.

    Raises:
        SightlineError: it cannot be read, or is not what the index says.
    """
    path = _path(folder, segment)
    try:
        with av.open(str(path)) as file:
            count = sum(1 for packet in file.demux(video=0) if packet.size)
    except (av.FFmpegError, OSError) as error:
        raise SightlineError(f"{path.name} of {segment.stream} does not open: {error}") from None
    if (count, path.stat().st_size) != (segment.pictures, segment.size):
        raise SightlineError(f"{path.name} has {count} pictures, and the index says {segment.pictures}")
    return count


# ---- what a kill leaves


def _kill(folder: Path, clip: Path, kills: int, say: Say) -> dict[str, Any]:
    """Seconds of video that are missing before each kill, after the service has run again."""
    camera_port, dice, at = free_port(), random.Random(16), list[float]()
    with _cameras(clip, camera_port, say):
        say(f"recordings: {KILLED} streams, killed {kills} times")
        for _ in range(kills):
            with _recorded(folder, camera_port, KILLED, "continuous", say) as place:
                place.await_state("recording")
                time.sleep(dice.uniform(2, 6))
                at.append(time.time())
                os.killpg(place.service.pid, signal.SIGKILL)
        with _recorded(folder, camera_port, KILLED, "off", say) as place:
            segments = _ended(folder, place.service)
    for segment in segments:
        _packets_in(folder, segment)
    on_disk = {path.stem for path in (folder / "archive" / "recordings").rglob("*.mp4")}
    if on_disk != {segment.id for segment in segments}:
        raise SightlineError(f"{len(on_disk)} files are there, and the index has {len(segments)}")
    return {"kills": kills, "lost_seconds": sorted(round(each, 2) for each in _lost(segments, at))}


def _lost(segments: Sequence[Segment], at: Sequence[float]) -> Iterator[float]:
    """Seconds from each stream's last picture on disk to each kill."""
    for name in {segment.stream for segment in segments}:
        ends = sorted(each.ended_at for each in segments if each.stream == name and each.ended_at is not None)
        for killed in at:
            yield killed - max(end for end in ends if end <= killed + 1)
