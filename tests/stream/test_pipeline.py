"""streamer.stream.pipeline: one stream, joined; its source and its model are moved by hand."""

import asyncio
import math
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from serving.resize import Resize
from serving.signature import Contract
from streamer.inference.model import ServedModel
from streamer.inference.slot import DropReason, Slot, SlotAnswer
from streamer.stream import pipeline as module
from streamer.stream.counts import OTHER
from streamer.stream.pipeline import STALE_PICTURE, STALE_RESULT, Pipeline
from streamer.stream.rate import Rate
from streamer.tracking.similarity import Similarity
from streamer.values.coded import CodedForm, CodedPicture, CodedSound, OnCoded, OnSound, SoundForm
from streamer.values.depth import WHOLE, Depth
from streamer.values.detections import Detections
from streamer.values.errors import SourceErrorKind
from streamer.values.event import Event
from streamer.values.frame import Frame, Sample
from streamer.values.recording import Recording, RecordState
from streamer.values.sampling import Sampling
from streamer.values.state import SourceState
from streamer.values.supervision import supervise
from streamer.values.tiles import Tiles
from streamer.values.track import TrackedBox
from streamer.view.aligner import GRACE
from tests.peers.clock import FakeClock
from tests.peers.fake_model_server import run_fake_model_server
from tests.peers.frames import make_detections, make_frame, make_picture
from tests.peers.scenery import flight, picture_of, view
from tests.peers.until import until
from tests.view.clean.peers import FakePipe

BOX = (10.0, 10.0, 30.0, 30.0)
FPS = 10
CONTRACT = Contract(
    name="m",
    width=32,
    height=32,
    labels={1: "class 1"},
    resize="stretch",
    pad_value=0,
    min_score=0.5,
    max_batch_size=8,
)


class FakeSource:
    """A source that delivers what a test puts in."""

    reason: str | None = None
    error: SourceErrorKind | None = None
    skipped_late = 0
    state: SourceState = "live"
    on_coded: OnCoded | None = None
    on_sound: OnSound | None = None
    depth: Callable[[], Depth] = staticmethod(lambda: WHOLE)

    def __init__(self) -> None:
        self.name = "line-1"
        self.last_frame_at: float | None = None
        self.reconnects: dict[SourceErrorKind, int] = {}
        self.deliver: Callable[[Frame], None] | None = None
        self.cut_off = asyncio.Event()
        """Set to have it end as if what it waits for had been cancelled."""

    async def run(self, deliver: Callable[[Frame], None]) -> None:
        """Deliver by hand, until cancelled."""
        self.deliver = deliver
        try:
            await self.cut_off.wait()
            raise asyncio.CancelledError
        finally:
            self.deliver = None


class FakeModel:
    """A model that keeps what it was asked, for a test to answer."""

    name = "m"
    contract: Contract | None = CONTRACT
    up = True
    reason: str | None = None
    has_room = False

    def __init__(self) -> None:
        self.asked: list[tuple[Sample, SlotAnswer]] = []
        self.open: list[Slot] = []
        """Slots that wait to be taken, where `waits`."""
        self.waits = False

    def offer(self, slot: Slot) -> None:
        """Keep it, and take its frame at once, unless it waits."""
        self.open.append(slot)
        if not self.waits:
            self.take()

    def withdraw(self, slot: Slot) -> None:
        """One that waits is told so."""
        if slot in self.open:
            self.open.remove(slot)
            slot.answer(None, "withdrawn")

    def take(self) -> None:
        """Take the frames of those that wait."""
        taken, self.open = self.open, []
        for slot in taken:
            slot.is_settled = True
            slot.chosen(slot.frame)
            sample = slot.make(slot.frame, CONTRACT, self.has_room)
            slot.follow(slot.frame)
            if sample is None:
                slot.answer(None, "failed")
            else:
                self.asked.append((sample, slot.answer))


