"""A WHEP viewer (draft-ietf-wish-whep) made of aiortc: it offers, decodes what comes, and leaves."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import av
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.mediastreams import MediaStreamError

from tests.peers.rtc import make_pc, offer_to_watch, take_answer
from tests.peers.service import Answer, Service, until

SDP = "application/sdp"


class WhepViewer:
    """A viewer that is connected; `watch_whep` makes one."""

    def __init__(self, answer: Answer) -> None:
        self.location = answer.headers["Location"]
        """The session's own path, for DELETE."""
        self.etag = answer.headers["ETag"]
        ports = re.findall(r"^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) ", answer.body.decode(), re.MULTILINE)
        self.media_ports = [(host, int(port)) for host, port in ports]
        """Where the service listens for this session's media."""
        self.frames = 0
        """Decoded so far."""
        self.newest: av.VideoFrame | None = None
        self.ended = asyncio.Event()
        """Set when the track ends."""

    async def read(self, track: MediaStreamTrack) -> None:
        """Decode until the track ends."""
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                self.newest = frame
                self.frames += 1
        self.ended.set()

    async def more(self, count: int) -> None:
        """Wait until `count` more frames were decoded."""
        wanted = self.frames + count

        async def seen() -> bool:
            return self.frames >= wanted

        await until(seen, lambda: f"{wanted - self.frames} of {count} frames did not come")


async def post_offer(service: Service, stream: str, sdp: str | bytes, content_type: str = SDP) -> Answer:
    """Ask to watch."""
    return await service.ask(f"/whep/{stream}", method="POST", body=sdp, content_type=content_type)


@asynccontextmanager
async def watch_whep(
    service: Service, stream: str, *codecs: str, pc: RTCPeerConnection | None = None
) -> AsyncIterator[WhepViewer]:
    """Watch a stream, in one of these codecs, for as long as the block lasts; leaves without a DELETE.

    Args:
        service: where.
        stream: its name.
        codecs: as `offer_to_watch` takes them.
        pc: what to watch with, where it needs ICE servers; it is closed.
    """
    pc = pc or make_pc()
    reading: list[asyncio.Task[None]] = []
    try:
        answer = await post_offer(service, stream, await offer_to_watch(pc, *codecs))
        assert answer.status == 201, answer
        viewer = WhepViewer(answer)
        pc.on("track", lambda track: reading.append(asyncio.create_task(viewer.read(track))))
        await take_answer(pc, answer.body.decode())
        yield viewer
    finally:
        await pc.close()
        for task in reading:  # a track that was never connected has no end of its own
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
