"""streamer.webrtc.viewer: one WHEP viewer, with aiortc as a real one on the other side."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import av
import numpy as np
import pytest
from aiortc import RTCRtpSender
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    pack_remb_fci,
)

from streamer.values.errors import Refused
from streamer.values.packet import EncodedPacket
from streamer.values.receipts import Receipt
from streamer.view.bandwidth import GROWING_INTERVAL, LEAST
from streamer.view.encoder import Encoder, H264Encoder, Vp8Encoder, worth_of
from streamer.view.fanout import FanOut
from streamer.view.renderer import Renderer, Wish
from streamer.webrtc.datagram_filter import datagram_filters
from streamer.webrtc.sdp import read_offer
from streamer.webrtc.viewer import Codec, PacketTrack, Viewer
from tests.peers.clip import draw_frame, read_index
from tests.peers.clock import FakeClock
from tests.peers.frames import make_frame
from tests.peers.rtc import make_pc, offer_to_watch, take_answer
from tests.peers.until import until

FPS = 30


class Watching:
    """A peer that watches one session, and the packets the session is fed with."""

    def __init__(self, codec: Codec = "H264") -> None:
        self.clock = FakeClock()
        self.codec = codec
        self.fan_outs: dict[Codec, FanOut] = {
            "H264": FanOut(clock=self.clock),
            "VP8": FanOut(clock=self.clock),
        }
        self.fan_out = self.fan_outs[codec]
        self.closed: list[Viewer] = []
        self.session = Viewer("line-1", self.fan_outs, self.closed.append, clock=self.clock)
        self.pc = make_pc()
        self.tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
        self.pc.on("track", self.tracks.put_nowait)
        self._encoder: Encoder = H264Encoder(320, 240) if codec == "H264" else Vp8Encoder(320, 240)
        self.index = 0

    async def connect(self, *codecs: str, audio: bool = False) -> MediaStreamTrack:
        """Watch, taking these codecs; gives the video once the peers are connected."""
        if audio:
            self.pc.addTransceiver("audio", direction="recvonly")
        offer = await offer_to_watch(self.pc, *(codecs or (f"video/{self.codec.lower()}",)))
        await take_answer(self.pc, await self.session.answer(read_offer(offer)))
        await until(lambda: self.pc.connectionState == "connected" and self.session._peer.connected)
        while (track := await self.tracks.get()).kind != "video":
            pass
        return track

    def publish(self, *, keyframe: bool = False) -> EncodedPacket:
        """Encode and publish the next numbered picture."""
        picture = av.VideoFrame.from_ndarray(draw_frame(self.index, 320, 240), format="rgb24")
        planes = np.asarray(picture.reformat(format="yuv420p").to_ndarray(), np.uint8)
        (packet,) = self._encoder.encode(planes, self.index / FPS, keyframe=keyframe)
        self.index += 1
        self.fan_out.publish(packet)
        return packet

    async def feed(self) -> None:
        """Publish at the pace of a camera, as the view does: a keyframe whenever one is due."""
        while True:
            self.clock.advance(1 / FPS)
            self.publish(keyframe=self.fan_out.keyframe_due())
            await asyncio.sleep(1 / FPS)


@asynccontextmanager
async def run_viewer(codec: Codec = "H264") -> AsyncIterator[Watching]:
    """A viewer whose both ends are closed afterwards."""
    viewer = Watching(codec)
    try:
        yield viewer
    finally:
        await viewer.pc.close()
        await viewer.session.close()


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_viewer_sees_the_pictures(codec: Codec) -> None:
    """What was encoded once arrives over DTLS and SRTP and decodes, in order, from a keyframe on, at its times."""
    async with run_viewer(codec) as viewer:
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


async def test_a_picture_is_told_as_it_leaves_and_known_by_its_timestamp() -> None:
    """Each pts is told once, when the connection takes it; the RTP timestamp on the wire leads back to it, also over
    the end of their 32 bits."""
    async with run_viewer() as viewer:
        track, left, stamps = viewer.session._track, list[tuple[int, float]](), list[int]()
        track._on_sent = lambda pts, at: left.append((pts, at))
        await viewer.connect()
        (receiver,) = viewer.pc.getReceivers()
        take = receiver._handle_rtp_packet

        async def noted(packet: RtpPacket, arrival_time_ms: int) -> None:
            if packet.timestamp not in stamps:
                stamps.append(packet.timestamp)
            await take(packet, arrival_time_ms=arrival_time_ms)

        receiver._handle_rtp_packet = noted  # type: ignore[method-assign]
        assert track.identity(0) is None
        sent = []
        for index in range(3):
            viewer.clock.advance(1)
            sent.append((viewer.publish(keyframe=not index).pts, viewer.clock()))
            await until(lambda: len(stamps) > index)  # noqa: B023
        assert left == sent
        now = viewer.clock()
        for (pts, at), timestamp in zip(sent, stamps, strict=True):
            found = viewer.session.receipts.take(viewer.session.identity(timestamp), None, now, now=now)
            assert found == Receipt(pts, at, None, now)
        assert track._origin is not None
        far = track._origin + (1 << 32) + 7
        assert track.identity(far % (1 << 32)) == 7


async def test_a_player_that_offers_sound_too_gets_the_picture() -> None:
    """An offer with audio is answered with video alone."""
    async with run_viewer() as viewer:
        track = await viewer.connect(audio=True)
        feeding = asyncio.create_task(viewer.feed())
        assert isinstance(await track.recv(), av.VideoFrame)
        feeding.cancel()


@pytest.mark.parametrize("kind", [RTCP_PSFB_PLI, RTCP_PSFB_FIR])
async def test_a_viewers_request_reaches_the_publisher(kind: int) -> None:
    """A PLI or FIR, through aiortc's own reading of RTCP, makes the fan_out want a keyframe."""
    async with run_viewer() as viewer:
        await viewer.connect()
        viewer.publish(keyframe=True)
        viewer.clock.advance(5)
        assert not viewer.fan_out.keyframe_due()
        (sender,) = viewer.session._peer.pc.getSenders()
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=kind, ssrc=1, media_ssrc=sender._ssrc))
        assert viewer.fan_out.keyframe_due()