class FakeRecorder:
    """A recorder that notes what it is told."""

    taken = written = written_bytes = segments = 0
    state = RecordState("waiting")
    days_fit: float | None = None
    recording = Recording()

    def __init__(self, *, wants: bool) -> None:
        self.wants = wants
        self.dropped = Counter[str]()
        self.answers: list[tuple[int, int, Detections, list[TrackedBox]]] = []
        """By opening and time of the picture."""
        self.kept: list[CodedPicture | CodedSound] = []
        self.ends = 0
        self.runs = False

    def put(self, picture: CodedPicture) -> None:
        """Note it."""
        self.kept.append(picture)

    def put_sound(self, sound: CodedSound) -> None:
        """Note it."""
        self.kept.append(sound)

    def answered(self, frame: Frame, answer: Detections, drawn: Sequence[TrackedBox]) -> None:
        """Note it."""
        self.answers.append((frame.opening, frame.coded_at, answer, list(drawn)))

    def event(self, event: Event) -> None:
        """Told by whoever makes events, and not by the pipeline."""

    def change(self, recording: Recording) -> None:
        """As the settings have it."""
        self.wants = recording.mode != "off"

    def end(self) -> None:
        """Note it."""
        self.ends += 1

    async def run(self) -> None:
        """For as long as the pipeline does."""
        self.runs = True
        await asyncio.Event().wait()


class Stream:
    """A pipeline that runs, and its hand-moved ends."""

    def __init__(self, sampling: Sampling, recorder: FakeRecorder | None = None) -> None:
        self.clock = FakeClock()
        self.source, self.model = FakeSource(), FakeModel()
        self.told: list[Detections] = []
        self.pipeline = Pipeline(
            self.source,
            self.model,
            sampling,
            clock=self.clock,
            on_detections=lambda _, found: self.told.append(found),
            recorder=recorder,
        )
        self.frames = 0
        self.opening = 0

    async def arrive(
        self, count: int = 1, size: tuple[int, int] = (64, 48), picture: av.VideoFrame | None = None
    ) -> None:
        """Let frames arrive, ten a second."""
        await until(lambda: self.source.deliver is not None)
        for _ in range(count):
            self.clock.advance(1 / FPS)
            picture = picture or make_picture(*size)
            frame = make_frame(self.frames / FPS, self.clock.now, index=self.frames, picture=picture)
            frame = replace(frame, opening=self.opening, coded_at=1000 * self.frames)
            self.frames += 1
            self.source.last_frame_at = frame.received_at
            assert self.source.deliver is not None
            self.source.deliver(frame)
            await asyncio.sleep(0)

    def answer(
        self,
        *boxes: tuple[float, float, float, float],
        age: float = 0.05,
        labels: tuple[str, ...] | None = None,
        unnamed: frozenset[str] = frozenset(),
        faint: tuple[tuple[float, float, float, float], ...] = (),
    ) -> None:
        """Answer what was asked last."""
        sample, answer = self.model.asked.pop()
        frame = sample.frame
        found = make_detections(
            frame.pts, boxes, size=(frame.width, frame.height), received_at=frame.received_at, age=age
        )
        half_seen = make_detections(frame.pts, faint, size=(frame.width, frame.height), scores=[0.3] * len(faint))
        answer(
            sample,
            replace(found, model=self.model.name, labels=labels or found.labels, unnamed=unnamed, faint=half_seen),
        )


@asynccontextmanager
async def run_stream(sampling: Sampling | None = None, recorder: FakeRecorder | None = None) -> AsyncIterator[Stream]:
    """A pipeline for as long as the block lasts."""
    stream = Stream(sampling or Sampling(FPS), recorder)
    running = asyncio.create_task(stream.pipeline.run())
    try:
        await until(lambda: stream.source.deliver is not None)
        yield stream
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_stream_whose_model_never_answers_is_stale() -> None:
    """A model that is up and answers nothing is told of within seconds, from the first sample on, and not before."""
    async with run_stream() as stream:
        await stream.arrive(round(STALE_RESULT * FPS))
        assert stream.pipeline.state().word == "live"
        assert stream.pipeline.notice() is None
        await stream.arrive(2)
        assert stream.pipeline.state().word == "stale"
        assert stream.pipeline.state().reason == "no detections for 2 s: the model does not keep up"
        assert stream.pipeline.notice() == "no detections for 2 s"
        stream.answer()
        assert stream.pipeline.state().word == "live"


@pytest.mark.parametrize("fps", [FPS, 0.2])
async def test_a_stream_whose_answers_end_is_stale(fps: float) -> None:
    """Answers that end are missed as long after the first sample without one, however seldom is sampled."""
    async with run_stream(Sampling(fps)) as stream:
        await stream.arrive()
        stream.answer(BOX)
        await stream.arrive(round(FPS / fps - 1))
        assert stream.pipeline.state().word == "live"
        await stream.arrive(round((STALE_RESULT + 0.2) * FPS))
        assert stream.pipeline.state().word == "stale"
        assert str(stream.pipeline.notice()).startswith("no fresh detections for ")


