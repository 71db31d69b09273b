"""Encoded video that claims whatever a test wants: pictures of any size, kept in any number. It cannot be decoded."""

import io
from collections.abc import Iterable, Iterator

import av

from tests.peers.rtp_packetizer import annex_b

SLICE = bytes(range(7, 256, 3)) * 20
"""What stands for a picture, without zeros."""


class Writer:
    """Writes bits as NAL units have them (H.264 clause 9.1)."""

    def __init__(self) -> None:
        self._bits = ""

    def put(self, value: int, count: int) -> "Writer":
        """So many bits."""
        self._bits += f"{value:0{count}b}" if count else ""
        return self

    def unsigned(self, *values: int) -> "Writer":
        """Numbers, each as ue(v)."""
        for value in values:
            digits = f"{value + 1:b}"
            self._bits += "0" * (len(digits) - 1) + digits
        return self

    def signed(self, *values: int) -> "Writer":
        """Numbers, each as se(v)."""
        return self.unsigned(*(2 * value - 1 if value > 0 else -2 * value for value in values))

    def payload(self) -> bytes:
        """All of it with its stop bit, without emulation prevention."""
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8)

    def escaped(self) -> bytes:
        """The same as it stands in a unit."""
        written = bytearray()
        for byte in self.payload():
            if written[-2:] == b"\0\0" and byte <= 3:
                written.append(3)
            written.append(byte)
        return bytes(written)


def h264_sets(width: int, height: int, *, kept: int = 1, shown: tuple[int, int] | None = None) -> list[bytes]:
    """An SPS, whose pictures may be cut down to what is shown, and a PPS: units of baseline H.264."""
    sps = Writer().put(66, 8).put(0xC0, 8).put(62, 8).unsigned(0, 0, 2, kept).put(0, 1)
    sps.unsigned(width // 16 - 1, height // 16 - 1).put(0b11, 2)
    if shown is None:
        sps.put(0, 1)
    else:
        sps.put(1, 1).unsigned(0, (width - shown[0]) // 2, 0, (height - shown[1]) // 2)
    pps = Writer().unsigned(0, 0).put(0, 2).unsigned(0, 0, 0).put(0, 3).signed(0, 0, 0).put(0, 3)
    return [b"\x67" + sps.put(0, 1).escaped(), b"\x68" + pps.escaped()]


def h265_sps(width: int, height: int, *, held: int = 1, layers: int = 0) -> bytes:
    """A unit of Main H.265; of several temporal layers only the highest holds as many."""
    sps = Writer().put(0, 4).put(layers, 3).put(1, 1)
    sps.put(1, 8).put(0x6000_0000, 32).put(0, 48).put(153, 8)
    for _ in range(layers):
        sps.put(0b11, 2)
    sps.put(0, 2 * (8 - layers) if layers else 0)
    for _ in range(layers):
        sps.put(0, 96)
    sps.unsigned(0, 1, width, height).put(0, 1).unsigned(0, 0, 4).put(1, 1)
    for layer in range(layers + 1):
        sps.unsigned(held - 1 if layer == layers else 0, 0, 0)
    sps.unsigned(0, 3, 0, 3, 0, 0).put(0, 4).unsigned(0).put(0, 5)
    return b"\x42\x01" + sps.escaped()


def h264_pictures(sets: Iterable[bytes], count: int = 40) -> Iterator[list[bytes]]:
    """Key pictures behind those sets, each as its units."""
    for _ in range(count):
        yield [*sets, b"\x65\xb8" + SLICE]


def contained(pictures: Iterable[Iterable[bytes]], container: str) -> bytes:
    """H.264 in one of FFmpeg's containers, 25 pictures a second."""
    raw = io.BytesIO(b"".join(annex_b(picture) for picture in pictures))
    options = {"movflags": "frag_keyframe+empty_moov"} if container == "mp4" else {}
    written = io.BytesIO()
    with (
        av.open(raw, "r", format="h264", options={"codec_whitelist": "none"}) as source,
        av.open(written, "w", format=container, options=options) as sink,
    ):
        stream = sink.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            packet.stream, packet.is_keyframe = stream, True
            packet.pts = packet.dts = round(number / 25 / float(packet.time_base or 1))
            sink.mux(packet)
    return written.getvalue()
