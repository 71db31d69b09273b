"""streamer.view.clean.clean: pictures and boxes of one stream, as its viewers have them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from streamer.values.frame import Frame
from streamer.values.state import StreamState
from streamer.values.track import TrackedBox
from streamer.view.clean.backlog import MOST_PICTURES
from streamer.view.clean.clean import ARRIVALS, MOST_WAITING, Clean
from streamer.view.clean.room import MOST_PICTURES as MOST_KEPT
from streamer.view.clean.room import OWN_BYTES, Spare
from streamer.view.clean.viewer import CleanViewer
from tests.peers.clock import FakeClock
from tests.peers.frames import make_frame
from tests.view.clean.peers import FORM, FakePipe, Shown, coded, kinds

LIVE = StreamState("live")


class Stream:
    """A clean video whose pictures and boxes a test makes: at a pts of 2 s one thing is at 2 pixels from the left."""

    def __init__(self, spare: Spare | None = None) -> None:
        self.clean = Clean("front", clock=FakeClock(), spare=spare)
        self.clean.open(asyncio.get_running_loop(), self._at)
        self._count = 0

    def _at(self, pts: float) -> Sequence[TrackedBox]:
        return [TrackedBox(1, (pts, 0.0, 64.0, 48.0), "insulator", 1, 0.5)]

    async def come(self, *keys: bool, opening: int = 1, **settings: Any) -> None:
        """Pictures come, one by one."""
        for key in keys:
            self.clean.put(coded(self._count, key=key, opening=opening, **settings))
            self._count += 1
            await asyncio.sleep(0)

    def frame(self, number: int, *, opening: int = 1) -> Frame:
        """The decoded picture of that number."""
        return replace(make_frame(number / 30, index=number), opening=opening, coded_at=number * 33_333)

    def join(self) -> tuple[FakePipe, CleanViewer]:
        """Somebody comes."""
        pipe = FakePipe()
        return pipe, self.clean.join(pipe, LIVE)


def exact(news: list[Shown | dict[str, Any]]) -> list[tuple[int, int, bool]]:
    """Opening, time, and whether the model looked at it, of each message about boxes."""
    said = [each for each in news if isinstance(each, dict) and each["type"] == "boxes"]
    return [(each["opening"], each["time"], each["exact"]) for each in said]


async def test_who_comes_late_has_a_picture_at_once() -> None:
    """The form, and all since the last key picture, are there before the camera sends anything more."""
    stream = Stream()
    await stream.come(True, False, True, False, False)
    pipe, _ = stream.join()
    news = pipe.news()
    assert kinds(news) == ["hello", "form", "group", "key", "picture", "picture"]
    assert news[2] == {"type": "group", "pictures": 3}
    await stream.come(False)
    assert kinds(pipe.news()) == ["picture"]


@pytest.mark.parametrize("heard", [False, True])
async def test_a_long_group_is_kept_while_there_is_room(heard: bool) -> None:
    """Who comes late has more at once than each stream has room for, watched or not, while others leave some."""
    spare = Spare(OWN_BYTES)
    streams = [Stream(spare) for _ in range(3)]

    async def come(stream: Stream) -> None:
        await stream.come(True, False, False, data=b"x" * (OWN_BYTES // 2))

    def kept(stream: Stream) -> list[str]:
        return [each for each in kinds(stream.join()[0].news()) if each not in ("hello", "form")]

    for stream in streams:
        if heard:
            stream.join()
        await come(stream)
    whole = ["group", "key", "picture", "picture"]
    assert [kept(stream) for stream in streams] == [whole, [], []]
    await streams[0].come(True)
    await come(streams[1])
    assert kept(streams[1]) == whole


async def test_who_comes_first_waits_for_a_key_picture() -> None:
    """Nothing that cannot be decoded is sent; the form comes before the picture."""
    stream = Stream()
    pipe, _ = stream.join()
    await stream.come(False, True, False)
    assert kinds(pipe.news()) == ["hello", "form", "key", "picture"]


async def test_a_picture_is_told_with_what_is_expected_in_it() -> None:
    """Where things are predicted to be comes right behind it, at its own time of the stream."""
    stream = Stream()
    pipe, _ = stream.join()
    stream.clean.decoded(stream.frame(0))
    await stream.come(True, False, False)
    news = pipe.news()
    assert kinds(news) == ["hello", "form", "key", "boxes", "picture", "boxes", "picture", "boxes"]
    last = news[-1]
    assert isinstance(last, dict)
    assert (last["opening"], last["time"], last["exact"]) == (1, 2 * 33_333, False)
    assert last["boxes"][0][4] == pytest.approx(2 / 30 / 64, abs=1e-5)


async def test_an_answer_is_told_with_what_it_changes() -> None:
    """The model's own boxes of its frame, and better ones of the pictures since; none of those before."""
    stream = Stream()
    pipe, _ = stream.join()
    stream.clean.decoded(stream.frame(0))
    await stream.come(True, False, False, False)
    stream.clean.sampled(stream.frame(1))
    pipe.news()
    stream.clean.answered(stream.frame(1), [TrackedBox(1, (32.0, 0.0, 64.0, 48.0), "insulator", 1, 0.9)])
    news = pipe.news()
    assert exact(news) == [(1, 33_333, True), (1, 2 * 33_333, False), (1, 3 * 33_333, False)]
    assert news[0]["boxes"] == [[1, "insulator", 1, 0.9, 0.5, 0.0, 1.0, 1.0]]  # type: ignore[index]


