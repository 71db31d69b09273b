"""streamer.control.stream_changes: changes are made one after the other, and each whole."""

import asyncio
import gc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest

from streamer import config
from streamer.config import ApiStreamsSettings, StreamSettings
from streamer.control.roster import Entry, Roster
from streamer.control.statefile import Kept, StateFile
from streamer.control.stream_changes import Shared, StreamChanges
from streamer.control.targets import target_of
from streamer.values.errors import Refused, SourceError
from tests.peers.until import until

SETTINGS = config.parse({"streams": {"own": {"url": "rtsp://h/"}}})


class Running:
    """What is made to run, and a gate that keeps it waiting."""

    def __init__(self, state: Path) -> None:
        self.names: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.breaks = False
        """Whether what comes next breaks down."""
        self.begun = self.done = 0
        """Times that what runs was to be changed, and was."""
        self.stream_changes = StreamChanges(SETTINGS, StateFile(state), judge=allow, apply=self.apply)

    async def apply(self, entries: Mapping[str, Entry]) -> None:
        """Take the time that the gate is shut."""
        self.begun += 1
        await self.gate.wait()
        if self.breaks and self.done:
            raise ZeroDivisionError
        self.names = list(entries)
        self.done += 1

    async def add(self, name: str) -> None:
        """Add a stream."""
        document: dict[str, Any] = {"name": name, "url": "rtsp://h/"}
        await self.stream_changes.add(document, taken=lambda _: False)


async def allow(_: StreamSettings, __: ApiStreamsSettings) -> None:
    """Allow everything."""


async def test_a_change_is_made_whole_without_who_asked_for_it(tmp_path: Path) -> None:
    """A change whose client leaves while it is made is kept, known and running; the next one waits for it."""
    running = Running(tmp_path / "state.json")
    running.gate.clear()
    asked = asyncio.create_task(running.add("road"))
    while not running.begun:  # noqa: ASYNC110  until it is being made
        await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    following = asyncio.create_task(running.add("yard"))
    await asyncio.sleep(0)
    running.gate.set()
    await following
    assert running.begun == running.done == 2
    assert running.names == ["own", "road", "yard"]
    assert list(running.stream_changes.roster.added) == ["road", "yard"]
    assert list(json.loads((tmp_path / "state.json").read_text())["streams"]) == ["road", "yard"]


async def test_what_is_written_is_what_runs(tmp_path: Path) -> None:
    """A client that leaves while the change is being written down takes neither the file nor the roster with it."""
    running = Running(tmp_path / "state.json")
    for delay in range(12):
        asked = asyncio.create_task(running.add(f"road-{delay}"))
        for _ in range(delay):
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await running.stream_changes.settle()
        kept = (
            json.loads((tmp_path / "state.json").read_text())["streams"] if (tmp_path / "state.json").exists() else {}
        )
        assert list(kept) == list(running.stream_changes.roster.added) == running.names[1:]
    assert "road-11" in running.names


