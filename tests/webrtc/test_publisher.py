"""streamer.webrtc.publisher: a publisher as a source, with aiortc as a real one on the other side."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from itertools import pairwise

import av
import pytest
from aiortc.rtp import RtpPacket

from streamer.values.clock import monotonic
from streamer.values.coded import CodedPicture
from streamer.values.errors import Refused
from streamer.values.frame import Frame
from streamer.webrtc import publisher as ingress_file
from streamer.webrtc.publisher import Publisher
from streamer.webrtc.sdp import read_offer
from tests.peers.clip import read_index
from tests.peers.rtc import take_answer
from tests.peers.until import until
from tests.peers.whip_publisher import NumberedTrack, WhipPublisher

MAX_PIXELS = 640 * 480


class Published:
    """A publisher, and what comes of it."""

    def __init__(self, peer: WhipPublisher, *, max_fps: float = 60.0) -> None:
        self.peer = peer
        self.frames: list[Frame] = []
        self.threads: set[str] = set()
        self.states: list[str] = []
        """What the publisher called itself as each frame was delivered."""
        self.closed: list[Publisher] = []
        self.publisher = Publisher("phone", self.closed.append, clock=monotonic, max_pixels=MAX_PIXELS, max_fps=max_fps)
        self._running: asyncio.Task[None] | None = None

    def _receive(self, frame: Frame) -> None:
        self.threads.add(threading.current_thread().name)
        self.frames.append(frame)
        self.states.append(self.publisher.state)

    async def connect(self) -> None:
        """Offer, answer, connect."""
        answer = await self.publisher.answer(read_offer(await self.peer.offer()))
        self._running = asyncio.create_task(self.publisher.run(self._receive))
        await take_answer(self.peer.pc, answer)

    async def more(self, count: int) -> list[int]:
        """Wait for so many more frames; gives their numbers."""
        known = len(self.frames)
        await until(lambda: len(self.frames) >= known + count)
        return self.numbers()[known : known + count]

    def numbers(self) -> list[int]:
        """The numbers drawn into the frames."""
        return [read_index(frame.picture.to_ndarray(format="rgb24")) for frame in self.frames]

    async def close(self) -> None:
        """Close both ends."""
        await self.publisher.close()
        await self.peer.close()
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running


Publish = Callable[..., Awaitable[Published]]


@pytest.fixture
async def publish() -> AsyncIterator[Publish]:
    """Give a function that connects a publisher; everything is closed afterwards."""
    all_of_them: list[Published] = []

    async def publish(publisher: WhipPublisher | None = None, *, max_fps: float = 60.0) -> Published:
        published = Published(publisher or WhipPublisher(), max_fps=max_fps)
        all_of_them.append(published)
        await published.connect()
        return published

    yield publish
    for published in all_of_them:
        await published.close()


@pytest.mark.parametrize("codec", ["video/h264", "video/vp8"])
async def test_frames_come_in_order_with_their_times(publish: Publish, codec: str) -> None:
    """What is published comes as frames, in order, from the first on, at the publisher's times, in a thread."""
    published = await publish(WhipPublisher(codec=codec))
    numbers = await published.more(40)
    assert numbers == sorted(set(numbers))
    frames = published.frames[:40]
    assert [frame.index for frame in frames] == list(range(40))
    for (before, after), (low, high) in zip(pairwise(frames), pairwise(numbers), strict=True):
        assert after.pts - before.pts == pytest.approx((high - low) / 30, abs=1e-3)
    assert (frames[0].stream, frames[0].width, frames[0].height) == ("phone", 320, 240)
    assert published.threads == {"decoder-phone"}
    assert published.states[0] == "connecting"  # whoever is told "live" can see a frame
    assert (published.publisher.state, published.publisher.reason) == ("live", None)


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_pictures_are_handed_on_as_they_came(publish: Publish, codec: str) -> None:
    """What is published is handed on too, from a key picture on; a frame is what the one of its time decodes to."""
    published, coded = await publish(WhipPublisher(codec=f"video/{codec}")), list[CodedPicture]()
    published.publisher.on_coded = coded.append
    await published.more(20)
    frames = list(published.frames)
    form = coded[0].form
    assert (form.codec, form.width, form.height) == (codec, 320, 240)
    assert coded[0].is_key
    context = av.CodecContext.create(codec, "r")
    assert isinstance(context, av.VideoCodecContext)
    found: dict[int, int] = {}
    for each in coded:
        packet = av.Packet(each.data)
        packet.pts = each.time
        for picture in context.decode(packet):
            found[picture.pts or 0] = read_index(picture.to_ndarray(format="rgb24"))
    after = [frame for frame in frames if frame.coded_at >= coded[0].time]
    assert len(after) >= 10
    assert [found[frame.coded_at] for frame in after] == published.numbers()[len(frames) - len(after) : len(frames)]