async def test_a_stream_says_what_its_model_says() -> None:
    """While the model is not up, because a task of its own or its server is down, the stream gives its reason."""
    async with run_stream() as stream:
        await stream.arrive()
        stream.answer(BOX)
        stream.model.up, stream.model.reason = False, "the dispatcher of model m failed"
        await stream.arrive(round((STALE_RESULT + 0.2) * FPS))
        assert stream.pipeline.state().word == "stale"
        assert stream.pipeline.state().reason == "no fresh detections for 2 s: the dispatcher of model m failed"
        assert stream.pipeline.counts.drops() == {("sampler", "model_unavailable"): len(stream.told) * 22}


async def test_a_camera_that_was_away_says_nothing_of_its_model() -> None:
    """What was not answered before an outage, or a pause, is not held against the model after it."""
    async with run_stream() as stream:
        await stream.arrive()
        stream.clock.advance(100 * STALE_PICTURE)
        await stream.arrive()
        assert stream.pipeline.state().word == "live"
        await stream.pipeline.pause()
        stream.clock.advance(STALE_RESULT + 1)
        assert stream.pipeline.notice() is None
        stream.pipeline.restart()
        await stream.arrive()
        assert stream.pipeline.state().word == "live"


async def test_boxes_of_another_geometry_are_forgotten() -> None:
    """When the camera changes its resolution no box of the old one is drawn, nor one that is answered late."""
    async with run_stream() as stream:
        await stream.arrive()
        stream.answer(BOX)
        assert len(stream.pipeline._tracker.at(0.0)) == 1
        await stream.arrive()
        late = stream.model.asked.pop()
        await stream.arrive(size=(640, 480))
        assert stream.pipeline._tracker.at(0.2) == []
        stream.model.asked.append(late)
        stream.answer(BOX)
        assert stream.pipeline._tracker.at(0.1) == []


async def test_boxes_of_another_geometry_are_forgotten_at_once() -> None:
    """Also where nobody watches the drawn video and no sample is due: those of the clean video go by these boxes."""
    async with run_stream(Sampling(0.2)) as stream:
        await stream.arrive()
        stream.answer(BOX)
        assert len(stream.pipeline._boxes_at(0.1)) == 1
        await stream.arrive(size=(640, 480))
        assert stream.pipeline.size == (640, 480)
        assert stream.pipeline._boxes_at(0.1) == []
        assert stream.model.asked == []


async def test_an_answer_is_told_with_its_tracks() -> None:
    """Each row is told by the id of its thing, the same from sample to sample; what is half seen is told to nobody."""
    async with run_stream() as stream:
        for number in range(4):
            await stream.arrive()
            stream.answer(*[BOX] * (number != 2), faint=(BOX,))
        ids = [[each and each.tracker_id for each in found.followed] for found in stream.told]
        assert ids == [[1], [1], [], [1]]
        assert [found.faint for found in stream.told] == [None] * 4
        last = stream.told[-1].followed[0]
        assert last is not None
        assert (last.first_seen, last.last_seen, len(last.scores)) == (0.0, 0.3, 4)
        assert last.scores[2] == pytest.approx(0.3)
        assert [box.tracker_id for box in stream.pipeline._tracker.at(0.2)] == [1]
        assert stream.pipeline.counts.detections == {"class 1": 3}


async def test_answers_out_of_order_are_told_and_counted() -> None:
    """An answer that another has overtaken is told with its ids, one that comes too late without; both are counted."""
    async with run_stream() as stream:
        await stream.arrive(4)
        first, second, third, fourth = stream.model.asked
        for asked in (second, fourth, third, first):
            stream.model.asked[:] = [asked]
            stream.answer(BOX)
        assert [found.followed[0] and found.followed[0].tracker_id for found in stream.told] == [1, 1, 1, None]
        assert stream.pipeline.last is stream.told[1]
        assert stream.pipeline.overtaken == 2
        assert stream.pipeline.drops() == {("tracker", "late"): 1}


async def test_a_reconnect_ends_all_tracks() -> None:
    """What is seen after a camera was away is another thing, and its id was never given before."""
    async with run_stream() as stream:
        for opening in (0, 0, 1):
            stream.opening = opening
            await stream.arrive()
            stream.answer(BOX)
        assert [found.followed[0] and found.followed[0].tracker_id for found in stream.told] == [1, 1, 2]


