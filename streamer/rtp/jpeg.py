"""JPEG out of RTP (RFC 2435): complete pictures in the interchange format, headers made from the few bytes that travel.

Types 0 and 1 (4:2:2 and 4:2:0, the Huffman tables of annex K), 64 and 65 with restart markers; quantization tables
computed from Q (1 to 99), sent with each picture (255), or sent once for a number (128 to 254). The first packet gives
the headers and its part of the scan, the others theirs; the end of image is the assembler's `ending`.

RTP has sizes up to 2040. Beyond, the size stands in a header extension, as ONVIF has it, or in the SDP, or nowhere.
"""

import re
import struct
from collections.abc import Mapping

from streamer.rtp.jpeg_tables import HUFFMAN_SEGMENTS, computed
from streamer.rtp.packet import Hopeless, Malformed
from streamer.rtp.payload import Entry, Payload

END = b"\xff\xd9"
"""End of image."""
JPEG_HEADERS = 0xFFD8
"""The profile of an RTP header extension that has segments of JPEG (ONVIF Streaming Specification 5.1.3)."""
KEPT = frozenset((0xC0, 0xC1, 0xC4, 0xDB))
"""Segments that are taken from there: frame, Huffman tables, quantization tables (ITU-T T.81 table B.1)."""


class JpegReader:
    """Reads one sender's JPEG. Keeps the tables that were sent for a number, of which there are 127 at the most."""

    def __init__(self, parameters: Mapping[str, str] | None = None) -> None:
        """Nothing has come yet; of `parameters` the size is read, `x-dimensions`: "2592,1944"."""
        self.size = (0, 0)
        """Width and height of the newest picture."""
        self._described = _size((parameters or {}).get("x-dimensions", ""))
        self._segments: dict[int, bytes] = {}
        """Of the newest header extension, by their marker, with it and their length."""
        self._tables: dict[int, tuple[bytes, ...]] = {}
        self._headers: tuple[bytes, bytes] = b"", b""
        """The newest picture's parameters, and the headers that came of them: pictures differ rarely."""

    def extend(self, extension: bytes) -> None:
        """Take the header extension of the packet that is read next."""
        self._segments = _segments(extension)

    def __call__(self, payload: bytes) -> Payload:
        """Read one packet's payload.

        Raises:
            Malformed: it ends within a header, is of a type that is not read here, or its tables were never sent.
        """
        if not payload:
            return Payload(b"", has_picture=False)
        if len(payload) < 8:
            raise Malformed("a JPEG packet ends within its header")
        kind, at = payload[4], 8
        if kind & 0x3F > 1 or kind > 65:
            raise Malformed(f"JPEG of type {kind} is not read; 0, 1, 64 and 65 are (RFC 2435)")
        restart = b""
        if kind >= 64:
            if len(payload) < 12:
                raise Malformed("a JPEG packet ends within its restart marker header")
            restart, at = payload[8:10], 12
        if payload[1:4] != b"\0\0\0":
            self._segments = {}
            return Payload(payload[at:])
        tables, at = self._tables_of(payload, at)
        return Payload(self._header(payload[4:8], restart, tables) + payload[at:], True, Entry.KEY, parameter_sets=True)

    def _tables_of(self, payload: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
        """The quantization tables of a picture, as segments' bodies, and where its scan begins."""
        q = payload[5]
        if q < 128:
            if not 1 <= q <= 99:
                raise Malformed(f"JPEG with a Q of {q}, which is reserved (RFC 2435 section 4.2)")
            return computed(q), at
        size = int.from_bytes(payload[at + 2 : at + 4], "big")
        body = payload[at + 4 : at + 4 + size]
        if len(payload) < at + 4 + size:
            raise Malformed("a JPEG packet ends within its quantization tables")
        if size:
            tables = _split(body, payload[at + 1])
            if q != 255:
                self._tables[q] = tables
        elif q in self._tables:
            tables = self._tables[q]
        else:
            raise Malformed(f"a JPEG picture uses quantization tables number {q}, which were never sent")
        return tables, at + 4 + size

    def _header(self, parameters: bytes, restart: bytes, tables: tuple[bytes, ...]) -> bytes:
        key = parameters + restart + b"".join((*tables, *self._segments.values()))
        if self._headers[0] != key:
            self.size = self._size(parameters)
            self._headers = key, _headers(parameters[0], self.size, restart, tables, self._segments)
        self._segments = {}
        return self._headers[1]

    def _size(self, parameters: bytes) -> tuple[int, int]:
        frame = next((self._segments[kind] for kind in (0xC0, 0xC1) if kind in self._segments), b"")
        if len(frame) >= 9 and all(size := struct.unpack_from("!HH", frame, 5)):
            return size[1], size[0]
        if parameters[2] and parameters[3]:
            return 8 * parameters[2], 8 * parameters[3]
        if self._described is None:
            raise Hopeless(
                "a JPEG picture is beyond 2040 pixels, and neither its packets nor the SDP say how large it is"
            )
        return self._described


def _split(body: bytes, precision: int) -> tuple[bytes, ...]:
    """Tables one after the other, of 8 bits, or 16 where their bit of `precision` is set."""
    tables: list[bytes] = []
    at = 0
    while at < len(body):
        size = 128 if precision >> len(tables) & 1 else 64
        tables.append(body[at : at + size])
        at += size
    if at != len(body) or not 1 <= len(tables) <= 3:
        raise Malformed(f"{len(body)} bytes are no quantization tables of JPEG")
    return tuple(tables)


def _headers(
    kind: int, size: tuple[int, int], restart: bytes, tables: tuple[bytes, ...], segments: Mapping[int, bytes]
) -> bytes:
    """All that precedes the scan (RFC 2435 appendix B); what was sent takes the place of what is made."""
    quantization = b"".join(
        struct.pack("!HHB", 0xFFDB, 3 + len(table), (len(table) == 128) << 4 | number) + table
        for number, table in enumerate(tables)
    )
    chroma = min(1, len(tables) - 1)
    frame = struct.pack("!HHBHHB", 0xFFC0, 17, 8, size[1], size[0], 3)
    frame += bytes((1, 0x22 if kind & 1 else 0x21, 0, 2, 0x11, chroma, 3, 0x11, chroma))
    interval = b"\xff\xdd\0\4" + restart if restart else b""
    scan = b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0"
    jfif = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    frame = segments.get(0xC0) or segments.get(0xC1) or frame
    quantization, huffman = segments.get(0xDB, quantization), segments.get(0xC4, HUFFMAN_SEGMENTS)
    return b"\xff\xd8" + jfif + quantization + interval + frame + huffman + scan


def _segments(extension: bytes) -> dict[int, bytes]:
    """The segments that are KEPT, those of one kind joined; what follows something else is passed over."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extension) and extension[at] == 0xFF:
        kind, size = struct.unpack_from("!BH", extension, at + 1)
        if kind == 0xFF:  # padding
            at += 1
            continue
        segment = extension[at : at + 2 + size]
        if size < 2 or len(segment) < 2 + size:
            break
        if kind in KEPT:
            found[kind] = found.get(kind, b"") + segment
        at += 2 + size
    return found


def _size(text: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"\s*(\d{1,5})\s*,\s*(\d{1,5})\s*", text, re.ASCII)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    return size if all(0 < side < 1 << 16 for side in size) else None
