"""streamer.view.clean.sizes: who is sent which of a camera's videos."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from streamer.values.coded import CodedForm
from streamer.values.frame import Frame
from streamer.values.state import StreamState
from streamer.values.track import TrackedBox
from streamer.view.clean.clean import Clean
from streamer.view.clean.sizes import OF_SMALL, Sizes
from tests.peers.clock import FakeClock
from tests.peers.frames import make_frame
from tests.view.clean.peers import FakePipe, Shown, coded, kinds

LIVE = StreamState("live")
SMALL = CodedForm("h264", 32, 24, 30.0, 0, "avc1.42c00d")
MJPEG = CodedForm("mjpeg", 32, 24)


class Videos:
    """Both of one camera, whose pictures a test makes: at a pts of 2 s one thing is at 2 pixels from the left."""

    def __init__(self) -> None:
        self.asked = 0
        large = Clean("front", clock=FakeClock())
        self.sizes = Sizes("front", large, clock=FakeClock(), on_wish=self._ask)
        large.open(asyncio.get_running_loop(), self._at)
        self.sizes.open(asyncio.get_running_loop(), self._at)
        self._put = self.sizes.renew()
        self._counts = [0, 0]

    def _ask(self) -> None:
        self.asked += 1

    def _at(self, pts: float) -> Sequence[TrackedBox]:
        return [TrackedBox(1, (pts, 0.0, 64.0, 48.0), "insulator", 1, 0.5)]

    async def large(self, *keys: bool) -> None:
        """Pictures of the large video come."""
        for key in keys:
            self.sizes.large.put(coded(self._counts[0], key=key))
            self._counts[0] += 1
            await asyncio.sleep(0)

    async def small(self, *keys: bool, **settings: Any) -> None:
        """And of the small one."""
        for key in keys:
            self._put(coded(self._counts[1], key=key, **{"form": SMALL, **settings}))
            self._counts[1] += 1
            await asyncio.sleep(0)

    def frame(self, number: int) -> Frame:
        """The decoded picture of that number of the large one, which came with the small one's."""
        at = number / 30
        return replace(make_frame(at, 1000 + at, index=number), opening=1, coded_at=number * 33_333)


def sent(news: list[Shown | dict[str, Any]]) -> list[str]:
    """Which video's pictures came."""
    return ["small" if each.opening >= OF_SMALL else "large" for each in news if isinstance(each, Shown)]


def forms(news: list[Shown | dict[str, Any]]) -> list[str]:
    """Of which video it was said what follows."""
    return [each["size"] for each in news if isinstance(each, dict) and each["type"] == "form"]


async def test_who_sees_it_small_has_the_small_one_once_it_is_there() -> None:
    """The large one until then, at once; and at once the small one, from its newest key picture on."""
    videos = Videos()
    await videos.large(True, False)
    pipe = FakePipe()
    videos.sizes.join(pipe, LIVE, small=True)
    assert sent(pipe.news()) == ["large", "large"]
    await videos.small(True, False)
    videos.sizes.serve(is_there=True, is_hoped=True)
    news = pipe.news()
    assert kinds(news) == ["form", "group", "key", "picture"]
    assert (forms(news), sent(news)) == (["small"], ["small", "small"])
    await videos.large(False)
    await videos.small(False)
    assert sent(pipe.news()) == ["small"]
    other = FakePipe()
    videos.sizes.join(other, LIVE, small=True)
    assert forms(other.news()) == ["small"]
    assert videos.sizes.viewers == 2


async def test_who_sees_it_large_has_the_large_one() -> None:
    """Whatever else there is; nobody is asked for the small one for his sake."""
    videos = Videos()
    await videos.large(True)
    await videos.small(True)
    videos.sizes.serve(is_there=True, is_hoped=True)
    pipe = FakePipe()
    videos.sizes.join(pipe, LIVE)
    await videos.small(False)
    await videos.large(False)
    assert sent(pipe.news()) == ["large", "large"]
    assert not videos.sizes.wished


async def test_a_viewer_may_see_it_otherwise() -> None:
    """Larger, and small again, without coming anew; what there is is sent at once."""
    videos = Videos()
    await videos.large(True)
    await videos.small(True)
    videos.sizes.serve(is_there=True, is_hoped=True)
    pipe = FakePipe()
    viewer = videos.sizes.join(pipe, LIVE, small=True)
    pipe.news()
    videos.sizes.wish(viewer, small=False)
    videos.sizes.wish(viewer, small=False)
    assert kinds(news := pipe.news()) == ["form", "group", "key"]
    assert sent(news) == ["large"]
    assert not videos.sizes.wished
    videos.sizes.wish(viewer, small=True)
    assert sent(pipe.news()) == ["small"]
    assert videos.asked == 4
    videos.sizes.leave(viewer)
    assert (videos.sizes.viewers, videos.sizes.wished) == (0, False)