async def test_boxes_follow_the_cameras_motion() -> None:
    """A box goes with what it lies on, on the frames after its sample, of which nothing is known but the picture."""
    step, size = Similarity(1, -6 + 2j), (640, 360)
    async with run_stream(Sampling(1)) as stream:
        stream.pipeline.view.jpeg.subscribe()
        for number, place in enumerate(flight(step, 6)):
            await stream.arrive(picture=picture_of(view(place, size)))
            if number == 0:
                stream.answer((100.0, 100.0, 160.0, 160.0))
        (found,) = stream.pipeline._tracker.at(0.5)
        assert found.box == pytest.approx((70, 110, 130, 170), abs=0.5)


async def test_whether_ids_are_drawn_may_change() -> None:
    """A stream draws ids where its settings say so, from the next frame on."""
    async with run_stream(Sampling(FPS, show_ids=True)) as stream:
        assert stream.pipeline.view.show_ids
        stream.pipeline.change(stream.model, Sampling(FPS))
        assert not stream.pipeline.view.show_ids


@pytest.mark.parametrize(("tiles", "pictures"), [("off", 1), ("2x2", 5), ("3x2", 7), ("auto", 5)])
async def test_a_frame_goes_to_the_model_in_as_many_pictures_as_its_settings_say(tiles: Tiles, pictures: int) -> None:
    """Its tiles are asked about as one sample, which is told as one answer and counted by what it costs."""
    async with run_stream(Sampling(FPS, tiles=tiles)) as stream:
        stream.model.has_room = True
        assert stream.pipeline.pictures_per_sample is None
        await stream.arrive(2)
        assert [sample.pictures for sample, _ in stream.model.asked] == [pictures] * 2
        stream.answer(BOX)
        stream.answer(BOX)
        assert (len(stream.told), stream.pipeline.counts.results, stream.pipeline.counts.pictures) == (
            2,
            2,
            2 * pictures,
        )
        assert stream.pipeline.pictures_per_sample == pictures


async def test_a_model_without_room_is_spared_tiles_that_nobody_insists_on() -> None:
    """With `auto` a sample tells what it would be, and is no more than a frame until there is room; `2x2` is obeyed."""
    async with run_stream(Sampling(FPS, tiles="auto")) as stream:
        await stream.arrive()
        stream.model.has_room = True
        await stream.arrive()
        stream.model.has_room = False
        stream.pipeline.change(stream.model, Sampling(FPS, tiles="2x2"))
        await stream.arrive()
        stream.pipeline.change(stream.model, Sampling(FPS))
        await stream.arrive()
    assert [(sample.wished, sample.pictures) for sample, _ in stream.model.asked] == [(5, 1), (5, 5), (5, 5), (1, 1)]


async def test_the_newest_frame_serves_a_stream_that_is_due() -> None:
    """While a slot is open every newer frame takes its place in it; none does once the model has it."""
    async with run_stream(Sampling(FPS / 5)) as stream:
        stream.model.waits = True
        await stream.arrive(3)
        stream.model.take()
        await stream.arrive(1)
        assert [sample.frame.index for sample, _ in stream.model.asked] == [2]
        await stream.arrive(2)
        stream.model.take()
        assert [sample.frame.index for sample, _ in stream.model.asked] == [2, 5]
        counts = stream.pipeline.counts
        assert (counts.decoded, counts.sampled, counts.skipped) == (6, 2, 4)


async def test_who_leaves_is_asked_about_no_more() -> None:
    """A pause, another model, and the stream's end take its open slot out, which is counted."""
    async with run_stream() as stream:
        stream.model.waits = True
        await stream.arrive()
        await stream.pipeline.pause()
        assert stream.model.open == []
        stream.pipeline.restart()
        await stream.arrive()
        old = stream.model
        stream.model = FakeModel()
        stream.model.waits = True
        stream.pipeline.change(stream.model, Sampling(FPS))
        await stream.arrive()
        assert (old.open, len(stream.model.open)) == ([], 1)
    assert stream.model.open == []
    assert stream.pipeline.counts.drops() == {("scheduler", "withdrawn"): 3}


async def test_what_a_stream_gets_is_said_where_that_is_less_than_it_asks() -> None:
    """By the slots that its model left out; others that came to nothing are no question of its time."""
    async with run_stream() as stream:
        for number in range(30):
            await stream.arrive()
            sample, answer = stream.model.asked.pop()
            answer(sample, "capacity" if number % 2 else make_detections(sample.frame.pts))
        assert stream.pipeline.inquiry.granted == pytest.approx(FPS / 2)
        stream.pipeline.change(stream.model, Sampling(FPS / 2))
        assert stream.pipeline.inquiry.granted is None
        for _ in range(40):
            await stream.arrive()
            while stream.model.asked:
                sample, answer = stream.model.asked.pop()
                answer(sample, "predict_failed")
        assert stream.pipeline.inquiry.granted is None
        assert stream.pipeline.counts.drops() == {("scheduler", "capacity"): 15, ("predictor", "predict_failed"): 20}


