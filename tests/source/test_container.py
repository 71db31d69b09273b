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


@pytest.mark.parametrize("protocol", [protocols.MPEG_TS, protocols.MULTIPART_JPEG, protocols.RTMP, protocols.FLV])
def test_others_hold_nothing_back(protocol: Protocol) -> None:
    """What comes by another protocol has just come, however long it was waited for."""
    assert since(FakeClock(), protocol, [(FRAME, 0.0), (SOCKET_TIMEOUT, FRAME)])[-1] == pytest.approx(2.0 + FRAME)
