"""streamer.rtp: packets that come together are taken together, and give what they give one by one."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.rtp.assembler import Assembler
from streamer.rtp.codecs import CODECS
from streamer.rtp.packet import Malformed, read_packet
from streamer.rtp.payload import never
from streamer.rtp.picture import Picture
from streamer.rtp.reports import Reception
from tests.peers.rtp_packetizer import Sender, encoded, h264_payloads, h265_payloads, units_of

Kind = Literal["drop", "repeat", "swap", "flip", "cut"]
Spoilt = Sequence[tuple[int, Kind, int]]
MTU = 60
CUT: dict[str, tuple[Literal["libx264", "libx265"], Callable[..., list[bytes]]]] = {
    "H264": ("libx264", h264_payloads),
    "H265": ("libx265", h265_payloads),
}


def datagrams(codec: str, spoilt: Spoilt = ()) -> list[bytes]:
    """A moving picture's, with something done to some of them."""
    encoder, cut = CUT[codec]
    sent = Sender(first=65_500).send([cut(units_of(data), "fragments", MTU) for data in encoded(encoder)])
    for at, kind, number in spoilt:
        at %= len(sent)
        if kind == "drop":
            del sent[at]
        elif kind == "repeat":
            sent.insert(at, sent[at])
        elif kind == "swap":
            other = (at + 1 + number % 5) % len(sent)
            sent[at], sent[other] = sent[other], sent[at]
        elif kind == "flip":
            place = number % min(18, len(sent[at]))  # of one that was cut, or whose picture hardly changed
            sent[at] = sent[at][:place] + bytes((sent[at][place] ^ 1 << number % 8,)) + sent[at][place + 1 :]
        else:
            sent[at] = sent[at][: 12 + number % 6]
    return sent


def taken(
    codec: str, runs: Sequence[list[bytes]], *, together: bool, **of: Any
) -> tuple[list[Picture], dict[str, Any]]:
    """The pictures of runs of datagrams, and what is known of their sender then."""
    assembler, reception, found = Assembler(**of), Reception(), list[Picture]()
    read, continues = CODECS[codec].depacketizer({}), CODECS[codec].continues if together else never
    for number, run in enumerate(runs):
        at, now = 0, number * 0.02
        found += assembler.tick(now)
        while at < len(run):
            went_on = assembler.go_on(run, at, continues, now)
            if went_on is not None:
                count, last = went_on
                reception.take_run(last, count, now)
                at += count
                continue
            at += 1
            try:
                packet = read_packet(run[at - 1])
                reception.take(packet, now)
                found += assembler.put(packet, read(packet.payload), now)
            except Malformed:
                continue
    numbers = vars(reception) | {"_jitter": pytest.approx(reception._jitter)}
    known = (assembler.lost, assembler.lost_packets, assembler.too_large, assembler.numbered, assembler.marker_habit)
    return found, numbers | {"known": known, "missing": assembler.missing()}


@pytest.mark.parametrize("codec", CUT)
@given(
    spoilt=st.lists(
        st.tuples(
            st.integers(0, 2000), st.sampled_from(["drop", "repeat", "swap", "flip", "cut"]), st.integers(0, 255)
        ),
        max_size=6,
    ),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    patience=st.sampled_from([0.0, 0.1]),
    max_bytes=st.sampled_from([1500, 16 << 20]),
)
@settings(max_examples=60, deadline=None)
def test_a_run_gives_what_its_packets_give(
    codec: str, spoilt: Spoilt, sizes: list[int], patience: float, max_bytes: int
) -> None:
    """Whatever is lost, late, doubled, damaged or too large: pictures, losses and reports are the same."""
    sent, runs = datagrams(codec, spoilt), list[list[bytes]]()
    while sent:
        size = sizes[len(runs) % len(sizes)]
        runs.append(sent[:size])
        sent = sent[size:]
    of = {"patience": patience, "max_bytes": max_bytes, "trusts_marker": False}
    assert taken(codec, runs, together=True, **of) == taken(codec, runs, together=False, **of)


@pytest.mark.parametrize("codec", CUT)
def test_what_only_goes_on_is_taken_in_runs(codec: str) -> None:
    """Of a slice in many fragments those between the first and the last never cost as much as a packet by itself."""
    sent = datagrams(codec)
    assembler, read, continues = Assembler(), CODECS[codec].depacketizer({}), CODECS[codec].continues
    go_on = sum(continues(each, 12) > 0 and not each[1] & 0x80 for each in sent)
    together = at = 0
    while at < len(sent):
        went_on = assembler.go_on(sent, at, continues, 0.0)
        if went_on is None:
            packet = read_packet(sent[at])
            assembler.put(packet, read(packet.payload), 0.0)
        together += 0 if went_on is None else went_on[0]
        at += 1 if went_on is None else went_on[0]
    assert together == go_on > 0