async def test_the_camera_is_followed_up_to_what_is_asked_about() -> None:
    """Also where that is a later frame than the one at which its stream was due, and nobody looks at each."""
    step, size = Similarity(1, -6 + 2j), (640, 360)
    async with run_stream(Sampling(2)) as stream:
        stream.model.waits = True
        for place in flight(step, 4):
            await stream.arrive(picture=picture_of(view(place, size)))
        stream.model.take()
        moved = stream.pipeline._camera.path.between(0.0, 0.3)
        assert moved is not None
        assert moved.shift == pytest.approx(3 * step.shift, abs=0.5)


async def test_an_answer_is_told_with_its_stream() -> None:
    """Whoever is told of an answer is told which pipeline asked."""
    async with run_stream() as stream:
        await stream.arrive()
        stream.answer(BOX)
        assert [found.stream for found in stream.told] == ["line-1"]
        assert stream.pipeline.counts.results == 1


async def test_classes_without_a_name_are_one_label_in_metrics() -> None:
    """A class that the model does not name is told by its number, and counted with all others of its kind."""
    async with run_stream() as stream:
        await stream.arrive()
        stream.answer(BOX, BOX, labels=("class 7", "defect"), unnamed=frozenset({"class 7"}))
        assert stream.told[-1].labels == ("class 7", "defect")
        assert stream.pipeline.counts.detections == {OTHER: 1, "defect": 1}


async def test_after_another_model_was_chosen_boxes_carry_its_words() -> None:
    """From the first frame that the new model answered on, whatever is in view is called what that one calls it."""
    async with run_stream() as stream:
        await stream.arrive(3)
        stream.answer(BOX, labels=("defect",))
        old, new = stream.model, FakeModel()
        new.name = "m2"
        stream.model = new
        stream.pipeline.change(new, Sampling(FPS, model="m2"))
        await stream.arrive()
        stream.answer(BOX, labels=("insulator",))
        assert [box.label for box in stream.pipeline._tracker.at(0.2)] == ["defect"]
        for pts in (0.3, 0.35, 0.4):
            assert [box.label for box in stream.pipeline._tracker.at(pts)] == ["insulator"]
        assert (len(old.asked), new.asked) == (2, [])


async def test_a_part_that_is_cut_off_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    """A source that looks cancelled, though nobody cancelled it, ends its stream, which is run again."""
    stream, ends = Stream(Sampling(FPS)), list[str]()

    def restarted() -> None:
        ends.append(caplog.messages[-1])
        stream.source.cut_off.clear()

    running = asyncio.create_task(supervise("stream porch", stream.pipeline.run, pause=0, on_restart=restarted))
    await until(lambda: stream.source.deliver is not None)
    stream.source.cut_off.set()
    await until(lambda: ends)
    assert ends == ["stream porch was cut off by what it waited for; it starts again in 0 s"]
    await stream.arrive()
    stream.answer(BOX)
    assert stream.pipeline.state().word == "live"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_stream_is_live_again_after_its_model_failed() -> None:
    """When a model's task that failed runs again its streams are asked about again, and live."""
    clock = FakeClock()
    async with run_fake_model_server(CONTRACT) as server:
        fails = list[bool]()
        model = ServedModel(
            server.address,
            "m",
            max_batch_size=4,
            in_flight=1,
            deadline=20.0,
            clock=lambda: 1 / 0 if fails and fails.pop() else clock(),
            on_call=lambda *_: None,
            on_error=lambda *_: None,
            on_restart=lambda: None,
            pause=0.0,
        )
        asking = asyncio.create_task(model.run())
        async with run_stream() as stream:
            stream.clock, stream.pipeline._clock = clock, clock
            stream.pipeline.change(model, Sampling(FPS))
            counts = stream.pipeline.counts
            await until(lambda: model.up)
            await stream.arrive()
            await until(lambda: counts.results == 1)
            fails.append(True)
            await stream.arrive()
            await until(lambda: counts.drops())
            assert counts.drops() == {("scheduler", "model_ended"): 1}
            await until(lambda: model.up)
            await stream.arrive()
            await until(lambda: counts.results == 2)
            assert stream.pipeline.state().word == "live"
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def fail(*_: object) -> None:
    """Stands in for any step of a frame's way, on a day when it fails."""
    raise ZeroDivisionError


