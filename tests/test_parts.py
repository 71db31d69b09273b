"""streamer.parts: what a service is made of, as its configuration has it."""

import asyncio

import pytest

from streamer import config
from streamer.control.roster import Entry
from streamer.parts import Parts
from streamer.source.openings import AT_ONCE
from streamer.values.clock import monotonic
from tests.peers.listener import run_listener
from tests.peers.process import free_port
from tests.peers.until import until


def make_parts(document: object) -> Parts:
    """Of a configuration, whose news nobody hears."""
    return Parts(
        config.parse(document),
        clock=monotonic,
        on_call=lambda *_: None,
        on_error=lambda *_: None,
        on_model_restart=lambda: None,
        on_sub_restart=lambda: None,
        on_detections=lambda *_: None,
        kept_of=lambda *_: (None, None),
    )


async def test_sub_streams_that_hang_keep_no_stream_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many of them are being opened and say nothing, a stream of its own has its turn at its camera."""
    monkeypatch.setattr("streamer.source.openings.PATIENCE", 1e6)
    asked = given_up = 0

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal asked, given_up
        asked += 1
        await reader.read()
        given_up += 1

    async with run_listener(say_nothing) as port:
        url = f"http://127.0.0.1:{port}/x"
        streams = {f"camera-{number}": {"url": url, "sub": {"url": f"{url}{number}"}} for number in range(AT_ONCE)}
        parts = make_parts({"serving": {"address": f"127.0.0.1:{free_port()}"}, "streams": streams})
        entries = {name: Entry(settings, "file", False) for name, settings in parts.config.streams.items()}
        subs = [parts.sub(name, entry) for name, entry in entries.items()]
        own, _ = parts.stream("camera-0", entries["camera-0"])
        running = [asyncio.create_task(sub.run(lambda _: None)) for sub in subs if sub is not None]
        try:
            await until(lambda: asked == AT_ONCE)
            running.append(asyncio.create_task(own.run(lambda _: None)))
            await until(lambda: asked > AT_ONCE or given_up)
            assert given_up == 0
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
