"""streamer.evaluate.recording: what viewers saw, and of which frame of the clip."""

import asyncio
import sys
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from streamer.evaluate import clip
from streamer.evaluate.camera import BEGIN
from streamer.evaluate.clip import Clip
from streamer.evaluate.recording import Recording, visible
from streamer.source import Source, Target
from streamer.tracking.tracker import Tracker
from streamer.values.clock import monotonic
from streamer.values.frame import Frame
from streamer.values.track import TrackedBox
from streamer.values.url import redact
from streamer.view.view import View
from tests.peers.clip import make_clip, read_index
from tests.peers.clock import FakeClock
from tests.peers.frames import make_detections, make_frame, make_picture
from tests.peers.process import free_port, run_process
from tests.peers.until import until

FPS = 10


def box(tracker_id: int = 1, edges: tuple[float, float, float, float] = (10, 10, 30, 30)) -> TrackedBox:
    """A box that is followed."""
    return TrackedBox(tracker_id, edges, "insulator", 1, 0.9)


@cache
def picture(number: int) -> av.VideoFrame:
    """A picture like no other."""
    return make_picture(64, 48, seed=number)


def make_known(numbers: list[int]) -> Clip:
    """A clip of these pictures, ten a second."""
    prints = tuple(clip.fingerprint(picture(number)) for number in numbers)
    times = [index / FPS for index in range(len(numbers))]
    return Clip(Path("clip.mp4"), 64, 48, FPS, 1 / FPS, np.array(times), prints, len(numbers), len(numbers))


def show(recording: Recording, number: int, position: int) -> None:
    """A picture is shown as the stream's frame at `position`, with a box that carries that position."""
    recording.shown(make_frame(position / FPS, picture=picture(number)), [box(position)], None)


def positions(recording: Recording, known: Clip, begins_at: float = 0.0) -> dict[int, int]:
    """Which of the stream's frames each of the clip's is."""
    seen = recording.find(known, begins_at)
    return {number: shown.boxes[0].tracker_id for number, shown in sorted(seen.shown.items())}


def test_the_clip_is_found_between_the_stills() -> None:
    """Of a camera that stands, plays and stands again, each frame of the clip is one, whenever it is said to begin."""
    recording, known = Recording(FakeClock()), make_known([0, 1, 2, 3])
    for position, number in enumerate([0, 0, 0, 0, 1, 2, 3, 0, 0]):
        show(recording, number, position)
    assert positions(recording, known, begins_at=-7.0) == {0: 3, 1: 4, 2: 5, 3: 6}


def test_a_frame_that_was_never_shown_is_none() -> None:
    """Frames that were dropped are missing, the first one too, though its picture was shown before and after."""
    recording, known = Recording(FakeClock()), make_known([0, 1, 2, 3])
    for position, number in [(0, 0), (1, 0), (4, 1), (6, 3), (7, 0), (8, 0)]:
        show(recording, number, position)
    assert positions(recording, known) == {1: 4, 3: 6}


def test_a_clip_that_returns_to_a_picture_is_told_apart_by_time() -> None:
    """Two frames of one picture are both found, each at its own time."""
    recording, known = Recording(FakeClock()), make_known([0, 1, 2, 1, 0])
    for position, number in enumerate([0, 0, 0, 1, 2, 1, 0, 0, 0]):
        show(recording, number, position)
    assert positions(recording, known) == {0: 2, 1: 3, 2: 4, 3: 5, 4: 6}


def test_a_foreign_picture_is_counted_and_not_judged() -> None:
    """A picture that is none of the clip's, as a broken connection makes them, is counted while the clip plays."""
    recording, known = Recording(FakeClock()), make_known([0, 1, 2, 3])
    for position, number in enumerate([8, 0, 1, 9, 3, 0, 8]):
        show(recording, number, position)
    assert positions(recording, known) == {0: 1, 1: 2, 3: 4}
    assert recording.find(known, 0.0).unknown == 1


def test_answers_are_those_of_the_clips_frames() -> None:
    """What the model said of frames before and after the clip is left out."""
    recording, known = Recording(FakeClock()), make_known([0, 1, 2])
    for position, number in enumerate([0, 0, 1, 2, 0]):
        frame = make_frame(position / FPS, picture=picture(number))
        recording.answered(frame, make_detections(frame.pts, [(0, 0, position + 1, 9)]))
        show(recording, number, position)
    assert recording.samples == 5
    answered = recording.find(known, 0.0).answered
    assert {number: float(found.boxes[0, 2]) for number, found in answered.items()} == {0: 2.0, 1: 3.0, 2: 4.0}