@pytest.mark.parametrize(("width", "height"), [(321, 241), (240, 426)])
async def test_any_size_comes_as_it_is(publish: Publish, width: int, height: int) -> None:
    """Odd sizes, and those of a phone held upright, come uncut and unturned."""
    published = await publish(WhipPublisher(codec="video/vp8", track=NumberedTrack(width, height)))
    await published.more(3)
    assert {(frame.width, frame.height) for frame in published.frames} == {(width, height)}


async def test_a_frame_does_not_wait_for_the_next(publish: Publish) -> None:
    """A frame is here before the next one is sent, and the last one though none ever is."""
    published = await publish(WhipPublisher(track=NumberedTrack(most=5)))
    assert await published.more(5) == [0, 1, 2, 3, 4]


async def test_a_packet_sent_again_closes_the_gap(publish: Publish) -> None:
    """One packet lost once is asked for, and no frame is missed."""
    published = await publish()
    await published.more(10)
    lost: list[int] = []

    def once(sequence: int) -> bool:
        if not lost:
            lost.append(sequence)
            return True
        return False

    published.peer.lose = once
    numbers = await published.more(30)
    assert lost
    assert numbers == list(range(numbers[0], numbers[0] + 30))
    assert published.publisher.losses == 0


async def test_a_packet_that_never_comes_is_passed_over(publish: Publish) -> None:
    """One packet lost for good ends in a keyframe asked for, and every frame after it; nothing piles up meanwhile.

    `sightline bench publishing` measures how long the picture stands still.
    """
    published = await publish(WhipPublisher(rtx=False))
    await published.more(10)
    lost: list[int] = []

    def for_good(sequence: int) -> bool:
        if not lost:
            lost.append(sequence)
        return sequence == lost[0]

    published.peer.lose = for_good
    await until(lambda: published.publisher.losses == 1)
    numbers = await published.more(30)
    assert published.peer.keyframes_asked > 0
    assert numbers[-10:] == list(range(numbers[-10], numbers[-10] + 10))
    assert published.publisher.losses == 1
    assert published.publisher._assembler._gap_since is None


async def test_a_thin_line_is_not_taken_for_a_stall(publish: Publish) -> None:
    """Pictures that are a second on their way all come, the first one too, and no keyframe is ever asked for."""
    publisher = WhipPublisher(track=NumberedTrack(fps=1, noise=True))
    publisher.pace = 0.05
    published = await publish(publisher)
    assert await published.more(4) == [0, 1, 2, 3]
    assert publisher.keyframes_asked == 0


async def test_a_pause_is_not_taken_for_a_stall(publish: Publish) -> None:
    """Pictures far apart, each some packets long, all come, and no keyframe is asked for after a pause."""
    publisher = WhipPublisher(track=NumberedTrack(fps=1, noise=True))
    publisher.pace = 0.01
    published = await publish(publisher)
    assert await published.more(4) == [0, 1, 2, 3]
    assert publisher.keyframes_asked == 0


