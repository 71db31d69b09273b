"""`python -m streamer.bench.sending FORMAT URL OPTIONS CLIP EPOCH`: a camera of any kind that FFmpeg writes.

Sends a raw H.264 clip of `numbered` in a loop: picture n is due EPOCH (monotonic seconds) + n / RATE, and written then.
OPTIONS are the muxer's, as JSON. At an http: URL it is a web server that answers whoever asks, one after the other; of
HLS one that has the playlist and its segments. At an srt: URL the system's ffmpeg takes the bytes as they are.
"""

import functools
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
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


class Folder(SimpleHTTPRequestHandler):
    """A web server's, which says nothing on the terminal."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name it has there
        """Nothing."""


class Relay:
    """SRT, which PyAV's FFmpeg has not: the system's, which looks at nothing that it passes on."""

    def __init__(self, url: str) -> None:
        """Wait there for somebody who calls."""
        raw = ["-f", "data", "-i", "pipe:0", "-map", "0", "-c", "copy", "-f", "data"]
        command = ["ffmpeg", "-loglevel", "error", *raw, f"{url}?mode=listener&pkt_size=1316"]
        reading, self._into = os.pipe()
        self._process = subprocess.Popen(command, stdin=reading)
        os.close(reading)

    def write(self, data: bytes) -> int:
        """Send it."""
        return os.write(self._into, data)

    def close(self) -> None:
        """End it."""
        os.close(self._into)
        self._process.kill()
        self._process.wait()


@contextmanager
def _way(form: str, url: str) -> Iterator[Any]:
    """What a muxer writes to."""
    there = urlsplit(url)
    if form == "hls":
        with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
            handler = functools.partial(Folder, directory=folder)
            with ThreadingHTTPServer(("127.0.0.1", there.port or 0), handler) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                yield f"{folder}{there.path}"
                server.shutdown()
    elif there.scheme == "srt":
        relay = Relay(url)
        try:
            yield relay
        finally:
            relay.close()
    else:
        yield Answer(there.port or 0, KINDS[form]) if there.scheme == "http" else url


def send(form: str, url: str, options: dict[str, str], clip: Path, epoch: float) -> None:
    """Connect, or wait for somebody, and send until he goes."""
    with _way(form, url) as to, av.open(str(clip)) as source:
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
