"""JPEG out of RTP (RFC 2435): complete pictures in the interchange format, headers made from the few bytes that travel.

Types 0 and 1 (4:2:2 and 4:2:0, the Huffman tables of annex K), 64 and 65 with restart markers; quantization tables
computed from Q (1 to 99), sent with each picture (255), or sent once for a number (128 to 254). The first packet gives
the headers and its part of the scan, the others theirs; the end of image is the assembler's `ending`.
"""

import struct
from collections.abc import Sequence

from streamer.rtp.packet import Malformed
from streamer.rtp.payload import Entry, Payload

END = b"\xff\xd9"
"""End of image."""
LUMA = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49,
    35, 37, 29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56,
    80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
"""Table K.1 of ITU-T T.81 in zigzag order (RFC 2435 appendix A)."""
CHROMA = (17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, *(99,) * 50)
"""Table K.2."""
HUFFMAN = (
    # class and number, codes of each length, values: tables K.3 to K.6
    (0x00, "00010501010101010100000000000000", "000102030405060708090a0b"),
    (
        0x10,
        "0002010303020403050504040000017d",
        "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a34353637"
        "38393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3"
        "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
    ),
    (0x01, "00030101010101010101010000000000", "000102030405060708090a0b"),
    (
        0x11,
        "00020102040403040705040400010277",
        "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a3536"
        "3738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999a"
        "a2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
    ),
)
HUFFMAN_SEGMENTS = b"".join(
    struct.pack("!HHB", 0xFFC4, 3 + len(counts + values) // 2, kind) + bytes.fromhex(counts + values)
    for kind, counts, values in HUFFMAN
)


class JpegReader:
    """Reads one sender's JPEG. Keeps the tables that were sent for a number, of which there are 127 at the most."""

    def __init__(self) -> None:
        self._tables: dict[int, tuple[bytes, ...]] = {}
        self._headers: tuple[bytes, bytes] = b"", b""
        """The newest picture's parameters, and the headers that came of them: pictures differ rarely."""

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
        key = parameters + restart + b"".join(tables)
        if self._headers[0] != key:
            self._headers = key, _headers(parameters, restart, tables)
        return self._headers[1]


def computed(q: int) -> tuple[bytes, bytes]:
    """The two tables of a Q from 1 to 99, as the Independent JPEG Group scales them (RFC 2435 section 4.2)."""
    factor = 5000 // q if q < 50 else 200 - 2 * q
    return _scaled(LUMA, factor), _scaled(CHROMA, factor)


def _scaled(table: Sequence[int], factor: int) -> bytes:
    return bytes(max(1, min((entry * factor + 50) // 100, 255)) for entry in table)


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


def _headers(parameters: bytes, restart: bytes, tables: tuple[bytes, ...]) -> bytes:
    """All that precedes the scan (RFC 2435 appendix B)."""
    kind, _, width, height = parameters
    if not width or not height:
        raise Malformed("a JPEG picture is 0 pixels wide or high; beyond 2040 they cannot be told by RTP")
    quantization = b"".join(
        struct.pack("!HHB", 0xFFDB, 3 + len(table), (len(table) == 128) << 4 | number) + table
        for number, table in enumerate(tables)
    )
    chroma = min(1, len(tables) - 1)
    frame = struct.pack("!HHBHHB", 0xFFC0, 17, 8, height * 8, width * 8, 3)
    frame += bytes((1, 0x22 if kind & 1 else 0x21, 0, 2, 0x11, chroma, 3, 0x11, chroma))
    interval = b"\xff\xdd\0\4" + restart if restart else b""
    scan = b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0"
    jfif = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    return b"\xff\xd8" + jfif + quantization + interval + frame + HUFFMAN_SEGMENTS + scan
