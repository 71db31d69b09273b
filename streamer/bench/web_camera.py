"""`python -m streamer.bench.web_camera PORT CLIP`: a camera on a web server, as MPEG-TS that never ends, at any path.

Whoever asks gets the clip from its start, again and again, at its own pace.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import av
from aiohttp import web


class Pipe:
    """Where a muxer writes to: what it wrote is taken out as bytes."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        """Append, as a file does."""
        self._written += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._written)
        self._written.clear()
        return data


async def live(clip: Path) -> AsyncIterator[bytes]:
    """The clip as MPEG-TS, each picture when it is due."""
    pipe, offset, began = Pipe(), 0, time.monotonic()
    with av.open(pipe, "w", format="mpegts", options={"flush_packets": "1"}) as sink:
        out = None
        while True:
            with av.open(str(clip)) as source:
                video, end = source.streams.video[0], 0
                out = out or sink.add_stream_from_template(video)
                base = float(video.time_base or 0)
                for packet in source.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + offset, packet.dts + offset, out
                    await asyncio.sleep(max(0.0, began + packet.dts * base - time.monotonic()))
                    sink.mux(packet)
                    yield pipe.take()
                offset += end


def application(clip: Path) -> web.Application:
    """Serves it."""

    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "video/mp2t"})
        await response.prepare(request)
        async for data in live(clip):
            await response.write(data)
        return response

    served = web.Application()
    served.router.add_get("/{path:.*}", serve)
    return served


def main() -> None:
    """Serve until terminated."""
    port, clip = int(sys.argv[1]), Path(sys.argv[2])
    web.run_app(
        application(clip),
        host="127.0.0.1",
        port=port,
        print=None,
        access_log=None,
        shutdown_timeout=0.1,
        handler_cancellation=True,
    )


if __name__ == "__main__":
    main()
