"""streamer.app: a service behind its port."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from streamer import app, config
from streamer.access.accounts import User
from streamer.access.action import Role
from streamer.access.store import Store
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


@pytest.mark.parametrize(
    ("host", "access", "users", "opens"),
    [
        ("0.0.0.0", None, False, False),
        ("::", None, False, False),
        ("127.0.0.1", None, False, True),
        ("localhost", None, False, True),
        ("0.0.0.0", None, True, True),
        ("0.0.0.0", {}, False, True),
        ("0.0.0.0", {"anonymous": ["view"]}, False, True),
    ],
)
async def test_a_port_that_others_reach_is_opened_on_purpose(
    host: str, access: dict[str, object] | None, users: bool, opens: bool, tmp_path: Path
) -> None:
    """Beyond loopback nothing starts without users and without a section `access`; the sentence has both ways on."""
    settings = config.parse(
        {
            "server": {"host": host, "port": 0},
            "serving": {"address": f"127.0.0.1:{free_port()}"},
            **({} if access is None else {"access": access}),
        }
    )
    if users:
        Store(tmp_path / "sightline.access.json").change_now(lambda each: each.with_user(User("anna", Role.ADMIN)))
    serving = serve(settings, tmp_path / "sightline.yaml", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    if opens:
        await serving
        return
    with pytest.raises(ConfigError) as refused:
        await serving
    sentence = str(refused.value)
    assert sentence.startswith(f"server.host is {host}, and whoever reaches it would see and change everything: ")
    assert "`sightline user add NAME --role admin`" in sentence
    assert "`access: {anonymous: [view]}`" in sentence


async def test_a_broken_file_of_users_is_no_start(tmp_path: Path) -> None:
    """Also on loopback: a file that cannot be understood must not open the door."""
    (tmp_path / "sightline.access.json").write_text('{"version": 1, "users": [')
    settings = config.parse({"server": {"port": 0}, "serving": {"address": f"127.0.0.1:{free_port()}"}})
    with pytest.raises(
        ConfigError, match=r"sightline\.access\.json: it is not JSON; nobody could be told who may come"
    ):
        await serve(settings, tmp_path / "sightline.yaml", lambda _: None)


SLOW = (
    b"",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-",
    b"GET /api/detections HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /whip/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nContent-Length: 500\r\n\r\nv=0",
    b"GET /web/viewer.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500,
)


async def test_who_is_slow_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that do not come, answers that are not taken and events without an end are all ended at once."""
    monkeypatch.setattr(app, "SHUTDOWN_TIMEOUT", 600.0)
    port = free_port()
    settings = config.parse({"server": {"port": port}, "serving": {"address": f"127.0.0.1:{free_port()}"}})
    opened = asyncio.Event()
    serving = asyncio.create_task(serve(settings, tmp_path / "sightline.yaml", lambda _: opened.set()))
    await opened.wait()
    peers = [await asyncio.open_connection("127.0.0.1", port) for _ in SLOW for _ in range(3)]
    for (_, writer), data in zip(peers, 3 * SLOW, strict=True):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(data)
    await asyncio.sleep(0.2)  # for as much of it as may to arrive: none of it shows from outside
    os.kill(os.getpid(), signal.SIGTERM)
    await serving
    for _, writer in peers:
        writer.transport.abort()
