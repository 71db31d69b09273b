"""streamer.rtp.sound: packets of sound read, and what is refused. Against real senders: tests/source/test_sound.py."""

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.packet import Malformed, Packet
from streamer.rtp.sound import AAC_SAMPLES, MAX_UNIT, Piece, SoundReader, reader_of
from streamer.values.coded import SoundForm

FMTP = {"mode": "AAC-hbr", "sizelength": "13", "indexlength": "3", "indexdeltalength": "3", "config": "1190"}


def aac(**fmtp: str) -> SoundReader:
    """A reader of AAC at 48 kHz, in stereo."""
    reader = reader_of("MPEG4-GENERIC", 48_000, 2, FMTP | fmtp)
    assert reader is not None
    return reader


def units(sizes: Sequence[int], data: bytes) -> bytes:
    """A payload: the list of sizes, and units."""
    heads = b"".join(struct.pack("!H", size << 3) for size in sizes)
    return struct.pack("!H", 8 * len(heads)) + heads + data


def read(reader: SoundReader, payload: bytes, *, marker: bool = True) -> list[Piece]:
    """What is whole with it."""
    return list(reader.read(Packet(97, marker, 0, 0, 7, payload)))


def test_units_of_aac_come_one_by_one() -> None:
    """Each with its place behind the packet's time; the description's configuration is told as it is."""
    reader = aac()
    assert reader.form == SoundForm("aac", 48_000, 2, b"\x11\x90")
    found = read(reader, units([3, 2], b"abcde"))
    assert found == [(b"abc", 0, AAC_SAMPLES), (b"de", AAC_SAMPLES, AAC_SAMPLES)]


@pytest.mark.parametrize("lost", [False, True])
def test_a_unit_in_several_packets_is_put_together(lost: bool) -> None:
    """Where one of them is missing there is none, and the next one is whole again."""
    reader = aac()
    for part in (b"ab",) if lost else (b"ab", b"cd"):
        assert read(reader, units([6], part), marker=False) == []
    assert read(reader, units([6], b"ef")) == ([] if lost else [(b"abcdef", 0, AAC_SAMPLES)])
    assert read(reader, units([3], b"xyz")) == [(b"xyz", 0, AAC_SAMPLES)]


def test_a_configuration_that_is_not_told_is_made() -> None:
    """Of AAC-LC, by rate and channels; without a number for the rate there is none."""
    assert aac(config="").form.setup == b"\x11\x90"
    assert reader_of("MPEG4-GENERIC", 47_999, 2, {"mode": "AAC-hbr"}) is None


@pytest.mark.parametrize(
    ("codec", "fmtp"),
    [
        ("MPEG4-GENERIC", {"mode": "CELP-cbr"}),
        ("MPEG4-GENERIC", FMTP | {"sizelength": "many"}),
        ("MPEG4-GENERIC", FMTP | {"sizelength": "99"}),
        ("MPEG4-GENERIC", FMTP | {"config": "xy"}),
        ("G726-32", {}),
        ("", {}),
    ],
)
def test_other_kinds_are_not_kept(codec: str, fmtp: dict[str, str]) -> None:
    """What is not read, or described in a way that makes no sense, has no reader."""
    assert reader_of(codec, 48_000, 1, fmtp) is None


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0", units([4, 4], b"abcdef"), b"\xff\xf0abc", struct.pack("!H", 16) + b"\x80"],
)
def test_what_ends_too_soon_is_no_aac(payload: bytes) -> None:
    """A list of sizes, or a unit, that is not all there is said to be so."""
    with pytest.raises(Malformed):
        read(aac(), payload)


def test_no_unit_grows_without_end() -> None:
    """A sender that announces more than any unit has is stopped there."""
    reader = aac(sizelength="16", indexlength="0")
    payload = struct.pack("!HH", 16, 0xFFFF) + bytes(MAX_UNIT // 2)
    for _ in range(2):
        assert read(reader, payload, marker=False) == []
    with pytest.raises(Malformed):
        read(reader, payload, marker=False)


@pytest.mark.parametrize(
    ("first", "samples"),
    [(b"\x78", 960), (b"\x79", 1920), (b"\x7b\x03", 2880), (b"\x00", 480), (b"\xf8", 960), (b"\x80", 120)],
)
def test_opus_says_how_long_it_is(first: bytes, samples: int) -> None:
    """By its kind and its number of frames."""
    reader = reader_of("OPUS", 48_000, 2, {"sprop-stereo": "1"})
    assert reader is not None
    assert reader.form.channels == 2
    assert read(reader, first + b"sound") == [(first + b"sound", 0, samples)]


def test_g711_has_a_byte_a_sample() -> None:
    """In either law."""
    for codec, name in (("PCMU", "pcm_mulaw"), ("PCMA", "pcm_alaw")):
        reader = reader_of(codec, 8_000, 1, {})
        assert reader is not None
        assert reader.form == SoundForm(name, 8_000, 1)
        assert read(reader, b"x" * 160) == [(b"x" * 160, 0, 160)]


@given(st.sampled_from(["OPUS", "PCMA", "MPEG4-GENERIC"]), st.lists(st.binary(max_size=40), max_size=5))
def test_anything_is_read_or_refused(codec: str, payloads: list[bytes]) -> None:
    """What comes out is never more than went in."""
    reader = reader_of(codec, 48_000, 1, FMTP)
    assert reader is not None
    taken = 0
    for payload in payloads:
        try:
            taken += sum(len(data) for data, _, _ in read(reader, payload, marker=False))
        except Malformed:
            continue
    assert taken <= sum(map(len, payloads))