def test_ages_are_those_at_drawing() -> None:
    """The picture's age counts from its own arrival, the result's from that of the newest sample up to it."""
    clock = FakeClock(1000.0)
    recording, known = Recording(clock), make_known([0, 1, 2, 3])
    first, *others = (make_frame(number / FPS, 1000 + number / FPS, picture=picture(number)) for number in range(4))
    clock.now = 1000.25
    recording.shown(first, [], "no detections yet")
    for sample in (others[2], others[0]):  # of which the newer is answered first
        recording.answered(sample, make_detections(sample.pts))
    clock.now = 1000.4
    for frame in others:
        recording.shown(frame, [], None)
    seen = recording.find(known, 0.0).shown
    assert (seen[0].result_age, seen[0].noticed) == (None, True)
    assert [seen[number].picture_age for number in range(4)] == pytest.approx([0.25, 0.3, 0.2, 0.1])
    assert [seen[number].result_age for number in (1, 2, 3)] == pytest.approx([0.3, 0.3, 0.1])


def test_only_what_is_in_the_picture_is_seen() -> None:
    """A box is cut off at the picture's border, and is not seen at all beyond it."""
    boxes = [box(1, (-10, 10, 20, 60)), box(2, (64, 10, 80, 20)), box(3, (10, -30, 20, -1)), box(4)]
    assert [(one.tracker_id, one.box) for one in visible(boxes, 64, 48)] == [
        (1, (0, 10, 20, 48)),
        (4, (10, 10, 30, 30)),
    ]


async def test_a_view_tells_its_witness_what_it_shows() -> None:
    """Every frame a view publishes is told with the boxes drawn on it, and every answer, once each."""
    clock = FakeClock()
    view, recording, tracker = View("line-1", clock=clock), Recording(clock), Tracker()
    view.witness = recording
    notices = iter(["no detections yet", None, None])
    running = asyncio.create_task(view.run(tracker.at, lambda: next(notices)))
    taker = view.h264.subscribe()
    frames = [make_frame(number / FPS, clock.now, picture=picture(number)) for number in range(3)]
    for number, frame in enumerate(frames):
        if number == 1:
            answer = make_detections(frame.pts, [(10, 10, 30, 30)])
            tracker.update(answer)
            view.answered(frame, answer)
        view.put(frame)
        clock.advance(1.0)
        await taker.take()
        await until(lambda: recording.newest == frame.pts)  # noqa: B023  called before the next frame
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    seen = recording.find(make_known([0, 1, 2]), 0.0)
    assert [len(seen.shown[number].boxes) for number in range(3)] == [0, 1, 1]
    assert [seen.shown[number].noticed for number in range(3)] == [True, False, False]
    assert seen.answered.keys() == {1}


def begin_late(path: Path) -> Path:
    """The same clip with times that begin at ten minutes, as a part cut out of a recording has."""
    late = path.with_stem("late")
    with av.open(str(path)) as source, av.open(str(late), "w") as sink:
        video = source.streams.video[0]
        out = sink.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.pts is not None and packet.dts is not None and video.time_base is not None:
                packet.pts += round(600 / video.time_base)
                packet.dts += round(600 / video.time_base)
                packet.stream = out
                sink.mux(packet)
    return late


@pytest.mark.parametrize(("name", "b_frames"), [("clip.mp4", 0), ("clip.mp4", 2), ("clip.mkv", 2), ("clip.ts", 0)])
async def test_every_frame_a_camera_plays_is_known_by_its_number(tmp_path: Path, name: str, b_frames: int) -> None:
    """Of a clip that a camera pushes by RTSP each frame is found, and is the one whose number is drawn into it.

    From the last still picture before it to the first behind it all come a frame's time apart.
    """
    path = make_clip(tmp_path / name, seconds=1.5, b_frames=b_frames)
    path = begin_late(path) if name.endswith(".ts") else path
    known, recording, reformatter = clip.read(path, None), Recording(monotonic), VideoReformatter()

    received: list[tuple[int, float]] = []

    def receive(frame: Frame) -> None:
        received.append((read_index(frame.rgb(reformatter)), frame.pts))
        recording.shown(frame, [box(received[-1][0])], None)

    url = f"rtsp://127.0.0.1:{free_port()}/clip"
    source = Source("clip", Target(url, listen=True), clock=monotonic, redact=redact)
    camera: list[str | Path] = [sys.executable, "-m", "streamer.evaluate.camera", path, url, str(known.packets)]
    running = asyncio.create_task(source.run(receive))
    with run_process(camera) as process:
        await until(lambda: (recording.newest or 0.0) > 1.0)
        process.signal(BEGIN)
        began = recording.newest or 0.0
        await until(lambda: (recording.newest or 0.0) > began + 3.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert positions(recording, known) == {number: number for number in range(45)}
    assert recording.find(known, 0.0).unknown == 0
    first = next(place for place, (number, _) in enumerate(received) if number == 1) - 2
    times = [pts - received[first][1] for _, pts in received[first : first + 47]]
    assert times == pytest.approx([place / 30 for place in range(47)], abs=0.01)
