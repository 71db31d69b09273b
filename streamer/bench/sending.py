"""`python -m streamer.bench.sending FORMAT URL OPTIONS CLIP EPOCH`: a camera of any kind that FFmpeg writes.

Sends a raw H.264 clip of `numbered` in a loop: picture n is due EPOCH (monotonic seconds) + n / RATE, and written then.
OPTIONS are the muxer's, as JSON. At an http: URL it is a web server that answers whoever asks, one after the other.
"""

import itertools
import json
import socket
import sys
import time
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

import av

from streamer.bench.footage import RATE

KINDS = {"mpegts": "video/mp2t", "flv": "video/x-flv"}
"""What a web server calls them."""


class Answer:
    """A web server's one answer, as a muxer writes to it."""

    def __init__(self, port: int, kind: str) -> None:
        """Wait for somebody, and begin it."""
        with socket.create_server(("127.0.0.1", port)) as listening:
            self._socket, _ = listening.accept()
        while not self._socket.recv(1 << 16).endswith(b"\r\n\r\n"):
            pass
        self.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode())

    def write(self, data: bytes) -> int:
        """Send it."""
        self._socket.sendall(data)
        return len(data)


def send(form: str, url: str, options: dict[str, str], clip: Path, epoch: float) -> None:
    """Connect, or wait for somebody, and send until he goes."""
    there = urlsplit(url)
    to = Answer(there.port or 0, KINDS[form]) if there.scheme == "http" else url
    with av.open(str(clip)) as source:
        template = source.streams.video[0]
        units = [bytes(packet) for packet in source.demux(template) if packet.size]
        with av.open(to, "w", format=form, options=options | {"flush_packets": "1"}) as sink:
            out = sink.add_stream_from_template(template)
            first = (int(time.monotonic() - epoch) + 1) * RATE  # there is a key frame every second
            for number in itertools.count(first):
                packet = av.Packet(units[number % len(units)])
                packet.pts = packet.dts = number - first
                packet.time_base, packet.stream = Fraction(1, RATE), out
                packet.is_keyframe = number % RATE == 0
                time.sleep(max(0.0, epoch + number / RATE - time.monotonic()))
                sink.mux(packet)


def main() -> None:
    """Send, again and again, until killed."""
    form, url, options, clip, epoch = sys.argv[1:]
    while True:
        try:
            send(form, url, json.loads(options), Path(clip), float(epoch))
        except (OSError, av.FFmpegError):
            time.sleep(0.1)


if __name__ == "__main__":
    main()
