"""streamer.source.dialler: the addresses of one host, tried in turn."""

import errno
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from streamer.source.allowed_destinations import AllowedDestinations
from streamer.source.dialler import Dialler
from streamer.source.target import Target
from tests.peers.clip import make_clip
from tests.peers.clock import FakeClock
from tests.peers.process import free_port
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.sending import sending
from tests.peers.watch import run_watch
from tests.peers.web_camera import mjpeg, run_web_camera


def failing(clock: FakeClock, **errors: int) -> Callable[[str, float], str]:
    """Takes three seconds for an address, and gives it, or raises the error it stands for."""

    def opener(address: str, left: float) -> str:
        clock.advance(min(3.0, left))
        if address in errors:
            raise OSError(errors[address], "no")
        return address

    return opener


def test_the_next_address_is_tried_where_one_is_away() -> None:
    """What is not reached at one address is looked for at the next; the one that answers is known."""
    clock = FakeClock()
    addresses = Dialler(["a", "b", "c"], 8.0, clock)
    opener = failing(clock, a=errno.ECONNREFUSED, b=errno.EHOSTUNREACH)
    assert addresses.open(opener) == "c"
    assert addresses.tried == "c"


def test_who_was_reached_and_refuses_is_believed() -> None:
    """An error of somebody who was reached would be the same at his other address."""
    clock = FakeClock()
    with pytest.raises(OSError, match="no") as failed:
        Dialler(["a", "b"], 8.0, clock).open(failing(clock, a=errno.EIO))
    assert failed.value.errno == errno.EIO


def test_all_of_them_take_no_longer_than_one_attempt() -> None:
    """A name with a hundred dead addresses is given up when the attempt's time is over, with the last one's reason."""
    clock = FakeClock()
    began = clock.now
    found = [f"a{index}" for index in range(100)]
    with pytest.raises(OSError, match="no") as failed:
        Dialler(found, 8.0, clock).open(failing(clock, **dict.fromkeys(found, errno.ETIMEDOUT)))
    assert clock.now - began == 8.0
    assert failed.value.errno == errno.ETIMEDOUT


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp", "srt"])
async def test_a_name_with_a_dead_address_opens(numbered_clip: Path, tmp_path: Path, scheme: str) -> None:
    """Of a pinned name with several addresses the one that answers is found, whatever the kind of URL."""
    found = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    policy = AllowedDestinations(None, tuple(map(ip_network, found)), lambda host, port: found)
    clip = make_clip(tmp_path / "clip.mkv", codec="mjpeg", seconds=1)

    async def opens(port: int, path: str) -> None:
        async with run_watch(Target(f"{scheme}://camera.invalid:{port}{path}", destinations=policy)) as watch:
            await watch.more(3)

    if scheme == "rtsp":
        with run_rtsp_server({"/road": numbered_clip}) as server:
            await opens(server.port, "/road")
    elif scheme == "http":
        async with run_web_camera(("/road", mjpeg(clip))) as web:
            await opens(int(web.rpartition(":")[2]), "/road")
    else:
        port = free_port()
        how = ("-f", "flv", "-listen", "1") if scheme == "rtmp" else ("-f", "mpegts")
        path = "/live/road" if scheme == "rtmp" else "?mode=listener"
        async with sending(*how, f"{scheme}://127.0.0.1:{port}{path}", clip=numbered_clip):
            await opens(port, path.removesuffix("?mode=listener"))
