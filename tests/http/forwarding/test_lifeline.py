"""streamer.http.forwarding.lifeline: what replicas say to each other ends where the other machine has vanished."""

import socket
import sys

import pytest

from streamer.http.forwarding.lifeline import OPTIONS, SILENCE, lifeline
from tests.http.replicas import run_two


async def test_what_is_read_of_another_replica_has_an_end_by_silence() -> None:
    """The system asks whether the other machine is there on each connection to a replica."""
    async with run_two() as two:
        [there] = two.here.neighbours.whereabouts.others()
        async with two.here.neighbours.get(there, "/streams/b.mjpeg") as answer:
            assert answer.connection is not None
            assert answer.connection.transport is not None
            used: socket.socket = answer.connection.transport.get_extra_info("socket")
            assert used.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            known = {name: value for name, value in OPTIONS.items() if hasattr(socket, name)}
            assert {name: used.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in known} == known


@pytest.mark.skipif(sys.platform != "linux", reason="options of Linux")
def test_it_is_asked_often_enough_to_be_sure_within_the_time() -> None:
    """Whatever is under way or not: after as many seconds of silence no connection is left."""
    with lifeline((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))) as made:

        def of(option: int) -> int:
            return made.getsockopt(socket.IPPROTO_TCP, option)

        asked = of(socket.TCP_KEEPIDLE) + of(socket.TCP_KEEPINTVL) * of(socket.TCP_KEEPCNT)
        assert asked == of(socket.TCP_USER_TIMEOUT) / 1000 == SILENCE


def test_a_system_without_some_option_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a socket all the same."""
    for name in OPTIONS:
        monkeypatch.delattr(socket, name, raising=False)
    with lifeline((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