async def test_what_the_model_says_of_a_picture_is_the_last_word() -> None:
    """An answer that is there before its picture is, or a later one's, is not followed by a prediction of it."""
    stream = Stream()
    pipe, _ = stream.join()
    stream.clean.decoded(stream.frame(0))
    await stream.come(True)
    stream.clean.answered(stream.frame(1), [])
    await stream.come(False, False)
    stream.clean.answered(stream.frame(2), [])
    stream.clean.answered(stream.frame(0), [])  # overtaken
    said = exact(pipe.news())
    for number in (1, 2):
        of = [is_exact for _, time, is_exact in said if time == number * 33_333]
        assert of == sorted(of)
        assert of[-1]


async def test_a_camera_that_is_opened_anew_begins_with_its_form() -> None:
    """Pictures of the new opening are sent from a key picture on, behind its form; the old one's are over."""
    stream = Stream()
    pipe, _ = stream.join()
    await stream.come(True, False)
    pipe.news()
    await stream.come(False, True, False, opening=2)
    await stream.come(True, opening=1)
    news = pipe.news()
    assert kinds(news) == ["form", "key", "picture"]
    assert news[0]["opening"] == 2  # type: ignore[index]
    assert kinds(stream.join()[0].news()) == ["hello", "form", "group", "key", "picture"]


@pytest.mark.parametrize("other", [replace(FORM, width=128), replace(FORM, name="avc1.640028")])
async def test_another_form_is_told_before_its_first_picture(other: Any) -> None:
    """A change of size, or of the kind of H.264, with a key picture, as cameras do it."""
    stream = Stream()
    pipe, _ = stream.join()
    await stream.come(True)
    await stream.come(True, False, form=other)
    assert kinds(pipe.news()) == ["hello", "form", "key", "form", "key", "picture"]


async def test_what_browsers_do_not_play_is_said_and_not_sent() -> None:
    """A camera of H.265, until it sends H.264."""
    stream = Stream()
    pipe, _ = stream.join()
    await stream.come(True, False, form=replace(FORM, codec="hevc", name=""))
    news = pipe.news()
    assert kinds(news) == ["hello", "form"]
    assert news[1]["offered"] is False  # type: ignore[index]
    await stream.come(True)
    assert kinds(pipe.news()) == ["form", "key"]


async def test_a_picture_that_must_be_turned_is_not_sent_as_it_comes() -> None:
    """Boxes are of the picture as it is meant to be seen: whoever showed the camera's own would show them elsewhere."""
    stream = Stream()
    pipe, _ = stream.join()
    await stream.come(True)
    stream.clean.decoded(replace(stream.frame(0), is_turned=True))
    await stream.come(False, True)
    news = pipe.news()
    assert kinds(news) == ["hello", "form", "key", "form"]
    assert news[-1]["offered"] is False  # type: ignore[index]
    stream.clean.decoded(stream.frame(3))
    await stream.come(False, True)
    assert kinds(pipe.news())[:2] == ["form", "key"]


async def test_pictures_that_the_event_loop_was_too_late_for_leave_no_broken_ones() -> None:
    """What comes behind a loss is sent from a key picture on, and the loss is counted."""
    stream = Stream()
    pipe, _ = stream.join()
    for number in range(ARRIVALS + 3):
        stream.clean.put(coded(number, key=number in (0, ARRIVALS + 1)))
    await asyncio.sleep(0)
    assert stream.clean.lost == 3
    assert kinds(pipe.news()) == ["hello", "form", "key", "picture"]


