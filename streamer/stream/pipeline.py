"""One stream, its rooms joined in order. Read this first.

    source ─► arrivals ─► inquiry (sampler) ─► model (scheduler ─► predictor) ─► tracker ─► view (aligner ─► …)

The source's thread decodes, follows the camera's motion, and marks when the stream is due; the event loop owns every
decision; the model's threads resize the frame it takes then. What viewers see is the `View`'s business, which has a
thread of its own. Each step has its `Mishaps`: whatever one raises costs that frame that step, and neither the stream
nor the steps beside it.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from streamer.stream.arrivals import Arrival, Arrivals
from streamer.stream.counts import Counts
from streamer.stream.event_maker import EventMaker
from streamer.stream.frame_source import FrameSource
from streamer.stream.inquiry import Inquiry
from streamer.stream.ledger import Ledger
from streamer.stream.model import Model
from streamer.stream.rate import WINDOW, Rate
from streamer.stream.recorder import Recorder
from streamer.stream.sub_stream import SubStream
from streamer.stream.valve import Valve
from streamer.tracking.camera import Camera
from streamer.tracking.tracker import Tracker
from streamer.values.clock import Clock
from streamer.values.coded import CodedPicture, CodedSound
from streamer.values.detections import Detections
from streamer.values.frame import Frame, Sample
from streamer.values.mishaps import Mishaps
from streamer.values.recording import Recording
from streamer.values.sampling import Sampling
from streamer.values.state import StreamState
from streamer.values.task_group import together
from streamer.values.track import TrackedBox, boxes_of
from streamer.values.watching import Watching
from streamer.view.clean.clean import Clean
from streamer.view.clean.room import Spare
from streamer.view.clean.sizes import Sizes
from streamer.view.view import View

STALE_PICTURE = 2.0
"""Seconds without a frame after which a stream is called stale."""
STALE_RESULT = 2.0
"""Seconds a sample may go without an answer, to it or to a later one, after which a stream is called stale."""
ARRIVAL_WINDOW = 2 * WINDOW
"""Seconds looked back for how many pictures come: those that are decoded while nobody looks may be 1.5 s apart."""


Origin = Literal["file", "api", "publisher"]
"""Who named a stream: the configuration file, the API, or whoever publishes it."""


class Pipeline:
    """One named stream from its source to its viewers."""

    def __init__(
        self,
        source: FrameSource,
        model: Model,
        sampling: Sampling,
        *,
        clock: Clock,
        on_detections: Callable[["Pipeline", Detections], None],
        origin: Origin = "file",
        paused: bool = False,
        tracker_ids: Iterator[int] | None = None,
        events: EventMaker | None = None,
        recorder: Recorder | None = None,
        on_restart: Callable[[], None] = lambda: None,
        spare: Spare | None = None,
    ) -> None:
        """Join it; nothing runs yet.

        Args:
            source: of its frames.
            model: to ask.
            sampling: how often, and what of the answers counts.
            clock: monotonic seconds.
            on_detections: told of each answer.
            origin: who named it.
            paused: begin without the source.
            tracker_ids: of new tracks, rising, taken on the event loop; None: this stream's own, from 1.
            events: what its answers become; None: nobody wants to know.
            recorder: of its source's video, answers beside it; None: there is nowhere to keep it.
            on_restart: told when its sub-stream begins anew after an end that nobody foresaw.
            spare: room for long groups of pictures, which streams share; None: there is none.
        """
        self.name = source.name
        self.origin = origin
        self.source = source
        self.view = View(source.name, clock=clock)
        self.ledger = Ledger()
        self.view.on_shown = self.ledger.shown
        self.clean = Clean(source.name, clock=clock, spare=spare)
        self.sizes = Sizes(source.name, self.clean, clock=clock, on_wish=lambda: self.sub.ask(), spare=spare)
        self.sub = SubStream(source.name, self.sizes, clock=clock, is_paused=lambda: self.paused, on_restart=on_restart)
        self.events = events
        self.recorder = recorder
        self.view.show_ids = sampling.show_ids
        self.counts = Counts()
        self.last: Detections | None = None
        """The newest answer."""
        self.pictures_per_sample: int | None = None
        """Of the newest answer: how many the model looked at for it."""
        self.size: tuple[int, int] | None = None
        """(width, height) in pixels of the newest frame that the event loop heard of."""
        self._sampling = sampling
        self._clock = clock
        self._on_detections = on_detections
        self._camera = Camera()
        self._tracker = Tracker(self._camera.path, tracker_ids)
        self._arrival_rate, self._result_rate = Rate(ARRIVAL_WINDOW), _result_rate(sampling)
        self._valve = Valve(is_open=not paused)
        self._unanswered_since: float | None = None
        """Arrival of the first sample since the last answer; None while there is none."""
        self._arrived_at = -STALE_PICTURE
        """Arrival of the newest frame."""
        self.inquiry = Inquiry(
            model,
            sampling,
            self.counts,
            self._camera,
            clock=clock,
            mishaps=self._mishaps,
            on_answer=self._answered,
            on_chosen=self._chosen,
        )
        self.arrivals = Arrivals(
            self.inquiry,
            self._camera,
            self.counts,
            is_shown=lambda: self.view.watched,
            is_watched=lambda: self.sizes.watched,
            mishaps=self._mishaps,
        )
        self._unseen = self._mishaps("frames cannot be given to the view")
        self._untracked = self._mishaps("detections cannot be tracked")
        self._uneventful = self._mishaps("events cannot be made of detections")
        self._unkept = self._mishaps("pictures cannot be handed to the recorder")
        self._unrecorded = self._mishaps("detections cannot be recorded")
        self._unplaced = self._mishaps("boxes cannot be placed")
        self._unshown = self._mishaps("detections cannot be given to the view")
        self._untold = self._mishaps("detections cannot be told")
        self._unstamped = self._mishaps("stamps cannot be put into the ledger")
        self._tap()
        source.depth = self.arrivals.depth

    def _mishaps(self, what: str, on_each: Callable[[], None] | None = None) -> Mishaps:
        return Mishaps(f"{self.name}: {what}", clock=self._clock, on_each=on_each)

    def _tap(self) -> None:
        """Have the source hand on what it is sent, as it came: pictures always, for who comes to watch them so."""
        wanted = self.recorder is not None and self.recorder.wants
        self.source.on_coded = self._keep if wanted else self.clean.put
        self.source.on_sound = self._keep_sound if wanted else None

    async def run(self) -> None:
        """Run every part until cancelled."""
        self.arrivals.open(asyncio.get_running_loop(), self._arrived)
        self.clean.open(asyncio.get_running_loop(), self._boxes_at)
        try:
            parts = [
                self._valve.run(lambda: self.source.run(self.receive)),
                self.view.run(self._boxes_at, self.notice),
                self.sub.run(self._boxes_at),
            ]
            parts += [part.run() for part in (self.events, self.recorder) if part is not None]
            await together(*parts)
        finally:
            self.inquiry.leave()

    # ---- what may change while it runs, and its viewers watch on

    @property
    def model(self) -> Model:
        """That is asked."""
        return self.inquiry.model

    @property
    def sampling(self) -> Sampling:
        """How often it is asked, and what counts."""
        return self._sampling

    @property
    def paused(self) -> bool:
        """Whether it runs without its source."""
        return not self._valve.is_open

    async def pause(self) -> None:
        """End the source until `restart`; the last picture stays."""
        await self._valve.close()
        self.inquiry.leave()
        self._unanswered_since = None  # nothing is asked any more
        if self.events is not None:
            self.events.end()
        if self.recorder is not None:
            self.recorder.end()

    def restart(self) -> None:
        """Run the source anew."""
        self._valve.open()
        self.sub.ask()

    def change(
        self,
        model: Model,
        sampling: Sampling,
        watching: Watching | None = None,
        recording: Recording | None = None,
    ) -> None:
        """Ask this model, that often, from the next frame on, make such events of its answers, and record this."""
        if self.recorder is not None and recording is not None:
            self.recorder.change(recording)
            self._tap()
        if self.events is not None and watching is not None:
            self.events.change(watching)
        self.inquiry.change(model, sampling)
        before, self._sampling = self._sampling, sampling
        self.view.show_ids = sampling.show_ids
        if sampling.fps != before.fps:
            self._result_rate = _result_rate(sampling)

    # ---- in the source's thread

    def _keep(self, picture: CodedPicture) -> None:
        self.clean.put(picture)
        if self.recorder is not None:
            with self._unkept:
                self.recorder.put(picture)

    def _keep_sound(self, sound: CodedSound) -> None:
        if self.recorder is not None:
            with self._unkept:
                self.recorder.put_sound(sound)

    def receive(self, frame: Frame) -> None:
        """Take a frame from the source, in the source's thread."""
        self.arrivals.put(frame)

    # ---- on the event loop
    def _arrived(self, arrival: Arrival) -> None:
        frame = arrival.frame
        with self._unseen:
            self._measure(frame, arrival.came)
            self.view.put(frame, self.fps)
            self.sizes.decoded(frame)
        if frame.received_at - self._arrived_at > STALE_PICTURE:  # the camera was away, and not the model
            self._unanswered_since = None
        self._arrived_at = frame.received_at
        if arrival.is_due and self._unanswered_since is None:
            self._unanswered_since = frame.received_at
        self.inquiry.arrived(frame, is_due=arrival.is_due)

    def _chosen(self, frame: Frame) -> None:
        """A frame is given to the model."""
        self.sizes.sampled(frame)
        self.view.asked(frame)

    def _measure(self, frame: Frame, came: int) -> None:
        self._arrival_rate.add(frame.received_at, frame.pts, came)
        if self.size != (frame.width, frame.height):
            self.size = (frame.width, frame.height)
            self._tracker.clear()  # boxes of the old geometry mean nothing in the new one

    def _answered(self, sample: Sample, answer: Detections) -> None:
        self.counts.answer(answer.labels, answer.unnamed, sample.pictures)
        self.pictures_per_sample = sample.pictures
        self._result_rate.add(answer.answered_at, answer.pts)
        self._unanswered_since = None
        with self._unstamped:
            self.ledger.answered(sample.frame, answer)
        answer = self._eventful(sample, self._followed(answer))
        drawn = self._drawn(answer)
        self._record(sample.frame, answer, drawn)
        overtaken = self.last is not None and answer.pts <= self.last.pts
        if not overtaken:
            self.last = answer
        with self._unshown:
            self.view.answered(sample.frame, answer)
            self.clean.answered(sample.frame, boxes_of(answer) if overtaken else drawn)
            self.sizes.answered(sample.frame)
        with self._untold:
            self._on_detections(self, answer)

    def _followed(self, answer: Detections) -> Detections:
        """The answer with what its rows are known as, where that can be told."""
        with self._untracked:
            if self.size == (answer.width, answer.height):
                followed, faint = self._tracker.update(answer), answer.faint
                faint = None if faint is None else replace(faint, followed=self._tracker.half_seen)
                return replace(answer, followed=followed, faint=faint)
        return answer

    def _eventful(self, sample: Sample, answer: Detections) -> Detections:
        """The answer as others are told it, after events were made of all of it."""
        if self.events is not None and self.size == (answer.width, answer.height):
            with self._uneventful:
                self.events.answered(sample.frame, answer, sample.min_score)
        frame = sample.frame
        return replace(answer, faint=None, frame_time=frame.coded_at, opening=frame.opening)

    def _drawn(self, answer: Detections) -> Sequence[TrackedBox]:
        """What is drawn on the frame that was answered: half-seen things too, each as its track is called."""
        return self._boxes_at(answer.pts) if self.size == (answer.width, answer.height) else boxes_of(answer)

    def _record(self, frame: Frame, answer: Detections, drawn: Sequence[TrackedBox]) -> None:
        if self.recorder is not None:
            with self._unrecorded:
                self.recorder.answered(frame, answer, drawn)

    def _boxes_at(self, pts: float) -> Sequence[TrackedBox]:
        """What is drawn on the frame at `pts`; nothing where that cannot be known, for the picture is there."""
        with self._unplaced:
            return self._tracker.at(pts)
        return ()

    # ---- what is known of it

    @property
    def fps(self) -> float | None:
        """Pictures a second as they arrive, decoded or not."""
        return self._arrival_rate.at(self._clock())

    @property
    def answers_per_second(self) -> float | None:
        """Frames a second that the model answers."""
        return self._result_rate.at(self._clock())

    @property
    def overtaken(self) -> int:
        """Answers that came after that to a later frame."""
        return self._tracker.overtaken

    def latency(self) -> dict[str, float | None] | None:
        """Where the time went lately: seconds, as `Ledger.latest` has them."""
        return self.ledger.latest(self._clock())

    def state(self) -> StreamState:
        """Whether video and detections are current, and why not."""
        source = self.source
        if self.paused:
            return StreamState("paused", "paused: its camera is not connected")
        if source.state != "live":
            return StreamState(source.state, source.reason)
        now = self._clock()
        silent = now - (source.last_frame_at or now)
        if silent > STALE_PICTURE:
            return StreamState("stale", f"no picture from the camera for {silent:.0f} s")
        late = self._results_late(now)
        if late is not None:
            return StreamState("stale", f"{late}: {self.model.reason or 'the model does not keep up'}")
        return StreamState("live")

    def drops(self) -> dict[tuple[str, str], int]:
        """Frames lost by (stage, reason), in every bounded buffer on the way, and by steps that failed."""
        elsewhere = {
            ("source", "late"): self.source.skipped_late,
            ("pipeline", "loop_busy"): self.arrivals.lost,
            ("pipeline", "failed"): self.arrivals.failed + self._untold.count + self._unstamped.count,
            ("tracker", "failed"): self.arrivals.unfollowed
            + self.inquiry.unfollowed
            + self._untracked.count
            + self._unplaced.count,
            ("tracker", "late"): self._tracker.too_late,
            ("events", "failed"): self._uneventful.count,
            ("recorder", "failed"): self._unkept.count + self._unrecorded.count,
            ("view", "failed"): self._unseen.count + self._unshown.count,
            ("aligner", "late"): self.view.aligner.dropped,
            ("encoder", "failed"): self.view.failed,
            ("fanout", "slow_viewer"): self.view.dropped,
            ("clean", "failed"): self.clean.failed + self.sizes.small.failed,
            ("clean", "loop_busy"): self.clean.lost + self.sizes.small.lost,
            ("clean", "slow_viewer"): self.clean.dropped + self.sizes.small.dropped,
        }
        return self.counts.drops() | {key: count for key, count in elsewhere.items() if count}

    def notice(self) -> str | None:
        """What is written on the video where its boxes cannot be trusted."""
        return self._results_late(self._clock())

    def _results_late(self, now: float) -> str | None:
        """That results have been missing, and for how long, or None while they are not."""
        if self.last is None and not self.model.up:
            return "no detections yet"
        since = self._unanswered_since
        if since is None or now - since <= STALE_RESULT:
            return None
        return f"no {'' if self.last is None else 'fresh '}detections for {now - since:.0f} s"


def _result_rate(sampling: Sampling) -> Rate:
    """Over a window that holds a few answers, however seldom is sampled."""
    return Rate(max(WINDOW, 3 / sampling.fps))