async def test_a_lossy_network_is_survived(publish: Publish) -> None:
    """With every twentieth packet lost, retransmissions included, frames keep coming, and only whole ones."""
    published = await publish()
    count = 0

    def twentieth(_: int) -> bool:
        nonlocal count
        count += 1
        return count % 20 == 0

    published.peer.lose = twentieth
    numbers = await published.more(120)
    assert numbers == sorted(set(numbers))


async def test_pictures_too_large_are_sent_away(publish: Publish, caplog: pytest.LogCaptureFixture) -> None:
    """A publisher whose pictures exceed the limit is ended, and the log says by how much."""
    published = await publish(WhipPublisher(track=NumberedTrack(800, 600)))
    await until(lambda: published.closed == [published.publisher])
    assert "800 x 600 is larger than the 307200 pixels allowed" in caplog.text
    assert published.frames == []


async def test_frames_beyond_the_rate_are_dropped(publish: Publish) -> None:
    """No more frames a second are taken than the limit says, and those dropped are counted."""
    published = await publish(max_fps=10)
    await published.more(20)
    times = [frame.pts for frame in published.frames]
    assert all(after - before >= 0.079 for before, after in pairwise(times))
    assert published.publisher.skipped_late > 10


async def test_nothing_to_decode_ends_it(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher none of whose pictures can be decoded is sent away."""
    monkeypatch.setattr(ingress_file, "PICTURE_TIMEOUT", 0.5)
    monkeypatch.setattr(ingress_file, "DECODED_BEYOND", 0.01)
    published = await publish()
    await until(lambda: published.closed == [published.publisher])
    assert published.publisher.reason is not None
    assert "no picture could be decoded" in published.publisher.reason


async def test_too_many_sources_end_it(publish: Publish, caplog: pytest.LogCaptureFixture) -> None:
    """A publisher that sends with ever new SSRCs, each of which costs memory, is sent away, and nothing of it stays."""
    before = asyncio.all_tasks()
    published = await publish()
    await published.more(1)
    transport = published.peer.pc.getSenders()[0].transport
    with suppress(ConnectionError):
        for ssrc in range(300):
            packet = RtpPacket(payload_type=97, sequence_number=1, timestamp=0, ssrc=ssrc)
            packet.payload = b"x"
            await transport._send_rtp(packet.serialize())
    await until(lambda: published.closed == [published.publisher])
    assert "more than 31 sources" in caplog.text
    await published.close()
    await until(lambda: asyncio.all_tasks() <= before)


async def test_sound_is_taken_and_thrown_away(publish: Publish) -> None:
    """A publisher that sends sound too is accepted, and its sound is kept nowhere."""
    published = await publish(WhipPublisher(audio=True))
    await published.more(30)
    for receiver in published.publisher._peer.pc.getReceivers():
        assert receiver.track._queue.qsize() == 0  # type: ignore[attr-defined]
        assert receiver._RTCRtpReceiver__decoder_queue.qsize() == 0  # type: ignore[attr-defined]


async def test_who_leaves_is_told(publish: Publish) -> None:
    """When the publisher closes its end the publisher says so, once, and its threads end."""
    published = await publish()
    await published.more(5)
    await published.publisher.close()
    await until(lambda: published.closed == [published.publisher])
    await published.publisher.close()
    assert published.closed == [published.publisher]
    assert (published.publisher.state, published.publisher.reason) == ("offline", "the publisher left")
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name == "decoder-phone"])


async def test_a_viewers_offer_is_no_publishers() -> None:
    """An offer to receive is refused: there would never be a picture."""
    published = Published(WhipPublisher())
    offer = (await published.peer.offer()).replace("a=sendonly", "a=recvonly")
    with pytest.raises(Refused, match="sendonly") as refused:
        await published.publisher.answer(read_offer(offer))
    assert refused.value.status == 422
    await published.close()
