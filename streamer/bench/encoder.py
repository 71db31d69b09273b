"""`python -m streamer.bench.encoder URL SECONDS CLIP…`: an encoder that sends MPEG-TS and is set to another format.

Sends each clip for SECONDS, at its own pace; each is a stream of its own, as when an encoder is stopped and started.
"""

import sys
import time
from pathlib import Path

import av


def send(url: str, seconds: float, clip: Path) -> None:
    """Send the clip from its start, for so long or to its end."""
    with av.open(str(clip)) as source, av.open(url, "w", format="mpegts") as sink:
        video, began = source.streams.video[0], time.monotonic()
        out, base = sink.add_stream_from_template(video), float(video.time_base or 0)
        for packet in source.demux(video):
            if packet.dts is None:
                continue
            due = packet.dts * base
            if due > seconds:
                return
            time.sleep(max(0.0, began + due - time.monotonic()))
            packet.stream = out
            sink.mux(packet)


def main() -> None:
    """Send the clips one after the other."""
    url, seconds, clips = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    for clip in clips:
        send(url, seconds, Path(clip))


if __name__ == "__main__":
    main()
