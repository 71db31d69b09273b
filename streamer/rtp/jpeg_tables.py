"""The tables that RTP leaves out of JPEG, since both sides know them (RFC 2435 appendices A and B). Pure."""

import struct
from collections.abc import Sequence

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


def computed(q: int) -> tuple[bytes, bytes]:
    """The two tables of a Q from 1 to 99, as the Independent JPEG Group scales them (RFC 2435 section 4.2)."""
    factor = 5000 // q if q < 50 else 200 - 2 * q
    return _scaled(LUMA, factor), _scaled(CHROMA, factor)


def _scaled(table: Sequence[int], factor: int) -> bytes:
    return bytes(max(1, min((entry * factor + 50) // 100, 255)) for entry in table)
