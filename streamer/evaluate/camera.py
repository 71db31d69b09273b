"""`python -m streamer.evaluate.camera FILE URL PACKETS`: a camera that stands still before and after a clip.

It pushes a file's own H.264 at its own pace, as `sightline camera` does, but begins with the clip's first picture sent
again and again, while whoever takes it settles. On SIGUSR1 the clip follows, PACKETS packets of it, and then the first
picture again until it is stopped: after a live camera's frames there are always others, too. A keyframe decodes to the
same picture however often it is sent, so the clip begins without a cut.

A process of its own, because PyAV holds the GIL while FFmpeg's RTSP muxer waits for the other end.
"""

import itertools
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from streamer.evaluate.clip import packets_of, step_of
from streamer.tools.camera import end_at_sigterm

BEGIN = signal.SIGUSR1
RETRY = 0.2
"""Seconds between attempts while nobody listens."""

Packets = Iterator["av.Packet[Any]"]


def push(file: Path, url: str, packets: int, begun: Callable[[], bool]) -> None:
    """Push until interrupted; waits for somebody to listen.

    Args:
        file: a video of H.264.
        url: rtsp://host:port/path.
        packets: of the clip, from its first keyframe on.
        begun: whether the clip is to be played now.
    """
    while True:
        with (
            av.open(str(file)) as source,
            av.open(url, "w", format="rtsp", options={"rtsp_transport": "tcp"}) as sink,
        ):
            video = source.streams.video[0]
            out = sink.add_stream_from_template(video)
            try:
                sink.start_encoding()
            except (OSError, av.FFmpegError):
                time.sleep(RETRY)
                continue
            base, origin = float(video.time_base or 0), math.nan
            for packet in _schedule(source, video, packets, begun):
                at = (packet.dts or 0) * base
                if math.isnan(origin):  # a recording's own times begin anywhere
                    origin = time.monotonic() - at
                time.sleep(max(0.0, origin + at - time.monotonic()))
                packet.stream = out
                sink.mux(packet)


def _schedule(source: InputContainer, video: av.VideoStream, count: int, begun: Callable[[], bool]) -> Packets:
    """What is sent, in the file's time base: the first keyframe until it begins, `count` packets, and it for ever."""
    step = step_of(video)
    clip = itertools.islice(packets_of(source, video), count)
    first = next(clip)
    begin, data, decoded_at, base = first.pts or 0, bytes(first), first.dts or 0, first.time_base

    def still(number: int) -> "av.Packet[Any]":
        packet: av.Packet[Any] = av.Packet(data)
        waited = round(number * step)
        packet.pts, packet.dts, packet.time_base = begin + waited, decoded_at + waited, base
        packet.is_keyframe = True
        return packet

    stood = 0
    while not begun():
        yield still(stood)
        stood += 1
    last = begin
    for packet in itertools.chain([first], clip):
        packet.pts = (packet.pts or 0) + round(stood * step)
        packet.dts = (packet.dts or 0) + round(stood * step)
        last = max(last, packet.pts)
        yield packet
    yield from map(still, itertools.count(round((last - begin) / step) + 1))


def main() -> None:
    """Play what the command line says."""
    begun = threading.Event()
    end_at_sigterm()
    signal.signal(BEGIN, lambda *_: begun.set())
    file, url, packets = sys.argv[1:]
    try:
        push(Path(file), url, int(packets), begun.is_set)
    except (OSError, av.FFmpegError) as error:
        sys.exit(f"camera: {url} takes no more: {error.strerror}")


if __name__ == "__main__":
    main()
