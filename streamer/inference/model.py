"""One served model, shared by every stream that uses it: discipline, dispatcher and predictor joined."""

from collections.abc import Awaitable, Callable
from functools import partial

from serving.signature import Contract
from streamer.inference.batcher import Batcher
from streamer.inference.channel import MAX_PICTURES
from streamer.inference.credentials import Credentials
from streamer.inference.discipline import Discipline
from streamer.inference.dispatcher import Dispatcher
from streamer.inference.pictures import Answer
from streamer.inference.predictor import Predictor
from streamer.inference.room import Room
from streamer.inference.scheduler import Scheduler
from streamer.inference.slot import DropReason, Slot, SlotAnswer
from streamer.inference.tiling import count_pictures
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.frame import Sample
from streamer.values.supervision import PAUSE, supervise
from streamer.values.task_group import together

LOSSES: frozenset[DropReason] = frozenset(("capacity", "late", "predict_failed"))
"""Of frames, by which a model shows that it does not keep up. A camera that sends in bursts supersedes its own."""


class ServedModel:
    """A model of the model server, and the streams that are due there."""

    def __init__(
        self,
        address: str,
        name: str,
        *,
        max_batch_size: int,
        in_flight: int,
        deadline: float,
        clock: Clock,
        on_call: Callable[[str, int, float], None],
        on_error: Callable[[str, str], None],
        on_restart: Callable[[], None],
        credentials: Credentials | None = None,
        pulls: bool = True,
        pause: float = PAUSE,
    ) -> None:
        """Join it; nothing is asked yet.

        Args:
            address: the model server's.
            name: the model's there.
            max_batch_size: pictures a call at the most.
            in_flight: calls at once at the most.
            deadline: seconds after its arrival from which a frame is not worth asking about.
            clock: monotonic seconds.
            on_call: told of each call answered: model, pictures, seconds.
            on_error: told of each that failed: model, gRPC status.
            on_restart: told whenever one of its tasks ended in a way nobody foresaw. Must not raise.
            credentials: how its channel is secured; None: not at all.
            pulls: take the newest frame there is when a call can leave; else the one that a stream was due at.
            pause: seconds until that one begins again.
        """
        self._name = name
        self._on_call = on_call
        self._room = Room()
        self.predictor = Predictor(
            address,
            name,
            clock=clock,
            credentials=credentials,
            on_call=self._called,
            on_error=lambda code: on_error(name, code),
        )
        self._max_batch_size = max_batch_size
        discipline = Scheduler if pulls else Batcher
        self._discipline: Discipline = discipline(max_batch_size=max_batch_size, in_flight=in_flight, deadline=deadline)
        self._dispatcher = Dispatcher(
            f"model {name}", self._discipline, self.predictor.predict, lambda: self.contract, clock=clock
        )
        self._on_restart, self._pause = on_restart, pause
        self._broken: set[str] = set()
        """Its tasks that ended and have not begun again."""

    @property
    def name(self) -> str:
        """As the model server knows it."""
        return self._name

    @property
    def contract(self) -> Contract | None:
        """What the model says of itself; None before it was first met."""
        return self.predictor.contract

    @property
    def version(self) -> int:
        """The newest version met, 0 before."""
        return self.predictor.version

    @property
    def up(self) -> bool:
        """Whether it answers."""
        return self.predictor.up and not self._broken

    @property
    def reason(self) -> str | None:
        """Why it does not, or what is wrong with its answers, as a sentence."""
        if self._broken:
            broken = " and ".join(sorted(self._broken))
            return f"the {broken} of model {self._name} failed in a way nobody foresaw; it starts again, see the log"
        return self.predictor.reason or self.predictor.complaint

    @property
    def has_room(self) -> bool:
        """Whether it has the time for tiles that nobody insists on."""
        return self._room.is_open

    def offer(self, slot: Slot) -> None:
        """A stream is due; its slot is told once what comes of it, from the event loop."""
        frame, contract = slot.frame, self.contract
        wished = 1
        if contract is not None:
            self._fit(contract)
            wished = count_pictures(slot.tiles, (frame.width, frame.height), contract)
        self._room.asked(wished, frame.received_at)
        slot.pictures = wished if self.has_room or slot.tiles != "auto" else 1
        slot.answer = partial(self._answered, slot, slot.answer)
        self._dispatcher.offer(slot)

    def withdraw(self, slot: Slot) -> None:
        """Its stream does not want it any more: where no call has it yet that is told at once."""
        self._dispatcher.withdraw(slot)

    def put_picture(self, sample: Sample, answer: Answer) -> None:
        """Ask about a picture that is no camera's, when none of theirs is due; `answer` is called once, from the loop.

        Raises:
            Overloaded: too many wait.
        """
        if self.contract is not None:
            self._fit(self.contract)
        self._dispatcher.put_picture(sample, answer)

    def _fit(self, contract: Contract) -> None:
        self._discipline.max_batch_size = min(self._max_batch_size, frames_a_call(contract))

    def _answered(self, slot: Slot, answer: SlotAnswer, sample: Sample | None, found: Detections | DropReason) -> None:
        if not isinstance(found, Detections) and found in LOSSES:
            self._room.lost(slot.frame.received_at)
        answer(sample, found)

    def _called(self, pictures: int, seconds: float) -> None:
        self._room.called(pictures, seconds)
        self._on_call(self._name, pictures, seconds)

    async def run(self) -> None:
        """Run until cancelled. What fails is run again, and the other part goes on meanwhile."""
        try:
            parts = (("watch", self.predictor.run), ("dispatcher", self._dispatcher.run))
            await together(*(self._supervised(part, run) for part, run in parts))
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of the channel and the threads; calls under way fail."""
        self._dispatcher.close()
        await self.predictor.close()

    async def _supervised(self, part: str, run: Callable[[], Awaitable[None]]) -> None:
        life, called = partial(self._live, part, run), f"model {self._name}: {part}"
        await supervise(called, life, pause=self._pause, on_restart=self._on_restart)

    async def _live(self, part: str, run: Callable[[], Awaitable[None]]) -> None:
        """One life of a part, from the end of which until the next the model is not up."""
        self._broken.discard(part)
        try:
            await run()
        finally:
            self._broken.add(part)


def frames_a_call(contract: Contract) -> int:
    """How many a model takes at once, and a message of the channel carries."""
    carried = max(1, MAX_PICTURES // (3 * contract.height * contract.width))
    return min(carried, contract.max_batch_size or carried)
