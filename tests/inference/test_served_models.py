"""streamer.inference.served_models: a model that nobody asks ends, and keeps nobody from having it again."""

import asyncio
from typing import Any

from streamer.inference.served_models import ServedModels
from tests.peers.until import until


class Slow:
    """A model that takes its time to end."""

    def __init__(self, gate: asyncio.Event) -> None:
        self._gate = gate
        self.runs = self.is_closed = False

    async def run(self) -> None:
        """Run."""
        self.runs = True
        await asyncio.Event().wait()

    async def close(self) -> None:
        """When it may."""
        await self._gate.wait()
        self.is_closed = True


async def test_a_model_that_is_asked_for_while_it_ends_is_made_anew() -> None:
    """Of two that end neither waits for the other, and one that somebody asks for again by then runs."""
    gate, gone = asyncio.Event(), list[str]()
    make: Any = lambda _: Slow(gate)  # noqa: E731
    models = ServedModels(make)
    models.on_removed.append(gone.append)
    models.start()
    first: Any = models.use("a")
    models.use("b")
    await until(lambda: first.runs)
    ending = asyncio.create_task(models.keep([]))
    await until(lambda: not len(models))
    again: Any = models.use("a")
    await models.keep(["a"])
    gate.set()
    await ending
    await until(lambda: again.runs)
    assert (again is first, first.is_closed, again.is_closed, gone) == (False, True, False, ["b"])
    await models.close()
    assert (again.is_closed, gone) == (True, ["b", "a"])
