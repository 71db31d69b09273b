"""Frames of all streams become batches. `Batcher` is the decision, pure; `dispatch` is the thin shell around it.

A batch leaves as soon as the model can take one and holds whatever waits then: no window is waited for. While the model
is busy the next batch fills by itself, which is what batching windows are for, without their delay at low load.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn

from streamer.inference.tiled import Predict, predict_tiled
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.errors import Overloaded, PredictError
from streamer.values.frame import Sample
from streamer.values.mishaps import Mishaps

DropReason = Literal["superseded", "expired", "predict_failed", "model_ended"]

BUSY = 2.0
"""Seconds since a camera's frame was asked about in which pictures go one at a time: a frame waits for one at most."""
PATIENCE = 30.0
"""Seconds that a picture may wait for its turn, and a call about some may take: no newer one takes its place."""
MOST_PICTURES = 64
"""That wait; each is some hundred kB in the model's size."""

Answer = Callable[[Sample, Detections | DropReason], None]
"""Told once for every sample that was put in: its detections, or why there are none."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A sample that waits, and who wants the answer."""

    sample: Sample
    answer: Answer
    untold: Mishaps
    """Of telling answers."""

    def tell(self, answer: Detections | DropReason) -> None:
        """Answer it. Whoever cannot take its answer in harms nobody else: its batch's others get theirs."""
        with self.untold:
            try:
                self.answer(self.sample, answer)
            except Exception as error:
                error.add_note(f"It was the answer of stream {self.sample.frame.stream}.")
                raise


class Batcher:
    """One waiting place a stream: a newer sample takes it from an older one, so no stream can crowd out another."""

    def __init__(self, *, max_batch_size: int, deadline: float) -> None:
        self.max_batch_size = max_batch_size
        self.deadline = deadline
        """Seconds after its arrival from which a frame is not worth asking about."""
        self._waiting: dict[str, Pending] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, pending: Pending) -> None:
        """Add a sample; an older one of the same stream is superseded, and keeps its place in the line."""
        stream = pending.sample.frame.stream
        older = self._waiting.get(stream)
        self._waiting[stream] = pending
        if older is not None:
            older.tell("superseded")

    def take(self, now: float) -> list[Pending]:
        """The next batch: of the streams that wait, those that have waited longest. May be empty.

        It has `max_batch_size` pictures at most, each tile being one, or else is a single sample.
        """
        old = [
            stream
            for stream, pending in self._waiting.items()
            if now - pending.sample.frame.received_at > self.deadline
        ]
        expired = [self._waiting.pop(stream) for stream in old]
        # A dict keeps insertion order, and a superseding sample keeps its stream's place: first come, first served.
        batch, room = list[Pending](), self.max_batch_size
        for stream, pending in list(self._waiting.items()):
            room -= pending.sample.pictures
            if batch and room < 0:  # a frame of more pictures than a call carries is a batch of several calls
                break
            batch.append(self._waiting.pop(stream))
        for pending in expired:  # last, when all is decided: whoever is told may put its next sample
            pending.tell("expired")
        return batch

    def clear(self) -> list[Pending]:
        """All that wait, who do no longer."""
        waiting, self._waiting = list(self._waiting.values()), {}
        return waiting


class Pictures:
    """Pictures that somebody sends, for which no camera waits: they are asked about where no frame is.

    First come, first served; none takes another's place.
    """

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, pending: Pending) -> None:
        """Add one.

        Raises:
            Overloaded: as many wait as may.
        """
        if len(self._waiting) >= MOST_PICTURES:
            raise Overloaded("too many pictures wait for the model", 5)
        self._waiting.append(pending)

    def expire(self, now: float) -> None:
        """Tell those that have waited for PATIENCE: cameras may leave no room for them at all."""
        while self._waiting and now - self._waiting[0].sample.frame.received_at > PATIENCE:
            self._waiting.popleft().tell("expired")

    def take(self, most: int) -> list[Pending]:
        """The next batch."""
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]


