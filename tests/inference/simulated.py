"""Cameras, a discipline and a model server in simulated time: what a discipline is worth, the same in every run.

`python -m tests.inference.simulated` prints a table of both disciplines.
"""

import heapq
import itertools
import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streamer.inference.batcher import Batcher
from streamer.inference.discipline import Call, Discipline, Told
from streamer.inference.scheduler import Scheduler
from streamer.inference.slot import Slot
from streamer.stream.granted import Granted
from streamer.stream.sampler import Sampler
from tests.peers.frames import make_frame, make_picture
from tests.peers.slots import make_slot

MAKING, SENDING = 0.0005, 0.0005
"""Seconds that one sample takes to be made, and to be sent."""


@dataclass(frozen=True)
class Camera:
    """One camera, and what its stream asks for."""

    name: str
    fps: float = 25.0
    sample_fps: float = 25.0
    weight: float = 1.0
    phase: float = 0.0
    """Seconds to its first frame."""
    jitter: float = 0.0
    """Seconds that a frame may come later."""
    silent: tuple[float, float] = (0.0, 0.0)
    """From when to when no frame comes."""
    pictures: int = 1


@dataclass(frozen=True)
class Server:
    """A model server: so many calls at once, each a + b * pictures seconds, longer beside others."""

    lanes: int
    base: float
    each: float
    beside: float = 1.0
    """Times as long a call takes where all lanes are at work."""

    def seconds(self, pictures: int, running: int) -> float:
        """One call, with so many running, itself included."""
        return (self.base + self.each * pictures) * (self.beside if running > 1 else 1.0)


@dataclass
class Outcome:
    """Of one run."""

    seconds: float
    ages: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from a frame's arrival to its answer, by stream."""
    frames: dict[str, list[int]] = field(default_factory=dict)
    """Numbers of the frames answered."""
    offered: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    granted: dict[str, float | None] = field(default_factory=dict)
    idle: float = 0.0
    """Seconds in which the model had nothing to do although slots were open; and the longest of them at once."""
    longest_idle: float = 0.0

    @property
    def all_ages(self) -> list[float]:
        """Of every stream, in order of size."""
        return sorted(itertools.chain.from_iterable(self.ages.values()))

    def rate(self, stream: str) -> float:
        """Answers a second."""
        return len(self.ages.get(stream, ())) / self.seconds

    @property
    def rates(self) -> list[float]:
        """Of every stream."""
        return [self.rate(stream) for stream in self.offered]


class Simulation:
    """One run."""

    def __init__(self, discipline: Discipline, server: Server, cameras: Sequence[Camera], *, seed: int = 0) -> None:
        self.discipline, self.server, self.cameras = discipline, server, cameras
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._dice = random.Random(seed)
        self._under_way: set[Call] = set()
        self._waiting: list[Call] = []
        self._running = 0
        self._open: dict[str, Slot] = {}
        self._granted = {camera.name: Granted(camera.sample_fps) for camera in cameras}
        self._picture = make_picture()
        self._counts_from = self._wakes_at = self._films_until = 0.0
        self._idle_since: float | None = None
        self.outcome = Outcome(0.0)

    def run(self, seconds: float, *, settle: float = 0.0) -> Outcome:
        """Let cameras send for so long, the first seconds of which do not count; then every call ends.

        What the model has to do is looked at while they send: nobody waits for a rate afterwards.
        """
        self._films_until = seconds
        self._counts_from = settle
        self.outcome = Outcome(seconds - settle)
        for camera in self.cameras:
            self._film(camera, seconds)
        while self._events:
            self._now, _, happen = heapq.heappop(self._events)
            happen()
            self._schedule()
            self._look_whether_idle()
        self._end_idleness()
        for slot in self.discipline.clear():
            self._drop((slot, "model_ended"))
        self.outcome.granted = {stream: granted.fps for stream, granted in self._granted.items()}
        return self.outcome

    def change(self, at: float, server: Server) -> None:
        """From some moment on have another server; calls that run there end when they would have."""

        def become() -> None:
            self.server = server
            self._serve()

        self._at(at, become)

    def _at(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (seconds, next(self._order), happen))

    def _film(self, camera: Camera, seconds: float) -> None:
        sampler = Sampler(camera.sample_fps)
        for number in range(int((seconds - camera.phase) * camera.fps)):
            pts = camera.phase + number / camera.fps
            if not camera.silent[0] <= pts < camera.silent[1]:
                arrives = pts + self._dice.random() * camera.jitter
                self._at(arrives, lambda number=number, pts=pts: self._arrive(camera, number, sampler.take(pts)))  # type: ignore[misc]

    def _arrive(self, camera: Camera, number: int, is_due: bool) -> None:
        frame = make_frame(number / camera.fps, self._now, stream=camera.name, index=number, picture=self._picture)
        if is_due:
            slot = make_slot(
                camera.name,
                number,
                self._now,
                period=1 / camera.sample_fps,
                weight=camera.weight,
                pictures=camera.pictures,
            )
            slot.frame = frame
            self._open[camera.name] = slot
            self.outcome.offered[camera.name] += self._counts(slot)
            told = self.discipline.put(slot)
            if told is not None:
                self._drop(told)
        elif camera.name in self._open and not self._open[camera.name].is_settled:
            self._open[camera.name].frame = frame

    def _counts(self, slot: Slot) -> bool:
        return slot.opened_at >= self._counts_from

    def _drop(self, told: Told) -> None:
        slot, reason = told
        self.outcome.dropped[slot.stream, reason] += self._counts(slot)
        if reason in ("capacity", "late", "predict_failed"):
            self._granted[slot.stream].turn(was_had=False)

    def _schedule(self) -> None:
        while True:
            call, over = self.discipline.take(self._now)
            for told in over:
                self._drop(told)
            if call is None:
                break
            self._leave(call)
        at = self.discipline.leaves_at(self._now)
        if at is not None and not self._now < self._wakes_at <= at:
            self._wakes_at = max(at, self._now + 1e-6)
            self._at(self._wakes_at, lambda: None)

    def _look_whether_idle(self) -> None:
        is_idle = not self._running and len(self.discipline) > 0 and self._now >= self._counts_from
        if not is_idle:
            self._end_idleness()
        elif self._idle_since is None:
            self._idle_since = self._now

    def _end_idleness(self) -> None:
        if self._idle_since is not None:
            seconds = max(0.0, min(self._now, self._films_until) - self._idle_since)
            self.outcome.idle += seconds
            self.outcome.longest_idle = max(self.outcome.longest_idle, seconds)
            self._idle_since = None

    def _leave(self, call: Call) -> None:
        self._under_way.add(call)
        self._at(max(self._now, call.deadline), lambda: self._expire(call))
        sent = self._now + MAKING * call.pictures
        self._at(sent, lambda: self.discipline.sent(call, self._now))
        self._at(sent + SENDING * call.pictures, lambda: self._reach(call))

    def _reach(self, call: Call) -> None:
        if call in self._under_way:
            self._waiting.append(call)
            self._serve()

    def _serve(self) -> None:
        while self._waiting and self._running < self.server.lanes:
            call = self._waiting.pop(0)
            self._running += 1
            ends = self._now + self.server.seconds(call.pictures, self._running)
            self._at(ends, lambda call=call: self._end(call))  # type: ignore[misc]

    def _end(self, call: Call) -> None:
        self._running -= 1
        self._serve()
        if call not in self._under_way:
            return
        self._under_way.remove(call)
        self.discipline.end(call, self._now, is_measure=True)
        for slot in call.slots:
            self._granted[slot.stream].turn(was_had=True)
            if self._counts(slot):
                self.outcome.ages.setdefault(slot.stream, []).append(self._now - slot.frame.received_at)
                self.outcome.frames.setdefault(slot.stream, []).append(slot.frame.index)

    def _expire(self, call: Call) -> None:
        """A call's deadline ends it, if nothing has; what the server has begun of it, it works on."""
        if call not in self._under_way:
            return
        self._under_way.remove(call)
        if call in self._waiting:
            self._waiting.remove(call)
        self.discipline.end(call, self._now, is_measure=True)
        for slot in call.slots:
            self._drop((slot, "predict_failed"))


