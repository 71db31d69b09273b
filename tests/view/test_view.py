"""streamer.view.view: what viewers see of one stream."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.tracking.tracker import Tracker
from streamer.values.detections import Detections
from streamer.values.frame import Frame
from streamer.values.packet import EncodedPacket
from streamer.values.showing import Showing
from streamer.values.track import TrackedBox
from streamer.view import aligner, hold, still
from streamer.view import view as module
from streamer.view.annotator import NOTICE, PALETTE_RGB
from streamer.view.fanout import FanOut
from streamer.view.renderer import Renderer
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

    def notice_now(self) -> str | None:
        """What is to be written on the picture."""
        return self.notice

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
    boxes_at, notice = lambda pts: scene.tracker.at(pts), lambda: scene.notice_now()  # as they are then
    running = asyncio.create_task(scene.view.run(boxes_at, notice))
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


async def test_of_each_picture_shown_it_is_told_when_and_by_which_time_packets_know_it() -> None:
    """Drawing, encoding and handing over follow each other in time, and the pts is that of every codec's packet."""
    async with run_scene() as scene:
        told: list[Showing] = []
        scene.view.on_shown = told.append
        takers = [scene.view.h264.subscribe(), scene.view.vp8.subscribe(), scene.view.jpeg.subscribe()]
        for number in range(1, 4):
            frame = scene.put()
            await scene.shown(number)
            assert told[-1].frame is frame
            assert {(await taker.take()).pts for taker in takers} == {told[-1].pts}
    for each in told:
        assert each.frame.received_at <= each.drawn_at <= each.encoded_at <= each.published_at
    assert [each.pts for each in told] == [0, 3000, 6000]


async def test_a_time_that_stands_still_is_told_as_one_that_rises() -> None:
    """Where frames of one pts come, and encoders come and go between them, packets have times that rise."""
    async with run_scene() as scene:
        told: list[Showing] = []
        scene.view.on_shown = told.append
        for number in range(1, 4):
            taker = scene.view.h264.subscribe()
            scene.index = 1
            scene.put()
            await scene.shown(number)
            scene.view.h264.unsubscribe(taker)
    assert [each.pts for each in told] == [3000, 3001, 3002]


async def test_an_answer_is_in_time_until_its_frame_is_drawn() -> None:
    """Answers are counted by whether their own frame could still be drawn with them, while somebody watches."""
    async with run_scene() as scene:
        taker = scene.view.h264.subscribe()
        frame = scene.put()
        await scene.shown(1)
        scene.answer(frame, make_detections(pts=frame.pts))
        later = make_frame(frame.pts + 1, scene.clock())
        scene.answer(later, make_detections(pts=later.pts))
        scene.view.h264.unsubscribe(taker)
        scene.answer(later, make_detections(pts=later.pts))
        assert (scene.view.in_time, scene.view.late) == (1, 1)


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


