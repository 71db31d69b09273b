"""streamer.control.targets: what is said of a stream before it is opened."""

import asyncio
import socket
import subprocess
import sys
import threading

import pytest

from streamer import config
from streamer.control.targets import judge, target_of


@pytest.mark.parametrize(
    ("record", "asked"),
    [
        ("continuous", False),
        ({"mode": "off", "sound": True}, False),
        ({"mode": "events", "sound": True}, True),
        ({"mode": "continuous", "sound": True}, True),
    ],
)
def test_sound_is_asked_for_where_it_is_recorded(record: object, asked: bool) -> None:
    """A camera's sound is its own affair otherwise; of a stream that the API added too."""
    stream = config.parse_stream("a", {"url": "rtsp://camera.example/", "record": record})
    assert target_of(stream).sound is asked
    assert target_of(stream, config.ApiStreamsSettings()).sound is asked


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


def test_a_silent_name_server_does_not_hold_up_the_exit() -> None:
    """A process that is asking where a new stream's host is ends at once; and to have read this file began nothing."""
    program = (
        "import asyncio, socket, threading\n"
        "from streamer import config\n"
        "from streamer.control.targets import judge\n"
        "assert threading.active_count() == 1\n"
        "asked = threading.Event()\n"
        "socket.getaddrinfo = lambda *_, **__: (asked.set(), threading.Event().wait())\n"
        "async def main():\n"
        "    stream = config.parse_stream('a', {'url': 'rtsp://camera.example/'})\n"
        "    judging = asyncio.create_task(judge(stream, config.ApiStreamsSettings()))\n"
        "    while not asked.is_set():\n"
        "        await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
