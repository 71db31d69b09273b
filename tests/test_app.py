"""streamer.app: a service behind its port."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from streamer import config
from streamer.app import serve
from streamer.values.errors import ConfigError
from tests.peers.process import free_port
from tests.peers.threads import own_threads
from tests.peers.until import until


async def test_a_port_that_cannot_be_had_leaves_nothing_behind(tmp_path: Path) -> None:
    """The start is refused in a sentence; no task, no thread, and no signal is taken any more."""
    tasks, threads = asyncio.all_tasks(), own_threads()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = config.parse(
            {
                "server": {"port": port},
                "serving": {"address": f"127.0.0.1:{free_port()}"},
                "streams": {"a": {"url": f"rtsp://127.0.0.1:{free_port()}/x"}},
            }
        )
        with pytest.raises(ConfigError, match=rf"server: cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            await serve(settings, tmp_path / "sightline.yaml", lambda _: None)
    loop = asyncio.get_running_loop()
    assert not any(loop.remove_signal_handler(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    await until(lambda: asyncio.all_tasks() <= tasks and own_threads() <= threads)