async def test_a_lost_picture_is_asked_for_again_over_the_network() -> None:
    """A PLI that the viewer sends as SRTCP arrives and makes the fan_out want a keyframe."""
    async with run_viewer() as viewer:
        track = await viewer.connect()
        feeding = asyncio.create_task(viewer.feed())
        await track.recv()
        feeding.cancel()
        viewer.publish(keyframe=True)
        viewer.clock.advance(5)
        assert not viewer.fan_out.keyframe_due()
        (receiver,) = viewer.pc.getReceivers()
        (sender,) = viewer.session._peer.pc.getSenders()
        await receiver._send_rtcp_pli(sender._ssrc)
        await until(viewer.fan_out.keyframe_due)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_report_that_repeats_itself_is_obeyed_once(codec: Codec) -> None:
    """A viewer's NACK that asks for the same packets over and over gets each of them once, with RTX or without."""
    async with run_viewer(codec) as viewer:
        codecs = (f"video/{codec.lower()}", "video/rtx") if codec == "VP8" else ()
        track = await viewer.connect(*codecs)
        feeding = asyncio.create_task(viewer.feed())
        for _ in range(20):
            await track.recv()
        feeding.cancel()
        (sender,) = viewer.session._peer.pc.getSenders()
        (receiver,) = viewer.pc.getReceivers()
        newest = max(viewer_history(sender), key=lambda packet: packet.timestamp).sequence_number
        before = viewer.session.traffic
        entry = struct.pack("!HH", (newest - 16) & 0xFFFF, 0xFFFF)
        for entries in (100, 330):  # the second is longer than any viewer's
            body = struct.pack("!LL", 1, sender._ssrc) + entry * entries
            await receiver.transport._send_rtp(struct.pack("!BBH", 0x81, 205, len(body) // 4) + body)
        await until(lambda: viewer.session.traffic.reports_dropped == 1)
        sent = viewer.session.traffic.sent_again - before.sent_again
        assert 0 < sent <= 17
        assert viewer.session.traffic.not_sent_again - before.not_sent_again >= 99 * 17 - sent


def viewer_history(sender: RTCRtpSender) -> list[RtpPacket]:
    """What a sender keeps to be sent again."""
    return list(sender._RTCRtpSender__rtp_history.values())  # type: ignore[attr-defined]


async def test_what_is_sent_again_is_no_more_than_the_stream() -> None:
    """A viewer that reports everything lost, again and again, gets every byte twice at the most."""
    async with run_viewer() as viewer:
        track = await viewer.connect()
        feeding = asyncio.create_task(viewer.feed())
        for _ in range(10):
            await track.recv()
        feeding.cancel()
        (sender,) = viewer.session._peer.pc.getSenders()
        again, send_again = list[int](), sender.transport._send_rtp

        async def send(data: bytes) -> None:
            again.append(len(data))
            await send_again(data)

        sender.transport._send_rtp = send  # type: ignore[method-assign]
        sizes = {packet.sequence_number: len(packet.serialize()) for packet in viewer_history(sender)}
        for _ in range(50):
            viewer.session._peer.on_report()
            lost = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc, lost=list(sizes))
            await sender._handle_rtcp_packet(lost)
        assert len(again) == viewer.session.traffic.sent_again
        assert 0.8 * sum(sizes.values()) < sum(again) < 1.2 * sum(sizes.values())
        assert viewer.session.traffic.not_sent_again > 40 * len(sizes)


async def test_connecting_asks_for_a_keyframe() -> None:
    """A viewer that is connected wants a keyframe, whatever was published while it was connecting."""
    async with run_viewer() as viewer:
        answer = await viewer.session.answer(read_offer(await offer_to_watch(viewer.pc)))
        viewer.publish(keyframe=True)
        viewer.clock.advance(5)
        assert not viewer.fan_out.keyframe_due()
        await take_answer(viewer.pc, answer)
        await until(viewer.fan_out.keyframe_due)


async def test_closing_twice_is_fine() -> None:
    """A session closed twice says so once, and leaves the fan_out."""
    async with run_viewer() as viewer:
        await viewer.connect()
        assert len(viewer.fan_out) == 1
        await viewer.session.close()
        await viewer.session.close()
        assert viewer.closed == [viewer.session]
        assert len(viewer.fan_out) == 0


@pytest.mark.parametrize("turns", [1, 2, 3, 4])
async def test_a_close_that_is_cut_short_goes_on(turns: int) -> None:
    """A viewer that hangs up while its session is being ended does not keep it half open."""
    async with run_viewer() as viewer:
        await viewer.connect()
        closing = asyncio.create_task(viewer.session.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        pc = viewer.session._peer.pc
        await until(lambda: pc.connectionState == "closed" and not datagram_filters(pc))


async def test_codecs_are_known_however_they_are_spelled() -> None:
    """Names of codecs are compared without regard to case (RFC 8866 section 6.6)."""
    async with run_viewer() as viewer:
        offer = (await offer_to_watch(viewer.pc, "video/h264")).replace("H264/90000", "h264/90000")
        assert "H264/90000" in await viewer.session.answer(read_offer(offer))


async def test_a_session_closed_before_it_began_leaves_nothing() -> None:
    """A session that never got an offer can be closed."""
    fan_out, closed = FanOut(clock=FakeClock()), list[Viewer]()
    session = Viewer("line-1", {"H264": fan_out}, closed.append, clock=FakeClock())
    await session.close()
    assert closed == [session]
    assert len(fan_out) == 0


async def test_a_viewer_that_leaves_is_forgotten() -> None:
    """When the viewer closes its end, the session closes by itself."""
    async with run_viewer() as viewer:
        await viewer.connect()
        await viewer.pc.close()
        await until(lambda: viewer.closed == [viewer.session])
        assert len(viewer.fan_out) == 0


async def test_h264_is_sent_to_who_takes_both() -> None:
    """A viewer that would rather have VP8 gets H.264 if it takes that: one encoder serves both kinds of viewers."""
    async with run_viewer() as viewer:
        await viewer.connect("video/vp8", "video/h264")
        await until(lambda: len(viewer.fan_outs["H264"]))
        assert len(viewer.fan_outs["VP8"]) == 0


@pytest.mark.parametrize(
    ("spoken", "status"),
    [
        (
            {
                "profile-level-id=42001f": "profile-level-id=42c01f",
                "profile-level-id=42e01f": "profile-level-id=42e01f",
            },
            0,
        ),
        (
            {
                "profile-level-id=42001f": "profile-level-id=64001f",
                "profile-level-id=42e01f": "profile-level-id=640c1f",
            },
            406,
        ),
        ({"packetization-mode=1": "packetization-mode=0"}, 406),
        ({"H264/90000": "H265/90000"}, 406),
    ],
)
async def test_profiles_are_compared(spoken: dict[str, str], status: int) -> None:
    """H.264 is agreed on in (Constrained) Baseline, mode 1, whatever the level; another profile is 406, not a guess."""
    async with run_viewer() as viewer:
        offer = await offer_to_watch(viewer.pc, "video/h264")
        for ours, theirs in spoken.items():
            offer = offer.replace(ours, theirs)
        if status == 0:
            assert "H264/90000" in await viewer.session.answer(read_offer(offer))
            return
        with pytest.raises(Refused, match=r"H\.264") as refused:
            await viewer.session.answer(read_offer(offer))
        assert refused.value.status == status


async def test_a_publishers_offer_is_no_viewers() -> None:
    """An offer to send video to us is refused: nothing would ever be shown."""
    async with run_viewer() as viewer:
        offer = (await offer_to_watch(viewer.pc)).replace("a=recvonly", "a=sendonly")
        with pytest.raises(Refused, match="recvonly") as refused:
            await viewer.session.answer(read_offer(offer))
        assert refused.value.status == 422


async def test_the_answer_is_whole() -> None:
    """The answer has one video, sends only, and needs no further candidates."""
    async with run_viewer() as viewer:
        answer = await viewer.session.answer(read_offer(await offer_to_watch(viewer.pc)))
    assert "a=sendonly" in answer
    assert "a=candidate:" in answer
    assert "a=end-of-candidates" in answer
    assert answer.count("m=") == 1


async def test_ids_cannot_be_guessed() -> None:
    """Every session has an id of its own, long and fit for a URL."""
    sessions = [Viewer("line-1", {}, lambda _: None, clock=FakeClock()) for _ in range(20)]
    ids = {session.id for session in sessions}
    assert len(ids) == 20
    assert all(len(found) >= 22 and found.replace("-", "").replace("_", "").isalnum() for found in ids)
    for session in sessions:
        await session.close()


async def test_a_stopped_track_hands_out_nothing() -> None:
    """Asking a stopped track for a packet is the end of the track."""
    fan_out = FanOut(clock=FakeClock())
    track = PacketTrack()
    track.feed = fan_out
    assert len(fan_out) == 0  # a viewer that never connects takes no packets, and loses none
    receiving = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    fan_out.publish(EncodedPacket(b"\0\0\1\x65", 3000, True))
    packet = await receiving
    assert (bytes(packet), packet.pts, packet.dts) == (b"\0\0\1\x65", 3000, 3000)
    track.stop()
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()
    assert len(fan_out) == 0


async def report_rate(viewer: Watching, rate: int) -> None:
    """Have the viewer report, over the network, that its line takes so many bits a second."""
    [receiver], [sender] = viewer.pc.getReceivers(), viewer.session._peer.pc.getSenders()
    fci = pack_remb_fci(rate, [sender._ssrc])
    await receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))


