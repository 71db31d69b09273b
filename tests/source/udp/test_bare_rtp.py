"""streamer.source.udp.bare_rtp: RTP without a description, through the same assembler as RTSP's."""

from collections.abc import Iterator, Sequence
from itertools import islice

import pytest

from streamer.rtp.assembler import STRANGER_AFTER
from streamer.source.opened import Unit
from streamer.source.rtsp.playing import Playing
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.source.udp.bare_rtp import BareRtp
from streamer.source.udp.sender import Sender
from streamer.values.errors import SourceError
from tests.peers.clock import FakeClock
from tests.peers.rtp_packetizer import Sender as Packetizer
from tests.peers.rtp_packetizer import encoded, h264_payloads, units_of
from tests.source.udp.test_form import h264, h265, retyped
from tests.source.udp.test_sender import run_sender


def renewed(datagrams: Sequence[bytes], ssrc: int) -> list[bytes]:
    """The same of another source."""
    return [data[:8] + ssrc.to_bytes(4) + data[12:] for data in datagrams]


def played(sender: Sender, clock: FakeClock) -> Iterator[Unit]:
    """Its pictures, once it is recognised."""
    form = sender.recognise()
    assert form.payload_type is not None
    bare = BareRtp(sender, form, form.payload_type, clock)
    return (unit for unit in Playing(bare, Target("udp://127.0.0.1:1"), clock).units() if unit.packet)


def sizes(units: Iterator[Unit], count: int) -> list[bool]:
    """Of so many pictures, whether each is a key picture."""
    return [unit.packet is not None and unit.packet.is_keyframe for unit in islice(units, count)]


def test_pictures_come_whole_from_the_first_on() -> None:
    """Nothing is lost to finding out what it is; packets may overtake each other."""
    sent = h264()
    sent[8], sent[9] = sent[9], sent[8]
    with run_sender(1, clock := FakeClock()) as (sender, (camera,)):
        camera.send(*sent)
        assert sizes(played(sender, clock), 11) == [index % 5 == 0 for index in range(11)]


def test_a_sender_that_starts_anew_goes_on() -> None:
    """After a silence another source of the same kind is played, from its first packet on."""
    with run_sender(2, clock := FakeClock()) as (sender, (camera, again)):
        camera.send(*h264())
        units = played(sender, clock)
        assert sizes(units, 12)[0]
        clock.advance(STRANGER_AFTER)
        again.send(*renewed(h264(), 99))
        assert sizes(units, 10) == [index % 5 == 0 for index in range(10)]


def test_a_sender_that_goes_on_with_something_else_is_looked_at_anew() -> None:
    """Another codec after a silence ends the stream, which begins again at once, and not in five seconds."""
    with run_sender(2, clock := FakeClock()) as (sender, (camera, again)):
        camera.send(*h264())
        units = played(sender, clock)
        sizes(units, 11)
        clock.advance(STRANGER_AFTER)
        again.send(*renewed(h265(), 99))
        with pytest.raises(SourceError) as error:
            list(units)
    assert error.value.kind == "ended"


def test_sound_beside_it_is_passed_over() -> None:
    """Another source, or payload type, that comes at the same time is not the camera's picture."""
    sound = renewed(retyped(h264(), 8), 5)
    with run_sender(1, clock := FakeClock()) as (sender, (camera,)):
        camera.send(*(data for pair in zip(h264(), sound, strict=True) for data in pair))
        assert sizes(played(sender, clock), 11) == [index % 5 == 0 for index in range(11)]


def test_pictures_that_cannot_be_decoded_are_explained() -> None:
    """Where parameter sets are in no packet, as in no description, that is said, and what sends them."""
    bare = [[unit for unit in units_of(each) if unit[0] & 31 not in (7, 8)] for each in encoded("libx264")]
    with run_sender(1, clock := FakeClock()) as (sender, (camera,)):
        camera.send(*Packetizer().send(h264_payloads(units, "fragments", 400) for units in bare))
        with pytest.raises(SourceError, match="repeat-headers=1") as error:
            list(played(sender, clock))
    assert error.value.kind == "codec"


def test_it_is_ended_from_outside() -> None:
    """Whoever reads is told to end, and does."""
    stop = Stop()
    with run_sender(1, clock := FakeClock(), stop) as (sender, (camera,)):
        camera.send(*h264())
        units = played(sender, clock)
        sizes(units, 5)
        stop.set()
        list(units)
