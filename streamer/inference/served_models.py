"""The served models by name: each runs from its first stream to its last."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping

from streamer.inference.model import ServedModel
from streamer.values.ending import announce, ended


class ServedModels(Mapping[str, ServedModel]):
    """Asked for a model it does not have, `use` makes it."""

    def __init__(self, make: Callable[[str], ServedModel]) -> None:
        self._make = make
        self._models: dict[str, ServedModel] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._running = False
        self.required: frozenset[str] = frozenset()
        """Those without which the service is not ready: what a stranger's stream names does not count."""
        self.own = ""
        """The name of the one that is asked where nobody names another."""
        self.on_removed: list[Callable[[str], None]] = []
        """Told the name of every model that is no more."""

    def __getitem__(self, name: str) -> ServedModel:
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def use(self, name: str) -> ServedModel:
        """The model of that name, made and run where it is new."""
        if name not in self._models:
            self._models[name] = self._make(name)
            if self._running:
                self._run(name)
        return self._models[name]

    def start(self) -> None:
        """Run those there are, and from now on those that come."""
        self._running = True
        for name in self._models:
            self._run(name)

    async def keep(self, names: Iterable[str]) -> None:
        """End all others; whoever asks for one of these meanwhile has it made anew."""
        gone = [
            (name, self._models.pop(name), self._tasks.pop(name, None)) for name in self._models.keys() - set(names)
        ]
        await asyncio.gather(*(self._end(*each) for each in gone))

    async def close(self) -> None:
        """End all; may be called twice."""
        self._running = False
        await self.keep(())

    def _run(self, name: str) -> None:
        self._tasks[name] = asyncio.create_task(self._models[name].run(), name=f"model-{name}")

    async def _end(self, name: str, model: ServedModel, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            task.cancel()
            await ended(f"model {name}", task)
        # Of a task that was cancelled before it began nothing is run, no end of it either.
        await model.close()
        if name not in self._models:
            announce("model", name, self.on_removed)
