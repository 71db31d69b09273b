"""ffmpeg as an encoder: a clip sent as it is, at its own pace, in whatever form and to wherever a test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.peers.process import Process
from tests.peers.required import requires


def send(*output: str | Path, clip: Path, loop: bool = True) -> Process:
    """ffmpeg that sends a clip at its own pace."""
    requires("ffmpeg")
    again = ("-stream_loop", "-1") if loop else ()
    return Process(["ffmpeg", "-loglevel", "error", "-re", *again, "-i", clip, "-c", "copy", *output])


@asynccontextmanager
async def sending(*output: str | Path, clip: Path) -> AsyncIterator[None]:
    """The same for as long as the block lasts, again whenever it ends: who sends may be there before who listens."""
    process = send(*output, clip=clip)

    async def again() -> None:
        nonlocal process
        while True:
            if process.returncode is not None:
                process.stop()
                process = send(*output, clip=clip)
            await asyncio.sleep(0.2)

    task = asyncio.create_task(again())
    try:
        yield
    finally:
        task.cancel()
        process.stop()


def rtp(port: int, codec: str = "h264") -> tuple[str, ...]:
    """What has ffmpeg send bare RTP, parameter sets in it."""
    annex_b = () if codec == "mjpeg" else ("-bsf:v", f"{'hevc' if codec == 'h265' else codec}_mp4toannexb")
    return (*annex_b, "-f", "rtp", f"rtp://127.0.0.1:{port}")
