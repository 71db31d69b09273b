"""streamer.doctor.watch: what is noted of what comes."""

from collections.abc import Iterator

import pytest

from streamer.doctor.observation import Observation
from streamer.doctor.watch import watch
from streamer.source.kinds import open_target
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.errors import SourceError
from tests.peers.clock import FakeClock
from tests.peers.rtp_packetizer import Sender, annex_b, encoded, h264_payloads, units_of
from tests.peers.rtsp_camera import chunk, run_rtsp_camera


def test_the_first_picture_is_the_first_that_a_stream_shows() -> None:
    """Of a camera that refreshes its pictures bit by bit the first whole one is shown, and none counts as damaged."""
    refresh = encoded("libx264", ":intra-refresh=1", count=40)
    joined = [annex_b(unit for unit in units_of(data) if unit[0] & 31 != 5) for data in refresh[1:]]

    def play() -> Iterator[bytes]:
        for packet in Sender().send(h264_payloads(units_of(data), "fragments", 400) for data in joined):
            yield chunk(0, packet)
        yield b""

    clock = FakeClock()
    seen = Observation(clock())
    with run_rtsp_camera(play=play) as camera:
        with open_target(Target(camera.url()), Stop()) as opened:
            units = [unit for unit in opened.units() if unit.packet is not None and unit.packet.size]
        with pytest.raises(SourceError, match="ended the stream"):
            watch(Target(camera.url()), seen, Stop(), until=clock() + 8, clock=clock, wall=lambda: 0.0)
    whole = [unit.packet.pts for unit in units if unit.packet is not None and unit.is_whole]
    assert not units[0].is_whole
    assert seen.picture is not None
    assert (seen.picture.pts, seen.damaged) == (whole[0], 0)
    assert seen.pictures > len(whole)
