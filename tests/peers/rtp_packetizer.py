"""Cuts access units into RTP packets in every way that senders do, right or wrong; the peer of streamer.rtp."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Literal

import av
import cv2
import numpy as np

Markers = Literal["normal", "never", "always"]
Mode = Literal["single", "fragments", "aggregates"]

START = b"\0\0\0\1"
STAP_A, FU_A, AP, FU = 24, 28, 48, 49


def rtp(payload: bytes, sequence: int, timestamp: int, *, marker: bool = False, ssrc: int = 7, kind: int = 96) -> bytes:
    """One datagram."""
    head = (0x80, marker << 7 | kind, sequence & 0xFFFF, timestamp & 0xFFFF_FFFF, ssrc)
    return struct.pack("!BBHII", *head) + payload


@dataclass(frozen=True)
class Sender:
    """Numbers and stamps payloads."""

    markers: Markers = "normal"
    first: int = 0
    """Sequence number of the first packet."""
    began: int = 0
    """Timestamp of the first picture."""
    ticks: int = 3600

    def send(self, pictures: Iterable[Sequence[bytes]]) -> list[bytes]:
        """The datagrams of pictures, each given as its payloads."""
        sent: list[bytes] = []
        for index, payloads in enumerate(pictures):
            for at, payload in enumerate(payloads):
                last = at == len(payloads) - 1
                marker = self.markers == "always" or (self.markers == "normal" and last)
                sent.append(rtp(payload, self.first + len(sent), self.began + index * self.ticks, marker=marker))
        return sent


def units_of(data: bytes) -> list[bytes]:
    """The NAL units of an Annex B access unit."""
    return [unit.rstrip(b"\0") for unit in data.split(b"\0\0\1") if unit.strip(b"\0")]


def annex_b(units: Iterable[bytes]) -> bytes:
    """NAL units joined as streamer.rtp joins them."""
    return b"".join(START + unit for unit in units)


def h264_payloads(units: Sequence[bytes], mode: Mode, mtu: int) -> list[bytes]:
    """One access unit's payloads (RFC 6184)."""
    payloads: list[bytes] = []
    for group in _groups(units, mtu - 1) if mode == "aggregates" else [[unit] for unit in units]:
        if len(group) > 1:
            payloads.append(bytes((0x60 | STAP_A,)) + b"".join(struct.pack("!H", len(u)) + u for u in group))
        elif mode == "single" or len(group[0]) <= mtu:
            payloads += group
        else:
            head, body = group[0][0], group[0][1:]
            payloads += [
                bytes((head & 0xE0 | FU_A, flags | head & 0x1F)) + part for flags, part in _parts(body, mtu - 2)
            ]
    return payloads


def h265_payloads(units: Sequence[bytes], mode: Mode, mtu: int, *, numbered: bool = False) -> list[bytes]:
    """One access unit's payloads (RFC 7798); `numbered` with DONL and DOND."""
    payloads: list[bytes] = []
    donl = b"\0\5" if numbered else b""
    for group in _groups(units, mtu - 4) if mode == "aggregates" else [[unit] for unit in units]:
        if len(group) > 1:
            sized = [struct.pack("!H", len(unit)) + unit for unit in group]
            payloads.append(bytes((AP << 1, 1)) + donl + (b"\0" if numbered else b"").join(sized))
        elif mode == "single" or len(group[0]) <= mtu:
            payloads += [unit[:2] + donl + unit[2:] for unit in group]
        else:
            head, body = group[0][:2], group[0][2:]
            kind = head[0] >> 1 & 0x3F
            payloads += [
                bytes((head[0] & 0x81 | FU << 1, head[1], flags | kind)) + (donl if flags & 0x80 else b"") + part
                for flags, part in _parts(body, mtu - 5)
            ]
    return payloads