BROKEN: dict[str, tuple[Callable[[Stream], object], str, tuple[str, str], str]] = {
    "resize": (lambda _: Resize, "fit", ("sampler", "failed"), "samples cannot be made"),
    "rate": (lambda of: of.pipeline._arrival_rate, "add", ("view", "failed"), "frames cannot be given to the view"),
    "view": (lambda of: of.pipeline.view, "put", ("view", "failed"), "frames cannot be given to the view"),
    "camera": (
        lambda of: of.pipeline._camera,
        "follow",
        ("tracker", "failed"),
        "the camera's motion cannot be followed",
    ),
    "model": (lambda of: of.model, "offer", ("scheduler", "failed"), "the model cannot be asked"),
    "tracker": (lambda of: of.pipeline._tracker, "update", ("tracker", "failed"), "detections cannot be tracked"),
    "shown": (
        lambda of: of.pipeline.view,
        "answered",
        ("view", "failed"),
        "detections cannot be given to the view",
    ),
    "told": (lambda of: of.pipeline, "_on_detections", ("pipeline", "failed"), "detections cannot be told"),
    "sampler": (
        lambda of: of.pipeline.inquiry._sampler,
        "take",
        ("pipeline", "failed"),
        "frames cannot be taken from the source",
    ),
}
"""What fails, by its owner and its name; how that is counted, and said."""


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_step_that_fails_costs_a_frame_that_step(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever raises on a frame's way is counted by stage and reason, said once by the stream's name, and ends there.

    Sampled is answered and dropped all the while; the steps beside it are done, and after it the stream goes on.
    """
    owner, name, key, sentence = BROKEN[broken]
    async with run_stream() as stream:
        counts, view = stream.pipeline.counts, stream.pipeline.view
        shown, answered = list[Frame](), list[Detections]()
        monkeypatch.setattr(view, "put", lambda frame, _: shown.append(frame))
        monkeypatch.setattr(view, "answered", lambda _, detections: answered.append(detections))
        with monkeypatch.context() as breaking:
            breaking.setattr(owner(stream), name, fail)
            for _ in range(3):
                await stream.arrive()
                while stream.model.asked:
                    stream.answer(BOX)
        assert stream.pipeline.drops()[key] == 3
        assert counts.sampled == counts.results + sum(counts.drops().values())
        assert [record.getMessage() for record in caplog.records] == [f"line-1: {sentence}"]
        lost = 3 if broken in ("resize", "model", "sampler") else 0
        assert (len(answered), len(stream.told)) == (
            0 if broken == "shown" else 3 - lost,
            0 if broken == "told" else 3 - lost,
        )
        assert len(shown) == (0 if broken in ("view", "rate", "sampler") else 3)
        await stream.arrive()
        stream.answer(BOX)
        assert (stream.pipeline.state().word, len(stream.pipeline._tracker.at(0.3))) == ("live", 1)


async def test_boxes_that_cannot_be_placed_take_no_video_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A tracker that fails, however often, leaves the picture, without boxes."""
    async with run_stream() as stream:
        view = stream.pipeline.view
        view.jpeg.subscribe()
        await asyncio.sleep(0)  # until it runs
        monkeypatch.setattr(stream.pipeline._tracker, "at", fail)
        for shown in (1, 2, 3):
            await stream.arrive()
            stream.clock.advance(GRACE)
            await until(lambda shown=shown: view.annotated == shown)  # type: ignore[misc]
        assert (view.failed, stream.pipeline.drops()["tracker", "failed"]) == (0, 3)
    assert [record.getMessage() for record in caplog.records] == ["line-1: boxes cannot be placed"]


async def test_rates_are_kept_by_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many frames a second come is counted and asked for on the event loop alone, whoever watches."""
    threads = set[int]()

    class Watched(Rate):
        def add(self, now: float, happened: float | None = None, count: int = 1) -> None:
            threads.add(threading.get_ident())
            super().add(now, happened, count)

        def at(self, now: float) -> float | None:
            threads.add(threading.get_ident())
            return super().at(now)

    monkeypatch.setattr(module, "Rate", Watched)
    async with run_stream() as stream:
        stream.pipeline.view.h264.subscribe()
        for index in range(3):
            frame = make_frame(index / FPS, stream.clock.advance(1 / FPS), index=index)
            await asyncio.to_thread(stream.pipeline.receive, frame)
            await until(lambda count=index + 1: len(stream.model.asked) == count)  # type: ignore[misc]
            stream.clock.advance(GRACE)
            await until(lambda shown=index + 1: stream.pipeline.view.annotated == shown)  # type: ignore[misc]
    assert threads == {threading.get_ident()}


async def test_frames_are_received_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of a connection that was given up may be at its last frame when the next begins: they take turns."""
    alone, overlaps = threading.Lock(), 0

    def convert(frame: Frame, _: VideoReformatter) -> NDArray[np.uint8]:
        """Convert nothing: two threads in one scaler do not come out of it again."""
        nonlocal overlaps
        if not alone.acquire(blocking=False):
            overlaps += 1
            return np.zeros((frame.height, frame.width, 3), np.uint8)
        time.sleep(0)  # gives the other thread its turn
        alone.release()
        return np.zeros((frame.height, frame.width, 3), np.uint8)

    monkeypatch.setattr(Frame, "rgb", convert)
    async with run_stream(Sampling(1000.0)) as stream:
        frames = [make_frame(index, index=index, picture=make_picture(640, 480)) for index in range(100)]
        together = threading.Barrier(2)

        def deliver() -> None:
            together.wait()
            for frame in frames:
                stream.pipeline.receive(frame)

        await asyncio.gather(asyncio.to_thread(deliver), asyncio.to_thread(deliver))
        counts = stream.pipeline.counts
        assert (overlaps, counts.decoded) == (0, 200)
        assert counts.sampled + counts.skipped == 200


PICTURE = CodedPicture(b"", 0, 0.0, True, CodedForm("h264", 64, 48))
SOUND = CodedSound(b"", 0, 0, 0.0, SoundForm("opus", 48_000, 1))


def send(stream: Stream) -> bool:
    """Have the source be sent a picture, and some sound where it is asked for; whether it is."""
    take, take_sound = stream.source.on_coded, stream.source.on_sound
    assert take is not None
    take(PICTURE)
    if take_sound is not None:
        take_sound(SOUND)
    return take_sound is not None


async def test_a_source_is_tapped_while_pictures_are_wanted() -> None:
    """What a camera sends is recorded from when it is to be until it is not, while the stream runs on."""
    recorder = FakeRecorder(wants=False)
    async with run_stream(recorder=recorder) as stream:
        assert not send(stream)
        await until(lambda: recorder.runs)
        for mode in ("events", "continuous"):
            stream.pipeline.change(stream.model, Sampling(FPS), recording=Recording(mode))
            assert send(stream)
        assert recorder.kept == [PICTURE, SOUND, PICTURE, SOUND]
        stream.pipeline.change(stream.model, Sampling(FPS), recording=Recording("off"))
        assert not send(stream)
    async with run_stream(recorder=FakeRecorder(wants=True)) as stream:
        assert send(stream)


@pytest.mark.parametrize("recorder", [None, FakeRecorder(wants=False), FakeRecorder(wants=True)])
async def test_pictures_are_kept_for_whoever_comes_to_watch(recorder: FakeRecorder | None) -> None:
    """The newest group of a stream is there before somebody wants it, recorded or not."""
    async with run_stream(recorder=recorder) as stream:
        send(stream)
        stream.pipeline.clean.join(FakePipe(), stream.pipeline.state())
        assert len(stream.pipeline.clean.group) == 1


async def test_answers_are_recorded_by_their_picture() -> None:
    """With the opening and the time by which it was handed on; what is drawn on it, half-seen things too."""
    recorder = FakeRecorder(wants=True)
    async with run_stream(recorder=recorder) as stream:
        stream.opening = 3
        for boxes, faint in (((BOX,), ()), ((BOX,), ()), ((), (BOX,)), ((), ())):
            await stream.arrive()
            stream.answer(*boxes, faint=faint)
    assert [(opening, coded_at) for opening, coded_at, _, _ in recorder.answers] == [(3, 1000 * n) for n in range(4)]
    assert [len(answer) for _, _, answer, _ in recorder.answers] == [1, 1, 0, 0]
    assert all(answer.faint is None for _, _, answer, _ in recorder.answers)
    assert [[box.tracker_id for box in drawn] for _, _, _, drawn in recorder.answers[:3]] == [[1], [1], [1]]


async def test_what_fails_in_recording_costs_no_detections() -> None:
    """A recorder that raises is counted; no camera is let go for it, and viewers are told all the same."""

    class Broken(FakeRecorder):
        def put(self, picture: CodedPicture) -> None:
            raise OSError("no")

        def answered(self, frame: Frame, answer: Detections, drawn: Sequence[TrackedBox]) -> None:
            raise OSError("no")

    async with run_stream(recorder=Broken(wants=True)) as stream:
        await stream.arrive()
        stream.answer(BOX)
        assert len(stream.told) == 1
        assert send(stream)
        assert stream.pipeline.drops()["recorder", "failed"] == 2


async def test_a_pause_ends_what_is_recorded() -> None:
    """What is written is closed when the camera is let go."""
    recorder = FakeRecorder(wants=True)
    async with run_stream(recorder=recorder) as stream:
        await stream.pipeline.pause()
        assert recorder.ends == 1


async def test_while_nobody_looks_no_more_is_decoded_than_the_model_is_asked_about() -> None:
    """The source is asked for all while somebody watches, and else for the next sample, as soon as that changes."""
    async with run_stream(Sampling(5)) as stream:
        depth = stream.source.depth
        assert depth() == WHOLE
        await stream.arrive(3)
        assert not depth().is_whole
        assert depth().wanted_at == pytest.approx(stream.clock.now + 0.2)
        assert 0 < depth().slack < 0.2
        viewer = stream.pipeline.view.h264.subscribe()
        assert depth() == WHOLE
        stream.pipeline.view.h264.unsubscribe(viewer)
        assert not depth().is_whole


async def test_frames_a_second_are_known_however_seldom_one_is_decoded() -> None:
    """Of MJPEG a picture in a second and a half is decoded while nobody looks; the rate is told all the same."""
    async with run_stream(Sampling(0.2)) as stream:
        assert stream.source.deliver is not None
        told = list[float | None]()
        for index in range(10):
            at = 1.6 * index
            frame = make_frame(at, stream.clock.advance(1.55 if index % 2 else 1.65), index=index)
            told.append(stream.pipeline.fps)
            stream.source.deliver(replace(frame, missed=15 if index else 0))
            await asyncio.sleep(0)
        assert told[:2] == [None, None]
        assert told[2:] == pytest.approx([10.0] * 8)


async def test_while_a_sample_waits_for_the_model_every_picture_is_decoded() -> None:
    """The newest is to be asked about; once one was taken, no more than the next sample needs."""
    async with run_stream(Sampling(1)) as stream:
        stream.model.waits = True
        await stream.arrive()
        assert stream.source.depth().wanted_at == -math.inf
        assert not stream.source.depth().is_whole
        await stream.arrive(2)
        assert stream.source.depth().wanted_at == -math.inf
        stream.model.take()
        assert [sample.frame.index for sample, _ in stream.model.asked] == [2]
        assert stream.source.depth().wanted_at == pytest.approx(stream.clock.now + 0.8)


@pytest.mark.parametrize("how", ["late", "model_ended", "withdrawn", "not asked"])
async def test_a_sample_of_which_nothing_comes_keeps_no_picture_decoded(
    how: DropReason | Literal["not asked"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is told of it before the model took it, or where it could not be asked, its slot is open no longer."""
    async with run_stream(Sampling(1)) as stream:
        stream.model.waits = True
        if how == "not asked":
            monkeypatch.setattr(stream.model, "offer", fail)
        await stream.arrive()
        if how != "not asked":
            assert stream.pipeline.inquiry.is_open
            stream.model.open.pop().answer(None, how)
        assert not stream.pipeline.inquiry.is_open
        assert stream.source.depth().wanted_at == pytest.approx(stream.clock.now + 1)


async def test_what_is_told_of_an_earlier_sample_ends_no_other() -> None:
    """As when a stream is due again before the model has had time for it."""
    async with run_stream(Sampling(FPS)) as stream:
        stream.model.waits = True
        await stream.arrive(2)
        stream.model.open.pop(0).answer(None, "capacity")
        assert stream.pipeline.inquiry.is_open


async def test_pictures_that_nobody_needs_are_counted_as_they_came() -> None:
    """Frames a second are those of the camera, however few are decoded, and however few the event loop hears of."""
    async with run_stream(Sampling(1)) as stream:
        assert stream.source.deliver is not None
        heard = list[Frame]()
        stream.pipeline.view.put = lambda frame, fps=None: heard.append(frame)  # type: ignore[method-assign]
        stream.model.up = False
        for index in range(60):
            frame = make_frame(index / 20, stream.clock.advance(1 / 20), index=index)
            stream.source.deliver(replace(frame, missed=2 if index else 0))
            await asyncio.sleep(0)
        assert stream.pipeline.fps == pytest.approx(60, rel=0.05)
        assert stream.pipeline.counts.decoded == 60
        assert 0 < stream.pipeline.counts.sampled < len(heard) < 10