@pytest.mark.parametrize(("broken", "lines"), [(False, 0), (True, 1)])
async def test_a_refusal_that_nobody_waits_for_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: bool, lines: int
) -> None:
    """What becomes of a change whose client has left is logged only where it is nobody's refusal but a breakdown."""
    running = Running(tmp_path / "state.json")
    running.gate.clear()
    first = asyncio.create_task(running.add("road"))
    while not running.begun:  # noqa: ASYNC110  until it is being made
        await asyncio.sleep(0)
    second = asyncio.create_task(running.add("yard" if broken else "own"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    running.breaks = broken
    running.gate.set()
    await asyncio.gather(first, return_exceptions=True)
    while running.stream_changes._changes:  # noqa: ASYNC110  without `settle`, which would see every exception
        await asyncio.sleep(0)
    del first, second
    gc.collect()  # asyncio tells of an exception that nobody has seen when its task goes
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == lines


async def test_a_sub_stream_is_judged_as_its_stream_is(tmp_path: Path) -> None:
    """Where the policy forbids its address the sentence names that key; its password is shown nowhere, and kept."""
    asked: list[str] = []

    async def judge(stream: StreamSettings, _: ApiStreamsSettings) -> None:
        asked.append(stream.url)
        if "away" in stream.url:
            raise SourceError("forbidden", f"no way to {stream.url}")

    applied: list[Mapping[str, Entry]] = []

    async def apply(entries: Mapping[str, Entry]) -> None:
        applied.append(entries)

    changes = StreamChanges(SETTINGS, StateFile(tmp_path / "state.json"), judge=judge, apply=apply)
    document: dict[str, Any] = {"name": "yard", "url": "rtsp://h/1", "sub": {"url": "rtsp://u:pass-of-sub@h/2"}}
    await changes.add(document, taken=lambda _: False)
    assert asked == ["rtsp://h/1", "rtsp://u:pass-of-sub@h/2"]
    assert changes.settings("yard")["sub"] == {"url": "rtsp://u:***@h/2"}
    assert "pass-of-sub" in (tmp_path / "state.json").read_text()
    with pytest.raises(Refused, match=r"^sub\.url: no way to rtsp://u:\*\*\*@away/") as refused:
        await changes.change("yard", {"sub": {"url": "rtsp://u:other-pass@away/"}})
    assert refused.value.status == 403
    await changes.change("yard", {"sub": None})
    assert "sub" not in changes.settings("yard")
    sub = applied[0]["yard"].settings.of_sub
    assert sub is not None
    assert target_of(sub).url == "rtsp://u:pass-of-sub@h/2"


async def test_nobody_waits_for_the_name_server_of_a_change() -> None:
    """What other replicas have now is let go of meanwhile; and what is judged is what becomes of it in the end."""
    asked: list[tuple[str, bool]] = []
    gate = asyncio.Event()

    async def judge(stream: StreamSettings, _: ApiStreamsSettings) -> None:
        asked.append((stream.url, "sample_fps" in stream.model_fields_set))
        await gate.wait()

    applied: list[Mapping[str, Entry]] = []

    async def apply(entries: Mapping[str, Entry]) -> None:
        applied.append(entries)

    changes = StreamChanges(SETTINGS, None, judge=judge, apply=apply)
    gate.set()
    await changes.add({"name": "yard", "url": "rtsp://h/1"}, taken=lambda _: False)
    gate.clear()
    first = asyncio.create_task(changes.change("yard", {"url": "rtsp://h/2"}))
    await until(lambda: len(asked) == 2)
    before = len(applied)
    await changes.follow()
    assert len(applied) == before + 1
    second = asyncio.create_task(changes.change("yard", {"sample_fps": 3}))
    await until(lambda: len(asked) == 3)
    gate.set()
    await asyncio.gather(first, second)
    settings = applied[-1]["yard"].settings
    assert (settings.url, settings.sample_fps) == ("rtsp://h/2", 3)
    assert ("rtsp://h/2", True) in asked


async def test_who_goes_back_from_a_cluster_is_told_where_his_streams_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A service alone says so at its start, until it has kept something itself."""
    state = StateFile(tmp_path / "state.json")
    state.write(Kept({"yard": {"url": "rtsp://u:pass-of-yard@h/1"}}))
    await state.set_by()
    changes = StreamChanges(SETTINGS, state, judge=allow, apply=allow_all)
    assert "is in state.json.taken-over; for it to count again" in caplog.text
    await changes.add({"name": "road", "url": "rtsp://h/"}, taken=lambda _: False)
    caplog.clear()
    StreamChanges(SETTINGS, state, judge=allow, apply=allow_all)
    assert caplog.text == ""


async def allow_all(_: Mapping[str, Entry]) -> None:
    """Do as is said."""


async def test_what_is_gained_waits_for_no_change_that_is_written() -> None:
    """What replicas share is followed while a change is on its way to them; changes stay in order."""
    shared, gate = create_autospec(Shared, instance=True), asyncio.Event()
    streams = {name: config.parse_stream(name, {"url": f"rtsp://h/{name}"}) for name in ("gate", "road", "yard")}
    known = Roster({}, {"road": streams["road"]})
    shared.roster.side_effect = lambda: known
    kept: list[set[str]] = []

    async def keep(_: Kept, after: Kept) -> None:
        nonlocal known
        kept.append(set(after.paused))
        await gate.wait()
        known = Roster({}, known.added, after.paused)

    shared.keep = keep
    applied: list[Mapping[str, Entry]] = []

    async def apply(entries: Mapping[str, Entry]) -> None:
        applied.append(entries)

    changes = StreamChanges(SETTINGS, None, judge=allow, apply=apply, shared=shared)
    first = asyncio.create_task(changes.change("road", {"paused": True}))
    await until(lambda: kept == [{"road"}])
    second = asyncio.create_task(changes.change("road", {"paused": False}))
    known = Roster({}, {"road": streams["road"], "yard": streams["yard"]})
    await changes.follow()
    assert [list(entries) for entries in applied] == [["road", "yard"]]
    assert kept == [{"road"}]
    gate.set()
    await asyncio.gather(first, second)
    assert kept == [{"road"}, set()]
    assert [[name for name, entry in entries.items() if entry.paused] for entries in applied] == [[], ["road"], []]
    assert [list(entries) for entries in applied[1:]] == 2 * [["road", "yard"]]
