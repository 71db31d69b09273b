"""streamer.control.reconciler: what another replica has is let go of at once, whatever else is being done."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

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
    """Streams by name, and a gate before which whoever wants one of some names waits."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.gate = asyncio.Event()
        self.slow = {"a", "b", "c"}
        self.waits: list[str] = []
        self.breaks: type[BaseException] | None = None

    def get(self, name: str) -> None:
        """None of them adapts to anything."""

    def add(self, name: str) -> None:
        """Run one."""
        self.names.add(name)

    async def free(self, name: str) -> None:
        """Wait."""
        if self.breaks is not None:
            error, self.breaks = self.breaks, None
            raise error
        if name in self.slow:
            self.waits.append(name)
            await self.gate.wait()

    async def remove(self, name: str) -> None:
        """Run one no more."""
        self.names.discard(name)


def reconciler(streams: Any, on_done: Callable[[], None] = lambda: None, **others: Any) -> Reconciler:
    """Of streams that are names alone."""
    make: Any = lambda name, _: (Source(), name)  # noqa: E731
    nothing: Any = lambda *_: None  # noqa: E731
    parts = {"make": make, "target_of": nothing, "sub_of": nothing, "model_of": nothing, **others}
    return Reconciler(streams, is_hasty=True, on_done=on_done, **parts)


async def test_what_is_dropped_ends_while_others_are_waited_for() -> None:
    """What is lost while its name is waited for does not begin; with the next entries it comes back."""
    streams = Running()
    streams.gate.set()
    own = reconciler(streams)
    await own.apply({"a": ENTRY})
    await until(lambda: streams.names == {"a"})
    streams.gate.clear()
    streams.waits.clear()
    await own.apply({"a": ENTRY, "b": ENTRY, "c": ENTRY})
    await until(lambda: streams.waits == ["b", "c"])
    own.drop("a")
    own.drop("b")
    await until(lambda: not streams.names)
    streams.gate.set()
    await until(lambda: streams.names == {"c"})
    await own.apply({"a": ENTRY, "b": ENTRY})
    await until(lambda: streams.names == {"a", "b"})


async def test_a_stream_begins_while_another_s_name_is_waited_for() -> None:
    """Each waits for its own alone, also where what is to run is told again meanwhile; the end of all is told once."""
    done: list[set[str]] = []
    streams = Running()
    own = reconciler(streams, lambda: done.append(set(streams.names)))
    await own.apply({"a": ENTRY})
    await until(lambda: streams.waits == ["a"])
    await own.apply({"a": ENTRY, "z": ENTRY})
    await until(lambda: streams.names == {"z"})
    await own.apply({"a": ENTRY, "z": ENTRY, "y": ENTRY})
    await until(lambda: streams.names == {"y", "z"})
    assert (streams.waits, done) == (["a"], [])
    streams.gate.set()
    await until(lambda: streams.names == {"a", "y", "z"})
    await until(lambda: done)
    assert done[0] == {"a", "y", "z"}


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError])
async def test_a_stream_that_cannot_begin_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: type[BaseException]
) -> None:
    """What fails, or is cut off by what it waits for, is told, and is no reason that the stream never comes."""
    monkeypatch.setattr("streamer.control.reconciler.PAUSE", 0.0)
    streams = Running()
    streams.breaks = error
    await reconciler(streams).apply({"z": ENTRY})
    await until(lambda: streams.names == {"z"})
    assert "stream z could not be made what it is to be" in caplog.text


async def test_one_that_cannot_be_made_keeps_nothing_back_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody uses any more may go after its first failure; the log has each way in which it fails in turn once."""
    monkeypatch.setattr("streamer.control.reconciler.PAUSE", 0.0)
    ways = [ValueError("one"), ValueError("one"), ValueError("one"), ValueError("two"), ValueError("two")]
    tries, done = iter(ways), list[int]()

    class Failing(Running):
        async def free(self, name: str) -> None:
            await super().free(name)
            if (error := next(tries, None)) is not None:
                raise error

    streams = Failing()
    own = reconciler(streams, lambda: done.append(len(told())))

    def told() -> list[str]:
        return [str(record.exc_info[1]) for record in caplog.records if record.exc_info]

    await own.apply({"a": ENTRY})
    streams.gate.set()
    await until(lambda: streams.names == {"a"} and not own._making)
    assert (told(), done) == (["one", "two"], [1, 2])


@pytest.mark.parametrize("where", ["sub_of", "use", "add"])
async def test_a_stream_that_fails_half_way_begins_whole_the_next_time(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Whatever fails once its source is made: it is not taken for made, and its sub-stream comes with it."""
    monkeypatch.setattr("streamer.control.reconciler.PAUSE", 0.0)
    steps, small = list[str](), Source()

    def step(name: str) -> None:
        steps.append(name)
        if name == where and steps.count(name) == 1:
            raise ZeroDivisionError

    class Pipeline:
        def __init__(self) -> None:
            self.sub, self.used = self, list[Source]()

        def use(self, source: Source) -> None:
            step("use")
            self.used.append(source)

    class Begun(Running):
        def __init__(self) -> None:
            super().__init__()
            self.begun = list[Pipeline]()

        def add(self, pipeline: Any) -> None:
            step("add")
            self.begun.append(pipeline)

    def sub_of(*_: Any) -> Source:
        step("sub_of")
        return small

    streams = Begun()
    own = reconciler(streams, make=lambda *_: (Source(), Pipeline()), sub_of=sub_of)
    await own.apply({"z": ENTRY})
    await until(lambda: "z" not in own._making)
    assert [pipeline.used for pipeline in streams.begun] == [[small]]


async def test_what_is_waited_for_at_the_end_does_not_begin() -> None:
    """Whoever stops the streams would not see it."""
    streams = Running()
    own = reconciler(streams)
    await own.apply({"a": ENTRY})
    await until(lambda: streams.waits == ["a"])
    await own.close()
    streams.gate.set()
    await asyncio.sleep(0)
    assert (streams.names, own._making) == (set(), {})