class Dispatcher:
    """Sends batches while at most `in_flight` are under way."""

    def __init__(self, name: str, batcher: Batcher, predict: Predict, *, in_flight: int, clock: Clock) -> None:
        self._batcher = batcher
        self._unasked = Mishaps(f"{name}: batches cannot be asked about", clock=clock)
        self._untold = Mishaps(f"{name}: answers cannot be taken in", clock=clock)
        self._predict = predict
        self._in_flight = in_flight
        self._clock = clock
        self._pictures = Pictures()
        self._framed_at = -BUSY
        """When a frame was asked about last."""
        self._picturing: asyncio.Task[None] | None = None
        """The call about pictures, of which there is one at a time: the others are the cameras'."""
        self._arrived = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    def put(self, sample: Sample, answer: Answer) -> None:
        """Ask about a sample; `answer` is called exactly once, from the event loop."""
        pending = Pending(sample, answer, self._untold)
        if self._ended:  # a camera's thread was resizing its frame when it was told of another model
            pending.tell("model_ended")
            return
        self._batcher.put(pending)
        self._arrived.set()

    def put_picture(self, sample: Sample, answer: Answer) -> None:
        """Ask about a picture when no frame waits; `answer` is called exactly once, from the event loop.

        Raises:
            Overloaded: too many wait.
        """
        pending = Pending(sample, answer, self._untold)
        if self._ended:
            pending.tell("model_ended")
            return
        self._pictures.put(pending)
        self._arrived.set()

    async def run(self) -> None:
        """Form batches until cancelled; then nobody is asked any more, and those who wait are told. May be run again.

        Calls under way are never cancelled here, they end by their own deadline: a cancelled one leaks (grpc #43360).
        """
        self._ended = False
        try:
            await self._form_batches()
        finally:
            self._ended = True
            for pending in (*self._batcher.clear(), *self._pictures.take(MOST_PICTURES)):
                pending.tell("model_ended")

    async def _form_batches(self) -> NoReturn:
        while True:
            await self._arrived.wait()
            if len(self._tasks) >= self._in_flight:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            now = self._clock()
            self._pictures.expire(now)
            batch = self._batcher.take(now)
            if batch:
                self._framed_at = now
                # The newest frame's deadline is the call's: an old neighbour must not cut short what is fresh.
                newest = max(pending.sample.frame.received_at for pending in batch)
                self._begin(batch, newest + self._batcher.deadline)
            elif self._picturing is None and len(self._pictures):
                is_busy = now - self._framed_at < BUSY
                pictures = self._pictures.take(1 if is_busy else self._batcher.max_batch_size)
                self._picturing = self._begin(pictures, now + PATIENCE)
                self._picturing.add_done_callback(self._pictured)
            if not len(self._batcher) and (self._picturing is not None or not len(self._pictures)):
                self._arrived.clear()

    def _begin(self, batch: list[Pending], deadline: float) -> asyncio.Task[None]:
        task = asyncio.create_task(self._ask(batch, deadline))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _pictured(self, _: asyncio.Task[None]) -> None:
        self._picturing = None
        if len(self._pictures):
            self._arrived.set()

    async def _ask(self, batch: list[Pending], deadline: float) -> None:
        answers: list[Detections | DropReason] = ["predict_failed"] * len(batch)
        with self._unasked:
            try:
                samples, most = [pending.sample for pending in batch], self._batcher.max_batch_size
                found = await predict_tiled(self._predict, samples, deadline, most)
                answers = [answer for _, answer in zip(batch, found, strict=True)]
            except PredictError:
                pass  # counted and said by the predictor; a frame is never asked about twice
            except asyncio.CancelledError:
                answers = ["model_ended"] * len(batch)  # so gRPC tells those who wait when their channel is closed
        for pending, answer in zip(batch, answers, strict=True):
            pending.tell(answer)
