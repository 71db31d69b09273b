"""A WHEP viewer (draft-ietf-wish-whep) made of aiortc: it offers, decodes what comes, and leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from tests.peers.service import Answer, Service, until

SDP = "application/sdp"


class WhepViewer:
    """A viewer that is connected; `watch_whep` makes one."""

    def __init__(self, location: str) -> None:
        self.location = location
        """The session's own path, for DELETE."""
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


async def offer(pc: RTCPeerConnection) -> str:
    """The offer of a viewer that wants one video, its candidates in it."""
    pc.addTransceiver("video", direction="recvonly")
    await pc.setLocalDescription(await pc.createOffer())
    return str(pc.localDescription.sdp)


async def post_offer(service: Service, stream: str, sdp: str | bytes, content_type: str = SDP) -> Answer:
    """Ask to watch."""
    return await service.ask(f"/whep/{stream}", method="POST", body=sdp, content_type=content_type)


@asynccontextmanager
async def watch_whep(service: Service, stream: str) -> AsyncIterator[WhepViewer]:
    """Watch a stream for as long as the block lasts; leaves without a word, as a closed laptop does."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    reading: list[asyncio.Task[None]] = []
    try:
        answer = await post_offer(service, stream, await offer(pc))
        assert answer.status == 201, answer
        viewer = WhepViewer(answer.headers["Location"])
        pc.on("track", lambda track: reading.append(asyncio.create_task(viewer.read(track))))
        await pc.setRemoteDescription(RTCSessionDescription(sdp=answer.body.decode(), type="answer"))
        yield viewer
    finally:
        await pc.close()
        for task in reading:
            await task
