"""streamer.control.targets: what is said of a stream before it is opened."""

import asyncio
import socket
import threading

import pytest

from streamer import config
from streamer.control.targets import judge


async def test_a_silent_name_server_holds_up_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """While many streams wait for their hosts' addresses, what else needs a thread for a moment gets one."""
    answered = threading.Event()

    def silent(*_: object, **__: object) -> list[object]:
        answered.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    stream = config.parse_stream("a", {"url": "rtsp://camera.example/"})
    judging = [asyncio.create_task(judge(stream, config.ApiStreamsSettings())) for _ in range(64)]
    try:
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await asyncio.to_thread(lambda: None)
        assert not any(task.done() for task in judging)
    finally:
        answered.set()
        await asyncio.gather(*judging)