async def test_a_picture_is_shown_as_soon_as_no_more_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that sleeps until its oldest picture is due is woken by the one after which no other could wait."""
    monkeypatch.setattr(hold, "MOST", 1e6)
    monkeypatch.setattr(aligner, "MEMORY", 5 * (SIZE[0] * SIZE[1] * 3 // 2 + 1))
    async with run_scene() as scene:
        taker = scene.view.jpeg.subscribe()
        scene.view.aligner.answered(1e6, scene.clock())
        for _ in range(4):
            scene.put()
            await asyncio.sleep(0)
        for number in range(1, 11):
            scene.put()
            await scene.shown(number)
            assert read_index(picture_of(await taker.take())) == number - 1
        assert scene.view.aligner.held == pytest.approx(4 / 30)
        assert scene.view.aligner.dropped == 0


class Seen:
    """A witness that notes how many boxes each frame was shown with."""

    def __init__(self) -> None:
        self.boxes: list[tuple[int, int]] = []

    def answered(self, frame: Frame, detections: Detections) -> None:
        """Answers are no matter here."""

    def shown(self, frame: Frame, boxes: Sequence[TrackedBox], notice: str | None) -> None:
        """A frame was published."""
        self.boxes.append((frame.index, len(boxes)))


async def test_a_late_answer_is_drawn_on_every_picture_that_is_still_held() -> None:
    """An answer that comes after its own frame was shown is drawn on all later ones, those that waited then too."""
    async with run_scene() as scene:
        scene.view.witness = seen = Seen()
        scene.view.jpeg.subscribe()
        scene.view.aligner.answered(0.1, scene.clock())
        frames = [scene.put() for _ in range(5)]
        await scene.shown(1)
        scene.answer(frames[0], make_detections(frames[0].pts, [BOX], size=SIZE))
        assert (scene.view.late, len(scene.view.aligner)) == (1, 4)
        for number in range(2, 6):
            scene.put()
            await scene.shown(number)
    assert seen.boxes == [(0, 0), (1, 1), (2, 1), (3, 1), (4, 1)]


async def test_a_picture_the_model_is_asked_about_is_shown_as_soon_as_it_answers() -> None:
    """Beyond its hold it waits a moment for its own answer, and no longer than for that."""
    async with run_scene() as scene:
        scene.view.witness = seen = Seen()
        scene.view.jpeg.subscribe()
        scene.view.aligner.answered(0.1, scene.clock())
        frame = scene.put()
        scene.view.asked(frame)
        for _ in range(3):
            scene.put()
        scene.clock.advance(frame.received_at + scene.view.aligner.hold + aligner.GRACE / 2 - scene.clock())
        assert scene.view.annotated == 0
        scene.answer(frame, make_detections(frame.pts, [BOX], size=SIZE))
        await scene.shown(1)
    assert seen.boxes == [(0, 1)]
    assert scene.view.in_time == 1


async def test_pictures_that_cannot_be_shown_are_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many frames in a row fail, the log says it once, and again only after one that did not."""
    async with run_scene() as scene:
        scene.view.jpeg.subscribe()
        await asyncio.sleep(0)  # until it runs
        for failed in (3, 6):
            with monkeypatch.context() as broken:
                broken.setattr(scene.view._renderer, "render", lambda *_: 1 / 0)
                while scene.view.failed < failed:
                    before = scene.view.failed
                    scene.put()
                    await until(lambda before=before: scene.view.failed > before)  # type: ignore[misc]
            scene.put()
            await scene.shown(failed // 3)
            scene.clock.advance(1.0)
    assert caplog.text.count("line-1: frames cannot be drawn or encoded") == 2


def fail(*_: object) -> None:
    """Stands in for whatever a frame is shown with, on a day when it fails."""
    raise ZeroDivisionError


@pytest.mark.parametrize("broken", ["boxes", "notice", "publish"])
async def test_a_frame_that_cannot_be_shown_ends_nothing(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever raises while a frame is shown, its boxes, its notice or the fan-out, the next one is shown."""
    async with run_scene() as scene:
        scene.view.jpeg.subscribe()
        await asyncio.sleep(0)  # until it runs
        of: dict[str, tuple[object, str]] = {
            "boxes": (scene.tracker, "at"),
            "notice": (scene, "notice_now"),
            "publish": (scene.view.jpeg, "publish"),
        }
        with monkeypatch.context() as breaking:
            breaking.setattr(*of[broken], fail)
            scene.put()
            await until(lambda: scene.view.failed)
        scene.put()
        await scene.shown(1)
        assert scene.view.failed == 1


class OfTheLoop(FanOut):
    """A fan-out that is asked nothing but on the event loop."""

    loop = threading.get_ident()

    def __len__(self) -> int:
        assert threading.get_ident() == self.loop
        return super().__len__()

    def keyframe_due(self) -> bool:
        """Say so, in the right thread."""
        assert threading.get_ident() == self.loop
        return super().keyframe_due()


async def test_the_thread_draws_and_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes what, and when it is to be a keyframe, is looked up on the event loop, where it changes."""
    monkeypatch.setattr(module, "FanOut", OfTheLoop)
    async with run_scene() as scene:
        takers = [fan_out.subscribe() for fan_out in (scene.view.h264, scene.view.vp8, scene.view.jpeg)]
        scene.put()
        await until(lambda: scene.view.annotated + scene.view.failed)
        assert [(await taker.take()).is_keyframe for taker in takers] == [True] * 3
        assert scene.view.failed == 0


class Stuck(Renderer):
    """Renderers whose first picture takes until it is released, or for so long that the test has failed."""

    def __init__(self, *fan_outs: FanOut) -> None:
        super().__init__(*fan_outs)
        self.at_work, self.released, self.in_time = threading.Event(), threading.Event(), False

    def render(self, *given: Any) -> list[tuple[FanOut, EncodedPacket]]:
        """Be stuck."""
        self.at_work.set()
        self.in_time = self.released.wait(60)
        return super().render(*given)


async def test_a_views_end_does_not_wait_for_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view ends while a picture is in work, and its next run shares no encoder with the thread still at that."""
    monkeypatch.setattr(module, "Renderer", Stuck)
    scene = Scene()
    taker = scene.view.h264.subscribe()
    running = asyncio.create_task(scene.view.run(scene.tracker.at, lambda: None))
    await asyncio.sleep(0)
    scene.put()
    first = cast(Stuck, scene.view._renderer)
    await until(first.at_work.is_set)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not first.released.is_set()
    running = asyncio.create_task(scene.view.run(scene.tracker.at, lambda: None))
    await asyncio.sleep(0)
    second = cast(Stuck, scene.view._renderer)
    assert second is not first
    second.released.set()
    scene.put()
    await scene.shown(1)
    assert (await taker.take()).is_keyframe
    first.released.set()
    await until(lambda: first.in_time and len(first))
    assert set(map(id, first._encoders.values())).isdisjoint(map(id, second._encoders.values()))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert scene.view.annotated == 1


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


class Drawing:
    """Pictures drawn one at a time, each when the test lets it; some fail."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.drawn = 0
        self.asked: list[Frame] = []
        """The frames whose drawing has begun."""
        self.may_end = threading.Semaphore(0)

    def __call__(self, frame: Frame, *_: object) -> EncodedPacket:
        self.asked.append(frame)
        self.may_end.acquire(timeout=30)
        self.drawn += 1
        if self.drawn <= self.fails:
            raise ValueError("no picture")
        return EncodedPacket(b"%d" % self.drawn, 0, True)


async def test_a_still_is_drawn_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for a frame, at once or later, it is drawn once; what is drawn of another frame is another."""
    drawing = Drawing()
    monkeypatch.setattr(still, "_draw", drawing)
    scene = Scene()
    scene.put()
    asking = [asyncio.create_task(scene.view.still(None)) for _ in range(20)]
    await asyncio.sleep(0)
    drawing.may_end.release(20)
    first = await asyncio.gather(*asking)
    assert await scene.view.still(None) is first[0]
    assert (drawing.drawn, len(set(map(id, first)))) == (1, 1)
    scene.put()
    assert await scene.view.still(None) is not first[0]
    assert drawing.drawn == 2


async def test_one_still_is_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for newer frames while one is drawn waits for its end; then one more is drawn for all, the newest."""
    drawing = Drawing()
    monkeypatch.setattr(still, "_draw", drawing)
    scene, frames = Scene(), list[Frame]()
    asking = []
    for _ in range(8):
        frames.append(scene.put())
        asking += [asyncio.create_task(scene.view.still(None)) for _ in range(2)]
        await asyncio.sleep(0)  # both have asked
    drawing.may_end.release(8)
    drawn = [picture.data for picture in await asyncio.gather(*asking) if picture is not None]
    assert drawn == [b"1"] * 2 + [b"2"] * 14
    assert drawing.asked == [frames[0], frames[-1]]


async def test_who_leaves_takes_the_still_from_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked first, and hangs up before the picture is drawn, leaves it to the others."""
    drawing = Drawing()
    monkeypatch.setattr(still, "_draw", drawing)
    scene = Scene()
    scene.put()
    first, second = (asyncio.create_task(scene.view.still(None)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    drawing.may_end.release()
    assert await second == EncodedPacket(b"1", 0, True)
    assert drawing.drawn == 1


async def test_a_still_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who asked for a picture that could not be drawn are told; the next who asks has it tried again."""
    drawing = Drawing(fails=1)
    monkeypatch.setattr(still, "_draw", drawing)
    scene = Scene()
    scene.put()
    drawing.may_end.release(2)
    failed = await asyncio.gather(*(scene.view.still(None) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failed] == [ValueError] * 3
    assert await scene.view.still(None) == EncodedPacket(b"2", 0, True)


async def test_a_still_gets_its_boxes_when_they_come() -> None:
    """A frame that was asked for before its answer came is drawn anew with its boxes."""
    scene = Scene()
    frame = scene.put()
    bare = await scene.view.still(None)
    scene.answer(frame, make_detections(frame.pts, [BOX], size=SIZE))
    boxed = await scene.view.still(None)
    assert bare is not None
    assert boxed is not None
    assert not like(picture_of(bare)[160, 200], PALETTE_RGB[0])
    assert like(picture_of(boxed)[160, 200], PALETTE_RGB[0])
