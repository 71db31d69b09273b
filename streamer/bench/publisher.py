"""`python -m streamer.bench.publisher URL CLIP SECONDS LOSSES PAUSE`: publishes a clip by WHIP, loses packets.

Prints `{"sent": [[ticks, monotonic], …], "lost": [monotonic, …]}`: when each picture was handed to the encoder, by its
time in ticks of RTP's clock, and when a packet was lost for good. After SECONDS without losses there are LOSSES, each
with a PAUSE in seconds after it.
"""

import asyncio
import json
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from yarl import URL

from streamer.values.packet import TIME_BASE

RATE = 30


def ticks_of(index: int) -> int:
    """When a picture is taken. No two intervals are alike, so that some of the times tell which they are."""
    return index * TIME_BASE.denominator // RATE + zlib.crc32(index.to_bytes(4)) % 1440


class Camera(MediaStreamTrack):
    """A clip as a camera's pictures, again and again."""

    kind = "video"

    def __init__(self, clip: Path) -> None:
        super().__init__()
        self.sent: list[tuple[int, float]] = []
        self._pictures = _endless(clip)
        self._began = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        """The next picture, when it is due."""
        picture, ticks = next(self._pictures), ticks_of(len(self.sent))
        await asyncio.sleep(max(0.0, self._began + ticks * TIME_BASE - time.monotonic()))
        picture.pts, picture.time_base = ticks, TIME_BASE
        self.sent.append((ticks, time.monotonic()))
        return picture


class Loss:
    """Loses one packet for good, whenever it is asked to: also when it is sent again."""

    def __init__(self, sender: RTCRtpSender) -> None:
        self.at: list[float] = []
        self._wanted = False
        self._lost = set[int]()
        transport = sender.transport
        self._send = transport._send_rtp  # noqa: SLF001  aiortc has no way to lose a packet
        setattr(transport, "_send_rtp", self._send_or_lose)  # noqa: B010

    def lose(self) -> None:
        """Lose the next packet."""
        self._wanted = True

    async def _send_or_lose(self, data: bytes) -> None:
        is_media = 96 <= data[1] & 0x7F < 128 and not 192 <= data[1] <= 223  # RFC 5761 section 4: the rest is RTCP
        number = int.from_bytes(data[2:4], "big")
        if is_media and self._wanted:
            self._wanted = False
            self._lost.add(number)
            self.at.append(time.monotonic())
        if not (is_media and number in self._lost):
            await self._send(data)


def _endless(clip: Path) -> Iterator[av.VideoFrame]:
    while True:
        with av.open(str(clip)) as container:
            for frame in container.decode(video=0):
                frame.pict_type = av.video.frame.PictureType.NONE  # the encoder decides
                yield frame


async def publish(url: str, clip: Path, seconds: float, losses: int, pause: float) -> dict[str, Any]:
    """Publish; returns what is printed."""
    peer, camera = RTCPeerConnection(RTCConfiguration(iceServers=[])), Camera(clip)
    transceiver = peer.addTransceiver(camera, direction="sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    # Without RTX: what is lost is asked for in vain, as on a network that loses it twice.
    transceiver.setCodecPreferences([codec for codec in known if codec.mimeType.lower() == "video/h264"])
    loss = Loss(transceiver.sender)
    await peer.setLocalDescription(await peer.createOffer())
    async with aiohttp.ClientSession() as client:
        headers = {"Content-Type": "application/sdp"}
        async with client.post(url, data=peer.localDescription.sdp, headers=headers) as response:
            response.raise_for_status()
            session = response.url.join(URL(response.headers["Location"]))
            await peer.setRemoteDescription(RTCSessionDescription(await response.text(), "answer"))
        await asyncio.sleep(seconds)
        for _ in range(losses):
            loss.lose()
            await asyncio.sleep(pause)
        async with client.delete(session):
            pass
    camera.stop()
    await peer.close()
    return {"sent": camera.sent, "lost": loss.at}


def main() -> None:
    """Publish, and print what was sent when."""
    url, clip, seconds, losses, pause = sys.argv[1:]
    print(json.dumps(asyncio.run(publish(url, Path(clip), float(seconds), int(losses), float(pause)))))


if __name__ == "__main__":
    main()
