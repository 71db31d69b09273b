"""`python -m streamer.bench.whip_camera URL CLIP EPOCH`: publishes a clip of `numbered` by WHIP, as it is encoded.

Picture n is due EPOCH (monotonic seconds) + n / RATE, and sent then, until killed.
"""

import asyncio
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from streamer.bench.footage import RATE


class Camera(MediaStreamTrack):
    """The clip's own pictures, again and again."""

    kind = "video"

    def __init__(self, units: list[bytes], epoch: float) -> None:
        super().__init__()
        self._units, self._epoch = units, epoch
        self._next: int | None = None

    async def recv(self) -> "av.Packet[Any]":
        """The next one when it is due, from a key picture on."""
        if self._next is None:
            self._next = (int(time.monotonic() - self._epoch) + 1) * RATE  # there is one every second
        await asyncio.sleep(max(0.0, self._epoch + self._next / RATE - time.monotonic()))
        packet = av.Packet(self._units[self._next % len(self._units)])
        packet.pts = packet.dts = self._next
        packet.time_base = Fraction(1, RATE)
        self._next += 1
        return packet


async def publish(url: str, clip: Path, epoch: float) -> None:
    """Publish for ever."""
    with av.open(str(clip)) as source:
        units = [bytes(packet) for packet in source.demux(video=0) if packet.size]
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = peer.addTransceiver(Camera(units, epoch), direction="sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in known if codec.mimeType.lower() == "video/h264"])
    await peer.setLocalDescription(await peer.createOffer())
    offer, headers = peer.localDescription.sdp, {"Content-Type": "application/sdp"}
    answer = ""
    async with aiohttp.ClientSession() as client:
        while not answer:
            try:
                async with client.post(url, data=offer, headers=headers) as response:
                    answer = await response.text()
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.Event().wait()


def main() -> None:
    """Publish until killed."""
    url, clip, epoch = sys.argv[1:]
    asyncio.run(publish(url, Path(clip), float(epoch)))


if __name__ == "__main__":
    main()
