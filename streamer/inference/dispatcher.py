"""Calls leave as a discipline says: the shell around it makes samples, asks the model, and tells everybody once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final, NoReturn

from serving.signature import Contract
from streamer.inference.discipline import Call, Discipline
from streamer.inference.pictures import BUSY, MOST_PICTURES, PATIENCE, Answer, Pending, Pictures
from streamer.inference.slot import DropReason, Slot
from streamer.inference.tiled import Predict, predict_tiled
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
from streamer.values.frame import Sample
from streamer.values.mishaps import Mishaps

MAKERS: Final = 2
"""Threads that make samples, and then follow their frames: a batch of eight takes some milliseconds to make, in which
the model has nothing to do."""
ALONE: Final = 4
"""Samples of a call that one of them makes by itself: what it takes to wake another is not worth it for fewer."""

_Found = Detections | DropReason


class Dispatcher:
    """One model's."""

    def __init__(
        self,
        name: str,
        discipline: Discipline,
        predict: Predict,
        contract: Callable[[], Contract | None],
        *,
        clock: Clock,
    ) -> None:
        """Ask nothing yet.

        Args:
            name: the model's, for the log.
            discipline: says which frames go, and when.
            predict: asks the model about samples.
            contract: what the model wants, as it is known now; None: it was not met yet.
            clock: monotonic seconds.
        """
        self._discipline, self._predict, self._contract, self._clock = discipline, predict, contract, clock
        self._unasked = Mishaps(f"{name}: batches cannot be asked about", clock=clock)
        self._untold = Mishaps(f"{name}: answers cannot be taken in", clock=clock)
        self._unmade = Mishaps(f"{name}: samples cannot be made", clock=clock)
        self._unfollowed = Mishaps(f"{name}: frames cannot be followed", clock=clock)
        self._makers = ThreadPoolExecutor(MAKERS, f"{name}-samples")
        self._pictures = Pictures()
        self._framed_at = -BUSY
        """When a frame was asked about last."""
        self._picturing = False
        """Whether a call about pictures is under way, of which there is one at a time: the others are the cameras'."""
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    def offer(self, slot: Slot) -> None:
        """A stream is due; it is told once what comes of it, from the event loop."""
        if self._ended:  # it was on its way when its model ended
            self._tell(slot, None, "model_ended")
            return
        before = self._discipline.put(slot)
        self._changed.set()
        if before is not None:
            self._tell(before[0], None, before[1])

    def withdraw(self, slot: Slot) -> None:
        """Its stream does not want it any more: where no call has it yet that is told at once."""
        if self._discipline.withdraw(slot):
            self._tell(slot, None, "withdrawn")

    def put_picture(self, sample: Sample, answer: Answer) -> None:
        """Ask about a picture when no frame waits; `answer` is called exactly once, from the event loop.

        Raises:
            Overloaded: too many wait.
        """
        pending = Pending(sample, answer)
        if self._ended:
            self._tell_pictures([pending], ["model_ended"])
            return
        self._pictures.put(pending)
        self._changed.set()

    async def run(self) -> None:
        """Have calls leave until cancelled; then nobody is asked any more, and who waits is told. May be run again.

        Calls under way are never cancelled here, they end by their own deadline: a cancelled one leaks (grpc #43360).
        """
        self._ended = False
        try:
            await self._run()
        finally:
            self._ended = True
            for slot in self._discipline.clear():
                self._tell(slot, None, "model_ended")
            waiting = self._pictures.take(MOST_PICTURES)
            self._tell_pictures(waiting, ["model_ended"] * len(waiting))

    def close(self) -> None:
        """Let the threads end, once they have nothing to do."""
        self._makers.shutdown(wait=False)

    async def _run(self) -> NoReturn:
        while True:
            self._changed.clear()
            now = self._clock()
            expired = self._pictures.expired(now)
            call, over = self._discipline.take(now)
            if call is not None:
                self._framed_at = now
                for slot in call.slots:
                    with self._untold:
                        slot.chosen(slot.frame)
                self._begin(self._ask(call))
            elif not len(self._discipline):
                self._look_at_pictures(now)
            for slot, reason in over:  # last, when all is decided: whoever is told may have its next slot
                self._tell(slot, None, reason)
            self._tell_pictures(expired, ["expired"] * len(expired))
            if call is None:
                await self._wait(self._discipline.leaves_at(now), now)

    async def _wait(self, until: float | None, now: float) -> None:
        """Wait for something to change, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if until is None else max(0.0, until - now)):
                await self._changed.wait()

    def _begin(self, asking: Awaitable[None]) -> None:
        task = asyncio.ensure_future(asking)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- frames

    async def _ask(self, call: Call) -> None:
        samples: list[Sample | None] = [None] * len(call.slots)
        found: list[_Found] = ["predict_failed"] * len(call.slots)
        is_measure = False
        try:
            with self._unasked:
                samples, works = await self._made(call)
                self._discipline.sent(call, self._clock())
                found = ["failed" if sample is None else "predict_failed" for sample in samples]
                made = [sample for sample in samples if sample is not None]
                answers, is_measure = await self._asked(made, call.deadline) if made else ((), False)
                for work in works:
                    await work
                rest = iter(answers)
                found = ["failed" if sample is None else next(rest) for sample in samples]
        finally:
            self._discipline.end(call, self._clock(), is_measure=is_measure)
            self._changed.set()
        for slot, sample, answer in zip(call.slots, samples, found, strict=True):
            self._tell(slot, sample, answer)

    async def _made(self, call: Call) -> tuple[list[Sample | None], list[asyncio.Future[None]]]:
        """The samples of a call, None for each that cannot be made; and the threads that follow its frames by now."""
        contract, loop = self._contract(), asyncio.get_running_loop()
        samples: list[Sample | None] = [None] * len(call.slots)
        if contract is None:
            return samples, []
        parts = MAKERS if len(call.slots) > ALONE else 1
        handed: list[asyncio.Future[list[Sample | None]]] = [loop.create_future() for _ in range(parts)]
        works = [
            loop.run_in_executor(
                self._makers,
                self._work,
                call.slots[start::parts],
                contract,
                call.taken_at,
                partial(_hand_over, loop, future),
            )
            for start, future in enumerate(handed)
        ]
        for start, future in enumerate(handed):
            samples[start::parts] = await future
        return samples, works

    def _work(
        self,
        slots: Sequence[Slot],
        contract: Contract,
        taken_at: float,
        hand_over: Callable[[list[Sample | None]], object],
    ) -> None:
        """In a thread: make samples, hand them over, and follow their frames while the model looks."""
        made: list[Sample | None] = [None] * len(slots)
        try:
            for number, slot in enumerate(slots):
                with self._unmade:
                    sample = slot.make(slot.frame, contract, slot.pictures > 1)
                    made[number] = None if sample is None else replace(sample, chosen_at=taken_at)
        finally:
            hand_over(made)
        for slot in slots:
            with self._unfollowed:
                slot.follow(slot.frame)

    async def _asked(self, samples: list[Sample], deadline: float) -> tuple[Sequence[_Found], bool]:
        try:
            found = await predict_tiled(self._predict, samples, deadline, self._discipline.max_batch_size)
            return [answer for _, answer in zip(samples, found, strict=True)], True
        except PredictError as error:
            # Counted and said by the predictor; a frame is never asked about twice.
            return ["predict_failed"] * len(samples), error.code == "DEADLINE_EXCEEDED"
        except asyncio.CancelledError:
            return ["model_ended"] * len(samples), False  # so gRPC tells who waits when their channel is closed

    def _tell(self, slot: Slot, sample: Sample | None, answer: _Found) -> None:
        """Answer a slot. Whoever cannot take its answer in harms nobody else: its batch's others get theirs."""
        with self._untold:
            try:
                slot.answer(sample, answer)
            except Exception as error:
                error.add_note(f"It was the answer of stream {slot.stream}.")
                raise

    # ---- pictures

    def _look_at_pictures(self, now: float) -> None:
        """Have some leave where no frame is due, and there is a place for a call."""
        if self._picturing or not len(self._pictures) or not self._discipline.has_place:
            return
        most = 1 if now - self._framed_at < BUSY else self._discipline.max_batch_size
        pictures = self._pictures.take(most)
        call = self._discipline.begin(sum(each.sample.pictures for each in pictures), now + PATIENCE, now)
        self._picturing = True
        self._begin(self._ask_about(pictures, call))

    async def _ask_about(self, pictures: list[Pending], call: Call) -> None:
        found: Sequence[_Found] = ["predict_failed"] * len(pictures)
        is_measure = False
        try:
            with self._unasked:
                found, is_measure = await self._asked([each.sample for each in pictures], call.deadline)
        finally:
            self._discipline.end(call, self._clock(), is_measure=is_measure)
            self._picturing = False
            self._changed.set()
        self._tell_pictures(pictures, found)

    def _tell_pictures(self, pictures: Sequence[Pending], found: Sequence[_Found]) -> None:
        for pending, answer in zip(pictures, found, strict=True):
            with self._untold:
                pending.answer(pending.sample, answer)


def _hand_over(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[list[Sample | None]], made: list[Sample | None]
) -> None:
    """From a thread."""
    loop.call_soon_threadsafe(_settle, future, made)


def _settle(future: asyncio.Future[list[Sample | None]], made: list[Sample | None]) -> None:
    if not future.done():  # nobody waits where the process ends
        future.set_result(made)
