"""A publisher made of aiortc: numbered pictures, encoded as aiortc does, over a network that may lose packets."""

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from streamer.webrtc.datagram_filter import datagram_filters
from tests.peers.clip import draw_frame
from tests.peers.rtc import make_pc

CLOCK = Fraction(1, 90_000)


class NumberedTrack(MediaStreamTrack):
    """Pictures of clip.py, numbered from 0, at the pace of a camera."""

    kind = "video"

    def __init__(
        self, width: int = 320, height: int = 240, fps: int = 30, *, noise: bool = False, most: int | None = None
    ) -> None:
        """Draw pictures of that size, so many at the most; with noise in them none fits one packet."""
        super().__init__()
        self.width, self.height, self.fps, self.noise, self.most = width, height, fps, noise, most
        self._index = 0
        self._began = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        """The next picture, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        if self._index == self.most:
            await asyncio.Event().wait()
        await asyncio.sleep(max(0.0, self._began + self._index / self.fps - time.monotonic()))
        image = draw_frame(self._index, self.width, self.height)
        if self.noise:
            image[self.height // 2 :] = np.random.default_rng(self._index).integers(
                0, 256, image[self.height // 2 :].shape
            )
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = self._index * 90_000 // self.fps, CLOCK
        self._index += 1
        return frame


class WhipPublisher:
    """Somebody who publishes by WebRTC."""

    def __init__(
        self,
        *,
        codec: str = "video/h264",
        rtx: bool = True,
        audio: bool = False,
        track: NumberedTrack | None = None,
    ) -> None:
        self.pc: RTCPeerConnection = make_pc()
        self.track = track or NumberedTrack()
        self._kinds = (codec, "video/rtx") if rtx else (codec,)
        self._audio = audio
        self.lose: Callable[[int], bool] = lambda _: False
        """Whether an RTP packet of this sequence number is lost on its way, each time it is sent."""
        self.pace = 0.0
        """Seconds from one packet to the next."""
        self.keyframes_asked = 0
        """How often whoever receives has asked for one."""

    async def offer(self) -> str:
        """An offer to send."""
        if self._audio:
            self.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        transceiver = self.pc.addTransceiver(self.track, direction="sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([codec for codec in known if codec.mimeType.lower() in self._kinds])
        self._lose_packets(transceiver.sender)
        self._count_requests(transceiver.sender)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    def _lose_packets(self, sender: RTCRtpSender) -> None:
        """Stand between the sender and its transport."""
        transport = sender.transport
        send = transport._send_rtp

        async def send_or_lose(data: bytes) -> None:
            is_media = data[1] & 0x7F >= 96
            if is_media:
                await asyncio.sleep(self.pace)
            if not (is_media and self.lose(int.from_bytes(data[2:4], "big"))):
                await send(data)

        transport._send_rtp = send_or_lose  # type: ignore[method-assign]

    def _count_requests(self, sender: RTCRtpSender) -> None:
        make_keyframe = sender._send_keyframe

        def counted() -> None:
            self.keyframes_asked += 1
            make_keyframe()

        sender._send_keyframe = counted  # type: ignore[method-assign]

    def fall_silent(self) -> None:
        """Send nothing more, not even goodbye, as when a battery is empty."""
        for datagram_filter in datagram_filters(self.pc):
            datagram_filter.transport.sendto = lambda *_: None  # type: ignore[method-assign]

    async def close(self) -> None:
        """Leave."""
        self.track.stop()
        await self.pc.close()
