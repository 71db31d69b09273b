"""streamer.rtp.marker: a sender's habit is found out, told, and found out again when it changes."""

from collections.abc import Sequence

import pytest

from streamer.rtp.assembler import Assembler
from streamer.rtp.h264 import read_h264
from streamer.rtp.marker import MarkerHabit
from streamer.rtp.packet import read_packet
from tests.peers.rtp_packetizer import Markers, Mode, Sender, annex_b, encoded, h264_payloads, units_of

UNITS = encoded("libx264", ":slices=4:sliced-threads=0")


def feed(assembler: Assembler, datagrams: Sequence[bytes]) -> list[bytes]:
    """The pictures' data."""
    found = []
    for datagram in datagrams:
        packet = read_packet(datagram)
        found += [picture.data for picture in assembler.put(packet, read_h264(packet.payload), 0.0)]
    return found


def cut(units: Sequence[bytes], mode: Mode = "fragments") -> list[list[bytes]]:
    """Payloads of access units."""
    return [h264_payloads(units_of(unit), mode, 200) for unit in units]


@pytest.mark.parametrize("markers", ["normal", "never", "always"])
def test_a_habit_is_told_within_a_second(markers: Markers) -> None:
    """A few pictures, less than a second at five a second, show when a sender sets the marker."""
    assembler = Assembler(patience=0, trusts_marker=False)
    feed(assembler, Sender(markers).send(cut(UNITS[:4])))
    expected: MarkerHabit = markers
    assert assembler.marker_habit == expected


def mark_units(datagram: bytes) -> bytes:
    """The marker on the last packet of each NAL unit."""
    ends = datagram[12] & 31 != 28 or datagram[13] & 0x40
    return datagram[:1] + bytes((datagram[1] | (0x80 if ends else 0),)) + datagram[2:]


def test_a_marker_behind_each_slice_ends_no_picture() -> None:
    """The first picture is held until the next packet shows that it goes on; none comes out in parts."""
    assembler = Assembler(patience=0, trusts_marker=False)
    found = feed(assembler, [mark_units(datagram) for datagram in Sender("never").send(cut(UNITS))])
    assert assembler.marker_habit == "always"
    assert found == [annex_b(units_of(unit)) for unit in UNITS[:-1]]


def test_a_picture_that_goes_on_behind_its_end_costs_what_follows() -> None:
    """Where a marker was believed and the picture went on, nothing comes out until the next key picture."""
    assembler = Assembler(patience=0)
    orderly = Sender().send(cut(UNITS[:2]))
    rest = Sender(first=len(orderly), began=2 * 3600).send(cut(UNITS[2:]))
    found = feed(assembler, [*orderly, *(mark_units(datagram) for datagram in rest)])
    wholes = [annex_b(units_of(unit)) for unit in UNITS]
    assert found[:2] == wholes[:2]
    assert found[3:] == wholes[5:-1]


def test_pictures_of_one_packet_are_held_until_they_are_known() -> None:
    """A marker on a picture's only packet says nothing at first; from the ninth such picture on it is its end."""
    assembler = Assembler(patience=0, trusts_marker=False)
    small = [[payloads[-1]] for payloads in cut([UNITS[0]] * 12, "single")]
    whole_key = [units_of(UNITS[0])[3]]
    datagrams = Sender().send([whole_key, *small])
    counts = [len(feed(assembler, [datagram])) for datagram in datagrams]
    assert counts[0] == 0
    assert counts[-1] == 1


def test_a_habit_that_becomes_orderly_is_believed_again() -> None:
    """A sender that marks ends again is no longer waited for."""
    assembler = Assembler(patience=0)
    always = Sender("always").send(cut(UNITS))
    feed(assembler, always)
    habits = [assembler.marker_habit]
    orderly = Sender(first=len(always), began=99 * 3600).send(cut([*UNITS, *UNITS]))
    found = feed(assembler, orderly)
    assert [*habits, assembler.marker_habit] == ["always", "normal"]
    assert found[-1] == annex_b(units_of(UNITS[-1]))
