"""One served model, shared by every stream that uses it: batcher, dispatcher and predictor joined."""

import asyncio
from collections.abc import Callable

from serving.signature import Contract
from streamer.inference.batcher import Answer, Batcher, Dispatcher
from streamer.inference.predictor import Predictor
from streamer.values.clock import Clock
from streamer.values.frame import Sample


class ServedModel:
    """A model of the model server, and the line of samples that wait for it."""

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
    ) -> None:
        self._name = name
        self.predictor = Predictor(
            address,
            name,
            clock=clock,
            on_call=lambda batch_size, seconds: on_call(name, batch_size, seconds),
            on_error=lambda code: on_error(name, code),
        )
        self._max_batch_size = max_batch_size
        self._batcher = Batcher(max_batch_size=max_batch_size, deadline=deadline)
        self._dispatcher = Dispatcher(self._batcher, self.predictor.predict, in_flight=in_flight, clock=clock)

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
        return self.predictor.up

    @property
    def reason(self) -> str | None:
        """Why it does not, as a sentence."""
        return self.predictor.reason

    def put(self, sample: Sample, answer: Answer) -> None:
        """Ask about a sample; `answer` is called once, from the event loop."""
        allowed = self.contract.max_batch_size if self.contract is not None else None
        self._batcher.max_batch_size = min(self._max_batch_size, allowed or self._max_batch_size)
        self._dispatcher.put(sample, answer)

    async def run(self) -> None:
        """Run until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.predictor.run())
                group.create_task(self._dispatcher.run())
        finally:
            await self.predictor.close()