async def test_while_it_fails_he_has_the_large_one() -> None:
    """At once, and the small one again when that is back, from a source that counts anew too."""
    videos = Videos()
    await videos.large(True)
    await videos.small(True)
    videos.sizes.serve(is_there=True, is_hoped=True)
    pipe = FakePipe()
    videos.sizes.join(pipe, LIVE, small=True)
    pipe.news()
    late, videos._put = videos._put, videos.sizes.renew()
    assert sent(pipe.news()) == ["large"]
    late(coded(8, key=True, form=SMALL))
    await asyncio.sleep(0)
    videos.sizes.serve(is_there=True, is_hoped=True)
    assert sent(pipe.news()) == []  # it is the picture of the source before
    await videos.small(True)
    late(coded(9, key=True, form=SMALL))
    await asyncio.sleep(0)
    videos.sizes.serve(is_there=True, is_hoped=True)
    [picture] = [each for each in pipe.news() if isinstance(each, Shown)]
    assert picture.opening == OF_SMALL + 2


@pytest.mark.parametrize("turned", [True, False])
async def test_nobody_is_told_that_the_small_one_cannot_be_played(turned: bool) -> None:
    """He is sent the large one before: a page would look for another way."""
    videos = Videos()
    await videos.large(True)
    await videos.small(True)
    videos.sizes.serve(is_there=True, is_hoped=True)
    pipe = FakePipe()
    videos.sizes.join(pipe, LIVE, small=True)
    pipe.news()
    if turned:
        videos.sizes.small.decoded(replace(videos.frame(0), is_turned=True))
    else:
        await videos.small(True, form=MJPEG)
    assert forms(pipe.news()) == ["large"]
    assert videos.sizes.small.withheld


async def test_who_has_paused_goes_on_with_what_there_is() -> None:
    """He is sent nothing meanwhile, and wishes for nothing."""
    videos = Videos()
    await videos.large(True)
    await videos.small(True)
    videos.sizes.serve(is_there=True, is_hoped=True)
    pipe = FakePipe()
    viewer = videos.sizes.join(pipe, LIVE, small=True)
    pipe.news()
    videos.sizes.let_pause(viewer, pause=True)
    assert not videos.sizes.wished
    videos.sizes.serve(is_there=False, is_hoped=True)
    await videos.large(False)
    assert pipe.news() == []
    videos.sizes.let_pause(viewer, pause=False)
    assert sent(pipe.news()) == ["large", "large"]


async def test_small_pictures_have_the_boxes_of_their_time() -> None:
    """Expected ones at once; what the model finds in the large frame is told of the small picture taken with it."""
    videos = Videos()
    videos.sizes.decoded(videos.frame(0))
    await videos.small(True)
    videos.sizes.serve(is_there=True, is_hoped=True)
    pipe = FakePipe()
    videos.sizes.join(pipe, LIVE, small=True)
    pipe.news()
    await videos.small(False, False)
    videos.sizes.sampled(videos.frame(1))
    videos.sizes.answered(videos.frame(1))
    said = [each for each in pipe.news() if isinstance(each, dict)]
    assert [(each["type"], each["time"], each.get("exact")) for each in said] == [
        ("boxes", 33_333, False),
        ("boxes", 66_666, False),
        ("sampled", 33_333, None),
        ("boxes", 33_333, True),
        ("boxes", 66_666, False),
    ]
    assert {each["opening"] for each in said} == {OF_SMALL + 1}
    assert [each["boxes"][0][4] for each in said if each["type"] == "boxes"] == pytest.approx(
        [1 / 30 / 64, 2 / 30 / 64, 1 / 30 / 64, 2 / 30 / 64], abs=2e-5
    )


async def test_who_cannot_be_sent_the_large_one_waits_for_the_small_one() -> None:
    """Where the large one is what browsers do not play he is told nothing of it, as long as there is hope."""
    videos = Videos()
    videos.sizes.large.put(coded(0, key=True, form=MJPEG))
    videos.sizes.serve(is_there=False, is_hoped=True)
    pipe = FakePipe()
    viewer = videos.sizes.join(pipe, LIVE, small=True)
    assert kinds(pipe.news()) == ["hello"]
    videos.sizes.let_pause(viewer, pause=True)
    assert not videos.sizes.wished
    videos.sizes.let_pause(viewer, pause=False)
    await videos.small(True)
    videos.sizes.serve(is_there=True, is_hoped=True)
    assert forms(pipe.news()) == ["small"]
    videos.sizes.serve(is_there=False, is_hoped=False)
    [form] = pipe.news()
    assert isinstance(form, dict)
    assert (form["size"], form["offered"]) == ("large", False)
    videos.sizes.leave(viewer)


async def test_a_large_one_that_changes_is_not_told_of_while_there_is_hope() -> None:
    """He who is sent it meanwhile is taken from it first."""
    videos = Videos()
    await videos.large(True)
    videos.sizes.serve(is_there=False, is_hoped=True)
    pipe = FakePipe()
    videos.sizes.join(pipe, LIVE, small=True)
    pipe.news()
    videos.sizes.large.put(coded(1, key=True, form=MJPEG))
    await asyncio.sleep(0)
    assert pipe.news() == []
