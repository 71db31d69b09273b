"""streamer.session: one WHEP viewer, with aiortc as a real one on the other side."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPsfbPacket

from streamer import session as session_file
from streamer.encoder import H264Encoder
from streamer.errors import SessionError
from streamer.packet import EncodedPacket
from streamer.publisher import Publisher
from streamer.session import MAX_CANDIDATES, MAX_OFFER, PacketTrack, Session
from tests.peers.clip import draw_frame, read_index
from tests.peers.clock import FakeClock

FPS = 30


class Viewer:
    """A peer that watches one session, and the packets the session is fed with."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.publisher = Publisher(clock=self.clock)
        self.closed: list[Session] = []
        self.session = Session("line-1", self.publisher, self.closed.append)
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
        self.pc.on("track", self.tracks.put_nowait)
        self._encoder = H264Encoder(320, 240)
        self.index = 0

    async def offer(self, *, codecs: str = "video/h264", audio: bool = False) -> str:
        """An offer to watch, with codecs of one kind."""
        if audio:
            self.pc.addTransceiver("audio", direction="recvonly")
        transceiver = self.pc.addTransceiver("video", direction="recvonly")
        known = RTCRtpReceiver.getCapabilities("video")
        assert known is not None
        transceiver.setCodecPreferences([codec for codec in known.codecs if codec.mimeType.lower() == codecs])
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def connect(self, *, audio: bool = False) -> MediaStreamTrack:
        """Watch; gives the video once the peers are connected."""
        answer = await self.session.answer(await self.offer(audio=audio))
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        await until(lambda: self.pc.connectionState == self.session._pc.connectionState == "connected")
        while (track := await self.tracks.get()).kind != "video":
            pass
        return track

    def publish(self, *, keyframe: bool = False) -> EncodedPacket:
        """Encode and publish the next numbered picture."""
        picture = av.VideoFrame.from_ndarray(draw_frame(self.index, 320, 240), format="rgb24")
        planes = np.asarray(picture.reformat(format="yuv420p").to_ndarray(), np.uint8)
        (packet,) = self._encoder.encode(planes, self.index / FPS, keyframe=keyframe)
        self.index += 1
        self.publisher.publish(packet)
        return packet

    async def feed(self) -> None:
        """Publish at the pace of a camera, as the view does: a keyframe whenever one is due."""
        while True:
            self.clock.advance(1 / FPS)
            self.publish(keyframe=self.publisher.keyframe_due())
            await asyncio.sleep(1 / FPS)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something the network brings; pytest's timeout ends what never comes."""
    while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
        await asyncio.sleep(0.01)


@asynccontextmanager
async def run_viewer() -> AsyncIterator[Viewer]:
    """A viewer whose both ends are closed afterwards."""
    viewer = Viewer()
    try:
        yield viewer
    finally:
        await viewer.pc.close()
        await viewer.session.close()


async def test_a_viewer_sees_the_pictures() -> None:
    """What was encoded once arrives over DTLS and SRTP and decodes, in order, from a keyframe on, at its times."""
    async with run_viewer() as viewer:
        track = await viewer.connect()
        feeding = asyncio.create_task(viewer.feed())
        received = [await track.recv() for _ in range(40)]
        feeding.cancel()
    pictures = [picture for picture in received if isinstance(picture, av.VideoFrame)]
    assert len(pictures) == 40
    indices = [read_index(picture.to_ndarray(format="rgb24")) for picture in pictures]
    assert indices == sorted(set(indices))
    steps = [after - before for before, after in pairwise(indices)]
    assert steps.count(1) > 30
    for (before, after), step in zip(pairwise(pictures), steps, strict=True):
        assert after.pts is not None
        assert before.pts is not None
        assert after.pts - before.pts == step * 90_000 // FPS


async def test_a_player_that_offers_sound_too_gets_the_picture() -> None:
    """An offer with audio is answered with video alone."""
    async with run_viewer() as viewer:
        track = await viewer.connect(audio=True)
        feeding = asyncio.create_task(viewer.feed())
        assert isinstance(await track.recv(), av.VideoFrame)
        feeding.cancel()


@pytest.mark.parametrize("kind", [RTCP_PSFB_PLI, RTCP_PSFB_FIR])
async def test_a_viewers_request_reaches_the_publisher(kind: int) -> None:
    """A PLI or FIR, through aiortc's own reading of RTCP, makes the publisher want a keyframe."""
    async with run_viewer() as viewer:
        await viewer.connect()
        viewer.publish(keyframe=True)
        viewer.clock.advance(60)
        assert not viewer.publisher.keyframe_due()
        (sender,) = viewer.session._pc.getSenders()
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=kind, ssrc=1, media_ssrc=sender._ssrc))
        assert viewer.publisher.keyframe_due()


async def test_a_lost_picture_is_asked_for_again_over_the_network() -> None:
    """A PLI that the viewer sends as SRTCP arrives and makes the publisher want a keyframe."""
    async with run_viewer() as viewer:
        track = await viewer.connect()
        feeding = asyncio.create_task(viewer.feed())
        await track.recv()
        feeding.cancel()
        viewer.publish(keyframe=True)
        viewer.clock.advance(60)
        assert not viewer.publisher.keyframe_due()
        (receiver,) = viewer.pc.getReceivers()
        (sender,) = viewer.session._pc.getSenders()
        await receiver._send_rtcp_pli(sender._ssrc)
        await until(viewer.publisher.keyframe_due)