async def test_nobody_is_woken_for_pictures_that_nobody_takes() -> None:
    """Before the first viewer and after the last they are kept all the same, and none of them counts as lost."""
    stream = Stream()
    woken = list[object]()
    asyncio.get_running_loop().call_soon_threadsafe = lambda *call: woken.append(call)  # type: ignore[method-assign, assignment]
    for number in range(3 * ARRIVALS):
        stream.clean.put(coded(number, key=number % 10 == 0))
    assert not woken
    del asyncio.get_running_loop().call_soon_threadsafe
    pipe, viewer = stream.join()
    assert kinds(pipe.news()) == ["hello", "form", "group", "key", *["picture"] * ((3 * ARRIVALS - 1) % 10)]
    stream.clean.leave(viewer)
    for number in range(3 * ARRIVALS, 5 * ARRIVALS):
        stream.clean.put(coded(number, key=number % 10 == 0))
    pipe, _ = stream.join()
    assert kinds(pipe.news()) == ["hello", "form", "group", "key", *["picture"] * ((5 * ARRIVALS - 1) % 10)]
    assert stream.clean.lost == 0


async def test_what_is_kept_for_nobody_is_bounded() -> None:
    """A group that becomes too long is given up, and who comes then begins with the next key picture."""
    stream = Stream()
    for number in range(MOST_KEPT + 1):
        stream.clean.put(coded(number, key=number == 0))
    pipe, _ = stream.join()
    assert kinds(pipe.news()) == ["hello"]
    stream.clean.put(coded(MOST_KEPT + 1))
    stream.clean.put(coded(MOST_KEPT + 2, key=True))
    await asyncio.sleep(0)
    assert kinds(pipe.news()) == ["form", "key"]
    assert stream.clean.lost == 0


async def test_a_group_that_nobody_begins_with_is_let_go() -> None:
    """What the last viewer was sent is of no use behind the next key picture."""
    stream = Stream()
    _, viewer = stream.join()
    await stream.come(True, False)
    stream.clean.leave(viewer)
    await stream.come(False)
    stream.clean.decoded(stream.frame(2))
    assert len(stream.clean.group) == 2
    await stream.come(True)
    stream.clean.decoded(stream.frame(3))
    assert len(stream.clean.group) == 0


async def test_who_waits_for_the_event_loop_is_bounded_in_bytes() -> None:
    """Large pictures are left out where too much waits already, and counted."""
    stream = Stream()
    stream.join()
    half = b"x" * (MOST_WAITING // 2)
    for number in range(4):
        stream.clean.put(coded(number, key=True, data=half))
    await asyncio.sleep(0)
    stream.clean.put(coded(4, key=True))
    await asyncio.sleep(0)
    assert stream.clean.lost == 3


async def test_who_pauses_is_sent_nothing_until_he_goes_on() -> None:
    """Then he begins as somebody who has just come, but without another greeting."""
    stream = Stream()
    pipe, viewer = stream.join()
    await stream.come(True)
    pipe.news()
    stream.clean.let_pause(viewer, pause=True)
    await stream.come(False, True, False)
    stream.clean.answered(stream.frame(1), [])
    assert pipe.news() == []
    stream.clean.let_pause(viewer, pause=False)
    stream.clean.let_pause(viewer, pause=False)
    assert kinds(pipe.news()) == ["form", "group", "key", "picture"]
    await stream.come(False)
    assert kinds(pipe.news()) == ["picture"]


async def test_who_takes_nothing_costs_the_others_nothing() -> None:
    """His pictures wait up to a bound, and then he loses them; the rest have every one."""
    stream = Stream()
    slow, viewer = stream.join()
    quick, _ = stream.join()
    slow.is_full = True
    await stream.come(True, *[False] * (3 * MOST_PICTURES))
    assert kinds(quick.news()) == ["hello", "form", "key", *["picture"] * (3 * MOST_PICTURES)]
    assert viewer.waiting_bytes < 1000
    assert stream.clean.dropped == 3 * MOST_PICTURES + 1
    slow.is_full = False
    viewer.flush()
    await stream.come(True)
    assert kinds(slow.news()) == ["hello", "form", "gap", "key"]
    stream.clean.leave(viewer)
    assert (stream.clean.viewers, stream.clean.dropped) == (1, 3 * MOST_PICTURES + 1)


async def test_nothing_is_taken_before_the_stream_runs() -> None:
    """What a source hands on before, or after, is nobody's."""
    clean = Clean("front", clock=FakeClock())
    clean.put(coded(0, key=True))
    assert (len(clean.group), clean.failed) == (0, 0)
