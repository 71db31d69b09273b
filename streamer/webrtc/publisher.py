"""A WebRTC publisher (WHIP, RFC 9725) as a source: a browser, a phone or an encoder that pushes its video here.

    RTP packets ─► assembler ─► decoder (a thread) ─► frames

aiortc does ICE, DTLS, SRTP, feedback on lost packets (NACK) and on bandwidth (REMB); from its jitter buffer on
everything is ours, so that the newest wins. It is a source that cannot be opened again: when the publisher leaves, it
has ended.
"""

import asyncio
import logging
from collections.abc import Callable

import av
from aiortc import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from streamer.rtp.assembler import Assembler
from streamer.rtp.coding import Coding
from streamer.rtp.h264 import read_h264
from streamer.rtp.packet import Malformed, Packet
from streamer.rtp.payload import Depacketizer
from streamer.rtp.picture import Picture
from streamer.rtp.vp8 import read_vp8
from streamer.values.clock import Clock
from streamer.values.coded import MICROSECONDS, CodedPicture, OnCoded, OnSound
from streamer.values.depth import WHOLE, Depth
from streamer.values.errors import Refused, SourceErrorKind
from streamer.values.frame import Frame
from streamer.values.state import SourceState
from streamer.values.timeline import Timeline
from streamer.webrtc.decoder import DECODERS, Decoder, VideoCodec
from streamer.webrtc.hooks import ask_again, ask_for_keyframe, take_packets
from streamer.webrtc.peer import Peer
from streamer.webrtc.sdp import Offer, video_codecs
from streamer.webrtc.session import Session

log = logging.getLogger(__name__)

TICK = 0.05
"""Seconds between two looks at what is missing."""
NACK_INTERVAL = 0.1
"""Seconds after which a lost packet is asked for again; aiortc asks once."""
KEYFRAME_INTERVAL = 0.5
"""Seconds between two requests for a keyframe: an encoder may need that long to answer one."""
STALL_TIMEOUT = 0.7
"""Seconds of packets without a frame of those that are whole after which the stream is taken for stalled."""
PICTURE_TIMEOUT = 15.0
"""Seconds a publisher may send packets without one picture that can be decoded, at first or later."""
DATAGRAMS = 4000
"""A second, and at once, that a publisher may send: 35 Mbit/s."""
READERS: dict[VideoCodec, Depacketizer] = {"H264": read_h264, "VP8": read_vp8}
DECODED_BEYOND = 4
"""How far beyond the pixels allowed a picture may be and still be decoded, to be refused with its size in the log."""


