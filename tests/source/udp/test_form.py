"""streamer.source.udp.form: what datagrams carry is known by what they show."""

import random
import struct
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.likeness import PACKET
from streamer.source.udp.form import KEPT, OVERHEAD, Form, Look, rtp_payload
from tests.peers.rtp_packetizer import (
    Sender,
    encoded,
    h264_payloads,
    h265_payloads,
    jpeg_payloads,
    jpegs,
    rtp,
    units_of,
)

TS, H264, H265 = Form("MP2T"), Form("H264", 96), Form("H265", 96)


def looked_at(datagrams: Iterable[bytes]) -> Form | None:
    """What is found once it is certain."""
    look = Look()
    return next((form for data in datagrams if (form := look.take(data, 0.0)) is not None), None)


def h264(count: int = 12) -> list[bytes]:
    """Datagrams of a moving scene."""
    return Sender().send(h264_payloads(units_of(unit), "fragments", 400) for unit in encoded("libx264", count=count))


def h265() -> list[bytes]:
    """The same in H.265."""
    return Sender().send(h265_payloads(units_of(unit), "fragments", 400) for unit in encoded("libx265"))


def retyped(datagrams: Iterable[bytes], kind: int) -> list[bytes]:
    """The same with another payload type."""
    return [data[:1] + bytes((data[1] & 0x80 | kind,)) + data[2:] for data in datagrams]


def transport_stream(count: int, stride: int = PACKET) -> bytes:
    """So many packets, of noise that has marks of its own."""
    noise = random.Random(1)
    return b"".join(b"\x47" + noise.randbytes(stride - 1) for _ in range(count))


def cut(data: bytes, size: int) -> list[bytes]:
    """A stream of bytes in datagrams."""
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("kind", [96, 97, 127, 77])
def test_rtp_is_known_by_its_payloads(kind: int) -> None:
    """H.264 and H.265 are told apart whatever their payload type, and though some packets are lost or late."""
    for datagrams, codec in ((h264(), "H264"), (h265(), "H265")):
        sent = retyped(datagrams, kind)
        assert looked_at(sent) == Form(codec, kind)
        assert looked_at(sent[::2]) == Form(codec, kind)
        swapped = [sent[at ^ 1] for at in range(len(sent) & ~1)]
        assert looked_at(swapped) == Form(codec, kind)


def test_slices_alone_tell() -> None:
    """Between key pictures, which may be ten seconds apart, a codec is known as well."""
    long = ":keyint=60:min-keyint=60"
    units = encoded("libx264", long)[1:]
    assert looked_at(Sender().send(h264_payloads(units_of(unit), "fragments", 400) for unit in units)) == H264
    units = encoded("libx265", long)[1:]
    assert looked_at(Sender().send(h265_payloads(units_of(unit), "fragments", 400) for unit in units)) == H265


def test_fixed_payload_types_are_what_they_are() -> None:
    """26 is JPEG, and 33 MPEG-TS, which is MPEG-TS by any number."""
    pictures = Sender().send(jpeg_payloads(picture, 400, q=80) for picture in jpegs(80))
    assert looked_at(retyped(pictures, 26)) == Form("JPEG", 26)
    for kind in (33, 96):
        wrapped = [rtp(transport_stream(7), number, 0, kind=kind) for number in range(3)]
        assert looked_at(wrapped) == TS
        assert rtp_payload(wrapped[0]) == transport_stream(7)


@pytest.mark.parametrize("stride", [PACKET, 192, 204])
@pytest.mark.parametrize("size", [0, 1000, 1316, 1472])
def test_mpeg_ts_is_known_however_it_is_cut(stride: int, size: int) -> None:
    """With times or parity between its packets, a packet a datagram or several, or cut anywhere."""
    assert looked_at(cut(transport_stream(30, stride), size or stride)) == TS


@pytest.mark.parametrize("size", [50, 400, 1316, 60_000])
def test_a_stream_of_nal_units_is_known_however_it_is_cut(size: int) -> None:
    """By its parameter sets and pictures between start codes."""
    assert looked_at(cut(b"".join(encoded("libx264")), size)) == Form("H264")
    assert looked_at(cut(b"".join(encoded("libx265")), size)) == Form("H265")


def test_what_is_slow_is_guessed() -> None:
    """Two packets that go with each other are what they look like, where no more have come in time."""
    look = Look()
    for data in h264()[:2]:
        assert look.take(data, 0.0) is None
    assert look.guess() == Form("H264", 96)


def encrypted() -> list[bytes]:
    noise = random.Random(2)
    return [rtp(noise.randbytes(300), number, 0) for number in range(50)]


@pytest.mark.parametrize(
    ("datagrams", "name"),
    [
        ([rtp(bytes(160), number, number * 160, kind=0) for number in range(9)], "RTP of payload type 0, PCMU"),
        ([rtp(bytes(160), number, number, kind=32) for number in range(9)], "RTP of payload type 32, MPV"),
        (encrypted(), "RTP of payload type 96, in which neither H.264 nor H.265 is recognised"),
        ([b"\x80\0\0\0" + bytes(60)] * 3, "SRT, for which the URL is srt://"),
        ([b"\xfd\x09\0\0\1\1\1\0\0\0" + bytes(11)] * 3, "MAVLink"),
        ([b"\1\2\3\4\5\6\7\10 and more"] * 3, "they begin with 01 02 03 04 05 06 07 08"),
    ],
)
def test_what_is_not_played_is_named(datagrams: Sequence[bytes], name: str) -> None:
    """Datagrams of something else are nothing that is played, and said to be what they are."""
    look = Look()
    assert [look.take(data, 0.0) for data in datagrams] == [None] * len(datagrams)
    assert look.guess() is None
    assert name in look.named()


@pytest.mark.parametrize("seed", range(10))
def test_noise_is_nothing(seed: int) -> None:
    """Random bytes are not taken for anything."""
    noise = random.Random(seed)
    look = Look()
    for _ in range(500):
        assert look.take(noise.randbytes(noise.randint(1, 1400)), 0.0) is None
    assert look.guess() is None


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=30), st.booleans())
def test_whatever_comes_is_looked_at(noise: list[bytes], wrapped: bool) -> None:
    """Any datagrams are looked at without an error, and named."""
    look = Look()
    for number, data in enumerate(noise):
        look.take(rtp(data, number, 0) if wrapped else data, 0.0)
    look.guess()
    assert look.named()


def test_what_is_kept_is_bounded() -> None:
    """However much comes before it is understood, no more is kept than so many bytes, the newest."""
    look = Look()
    for number in range(3000):
        look.take(struct.pack("!I", number) + bytes(1000), 0.0)
    assert sum(len(data) + OVERHEAD for data, _ in look.kept) <= KEPT
    assert look.kept[-1][0][:4] == struct.pack("!I", 2999)
    for number in range(1000):
        look.take(rtp(b"\x65a", 0, 0, ssrc=number), 0.0)
    assert len(look._runs) <= 8
