"""`python -m streamer.bench.numbered_camera PORT CLIP EPOCH [RATE]`: RTSP cameras; each picture says when it was due.

Serves a raw H.264 clip of `numbered` in a loop, to whoever pulls it by RTP over TCP. Picture n, from 0, is due EPOCH
(monotonic seconds) + n / RATE, and is sent then. Any path is a camera; /1, /2 and so on are APART later each, so that
no two are in step. What they say of their clock (RTCP) is true.
"""

import asyncio
import contextlib
import itertools
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import av
from aiortc.codecs.h264 import H264Encoder

from streamer.bench.footage import RATE

CLOCK = 90_000
"""RTP's ticks a second (RFC 6184, section 5.1)."""
APART = 0.0047
"""Seconds from one camera's pictures to the next one's."""
SSRC = 0x5167_4C1E
NTP = 2_208_988_800
"""Seconds from 1900, where RTCP's clock begins, to 1970 (RFC 868)."""
REPORT_EVERY = 2
"""Seconds from one sender report to the next. There is a key frame every second."""

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=numbers\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:video\r\n"
)


def payloads_of(clip: Path) -> list[list[bytes]]:
    """What goes into the RTP packets of each picture (RFC 6184)."""
    cut, pictures = H264Encoder(), []
    with av.open(str(clip)) as source:
        for packet in source.demux(video=0):
            packet.pts = 0  # a raw clip has no times, and the cutter wants one
            if packet.size:
                pictures.append(cut.pack(packet)[0])
    return pictures


class Camera:
    """Everybody who pulls it gets the picture that is due, from the next key frame on."""

    def __init__(self, pictures: Sequence[Sequence[bytes]], epoch: float, rate: int = RATE) -> None:
        self._pictures, self._epoch, self._rate = pictures, epoch, rate

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        sending: asyncio.Task[None] | None = None
        try:
            while head := await _head(reader):
                method, url, fields = head
                writer.write(_answer(method, url, fields))
                if method == "TEARDOWN":
                    return
                if method == "PLAY" and sending is None:
                    sending = asyncio.create_task(self._send(writer, self._epoch + APART * _number(url)))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            if sending is not None:
                sending.cancel()
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, epoch: float) -> None:
        sequence = itertools.count()
        first = (int(time.monotonic() - epoch) + 1) * self._rate
        with contextlib.suppress(ConnectionError):
            for number in itertools.count(first):
                await asyncio.sleep(epoch + number / self._rate - time.monotonic())
                if (number - first) % (REPORT_EVERY * self._rate) == 0:
                    writer.write(_interleaved(1, _sender_report(self._ticks(number))))
                for packet in self._packets(number, sequence):
                    writer.write(_interleaved(0, packet))
                await writer.drain()

    def _packets(self, number: int, sequence: Iterator[int]) -> Iterator[bytes]:
        """RFC 3550, section 5.1; the last of a picture has the marker."""
        payloads = self._pictures[number % len(self._pictures)]
        for at, payload in enumerate(payloads, 1):
            kind = 96 | (128 if at == len(payloads) else 0)
            head = struct.pack(">BBHII", 0x80, kind, next(sequence) & 0xFFFF, self._ticks(number), SSRC)
            yield head + payload

    def _ticks(self, number: int) -> int:
        return number * CLOCK // self._rate & 0xFFFF_FFFF


def _sender_report(ticks: int) -> bytes:
    """RFC 3550, section 6.4.1: this picture's time, which is now."""
    wall = time.time() + NTP
    seconds, fraction = int(wall), int(wall % 1 * 2**32)
    return struct.pack(">BBHIIIIII", 0x80, 200, 6, SSRC, seconds, fraction, ticks, 0, 0)


def _interleaved(channel: int, data: bytes) -> bytes:
    """RFC 2326, section 10.12."""
    return b"$" + struct.pack(">BH", channel, len(data)) + data


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]] | None:
    """Method, URL and fields of the next request; what comes interleaved before it is not looked at."""
    while (first := await reader.read(1)) == b"$":
        _, size = struct.unpack(">BH", await reader.readexactly(3))
        await reader.readexactly(size)
    if not first:
        return None
    lines = (first + await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, url, _ = lines[0].split(" ")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return method, url, fields


def _answer(method: str, url: str, fields: dict[str, str]) -> bytes:
    body, more = "", ["Session: 1"]
    if method == "OPTIONS":
        more = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]
    elif method == "DESCRIBE":
        body = SDP
        more = [f"Content-Base: {url}/", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
    elif method == "SETUP":
        more.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
    return "\r\n".join(("RTSP/1.0 200 OK", f"CSeq: {fields.get('cseq', '0')}", *more, "", body)).encode()


def _number(url: str) -> int:
    """Which camera a URL asks for, from 0."""
    number = urlsplit(url).path.strip("/").partition("/")[0]
    return int(number) if number.isdecimal() else 0


async def _serve(port: int, clip: Path, epoch: float, rate: int) -> None:
    camera = Camera(payloads_of(clip), epoch, rate)
    server = await asyncio.start_server(camera.converse, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    port, clip, epoch, *rate = sys.argv[1:]
    asyncio.run(_serve(int(port), Path(clip), float(epoch), int(*rate or (RATE,))))


if __name__ == "__main__":
    main()
