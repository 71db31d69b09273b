"""Pushes a video file to an RTSP URL in a loop, at its own pace, as a drone's encoder would: for demos and benchmarks.

The file's packets are sent as they are, so a camera costs about a percent of a core. It must be a process of its own:
PyAV holds the GIL while FFmpeg's RTSP muxer waits for the other end.
"""

import signal
import sys
import time
from pathlib import Path

import av

from streamer.values.errors import ConfigError

RETRY = 0.5
"""Seconds between attempts while nobody listens."""


def push(file: Path, url: str, seconds: float | None = None) -> None:
    """Push until interrupted, or for some seconds; whenever the other end goes away, wait for it and start again.

    Raises:
        ConfigError: the file is no video that can be sent as it is.
    """
    end_at_sigterm()
    until = float("inf") if seconds is None else time.monotonic() + seconds
    _require_h264(file)
    while time.monotonic() < until:
        try:
            _push_once(file, url, until)
        except (OSError, av.FFmpegError):
            time.sleep(RETRY)


def end_at_sigterm() -> None:
    """Have SIGTERM end this process with 0. One more must not meet the interpreter's own end, which would show it."""
    ended = False

    def end(*_: object) -> None:
        # Blocked and not ignored: one that has come already and is to be handled next would be printed as a race.
        nonlocal ended
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        if not ended:
            ended = True
            sys.exit(0)

    signal.signal(signal.SIGTERM, end)


def _require_h264(file: Path) -> None:
    try:
        with av.open(str(file)) as container:
            codec = container.streams.video[0].codec.name if container.streams.video else None
    except (OSError, av.FFmpegError) as error:
        raise ConfigError(f"{file}: cannot be read as a video: {error.strerror}") from None
    if codec != "h264":
        raise ConfigError(f"{file}: carries {codec or 'no video'}; a camera sends h264")


def _push_once(file: Path, url: str, until: float) -> None:
    """One connection: the file from its start, again and again, timestamps rising."""
    with av.open(str(file)) as source, av.open(url, "w", format="rtsp", options={"rtsp_transport": "tcp"}) as sink:
        video = source.streams.video[0]
        out = sink.add_stream_from_template(video)
        base = float(video.time_base or 0)
        started = time.monotonic()
        begins = video.start_time or 0  # a recording cut out of a longer one, or of a broadcast, does not begin at 0
        offset = -begins
        while True:
            end = begins
            for packet in source.demux(video):
                if packet.dts is None or packet.pts is None:
                    continue
                end = max(end, packet.pts + (packet.duration or 0))
                packet.pts += offset
                packet.dts += offset
                due = started + packet.dts * base
                time.sleep(max(0.0, due - time.monotonic()))
                if time.monotonic() > until:
                    return
                packet.stream = out
                sink.mux(packet)
            offset += end - begins
            source.seek(0)
