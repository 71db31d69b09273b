"""streamer.rtp.leading: what is shown before the picture with which decoding began, and needs others, is dropped."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.rtp.assembler import Assembler
from streamer.rtp.codecs import CODECS
from streamer.rtp.leading import FURTHEST, MOST
from streamer.rtp.packet import Packet, read_packet
from streamer.rtp.payload import Entry, Payload
from streamer.rtp.picture import Picture
from tests.peers.rtp_packetizer import h264_payloads, h265_payloads, rtp, scene, units_of

TICKS = 3600
OPEN_GOPS = {
    "H264": ("libx264", {"x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3:repeat-headers=1"}),
    "H265": (
        "libx265",
        {
            "x265-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3:repeat-headers=1:log-level=none"
            ":pools=none:frame-threads=1"
        },
    ),
    "MP4V-ES": ("mpeg4", {"bf": "2", "g": "12", "sc_threshold": "1000000000"}),
}
"""Pictures that need a later key picture and an earlier one, by every codec read here that has them."""

Coded = tuple[int, bytes]
"""A picture's number, in the order in which it is shown, and its access unit."""


@cache
def coded(codec: str, count: int = 30) -> tuple[Coded, ...]:
    """Pictures of a moving scene, in the order in which they are sent."""
    encoder, options = OPEN_GOPS[codec]
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 192, 160, "yuv420p"
    context.framerate, context.time_base = Fraction(25), Fraction(1, 25)
    context.thread_count, context.options = 1, options
    packets = [packet for index in range(count) for packet in context.encode(scene(index))]
    return tuple((packet.pts or 0, bytes(packet)) for packet in (*packets, *context.encode(None)))


def datagrams(codec: str, base: int = 0) -> list[list[bytes]]:
    """Each picture's, in the order in which they are sent."""
    sent: list[list[bytes]] = []
    sequence = 0
    for number, unit in coded(codec):
        if codec == "MP4V-ES":
            payloads = [unit[at : at + 400] for at in range(0, len(unit), 400)]
        else:
            payloads = (h264_payloads if codec == "H264" else h265_payloads)(units_of(unit), "fragments", 400)
        marks = [at == len(payloads) - 1 for at in range(len(payloads))]
        numbered = zip(payloads, marks, range(sequence, sequence + len(payloads)), strict=True)
        sent.append([rtp(payload, at, base + number * TICKS, marker=marked) for payload, marked, at in numbered])
        sequence += len(payloads)
    return sent


def assembled(codec: str, sent: Iterable[Sequence[bytes]]) -> tuple[list[Picture], Assembler]:
    """What comes out of what was not lost."""
    read = CODECS[codec].depacketizer({})
    assembler, found = Assembler(patience=0), list[Picture]()
    for at, picture in enumerate(sent):
        for datagram in picture:
            packet = read_packet(datagram)
            found += assembler.put(packet, read(packet.payload), at / 25)
    return found, assembler


def shown(codec: str, pictures: Sequence[tuple[int, bytes]]) -> Mapping[int, NDArray[Any]]:
    """Decoded pictures by their number."""
    context = av.CodecContext.create(CODECS[codec].decoder, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    frames = []
    for number, data in pictures:
        packet = av.Packet(data)
        packet.pts, packet.time_base = number, Fraction(1, 25)
        frames += context.decode(packet)
    frames += context.decode(None)
    return {frame.pts or 0: frame.to_ndarray(format="gray8") for frame in frames}


def keys(codec: str) -> list[int]:
    """Which of the pictures, in the order in which they are sent, one can begin with."""
    found, _ = assembled(codec, datagrams(codec))
    return [at for at, picture in enumerate(found) if picture.is_keyframe]


@pytest.mark.parametrize("lost", ["the beginning", "one picture"])
@pytest.mark.parametrize("codec", OPEN_GOPS)
def test_every_picture_that_is_shown_is_the_right_one(codec: str, lost: str) -> None:
    """Begun or gone on at an open group of pictures, all that is decoded is what it is where nothing was lost."""
    whole = shown(codec, coded(codec))
    key = next(at for at in keys(codec)[1:] if coded(codec)[at + 1][0] < coded(codec)[at][0])
    sent = datagrams(codec)
    left = sent[key:] if lost == "the beginning" else sent[: key - 6] + sent[key - 5 :]
    found, assembler = assembled(codec, left)
    first = min(number for number, _ in coded(codec)) * TICKS
    pictures = [(round((picture.pts * 90_000 - first) / TICKS) + first // TICKS, picture.data) for picture in found]
    after = {number for number, _ in pictures if number >= coded(codec)[key][0]}
    assert after == {number for number, _ in coded(codec)[key:] if number >= coded(codec)[key][0]}
    decoded = shown(codec, pictures)
    assert len(decoded) > 12
    wrong = [number for number, picture in decoded.items() if not np.array_equal(picture, whole[number])]
    assert (wrong, assembler.led > 0) == ([], True)


@pytest.mark.parametrize("codec", OPEN_GOPS)
def test_nothing_is_dropped_where_nothing_was_lost(codec: str) -> None:
    """Pictures that lead a key picture in the middle have what they need; a clock that wraps changes nothing."""
    for base in (0, (1 << 32) - 15 * TICKS):
        found, assembler = assembled(codec, datagrams(codec, base))
        assert (len(found), assembler.led) == (len(coded(codec)), 0)


def put(assembler: Assembler, *pictures: tuple[int, Payload]) -> list[bytes]:
    """Pictures of one packet each, with their times."""
    found: list[Picture] = []
    for sequence, (time, payload) in enumerate(pictures):
        found += assembler.put(Packet(96, True, sequence, time % (1 << 32), 1, b""), payload, 0.0)
    return [picture.data for picture in found]


KEY = Payload(b"key", opens=True, entry=Entry.KEY, parameter_sets=True)


def other(name: bytes, *, leads: bool | None = None) -> Payload:
    """A picture that needs others."""
    return Payload(name, opens=True, leads=leads)


def test_h265_says_which_lead() -> None:
    """What its kind says needs nothing before the key picture is shown, though its time goes back; the other is not."""
    behind = [other(b"needs", leads=True), other(b"free", leads=False), other(b"next")]
    times = [10_000, 4_000, 7_000, 20_000]
    assert put(Assembler(), *zip(times, [KEY, *behind], strict=True)) == [b"key", b"free", b"next"]


def test_a_second_field_is_no_later_picture() -> None:
    """A field pair has one time: behind it what is shown before it is still dropped."""
    sent = [(10_000, KEY), (10_000, other(b"field")), (7_000, other(b"needs")), (13_000, other(b"next"))]
    assert put(Assembler(), *sent) == [b"key", b"field", b"next"]


def test_a_second_key_picture_ends_it() -> None:
    """What leads a later key picture may need the first, which is here."""
    sent = [(10_000, KEY), (50_000, KEY), (40_000, other(b"needs", leads=True)), (45_000, other(b"old"))]
    assert put(Assembler(), *sent) == [b"key", b"key", b"needs", b"old"]


def test_a_clock_that_goes_back_is_no_leading_picture() -> None:
    """A time far back, or going back for longer than a decoder can hold pictures, is a clock that was set."""
    far = [(10_000, KEY), *((10_000 - (FURTHEST * 90_000 + 1) + at, other(b"x")) for at in range(4))]
    assert len(put(Assembler(), *far)) == 5
    near = [(90_000, KEY), *((10_000 + 10 * at, other(b"x")) for at in range(MOST + 4))]
    assert len(put(Assembler(), *near)) == 5