class Publisher(Session):
    """One publisher, from POST to DELETE or failure."""

    def __init__(
        self,
        name: str,
        on_close: Callable[["Publisher"], None],
        *,
        clock: Clock,
        max_pixels: int,
        max_fps: float,
    ) -> None:
        super().__init__(
            Peer(
                f"{name}: the publisher",
                clock=clock,
                on_connected=self._connected,
                on_closed=self._closed,
                datagrams=DATAGRAMS,
            )
        )
        self.name = name
        self.state: SourceState = "connecting"
        self.reason: str | None = "the publisher is connecting"
        """Why the state is not live, as a sentence."""
        self.error: SourceErrorKind | None = None
        """None: a publisher that fails is gone, and its stream with it."""
        self.last_frame_at: float | None = None
        """Monotonic arrival of the newest frame."""
        self.reconnects: dict[SourceErrorKind, int] = {}
        """Empty: a publisher that comes back is a new one."""
        self.depth: Callable[[], Depth] = lambda: WHOLE
        """Not asked: browsers send a keyframe when they are asked for one, and everything leads to the next picture."""
        self.on_coded: OnCoded | None = None
        """Told of every encoded picture as it comes, on the event loop; None: nobody wants them."""
        self.on_sound: OnSound | None = None
        """Never told: a publisher's sound is thrown away."""
        self._on_close = on_close
        self._take_frame: Callable[[Frame], None] | None = None
        """Whoever runs this; None before."""
        self._clock = clock
        self._max_pixels, self._max_fps = max_pixels, max_fps
        self._loop = asyncio.get_running_loop()
        self._receiver: RTCRtpReceiver | None = None
        self._codecs: dict[int, str] = {}
        self._assembler = Assembler()
        self._decoder: Decoder | None = None
        self._coding: Coding | None = None
        self._timeline = Timeline()
        self._ssrc: int | None = None
        self._packet_at = self._asked_at = self._nacked_at = clock()
        self._waiting_since: float | None = None
        """Arrival of the first packet since the last frame, or since a pause."""
        self._decoding_since: float | None = None
        """When the first picture since the last frame was whole: a slow camera or line is not a stalled one."""
        self._frames = 0
        self._placed = -1.0
        self._dropped_before = self._capped = 0

    @property
    def skipped_late(self) -> int:
        """Pictures that were thrown away: decoding had fallen behind, one was broken, or more came than are allowed."""
        return self._dropped_before + self._capped + (self._decoder.dropped if self._decoder is not None else 0)

    @property
    def losses(self) -> int:
        """Times packets were given up for lost, and with them the pictures before the next keyframe."""
        return self._assembler.lost

    async def answer(self, offer: Offer, address: str = "") -> str:
        """The SDP answer, with every candidate in it, to an offer that came from `address`.

        Raises:
            Refused: the offer is malformed, or has no video that can be received.
        """
        if offer.direction not in ("sendonly", "sendrecv"):
            raise Refused(422, f"the offer's video section is {offer.direction}; a publisher's is sendonly")
        transceiver = self._peer.pc.addTransceiver("video", direction="recvonly")
        known = RTCRtpReceiver.getCapabilities("video")
        # H.264 first: phones encode it in hardware, and decoding it costs least here.
        wanted = [f"video/{name.lower()}" for name in (*DECODERS, "rtx")]
        transceiver.setCodecPreferences(
            [codec for kind in wanted for codec in (known.codecs if known else []) if codec.mimeType.lower() == kind]
        )
        answer = await self._peer.answer(offer, address)
        self._codecs = video_codecs(answer)
        self._receiver = transceiver.receiver
        for receiver in self._peer.pc.getReceivers():  # sound is taken and thrown away, so that its senders are served
            take_packets(receiver, self._take if receiver is self._receiver else _throw_away)
        return answer

    async def run(self, deliver: Callable[[Frame], None]) -> None:
        """Deliver its frames, and ask again for what is missing, until cancelled.

        `deliver` is called in a thread of the publisher's own, once a frame, in order, and must not wait.
        """
        self._take_frame = deliver
        while True:
            await asyncio.sleep(TICK)
            now = self._clock()
            self._decode(self._assembler.tick(now))
            if self._receiver is None or self._ssrc is None or not self._peer.connected:
                continue
            if self._waited(now) > PICTURE_TIMEOUT:
                self._refuse(f"no picture could be decoded within {PICTURE_TIMEOUT:.0f} s")
            await self._ask(self._receiver, self._ssrc, now)

    # ---- on the event loop

    def _connected(self) -> None:
        if self.state == "connecting":  # the first picture may have been faster
            self.reason = "waiting for the publisher's first picture"

    def _begun(self, width: int, height: int) -> None:
        if self.state == "connecting":
            log.info("%s: live, %d x %d, published by WebRTC", self.name, width, height)
            self.state, self.reason = "live", None

    def _closed(self) -> None:
        if self.state != "offline":
            self.state, self.reason = "offline", "the publisher left"
        if self._decoder is not None:
            self._decoder.close()
        self._on_close(self)

    def _take(self, packet: RtpPacket, _: bytes) -> None:
        """One packet, as aiortc unwrapped it."""
        codec = self._codecs.get(packet.payload_type)
        if codec not in DECODERS:
            return
        now = self._clock()
        if self._ssrc is None:
            self._asked_at = now
        if self._waiting_since is None or now - self._packet_at > STALL_TIMEOUT:
            self._waiting_since = now
        self._packet_at, self._ssrc = now, packet.ssrc
        if self._decoder is None or self._decoder.codec != codec:
            self._change_codec(codec)
        try:
            payload = READERS[codec](packet.payload)
        except Malformed:
            return
        marker, number, payload_type = bool(packet.marker), packet.sequence_number, packet.payload_type
        read = Packet(payload_type, marker, number, packet.timestamp, packet.ssrc, packet.payload)
        self._decode(self._assembler.put(read, payload, now))

    def _change_codec(self, codec: VideoCodec) -> None:
        if self._decoder is not None:
            self._decoder.close()
            self._dropped_before += self._decoder.dropped
            self._assembler.reset()
        limit = DECODED_BEYOND * self._max_pixels
        self._coding = Coding(DECODERS[codec])
        self._decoder = Decoder(self.name, codec, self._deliver, max_pixels=limit)

    def _decode(self, pictures: list[Picture]) -> None:
        if self._decoder is not None:
            for picture in pictures:
                if self._decoding_since is None:
                    self._decoding_since = self._clock()
                self._tap(picture)
                self._decoder.put(picture)

    def _tap(self, picture: Picture) -> None:
        """Hand it on as it came to whoever wants it now."""
        take, coding = self.on_coded, self._coding
        if coding is None:
            return
        if take is None:
            coding.form = None  # whoever wants pictures later begins with one that says it
            if picture.is_keyframe:
                coding.hear(picture.data)
            return
        data = coding.complete(picture.data, _coded_at(picture), is_key=picture.is_keyframe)
        if data is not None and coding.form is not None:
            take(CodedPicture(data, _coded_at(picture), picture.received_at, picture.is_keyframe, coding.form))

    def _waited(self, now: float) -> float:
        """Seconds for which packets have been coming and no frame came of them."""
        since = self._waiting_since
        return 0.0 if since is None or now - self._packet_at > STALL_TIMEOUT else now - since

    async def _ask(self, receiver: RTCRtpReceiver, ssrc: int, now: float) -> None:
        """Ask for lost packets, and for a keyframe where only that helps."""
        missing = self._assembler.missing()
        if missing and now - self._nacked_at >= NACK_INTERVAL:
            self._nacked_at = now
            await ask_again(receiver, ssrc, missing)
        since, coming = self._decoding_since, now - self._packet_at < STALL_TIMEOUT
        stalled = coming and since is not None and now - since > STALL_TIMEOUT
        # Over a thin line a keyframe takes its time; asked for again, it would only get a second one behind it.
        broken = self._assembler.wants_keyframe and not self._assembler.gathering
        broken = broken or (self._decoder is not None and self._decoder.wants_keyframe)
        if (stalled or broken) and now - self._asked_at >= KEYFRAME_INTERVAL:
            self._asked_at = now
            if stalled and not broken:
                self._assembler.reset()
            await ask_for_keyframe(receiver, ssrc)

    def _refuse(self, sentence: str) -> None:
        """End it for what it sends."""
        if self.state != "offline":
            self.state, self.reason = "offline", sentence
            log.warning("%s: %s; the publisher is sent away", self.name, sentence)
            self._ending = asyncio.ensure_future(self.close())

    # ---- in the decoder's thread

    def _deliver(self, picture: av.VideoFrame, of: Picture) -> None:
        if picture.width * picture.height > self._max_pixels:
            sentence = (
                f"a picture of {picture.width} x {picture.height} is larger than the {self._max_pixels} pixels allowed"
            )
            self._loop.call_soon_threadsafe(self._refuse, sentence)
            return
        placed = self._timeline.place(of.pts, of.received_at)
        self._waiting_since = self._decoding_since = None
        if placed - self._placed < 0.8 / self._max_fps:
            self._capped += 1
            return
        self._placed = placed
        now, coded_at = self._clock(), _coded_at(of)
        frame = Frame(self.name, self._frames, placed, of.received_at, picture, coded_at=coded_at, decoded_at=now)
        self._frames += 1
        self.last_frame_at = of.received_at
        if self._take_frame is not None:
            self._take_frame(frame)
        if frame.index == 0:  # behind the frame's own way to the event loop: who is told "live" sees it
            self._loop.call_soon_threadsafe(self._begun, picture.width, picture.height)


def _coded_at(picture: Picture) -> int:
    """When it is shown, in microseconds of its sender's clock."""
    return round(picture.pts * MICROSECONDS)


def _throw_away(_: RtpPacket, __: bytes) -> None:
    pass