def render_noise(viewer: Watching, renderer: Renderer, seconds: float) -> float:
    """Render pictures that nothing can compress, as the view does; gives the bits a second that were published."""
    bits, dice = 0, np.random.default_rng(1)
    for _ in range(round(seconds * FPS)):
        viewer.clock.advance(1 / FPS)
        noise = dice.integers(16, 235, (360, 320), np.uint8)
        frame = make_frame(
            viewer.index / FPS, index=viewer.index, picture=av.VideoFrame.from_ndarray(noise, format="yuv420p")
        )
        fan_out = viewer.fan_out
        wish = Wish(fan_out.keyframe_due(), fan_out.ceiling(worth_of(frame.width, frame.height)))
        for each, packet in renderer.render(frame, (), None, float(FPS), {fan_out: wish}):
            each.publish(packet)
            bits += 8 * len(packet.data)
        viewer.index += 1
    return bits / seconds


async def test_a_thin_line_is_sent_less_until_it_recovers() -> None:
    """What a viewer reports of its line bounds the stream that is encoded for it, as long as it says so, and no longer.

    A second viewer, whose line takes all, is never sent less than half of that; without the first one he has all again.
    """
    async with run_viewer() as viewer:
        await viewer.connect()
        [receiver] = viewer.pc.getReceivers()
        setattr(receiver, "_RTCRtpReceiver__remote_bitrate_estimator", None)  # noqa: B010  its own is of this machine
        renderer = Renderer(viewer.fan_outs["H264"], viewer.fan_outs["VP8"], FanOut(clock=viewer.clock))
        await until(lambda: len(viewer.fan_out) == 1)
        [subscription] = viewer.fan_out._subscriptions
        worth = worth_of(320, 240)
        render_noise(viewer, renderer, 2)
        assert render_noise(viewer, renderer, 4) > 0.7 * worth
        await report_rate(viewer, 160_000)
        await until(lambda: subscription.bandwidth.at(viewer.clock()) < worth)
        render_noise(viewer, renderer, 1)
        assert render_noise(viewer, renderer, 4) < 1.3 * 160_000
        other = viewer.fan_out.subscribe()
        viewer.clock.advance(GROWING_INTERVAL)
        await report_rate(viewer, 1)
        await until(lambda: subscription.bandwidth.at(viewer.clock()) == LEAST)
        render_noise(viewer, renderer, 1)
        assert 0.4 * worth < render_noise(viewer, renderer, 4) < 0.7 * worth
        viewer.fan_out.unsubscribe(other)
        await report_rate(viewer, 5_000_000)
        await until(lambda: subscription.bandwidth.at(viewer.clock()) > worth)
        viewer.clock.advance(GROWING_INTERVAL)
        render_noise(viewer, renderer, 1)
        assert render_noise(viewer, renderer, 4) > 0.7 * worth


@pytest.mark.parametrize("rate", [0, 1, 2**63, 2**80])
async def test_reports_that_make_no_sense_cost_nothing(rate: int) -> None:
    """Estimates of nothing and of everything, by the thousand, leave a picture of which something is to be made out."""
    async with run_viewer() as viewer:
        await viewer.connect()
        renderer = Renderer(viewer.fan_outs["H264"], viewer.fan_outs["VP8"], FanOut(clock=viewer.clock))
        await until(lambda: len(viewer.fan_out) == 1)
        render_noise(viewer, renderer, 2)
        for number in range(1000):
            viewer.session._track.reported(float(rate if number % 2 else 10**6))
            viewer.session._track.lost(number % 2)
        assert render_noise(viewer, renderer, 2) > 0.9 * LEAST
