"""streamer.control.reload: what of an edited configuration is in force at once, and what waits."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer import config
from streamer.config import Config
from streamer.control.edits import Edits
from streamer.control.reload import Reload, differing, held

STARTED = config.parse({"server": {"port": 8000}, "serving": {"model": "a"}})


@pytest.mark.parametrize(
    ("document", "keys"),
    [
        ({"server": {"port": 8000}}, ()),
        ({"server": {"port": 8001, "host": "::1", "max_viewers": 3}}, ("server.host", "server.port")),
        ({"serving": {"address": "h:1", "model": "b"}, "server": {"port": 8000}}, ("serving.address",)),
        ({"server": {"port": 8000, "tls": {"cert": "c", "key": "k"}}}, ("server.tls",)),
        ({"server": {"port": 8000}, "serving": {"tls": {"ca": "ca.pem"}}}, ("serving.tls",)),
        ({"server": {"port": 8000}, "api_streams": {"state": "s", "allowed": True}}, ("api_streams.state",)),
    ],
)
def test_fixed_keys_are_named_and_held(document: dict[str, object], keys: tuple[str, ...]) -> None:
    """Keys that cannot change live are named, and stay as they were; all others are as they were read."""
    read = config.parse(document)
    assert differing(STARTED, read) == keys
    wanted = held(STARTED, read)
    assert differing(STARTED, wanted) == ()
    assert wanted.serving.model == read.serving.model
    assert wanted.server.max_viewers == read.server.max_viewers
    assert wanted.api_streams.allowed == read.api_streams.allowed


async def test_only_news_is_applied(tmp_path: Path) -> None:
    """A file that says the same in other words changes nothing; `paused: false` is other than nothing."""
    path = tmp_path / "sightline.yaml"
    applied: list[Config] = []

    async def apply(wanted: Config) -> None:
        applied.append(wanted)

    async def read(text: str) -> int:
        await reload.run_once(text.encode())
        return len(applied)

    path.write_text("streams: {a: {url: 'rtsp://h/'}}")
    reload = Reload(path, config.load(path), apply, wall=lambda: 12.5)
    assert await read("# words\nstreams:\n  a:\n    url: rtsp://h/\n") == 0
    assert await read("streams: {a: {url: 'rtsp://h/', paused: false}}") == 1
    assert await read("streams: {a: {url: 'rtsp://h/', paused: false}}\nserver: {port: 1}") == 1
    assert await read("streams: {") == 1
    assert reload.describe()["ok"] is False
    assert await read("{}") == 2
    assert reload.describe() == {"ok": True, "error": None, "read_at": 12.5, "restart_needed": []}


async def test_what_nobody_foresaw_is_said_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A change that breaks down is logged and told as a mistake is, and the same file is taken over when read again."""
    path = tmp_path / "sightline.yaml"
    path.write_text("{}")
    broken, applied = True, list[Config]()

    async def apply(wanted: Config) -> None:
        if broken:
            raise ZeroDivisionError
        applied.append(wanted)

    reload = Reload(path, config.load(path), apply)
    said = b"streams: {a: {url: 'rtsp://h/'}}"
    await reload.run_once(said)
    assert reload.describe()["error"] == "sightline.yaml: could not be taken over; the log has the details"
    assert "ZeroDivisionError" in caplog.text
    broken = False
    await reload.run_once(said)
    assert reload.describe()["ok"] is True
    assert applied == [config.understand(path, said)]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (b"", "sightline.yaml: is empty; to end every stream write {}"),
        (b" \n", "sightline.yaml: is empty; to end every stream write {}"),
        (b"\xff", "sightline.yaml: cannot be read: not UTF-8 text"),
        (b"streams: {", "sightline.yaml: line 1, column 11 is not YAML: expected the node content, but found"),
        (PermissionError(13, "Permission denied"), "sightline.yaml: cannot be read: Permission denied"),
    ],
)
async def test_what_cannot_be_taken_over_is_said(tmp_path: Path, said: bytes | OSError, sentence: str) -> None:
    """A file that is empty, no text, no YAML or not to be read changes nothing, and that is told in a sentence."""

    async def apply(_: Config) -> None:
        raise AssertionError

    reload = Reload(tmp_path / "sightline.yaml", STARTED, apply)
    await reload.run_once(said)
    assert (reload.error or "").startswith(sentence)


async def test_a_service_may_begin_with_an_empty_file(tmp_path: Path) -> None:
    """A file that was empty at the start is no mistake while it stays so; emptied once it had streams, it is one."""
    applied: list[Config] = []

    async def apply(wanted: Config) -> None:
        applied.append(wanted)

    reload = Reload(tmp_path / "sightline.yaml", config.parse(None), apply)
    await reload.run_once(b"")
    assert reload.describe()["ok"] is True
    await reload.run_once(b"streams: {a: {url: 'rtsp://h/'}}")
    await reload.run_once(b"")
    assert (reload.describe()["ok"], len(applied)) == (False, 1)


async def test_what_was_judged_is_what_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit is read once, and parsed off the event loop: what the file says by then is a matter of the next look."""
    path = tmp_path / "sightline.yaml"
    path.write_text("streams: {a: {url: 'rtsp://h/'}}")
    threads: list[threading.Thread] = []
    applied: list[Config] = []
    parse = config.document.parse

    def overtaken(document: object) -> Config:
        threads.append(threading.current_thread())
        path.write_text("")  # by an editor, meanwhile
        return parse(document)

    async def apply(wanted: Config) -> None:
        applied.append(wanted)
        edits.cancel()

    monkeypatch.setattr(config.document, "parse", overtaken)
    reload = Reload(path, config.Config(), apply)
    edits = asyncio.create_task(Edits(path).run(reload.run_once))
    await asyncio.gather(edits, return_exceptions=True)
    assert [list(wanted.streams) for wanted in applied] == [["a"]]
    assert reload.error is None
    assert threading.main_thread() not in threads


@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [
        ({}, {"access": {"anonymous": ["view"]}}, ()),
        ({"access": {}}, {}, ()),
        ({"access": {"groups": {"a": "viewer"}}}, {"access": {"groups": {"a": "admin"}}}, ()),
        ({}, {"access": {"store": "/elsewhere.json"}}, ("access.store",)),
        ({"access": {"session_hours": 1}}, {}, ("access.session_hours",)),
        ({"access": {"session_hours": 1}}, {"access": {"session_hours": 2}}, ("access.session_hours",)),
        ({}, {"server": {"frame_ancestors": ["https://example.org"]}}, ("server.frame_ancestors",)),
    ],
)
async def test_who_may_what_changes_at_once(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], waits: tuple[str, ...]
) -> None:
    """A section `access` may come, change and go while the service runs; its file and its hours wait for a restart."""
    applied: list[Config] = []

    async def apply(wanted: Config) -> None:
        applied.append(wanted)

    started = config.parse(before)
    reload = Reload(tmp_path / "sightline.yaml", started, apply)
    await reload.run_once(yaml.safe_dump(after).encode())
    assert reload.restart_needed == waits
    wanted = config.parse(after).access
    for each in applied:
        assert (each.access is None) == (wanted is None)
        if each.access is not None and wanted is not None:
            assert (each.access.anonymous, each.access.groups) == (wanted.anonymous, wanted.groups)
            assert each.access.store == (None if started.access is None else started.access.store)
    assert applied or waits