def jpeg_payloads(picture: bytes, mtu: int, *, q: int, tables: bool = True, sized: bool = True) -> list[bytes]:
    """One picture's payloads (RFC 2435); `tables` in band, for a `q` of 128 or more; `sized` up to 2040 pixels."""
    segments = dict(_segments(picture))
    frame, scan = segments[0xC0], segments[0xDA]
    height, width, sampling = *struct.unpack_from("!HH", frame, 1), frame[7]
    height, width = (height, width) if sized else (0, 0)
    restart = segments.get(0xDD, b"")
    kind = (1 if sampling == 0x22 else 0) + (64 if restart else 0)
    sent = segments[0xDB] if tables else b""
    payloads, at = [], 0
    while at < len(scan):
        head = struct.pack("!BBHBBBB", 0, at >> 16, at & 0xFFFF, kind, q, -(-width // 8), -(-height // 8))
        if restart:
            head += restart + b"\xff\xff"
        if at == 0 and q >= 128:
            head += struct.pack("!BBH", 0, 0, len(sent)) + sent
        payloads.append(head + scan[at : at + mtu])
        at += mtu
    return payloads


def quantization(picture: bytes) -> bytes:
    """A JPEG picture's tables, one after the other."""
    return dict(_segments(picture))[0xDB]


@cache
def encoded(codec: Literal["libx264", "libx265"], more: str = "", count: int = 12) -> tuple[bytes, ...]:
    """Access units of a moving picture, Annex B, in the order they are sent."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 192, 160, "yuv420p"
    context.framerate = Fraction(25)
    context.thread_count = 1
    options = f"keyint=5:min-keyint=5:scenecut=0:repeat-headers=1{more}"
    quiet = ":log-level=none:pools=1:frame-threads=1" if codec == "libx265" else ""
    context.options = {"preset": "ultrafast", "tune": "zerolatency", codec[3:] + "-params": options + quiet}
    packets = [packet for index in range(count) for packet in context.encode(scene(index))]
    return tuple(bytes(packet) for packet in (*packets, *context.encode(None)))


@cache
def jpegs(quality: int, *, half: bool = False, restart: int = 0, count: int = 4) -> tuple[bytes, ...]:
    """JPEG pictures with libjpeg's own tables; 4:2:0, or 4:2:2 where `half`."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422 if half else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    how = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    how += [cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    return tuple(cv2.imencode(".jpg", _picture(index), how)[1].tobytes() for index in range(count))


def _picture(index: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    rows, columns = np.mgrid[0:160, 0:192]
    noise = np.random.default_rng(index).integers(0, 24, (160, 192))
    return np.stack([(rows + 9 * index) % 200, (columns + rows) % 180, (columns ^ 5 * index) % 200 + noise], 2).astype(
        np.uint8
    )


def scene(index: int) -> av.VideoFrame:
    """One picture of it."""
    frame = av.VideoFrame.from_ndarray(_picture(index), format="rgb24").reformat(format="yuv420p")
    frame.pts = index
    return frame


def _groups(units: Sequence[bytes], room: int) -> Iterator[list[bytes]]:
    """As many units together as fit."""
    group: list[bytes] = []
    for unit in units:
        if group and sum(len(other) + 3 for other in (*group, unit)) > room:
            yield group
            group = []
        group.append(unit)
    yield group


def _parts(body: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    """A body's fragments with their start and end flags."""
    for at in range(0, len(body), size):
        yield (at == 0) << 7 | (at + size >= len(body)) << 6, body[at : at + size]


def extended(datagram: bytes, segments: bytes) -> bytes:
    """A datagram with segments of JPEG in a header extension (ONVIF Streaming Specification 5.1.3)."""
    segments += b"\xff" * (-len(segments) % 4)
    head = struct.pack("!HH", 0xFFD8, len(segments) // 4)
    return bytes((datagram[0] | 0x10,)) + datagram[1:12] + head + segments + datagram[12:]


def segments(picture: bytes, *kinds: int) -> bytes:
    """Those of a JPEG picture, as they stand there."""
    found, at = b"", 2
    while picture[at + 1] != 0xDA:
        size = 2 + int.from_bytes(picture[at + 2 : at + 4])
        found += picture[at : at + size] if picture[at + 1] in kinds else b""
        at += size
    return found


def _segments(picture: bytes) -> Iterator[tuple[int, bytes]]:
    """A JPEG picture's segments by marker; quantization tables joined, and the scan without its end of image."""
    at, tables = 2, b""
    while True:
        marker, size = struct.unpack_from("!BH", picture, at + 1)
        body, at = picture[at + 4 : at + 2 + size], at + 2 + size
        if marker == 0xDB:
            while body:
                tables, body = tables + body[1:65], body[65:]
            yield marker, tables
        elif marker == 0xDA:
            yield marker, picture[at:-2]
            return
        else:
            yield marker, body