def cameras(count: int, *, sample_fps: float = 25.0, fps: float = 25.0, seed: int = 1) -> list[Camera]:
    """So many alike, each beginning when it will."""
    dice = random.Random(seed)
    return [Camera(f"cam-{n}", fps, sample_fps, phase=dice.random() / fps, jitter=0.004) for n in range(count)]


CPU = Server(lanes=2, base=0.0035, each=0.0119, beside=1.3)
"""An SSD on two cores, as it was measured: 65 images/s one by one, 81 by eight, 124 two times eight at once."""
FAST_CPU = Server(lanes=2, base=0.002, each=0.0051, beside=1.3)
"""A small one there: 289 images/s."""
GPU = Server(lanes=1, base=0.020, each=0.0025)
"""One call at a time, eight pictures of which take twice as long as one."""

SCENES: dict[str, tuple[Server, list[Camera]]] = {
    "CPU, 8 cameras, every frame": (CPU, cameras(8)),
    "CPU, 8 cameras, 5 samples/s": (CPU, cameras(8, sample_fps=5)),
    "CPU, 8 cameras, 20 samples/s": (CPU, cameras(8, sample_fps=20)),
    "fast CPU, 8 cameras, every frame": (FAST_CPU, cameras(8)),
    "fast CPU, 8 cameras, 5 samples/s": (FAST_CPU, cameras(8, sample_fps=5)),
    "fast CPU, 16 cameras, every frame": (FAST_CPU, cameras(16)),
    "GPU, 8 cameras, every frame": (GPU, cameras(8)),
    "GPU, 8 cameras, 5 samples/s": (GPU, cameras(8, sample_fps=5)),
    "GPU, 32 cameras, every frame": (GPU, cameras(32)),
    "GPU, 1 camera, every frame": (GPU, cameras(1)),
}


def simulate(
    scene: str, *, pulls: bool = True, seconds: float = 60.0, deadline: float = 1.0, settle: float = 5.0
) -> Outcome:
    """One scene by one discipline."""
    server, streams = SCENES[scene]
    discipline = (Scheduler if pulls else Batcher)(max_batch_size=8, in_flight=2, deadline=deadline)
    return Simulation(discipline, server, streams).run(seconds, settle=settle)


def _row(scene: str, *, pulls: bool) -> str:
    outcome = simulate(scene, pulls=pulls)
    ages = outcome.all_ages
    p50, p99 = 1000 * statistics.median(ages), 1000 * statistics.quantiles(ages, n=100)[98]
    fair = min(outcome.rates) / max(outcome.rates)
    return f"{scene:36}{'pull' if pulls else 'push':6}{sum(outcome.rates):8.1f}{p50:8.0f}{p99:8.0f}{fair:8.2f}"


def main() -> None:
    """Print all scenes."""
    print(f"{'':36}{'discipline':6}{'/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'fair':>8}")
    for scene in SCENES:
        for pulls in (False, True):
            print(_row(scene, pulls=pulls))


if __name__ == "__main__":
    main()
