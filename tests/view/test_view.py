"""streamer.view.view: what viewers see of one stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.tracking.tracker import Tracker
from streamer.values.detections import Detections
from streamer.values.frame import Frame
from streamer.values.packet import EncodedPacket
from streamer.view.annotator import NOTICE, PALETTE_RGB
from streamer.view.view import View
from tests.peers.clip import draw_frame, read_index
from tests.peers.clock import FakeClock
from tests.peers.frames import make_detections, make_frame, make_picture
from tests.peers.until import until

SIZE = (320, 240)
BOX = (100.0, 120.0, 200.0, 200.0)


class Scene:
    """A view that runs, its clock, and the frames it is given."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.view = View("line-1", clock=self.clock)
        self.tracker = Tracker()
        self.notice: str | None = None
        self.index = 0

    def put(self, size: tuple[int, int] = SIZE) -> Frame:
        """Let the next numbered frame arrive, a thirtieth of a second after the one before."""
        picture = av.VideoFrame.from_ndarray(draw_frame(self.index, *size), format="rgb24").reformat(format="yuv420p")
        frame = make_frame(self.index / 30, self.clock.advance(1 / 30), index=self.index, picture=picture)
        self.index += 1
        self.view.put(frame, 30.0)
        return frame

    def answer(self, frame: Frame, detections: Detections) -> None:
        """Let the model's answer come."""
        self.tracker.update(detections)
        self.view.answered(frame, detections)

    async def shown(self, count: int) -> None:
        """Wait until so many frames were annotated."""
        await until(lambda: self.view.annotated >= count)


@asynccontextmanager
async def run_scene() -> AsyncIterator[Scene]:
    """A view that runs for as long as the block lasts."""
    scene = Scene()
    running = asyncio.create_task(scene.view.run(scene.tracker.at, lambda: scene.notice))
    try:
        yield scene
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def picture_of(packet: EncodedPacket) -> NDArray[np.uint8]:
    """A JPEG's pixels, RGB."""
    image = cv2.imdecode(np.frombuffer(packet.data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image[:, :, ::-1], np.uint8)


def like(pixel: NDArray[np.uint8], rgb: tuple[int, ...]) -> bool:
    """Whether a pixel has a colour, as far as a JPEG keeps it."""
    return int(np.abs(pixel.astype(int) - rgb).max()) < 40


async def test_viewers_get_every_frame_from_a_keyframe_on() -> None:
    """Frames that arrive while somebody watches are drawn, encoded and published, one packet each, in order."""
    async with run_scene() as scene:
        taker = scene.view.h264.subscribe()
        decoder = av.CodecContext.create("h264", "r")
        found = []
        for number in range(1, 21):
            scene.put()
            await scene.shown(number)
            encoded = await taker.take()
            assert encoded.is_keyframe == (number == 1)
            found += decoder.decode(av.Packet(encoded.data))
        found += decoder.decode(None)
    assert [read_index(picture.to_ndarray(format="rgb24")) for picture in found] == list(range(20))
    assert (scene.view.failed, scene.view.aligner.dropped) == (0, 0)


async def test_a_stream_is_encoded_once_for_everybody() -> None:
    """Three viewers of each kind cost two encodings a frame: one of H.264 and one of JPEG."""
    async with run_scene() as scene:
        takers = [scene.view.h264.subscribe() for _ in range(3)] + [scene.view.jpeg.subscribe() for _ in range(3)]
        assert scene.view.viewers == 6
        for number in range(1, 6):
            scene.put()
            await scene.shown(number)
        assert (scene.view.annotated, scene.view.encoded) == (5, 10)
        packets = [await taker.take() for taker in takers]
        assert packets[0] is packets[1] is packets[2]
        assert packets[3] is packets[4] is packets[5]


async def test_nothing_is_drawn_while_nobody_watches() -> None:
    """Without viewers frames cost nothing, and none is kept for later."""
    async with run_scene() as scene:
        for _ in range(20):
            scene.put()
        await asyncio.sleep(0)
        assert (scene.view.annotated, scene.view.encoded, len(scene.view.aligner)) == (0, 0, 0)
        assert not scene.view.watched
        assert scene.view.age is None


async def test_the_last_viewer_to_leave_turns_off_the_light() -> None:
    """When the last viewer has left the encoder is given up and the picture's age is unknown, however frames came."""
    async with run_scene() as scene:
        taker = scene.view.h264.subscribe()
        scene.put()
        await scene.shown(1)
        assert scene.view.age is not None
        assert len(scene.view._renderer) == 1
        await asyncio.sleep(0)
        scene.view.h264.unsubscribe(taker)
        scene.put()
        await until(lambda: scene.view.age is None and not len(scene.view._renderer))
        assert scene.view.annotated == 1


async def test_who_comes_back_begins_at_a_keyframe() -> None:
    """A viewer that comes after a while without any gets a keyframe first."""
    async with run_scene() as scene:
        for number in (1, 2, 3):
            taker = scene.view.h264.subscribe()
            scene.put()
            await scene.shown(number)
            assert (await taker.take()).is_keyframe
            scene.view.h264.unsubscribe(taker)
            for _ in range(3):
                scene.put()
            await asyncio.sleep(0)


async def test_frames_are_held_until_their_boxes_are_known() -> None:
    """A frame whose answer comes within the hold is shown with its own boxes, not before the hold is over."""
    async with run_scene() as scene:
        taker = scene.view.jpeg.subscribe()
        scene.answer(make_frame(-1.0), make_detections(-1.0, age=0.1, size=SIZE))
        frame = scene.put()
        scene.answer(frame, make_detections(frame.pts, [BOX], size=SIZE))
        for _ in range(5):
            await asyncio.sleep(0.01)
        assert scene.view.annotated == 0
        scene.clock.advance(scene.view.aligner.hold + 1e-6)
        await scene.shown(1)
        image = picture_of(await taker.take())
        assert scene.view.age == pytest.approx(scene.view.aligner.hold, abs=1e-3)
    for x, y in ((200, 160), (150, 200), (100, 160)):
        assert like(image[y, x], PALETTE_RGB[0])


async def test_a_notice_is_written_on_the_video() -> None:
    """What the pipeline has to say stands on the picture, from the next frame on."""
    async with run_scene() as scene:
        taker = scene.view.jpeg.subscribe()
        corners = []
        for number, notice in enumerate((None, "no detections yet", None), 1):
            scene.notice = notice
            scene.put()
            await scene.shown(number)
            corners.append(like(picture_of(await taker.take())[9, 9], _rgb(NOTICE)))
    assert corners == [False, True, False]


def _rgb(yuv: tuple[int, int, int]) -> tuple[int, ...]:
    planes = np.zeros((3, 2), np.uint8)
    planes[:2], planes[2] = yuv[0], yuv[1:]
    return tuple(int(level) for level in cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)[0, 0])


