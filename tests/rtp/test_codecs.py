"""streamer.rtp.codecs: real access units, cut in every way that senders do, come out as they went in."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.assembler import Assembler
from streamer.rtp.codecs import CODECS
from streamer.rtp.packet import Malformed, read_packet
from streamer.rtp.picture import Picture
from tests.peers.rtp_packetizer import (
    Markers,
    Mode,
    Sender,
    annex_b,
    encoded,
    h264_payloads,
    h265_payloads,
    jpeg_payloads,
    jpegs,
    quantization,
    units_of,
)

MARKERS: st.SearchStrategy[Markers] = st.sampled_from(["normal", "never", "always"])
MODES: st.SearchStrategy[Mode] = st.sampled_from(["single", "fragments", "aggregates"])
MTU = st.integers(40, 1500)
SLICES = ":slices=4:sliced-threads=0"


def assemble(
    codec: str, datagrams: Sequence[bytes], fmtp: Mapping[str, str] | None = None, *, patience: float = 0
) -> list[Picture]:
    """What comes of datagrams, a millisecond apart; Malformed ones are lost."""
    read = CODECS[codec].depacketizer(fmtp or {})
    assembler = Assembler(patience=patience, trusts_marker=False, ending=CODECS[codec].ending)
    pictures: list[Picture] = []
    for at, datagram in enumerate(datagrams):
        try:
            packet = read_packet(datagram)
            pictures += assembler.put(packet, read(packet.payload), at / 1000)
        except Malformed:
            continue
        pictures += assembler.tick(at / 1000)
    return pictures


def cut_h264(units: Sequence[bytes], mode: Mode, mtu: int) -> list[list[bytes]]:
    """The payloads of access units."""
    return [h264_payloads(units_of(unit), mode, mtu) for unit in units]


def wholes(units: Sequence[bytes]) -> list[bytes]:
    """Access units as they come out."""
    return [annex_b(units_of(unit)) for unit in units]


@given(MODES, MTU, MARKERS, st.booleans(), st.booleans(), st.sampled_from([0, 0xFFF0]))
def test_h264_comes_out_whole(mode: Mode, mtu: int, markers: Markers, aud: bool, slices: bool, first: int) -> None:
    """Every H.264 access unit comes out byte for byte, delimiter, messages and parameter sets included, in any cut."""
    units = encoded("libx264", f":aud={aud:d}" + SLICES * slices)
    sender = Sender(markers, first, 0xFFFF_FF00)
    pictures = assemble("H264", sender.send(cut_h264([*units, units[0]], mode, mtu)))
    found = [picture.data for picture in pictures]
    assert found[: len(units)] == wholes(units)
    assert [picture.is_keyframe for picture in pictures[:12]] == [index % 5 == 0 for index in range(12)]
    steps = [after.pts - before.pts for before, after in pairwise(pictures)]
    assert steps == pytest.approx([0.04] * len(steps))


@given(MODES, MTU, MARKERS, st.booleans(), st.booleans())
def test_h265_comes_out_whole(mode: Mode, mtu: int, markers: Markers, aud: bool, numbered: bool) -> None:
    """Every H.265 access unit comes out byte for byte in any cut, with and without decoding order numbers."""
    units = encoded("libx265", f":aud={aud:d}")
    cut = [h265_payloads(units_of(unit), mode, mtu, numbered=numbered) for unit in (*units, units[0])]
    fmtp = {"sprop-max-don-diff": "1"} if numbered else {}
    pictures = assemble("H265", Sender(markers).send(cut), fmtp)
    assert [picture.data for picture in pictures[: len(units)]] == wholes(units)
    assert [picture.is_keyframe for picture in pictures[:12]] == [index % 5 == 0 for index in range(12)]


@given(st.integers(1, 99), st.sampled_from(["computed", "each", "once"]), st.booleans(), st.booleans(), MTU, MARKERS)
def test_jpeg_comes_out_whole(
    quality: int, tables: Literal["computed", "each", "once"], half: bool, restart: bool, mtu: int, markers: Markers
) -> None:
    """A JPEG picture comes out with the same pixels, whether its tables travel with it, once, or as a number."""
    sent = jpegs(quality, half=half, restart=4 * restart)
    q = {"computed": quality, "each": 255, "once": 200}[tables]
    cut = [jpeg_payloads(p, mtu, q=q, tables=tables == "each" or not index) for index, p in enumerate((*sent, sent[0]))]
    pictures = assemble("JPEG", Sender(markers).send(cut))[: len(sent)]
    assert len(pictures) == len(sent)
    for picture, original in zip(pictures, sent, strict=True):
        assert picture.is_keyframe
        assert quantization(picture.data) == quantization(original)
        assert (_pixels(picture.data) == _pixels(original)).all()


@given(st.data(), MODES, MTU, st.sampled_from(["normal", "never"]), st.sampled_from([0.0, 0.01]))
def test_whatever_is_lost_units_are_whole(
    data: st.DataObject, mode: Mode, mtu: int, markers: Markers, patience: float
) -> None:
    """Loss, disorder and repeats cost pictures, never a slice of one: what comes out was sent, in order, behind a key.

    Heads alone (a delimiter, messages) may be missing where decoding begins: nothing tells that they were there.
    """
    units = encoded("libx264", ":aud=1" + SLICES)
    datagrams = Sender(markers).send(cut_h264(units, mode, mtu))
    order = data.draw(st.lists(st.integers(0, len(datagrams) - 1), max_size=6), "lost")
    swaps = data.draw(st.lists(st.integers(0, len(datagrams) - 2), max_size=6), "swapped")
    twice = data.draw(st.lists(st.integers(0, len(datagrams) - 1), max_size=4), "twice")
    arrived = [(at, datagram) for at, datagram in enumerate(datagrams) for _ in range(1 + (at in twice))]
    for swap in swaps:
        arrived[swap], arrived[swap + 1] = arrived[swap + 1], arrived[swap]
    pictures = assemble("H264", [datagram for at, datagram in arrived if at not in order], patience=patience)
    places = [_place(picture, units) for picture in pictures]
    assert places == sorted(set(places))
    for before, place in zip([None, *places], places, strict=False):
        assert place % 5 == 0 or before == place - 1, "a picture came without the one it needs"


@given(st.sampled_from(sorted(CODECS)), st.lists(st.binary(max_size=40), max_size=30), st.booleans())
def test_noise_is_refused_by_name(codec: str, payloads: list[bytes], patient: bool) -> None:
    """Whatever bytes come, only what is declared is raised."""
    assemble(codec, Sender().send([[payload] for payload in payloads]), patience=0.01 * patient)


@given(st.data(), st.sampled_from(["H264", "H265", "JPEG"]))
def test_mutations_are_survived(data: st.DataObject, codec: str) -> None:
    """Datagrams that are cut short or changed raise only what is declared."""
    cut = {
        "H264": cut_h264(encoded("libx264"), "fragments", 300),
        "H265": [h265_payloads(units_of(unit), "aggregates", 300) for unit in encoded("libx265")],
        "JPEG": [jpeg_payloads(picture, 300, q=255) for picture in jpegs(50)],
    }[codec]
    datagrams = Sender().send(cut)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(datagrams) - 1))
        changed = bytearray(datagrams[at] or b"\0")
        changed[data.draw(st.integers(0, max(0, len(changed) - 1)))] = data.draw(st.integers(0, 255))
        datagrams[at] = bytes(changed[: data.draw(st.integers(0, len(changed)))])
    assemble(codec, datagrams)


def test_what_comes_out_is_decoded() -> None:
    """FFmpeg decodes every unit that comes out, without a complaint."""
    for name, units in (("H264", encoded("libx264")), ("H265", encoded("libx265"))):
        cutter = h264_payloads if name == "H264" else h265_payloads
        pictures = assemble(name, Sender().send([cutter(units_of(unit), "fragments", 200) for unit in units]))
        context = av.CodecContext.create(CODECS[name].decoder, "r")
        assert isinstance(context, av.VideoCodecContext)
        frames = [frame for p in pictures for frame in context.decode(av.Packet(p.data))]
        frames += context.decode(None)
        assert len(frames) == len(units)


def _place(picture: Picture, units: Sequence[bytes]) -> int:
    """Which access unit a picture is."""
    [place] = (at for at, whole in enumerate(wholes(units)) if whole.endswith(picture.data))
    missing = wholes(units)[place].removesuffix(picture.data)
    assert not missing or (picture.is_keyframe and all(unit[0] & 31 > 5 for unit in units_of(missing)))
    return place


def _pixels(picture: bytes) -> cv2.typing.MatLike:
    decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded
