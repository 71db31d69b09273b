"""streamer.control.reconciler: what another replica has is let go of at once, whatever else is being done."""

import asyncio
from typing import Any

from streamer import config
from streamer.control.reconciler import Reconciler
from streamer.control.roster import Entry
from tests.peers.until import until

ENTRY = Entry(config.parse_stream("a", {"url": "rtsp://h/"}), "api", False)


class Source:
    """One that closes at once."""

    target = "a camera"

    async def closed(self, *, within: float) -> None:
        """At once."""


class Running:
    """Streams by name, and a gate before which whoever wants a name waits."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.gate = asyncio.Event()
        self.waits = False

    def get(self, name: str) -> None:
        """None of them adapts to anything."""

    def add(self, name: str) -> None:
        """Run one."""
        self.names.add(name)

    async def free(self, _: str) -> None:
        """Wait."""
        self.waits = True
        await self.gate.wait()

    async def remove(self, name: str) -> None:
        """Run one no more."""
        self.names.discard(name)


def reconciler(streams: Any) -> Reconciler:
    """Of streams that are names alone."""
    make: Any = lambda name, _: (Source(), name)  # noqa: E731
    nothing: Any = lambda *_: None  # noqa: E731
    return Reconciler(streams, make=make, target_of=nothing, sub_of=nothing, model_of=nothing, is_hasty=True)


async def test_what_is_dropped_ends_while_others_are_waited_for() -> None:
    """What is lost while its name is waited for does not begin; with the next entries it comes back."""
    streams = Running()
    streams.gate.set()
    own = reconciler(streams)
    await own.apply({"a": ENTRY})
    streams.gate.clear()
    streams.waits = False
    applying = asyncio.create_task(own.apply({"a": ENTRY, "b": ENTRY, "c": ENTRY}))
    await until(lambda: streams.waits)
    own.drop("a")
    own.drop("b")
    await until(lambda: not streams.names)
    streams.gate.set()
    await applying
    assert streams.names == {"c"}
    await own.apply({"a": ENTRY, "b": ENTRY})
    await until(lambda: streams.names == {"a", "b"})
