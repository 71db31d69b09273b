"""RTP packets of sound become what a container takes: AAC (RFC 3640), Opus (RFC 7587), and G.711 as it is. Pure."""

import struct
from collections.abc import Iterator, Mapping
from typing import Protocol

from streamer.rtp.packet import Malformed, Packet
from streamer.values.coded import SoundForm

Piece = tuple[bytes, int, int]
"""One packet of sound: data, ticks from its RTP packet's time, ticks that it lasts."""

AAC_SAMPLES = 1024
"""Of an access unit (ISO/IEC 14496-3, 4.5.2.1.1), where its sender does not use the short ones of broadcasting."""
MAX_UNIT = 8192
"""Bytes of an access unit of 48 channels; a sender that goes on and on is not followed further."""
OPUS_RATE = 48_000
"""Of its clock, whatever it was recorded at (RFC 7587 section 4.1)."""
OPUS_DELAY = 312
"""Samples of a decoder's beginning that are not heard, as libopus writes them in its files."""
_OPUS_FRAMES = tuple([480, 960, 1920, 2880] * 3 + [480, 960] * 2 + [120, 240, 480, 960] * 4)
"""Samples of a frame, by the first five bits (RFC 6716 table 2)."""
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""By samplingFrequencyIndex (ISO/IEC 14496-3, 1.6.3.4)."""
_G711 = {"PCMU": "pcm_mulaw", "PCMA": "pcm_alaw"}


class SoundReader(Protocol):
    """Reads one sender's packets."""

    @property
    def form(self) -> SoundForm:
        """What they carry."""

    def read(self, packet: Packet) -> Iterator[Piece]:
        """What is whole with a packet; they come in order, each once. Raises Malformed."""


def reader_of(codec: str, clock_rate: int, channels: int, fmtp: Mapping[str, str]) -> SoundReader | None:
    """What reads a sender's sound; None: it is of a kind that is not kept.

    Args:
        codec: its encoding name, in capitals (RFC 8866 section 6.6).
        clock_rate: ticks a second.
        channels: as the description says.
        fmtp: its parameters, names in small letters.
    """
    if codec == "OPUS":
        return Opus(2 if fmtp.get("sprop-stereo", "0") == "1" else 1)
    if codec in _G711:
        return Plain(SoundForm(_G711[codec], clock_rate, channels))
    if codec == "MPEG4-GENERIC":
        try:
            return Aac(clock_rate, channels, fmtp)
        except (Malformed, ValueError):
            return None
    return None


class Plain:
    """G.711: a byte a sample (RFC 3551 section 4.5.14)."""

    def __init__(self, form: SoundForm) -> None:
        self.form = form

    def read(self, packet: Packet) -> Iterator[Piece]:
        """All of it."""
        if packet.payload:
            yield packet.payload, 0, len(packet.payload) // max(1, self.form.channels)


class Opus:
    """A packet of Opus a packet."""

    def __init__(self, channels: int) -> None:
        head = struct.pack("<8sBBHIhB", b"OpusHead", 1, channels, OPUS_DELAY, OPUS_RATE, 0, 0)
        self.form = SoundForm("opus", OPUS_RATE, channels, head)  # RFC 7845 section 5.1

    def read(self, packet: Packet) -> Iterator[Piece]:
        """All of it; its first bytes say how long it is (RFC 6716 section 3.1)."""
        data = packet.payload
        if data:
            kind = data[0] & 3
            if kind == 3 and len(data) < 2:
                raise Malformed("a packet of Opus ends before its frames")
            count = data[1] & 0x3F if kind == 3 else (1, 2, 2)[kind]
            yield data, 0, count * _OPUS_FRAMES[data[0] >> 3]


class Aac:
    """Access units behind a list of their sizes, several a packet, or one in several (RFC 3640 section 3.2)."""

    def __init__(self, clock_rate: int, channels: int, fmtp: Mapping[str, str]) -> None:
        """Read the parameters.

        Raises:
            Malformed, ValueError: they are no AAC's, or make no sense.
        """
        if not fmtp.get("mode", "").lower().startswith("aac"):
            raise Malformed("no AAC")
        self._size = int(fmtp.get("sizelength", "13"))
        self._index = int(fmtp.get("indexlength", "3"))
        self._delta = int(fmtp.get("indexdeltalength", "3"))
        if not (0 < self._size <= 16 and 0 <= self._index <= 16 and 0 <= self._delta <= 16):
            raise Malformed("sizes of access units are of 1 to 16 bits")
        config = bytes.fromhex(fmtp.get("config", "").strip('"'))
        self.form = SoundForm("aac", clock_rate, channels or 1, config or _config(clock_rate, channels or 1))
        self._part, self._wanted = bytearray(), 0
        """What has come of a unit in several packets, and how long it will be."""

    def read(self, packet: Packet) -> Iterator[Piece]:
        """The units that are whole with it. A unit lasts as many ticks as it has samples."""
        data = packet.payload
        if len(data) < 2:
            raise Malformed("a packet of AAC ends before its sizes")
        bits = int.from_bytes(data[:2])
        at = 2 + (bits + 7) // 8
        if at > len(data):
            raise Malformed("a packet of AAC ends within its sizes")
        sizes = list(self._sizes(int.from_bytes(data[2:at]), 8 * (at - 2), bits))
        if len(sizes) == 1 and sizes[0] > len(data) - at:
            yield from self._gathered(sizes[0], data[at:])
            if packet.marker:  # that was its last part, whatever is missing
                self._part.clear()
            return
        self._part.clear()
        for number, size in enumerate(sizes):
            if at + size > len(data):
                raise Malformed("a packet of AAC ends within a unit")
            if size:
                yield data[at : at + size], number * AAC_SAMPLES, AAC_SAMPLES
            at += size

    def _sizes(self, value: int, width: int, bits: int) -> Iterator[int]:
        """The list's sizes; indexes are passed over, as nobody interleaves."""
        left, index = bits, self._index
        while left >= self._size + index:
            left -= self._size
            yield value >> (width - bits + left) & ((1 << self._size) - 1)
            left -= index
            index = self._delta

    def _gathered(self, size: int, part: bytes) -> Iterator[Piece]:
        if size != self._wanted or len(self._part) + len(part) > size:
            self._part.clear()
        self._wanted = size
        self._part += part
        if len(self._part) > MAX_UNIT:
            self._part.clear()
            raise Malformed(f"a unit of AAC has more than {MAX_UNIT} bytes")
        if len(self._part) == size:
            yield bytes(self._part), 0, AAC_SAMPLES
            self._part.clear()


def _config(rate: int, channels: int) -> bytes:
    """The AudioSpecificConfig of AAC-LC (ISO/IEC 14496-3, 1.6.2.1)."""
    if rate not in _RATES:
        raise Malformed("a rate that AAC has no number for")
    return struct.pack("!H", 2 << 11 | _RATES.index(rate) << 7 | min(channels, 7) << 3)
