"""streamer.rtp.reports: RTCP as aiortc writes and reads it."""

import pytest
from aiortc.rtp import RtcpByePacket, RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtcpSenderInfo, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.packet import Malformed, read_packet
from streamer.rtp.reports import Bye, Reception, SenderReport, read_reports
from tests.peers.rtp_packetizer import rtp

INFO = RtcpSenderInfo(ntp_timestamp=0xE000_0000_8000_0000, rtp_timestamp=90_000, packet_count=3, octet_count=400)


def test_a_sender_report_and_a_farewell_are_read() -> None:
    """What aiortc writes in one compound packet is read; kinds that nobody asks for are passed over."""
    parts = RtcpSrPacket(ssrc=7, sender_info=INFO), RtcpSdesPacket(), RtcpByePacket(sources=[7, 8])
    report, bye = read_reports(b"".join(bytes(part) for part in parts))
    assert report == SenderReport(7, 0xE000_0000_8000_0000, 90_000, 3, 400)
    assert isinstance(report, SenderReport)
    assert report.wall == 0xE000_0000 + 0.5 - 2_208_988_800
    assert bye == Bye((7, 8), "")


def test_a_farewell_has_its_reason() -> None:
    """A reason after the sources is read."""
    assert read_reports(b"\x81\xcb\0\3\0\0\0\7\4over\0\0\0") == [Bye((7,), "over")]


def test_what_was_received_is_reported() -> None:
    """aiortc reads our report: what was lost, up to which number, and how long ago the sender reported."""
    reception = Reception()
    for number in (0xFFFE, 0xFFFF, 0, 3):
        reception.take(read_packet(rtp(b"", number, 3000)), 1.0)
    reception.take_report(SenderReport(7, INFO.ntp_timestamp, 90_000, 3, 400), 1.0)
    report, description = RtcpPacket.parse(reception.write(9, 1.5))
    assert isinstance(report, RtcpRrPacket)
    assert isinstance(description, RtcpSdesPacket)
    [block] = report.reports
    assert (report.ssrc, block.ssrc, block.packets_lost, block.fraction_lost) == (9, 7, 2, 2 * 256 // 6)
    assert (block.highest_sequence, block.lsr, block.dlsr) == (0x1_0003, 0x0000_8000, 32_768)


def test_a_report_before_anything_came_has_no_block() -> None:
    """A receiver that has received nothing says that it is there."""
    report, _ = RtcpPacket.parse(Reception().write(9, 0.0))
    assert isinstance(report, RtcpRrPacket)
    assert report.reports == []


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"\x81\xc8\0\6" + tail))
def test_noise_is_refused(data: bytes) -> None:
    """Whatever bytes come, only what is declared is raised."""
    try:
        read_reports(data)
    except Malformed:
        return


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF), st.integers(0, 3)), max_size=30))
def test_any_reception_can_be_reported(packets: list[tuple[int, int, int]]) -> None:
    """Whatever numbers and times came, from whichever source, the report can be written and read."""
    reception = Reception()
    for at, (number, time, ssrc) in enumerate(packets):
        reception.take(read_packet(rtp(b"", number, time, ssrc=ssrc)), at * 1e4)
    assert len(RtcpPacket.parse(reception.write(9, 1e6))) == 2


def test_a_report_longer_than_its_packet_is_refused() -> None:
    """A length that leads out of the packet is no report."""
    with pytest.raises(Malformed, match="shorter than its parts"):
        read_reports(b"\x80\xc8\0\6" + bytes(20))