async def test_connecting_asks_for_a_keyframe() -> None:
    """A viewer that is connected wants a keyframe, whatever was published while it was connecting."""
    async with run_viewer() as viewer:
        answer = await viewer.session.answer(await viewer.offer())
        viewer.publish(keyframe=True)
        viewer.clock.advance(60)
        assert not viewer.publisher.keyframe_due()
        await viewer.pc.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        await until(viewer.publisher.keyframe_due)


async def test_closing_twice_is_fine() -> None:
    """A session closed twice says so once, and leaves the publisher."""
    async with run_viewer() as viewer:
        await viewer.connect()
        assert len(viewer.publisher) == 1
        await viewer.session.close()
        await viewer.session.close()
        assert viewer.closed == [viewer.session]
        assert len(viewer.publisher) == 0


async def test_a_session_closed_before_it_began_leaves_nothing() -> None:
    """A session that never got an offer can be closed."""
    publisher, closed = Publisher(clock=FakeClock()), list[Session]()
    session = Session("line-1", publisher, closed.append)
    await session.close()
    assert closed == [session]
    assert len(publisher) == 0


async def test_a_viewer_that_leaves_is_forgotten() -> None:
    """When the viewer closes its end, the session closes by itself."""
    async with run_viewer() as viewer:
        await viewer.connect()
        await viewer.pc.close()
        await until(lambda: viewer.closed == [viewer.session])
        assert len(viewer.publisher) == 0


async def test_a_viewer_that_never_connects_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer nobody takes up ends the session when the time for the handshake is over."""
    monkeypatch.setattr(session_file, "HANDSHAKE_TIMEOUT", 0.05)
    async with run_viewer() as viewer:
        await viewer.session.answer(await viewer.offer())
        await until(lambda: viewer.closed == [viewer.session])
        assert len(viewer.publisher) == 0


OFFER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        ("", 400),
        ("garbage", 400),
        ("{}", 400),
        ("v=0\r\n", 400),
        ("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 400),
        (OFFER, 400),
        (OFFER.replace("o=- 1 1 IN IP4 0.0.0.0", "o=nonsense"), 400),
        (OFFER + "a=fingerprint:sha-256 zz\r\n", 400),
        (OFFER + "a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n" * (MAX_CANDIDATES + 1), 400),
        (OFFER + "a=x:" + "y" * MAX_OFFER, 413),
        (OFFER.replace("H264", "VP8"), 406),
    ],
)
async def test_an_offer_that_cannot_be_answered_is_refused(offer: str, status: int) -> None:
    """Garbage, too much of anything and a wrong codec are each refused with their HTTP status and one sentence."""
    session = Session("line-1", Publisher(clock=FakeClock()), lambda _: None)
    with pytest.raises(SessionError) as refused:
        await session.answer(offer)
    assert refused.value.status == status
    assert "\n" not in str(refused.value)
    await session.close()


async def test_a_viewer_without_h264_is_told_so() -> None:
    """A real offer of VP8 alone is 406: not acceptable."""
    async with run_viewer() as viewer:
        with pytest.raises(SessionError, match=r"H\.264") as refused:
            await viewer.session.answer(await viewer.offer(codecs="video/vp8"))
        assert refused.value.status == 406


async def test_the_answer_is_whole() -> None:
    """The answer carries H.264 alone, sends only, and needs no further candidates."""
    async with run_viewer() as viewer:
        answer = await viewer.session.answer(await viewer.offer())
    assert "a=sendonly" in answer
    assert "a=candidate:" in answer
    assert "a=end-of-candidates" in answer
    codecs = {line.split()[1] for line in answer.splitlines() if line.startswith("a=rtpmap:")}
    assert codecs <= {"H264/90000", "rtx/90000"}
    assert "H264/90000" in codecs


async def test_ids_cannot_be_guessed() -> None:
    """Every session has an id of its own, long and fit for a URL."""
    sessions = [Session("line-1", Publisher(clock=FakeClock()), lambda _: None) for _ in range(20)]
    ids = {session.id for session in sessions}
    assert len(ids) == 20
    assert all(len(found) >= 22 and found.replace("-", "").replace("_", "").isalnum() for found in ids)
    for session in sessions:
        await session.close()


async def test_a_stopped_track_hands_out_nothing() -> None:
    """Asking a stopped track for a packet is the end of the track."""
    publisher = Publisher(clock=FakeClock())
    track = PacketTrack(publisher)
    assert len(publisher) == 0  # a viewer that never connects takes no packets, and loses none
    receiving = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    publisher.publish(EncodedPacket(b"\0\0\1\x65", 3000, True))
    packet = await receiving
    assert (bytes(packet), packet.pts, packet.dts) == (b"\0\0\1\x65", 3000, 3000)
    track.stop()
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()
    assert len(publisher) == 0
