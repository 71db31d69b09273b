"""What one stream asks its model: which of its frames are due, which is asked about, and what was heard of each.

The sampler marks slots in the source's thread. On the event loop a slot is offered to the model, and has the newest
frame until the model takes it. Sampled is answered and dropped, to the last one.
"""

import threading
from collections.abc import Callable
from functools import partial

from av.video.reformatter import VideoReformatter

from serving.signature import Contract
from streamer.inference.slot import DropReason, Slot
from streamer.inference.tiling import make_sample
from streamer.stream.counts import Counts
from streamer.stream.granted import Granted
from streamer.stream.model import Model
from streamer.stream.sampler import Sampler
from streamer.tracking.camera import Camera
from streamer.values.clock import Clock
from streamer.values.depth import Depth
from streamer.values.detections import Detections
from streamer.values.frame import Frame, Sample
from streamer.values.mishaps import Mishaps
from streamer.values.sampling import Sampling

STAGES: dict[DropReason, str] = {"predict_failed": "predictor", "failed": "sampler"}
"""Where a slot came to nothing, by the reason; else in the scheduler."""
_REFORMATTERS = threading.local()
"""Of each thread that makes samples: swscale's context takes megabytes, and serves one thread."""


class Inquiry:
    """One stream's."""

    def __init__(
        self,
        model: Model,
        sampling: Sampling,
        counts: Counts,
        camera: Camera,
        *,
        clock: Clock,
        mishaps: Callable[[str, Callable[[], None] | None], Mishaps],
        on_answer: Callable[[Sample, Detections], None],
        on_chosen: Callable[[Frame], None],
    ) -> None:
        """Have no slot.

        Args:
            model: to ask.
            sampling: how often, and what counts.
            counts: of the stream's frames.
            camera: followed up to each frame that is asked about.
            clock: monotonic seconds.
            mishaps: of something that its stream cannot do, and who is told of each.
            on_answer: told of each answer, on the event loop.
            on_chosen: told there of each frame that is given to the model.
        """
        self.model = model
        self._sampling, self._counts, self._camera, self._clock = sampling, counts, camera, clock
        self._on_answer, self._on_chosen = on_answer, on_chosen
        self._sampler, self._granted = Sampler(sampling.fps), Granted(sampling.fps)
        self._slot: Slot | None = None
        """The newest, for as long as newer frames may serve it. Set on the event loop, read in the source's thread."""
        self._unsampled = mishaps("samples cannot be made", None)
        self._unasked = mishaps("the model cannot be asked", partial(counts.drop, "scheduler", "failed"))
        self._unfollowed = mishaps("the camera's motion cannot be followed up to a sample", None)

    @property
    def granted(self) -> float | None:
        """Samples a second that the model has the time for; None: as many as are asked for."""
        return self._granted.fps

    @property
    def unfollowed(self) -> int:
        """Samples up to which the camera could not be followed."""
        return self._unfollowed.count

    def change(self, model: Model, sampling: Sampling) -> None:
        """Ask this model, that often, from the next slot on; one that is open elsewhere is none any more."""
        if model is not self.model:
            self.leave()
        self.model, before = model, self._sampling
        self._sampling = sampling
        if sampling.fps != before.fps:
            self._sampler = Sampler(sampling.fps)
        if sampling.fps != before.fps or sampling.model != before.model:
            self._granted = Granted(sampling.fps)

    def leave(self) -> None:
        """Have no slot any more: the camera is let go, or another model is asked."""
        slot, self._slot = self._slot, None
        if slot is not None:
            self.model.withdraw(slot)

    # ---- in the source's thread

    @property
    def is_open(self) -> bool:
        """Whether the newest frame is wanted until the model has taken one."""
        slot = self._slot
        return slot is not None and not slot.is_settled

    def depth(self, frame: Frame, slack: float) -> Depth:
        """What is to be decoded behind a marked frame for the model's sake; `slack` is a share of a period."""
        interval = 1 / self._sampling.fps
        wanted_at = frame.received_at + self._sampler.until(frame.pts)
        return Depth(is_whole=False, wanted_at=wanted_at, slack=slack * interval)

    def mark(self, frame: Frame) -> bool:
        """Whether the stream is due with this frame, which is counted."""
        is_due = self._sampler.take(frame.pts)
        self._counts.take(sampled=is_due)
        return is_due

    # ---- on the event loop

    def arrived(self, frame: Frame, *, is_due: bool) -> None:
        """A frame is there: for the slot that is open, or the next."""
        if is_due:
            self._open(frame)
        elif self._slot is not None and self._slot.is_settled:
            self._slot = None  # and no picture is held for it
        elif self._slot is not None:
            self._slot.frame = frame

    def _open(self, frame: Frame) -> None:
        if self.model.contract is None or not self.model.up:
            self.leave()
            self._counts.drop("sampler", "model_unavailable")
            return
        sampling = self._sampling
        slot = Slot(
            frame.stream,
            frame,
            self._clock(),
            make=partial(self._make, sampling),
            follow=self._follow,
            answer=self._answered,
            chosen=self._on_chosen,
            period=1 / sampling.fps,
            weight=sampling.priority,
            tiles=sampling.tiles,
        )
        slot.answer = partial(self._told, slot)
        self._slot = slot
        with self._unasked:
            try:
                self.model.offer(slot)
            except Exception:
                self._end(slot)
                raise

    def _end(self, slot: Slot) -> None:
        """Something came of a slot, or nothing will: no newer frame is wanted for it."""
        if self._slot is slot:
            self._slot = None

    def _told(self, slot: Slot, sample: Sample | None, answer: Detections | DropReason) -> None:
        self._end(slot)
        self._answered(sample, answer)

    def _answered(self, sample: Sample | None, answer: Detections | DropReason) -> None:
        if isinstance(answer, Detections) and sample is not None:
            self._granted.turn(was_had=True)
            self._on_answer(sample, answer)
            return
        reason = answer if not isinstance(answer, Detections) else "failed"
        self._counts.drop(STAGES.get(reason, "scheduler"), reason)
        if reason in ("capacity", "late"):
            self._granted.turn(was_had=False)

    # ---- in the model's threads

    def _make(self, sampling: Sampling, frame: Frame, contract: Contract, has_room: bool) -> Sample | None:
        """The frame in the model's own size; None where that fails, which is said."""
        with self._unsampled:
            least = contract.min_score if sampling.min_score is None else sampling.min_score
            own = _reformatter()
            return make_sample(frame, contract, least, sampling.tiles, has_room=has_room, reformatter=own)
        return None

    def _follow(self, frame: Frame) -> None:
        with self._unfollowed:
            self._camera.reach(frame)


def _reformatter() -> VideoReformatter:
    if not hasattr(_REFORMATTERS, "own"):
        _REFORMATTERS.own = VideoReformatter()
    own: VideoReformatter = _REFORMATTERS.own
    return own
