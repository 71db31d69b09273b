"""streamer.source.container: since when a packet has been here."""

from collections.abc import Iterator
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import av
import pytest

from streamer.source import protocol as protocols
from streamer.source.container import Contained
from streamer.source.protocol import SOCKET_TIMEOUT, Protocol
from tests.peers.clock import FakeClock

TIME_BASE = Fraction(1, 90_000)
FRAME = 1 / 30


class FakeContainer:
    """Stands in for PyAV's: packets that come each so many seconds after they are asked for."""

    def __init__(self, clock: FakeClock, packets: list[tuple[float, float]]) -> None:
        self._clock, self._packets = clock, packets

    streams = SimpleNamespace(video=[SimpleNamespace(time_base=TIME_BASE)])

    def demux(self, _: object) -> Iterator[Any]:
        """Each with its own time in seconds."""
        for seconds, time in self._packets:
            self._clock.advance(seconds)
            yield SimpleNamespace(pts=round(time / TIME_BASE), size=1, has_sidedata=lambda _: False)


def since(clock: FakeClock, protocol: Protocol, packets: list[tuple[float, float]]) -> list[float]:
    """Since when each packet has been here, counted from the first's being asked for."""
    began = clock.now
    container = cast("av.container.InputContainer", FakeContainer(clock, packets))
    return [unit.since - began for unit in Contained(container, protocol, clock=clock).units()]


@pytest.mark.parametrize("before", [0, 1, 30])
def test_what_a_timeout_hands_over_was_here_before(before: int) -> None:
    """The packet that FFmpeg's RTSP gives at its first timeout counts from when it was asked for, were it the first.

    Otherwise a camera that falls silent would be noticed later by that timeout.
    """
    packets = [(FRAME, FRAME * number) for number in range(before)]
    last = (SOCKET_TIMEOUT, FRAME * before)
    assert since(FakeClock(), protocols.RTSP_LISTEN, [*packets, last])[-1] == pytest.approx(FRAME * before)


def test_what_a_slow_camera_sends_has_just_come() -> None:
    """A packet that is further from the one before than FFmpeg's timeout comes when it comes: that is no silence."""
    packets = [(0.0, 0.0), (2.5, 2.5), (2.5, 5.0)]
    assert since(FakeClock(), protocols.RTSP_LISTEN, packets) == pytest.approx([0.0, 2.5, 5.0])


@pytest.mark.parametrize("protocol", [protocols.MPEG_TS, protocols.MULTIPART_JPEG, protocols.RTMP, protocols.FLV])
def test_others_hold_nothing_back(protocol: Protocol) -> None:
    """What comes by another protocol has just come, however long it was waited for."""
    assert since(FakeClock(), protocol, [(FRAME, 0.0), (SOCKET_TIMEOUT, FRAME)])[-1] == pytest.approx(2.0 + FRAME)