async def test_a_new_resolution_begins_with_a_keyframe() -> None:
    """When the camera changes its resolution viewers get a keyframe of the new size."""
    async with run_scene() as scene:
        h264 = scene.view.h264.subscribe()
        scene.put()
        await scene.shown(1)
        await h264.take()
        scene.put((640, 480))
        scene.clock.advance(1.0)
        await scene.shown(2)
        packet = await h264.take()
        assert packet.is_keyframe
        decoder = av.CodecContext.create("h264", "r")
        (picture,) = [*decoder.decode(av.Packet(packet.data)), *decoder.decode(None)]
        assert (picture.width, picture.height) == (640, 480)


async def test_a_frame_that_cannot_be_encoded_is_counted() -> None:
    """A picture too small for any encoder is counted as failed, and the next one is shown."""
    async with run_scene() as scene:
        taker = scene.view.h264.subscribe()
        scene.view.put(make_frame(-0.5, scene.clock.now, picture=make_picture(1, 1)))
        await until(lambda: scene.view.failed == 1)
        scene.put()
        await scene.shown(1)
        assert (await taker.take()).is_keyframe


# ---- still pictures


async def test_there_is_no_still_before_the_first_frame() -> None:
    """A stream that never had a frame has no picture, notice or not."""
    view = View("line-1", clock=FakeClock())
    assert await view.still(None) is None
    assert await view.still("no detections yet") is None


async def test_a_still_is_the_newest_answered_frame_with_its_own_boxes() -> None:
    """A still needs no viewers: it is the frame the model answered last, whatever arrived since."""
    scene = Scene()
    frames = [scene.put() for _ in range(6)]
    scene.answer(frames[2], make_detections(frames[2].pts, [BOX], size=SIZE))
    scene.answer(frames[1], make_detections(frames[1].pts, [], size=SIZE))
    still = await scene.view.still(None)
    assert still is not None
    image = picture_of(still)
    assert read_index(image) == 2
    assert like(image[160, 200], PALETTE_RGB[0])


async def test_a_still_with_a_notice_is_the_newest_frame_without_boxes() -> None:
    """Where boxes cannot be trusted a still is the newest frame, saying why it has none."""
    scene = Scene()
    frames = [scene.put(size=(1280, 720)) for _ in range(3)]
    scene.answer(frames[0], make_detections(frames[0].pts, [BOX], size=(1280, 720)))
    still = await scene.view.still("no")
    assert still is not None
    image = picture_of(still)
    assert like(image[14, 14], _rgb(NOTICE))
    assert not like(image[160, 200], PALETTE_RGB[0])
