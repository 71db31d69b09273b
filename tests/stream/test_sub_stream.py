"""streamer.stream.sub_stream: when a smaller video is opened, and what its viewers are sent meanwhile."""

import asyncio
import re

from streamer.stream.sub_stream import HOPE, LINGER, QUIET, UNWATCHED, SubStream
from streamer.values.coded import CodedForm
from streamer.values.state import StreamState
from streamer.view.clean.clean import Clean
from streamer.view.clean.sizes import Sizes
from tests.peers.clock import FakeClock
from tests.peers.required import REPOSITORY
from tests.peers.until import until
from tests.stream.test_pipeline import FakeSource
from tests.view.clean.peers import FakePipe, coded, kinds

LIVE = StreamState("live")
HEVC = CodedForm("hevc", 64, 48)


class Sub:
    """A sub-stream whose source is moved by hand."""

    def __init__(self) -> None:
        self.clock = FakeClock(1000.0)
        self.sizes = Sizes("cam", Clean("cam", clock=self.clock), clock=self.clock, on_wish=lambda: self.sub.ask())
        self.paused = False
        self.restarts = 0
        self.sub = SubStream(
            "cam", self.sizes, clock=self.clock, is_paused=lambda: self.paused, on_restart=self._restarted
        )
        self.source = FakeSource()
        self.sizes.open(asyncio.get_running_loop(), lambda pts: ())

    def _restarted(self) -> None:
        self.restarts += 1

    async def come(self, number: int, *, key: bool = False, form: CodedForm | None = None) -> None:
        """A picture comes."""
        picture = coded(number, key=key) if form is None else coded(number, key=key, form=form)
        picture.received_at = self.clock()
        assert self.source.on_coded is not None
        self.source.on_coded(picture)
        await asyncio.sleep(0)

    def settle(self) -> bool:
        """Look at it."""
        return self.sub.settle(self.clock())


async def test_it_is_open_while_somebody_wishes_for_it() -> None:
    """And a moment longer, for who comes again; not while its stream is paused, nor where there is none."""
    sub = Sub()
    viewer = sub.sizes.join(FakePipe(), LIVE, small=True)
    assert not sub.settle()
    sub.sub.use(sub.source)
    assert sub.settle()
    sub.paused = True
    assert not sub.settle()
    sub.paused = False
    assert sub.settle()
    sub.sizes.let_pause(viewer, pause=True)
    sub.clock.advance(LINGER - 0.1)
    assert sub.settle()
    sub.clock.advance(0.1)
    assert not sub.settle()
    assert sub.sub.reason == UNWATCHED


async def test_its_viewers_are_sent_it_while_its_pictures_come() -> None:
    """Once a key picture is there; and no more than two seconds after its last picture the large one, with a reason."""
    sub = Sub()
    sub.sub.use(sub.source)
    sub.sizes.join(FakePipe(), LIVE, small=True)
    sub.source.reason = "nobody listens there"
    sub.settle()
    assert (sub.sizes.is_there, sub.sub.reason) == (False, "nobody listens there")
    sub.source.reason = None
    await sub.come(0)
    sub.settle()
    assert not sub.sizes.is_there
    await sub.come(1, key=True)
    sub.settle()
    assert (sub.sizes.is_there, sub.sub.reason) == (True, None)
    sub.clock.advance(QUIET + 0.1)
    sub.settle()
    assert (sub.sizes.is_there, sub.sub.reason) == (False, "no picture for more than 2 s")
    await sub.come(2, key=True)
    sub.settle()
    assert sub.sizes.is_there


async def test_what_browsers_do_not_play_is_not_sent() -> None:
    """The reason names the codec."""
    sub = Sub()
    sub.sub.use(sub.source)
    sub.sizes.join(FakePipe(), LIVE, small=True)
    await sub.come(0, key=True, form=HEVC)
    sub.settle()
    assert not sub.sizes.is_there
    assert sub.sub.reason is not None
    assert "hevc" in sub.sub.reason


async def test_who_has_nothing_else_waits_for_it_a_while() -> None:
    """He is told that browsers play no large one once hope is gone: of what does not open, and of what has stopped."""
    for comes in (False, True):
        sub, pipe = Sub(), FakePipe()
        sub.sizes.large.open(asyncio.get_running_loop(), lambda pts: ())
        sub.sub.use(sub.source)
        sub.sizes.large.put(coded(0, key=True, form=HEVC))
        sub.sizes.join(pipe, LIVE, small=True)
        sub.settle()
        if comes:
            await sub.come(0, key=True)
            sub.settle()
            pipe.news()
        for passed in (HOPE - 0.1, 0.05):
            sub.clock.advance(passed)
            sub.settle()
            assert kinds(pipe.news()) in ([], ["hello"])
        assert not sub.sizes.is_there
        sub.clock.advance(0.1)
        sub.settle()
        [form] = pipe.news()
        assert isinstance(form, dict)
        assert (form["type"], form["size"], form["offered"]) == ("form", "large", False)


def test_it_is_hoped_for_longer_than_a_page_waits() -> None:
    """A page gives up by itself, and comes again soon; and it has the large video before, where browsers play that."""
    [patience] = re.findall(r"NO_FRAME_MS = (\d+);", (REPOSITORY / "web" / "player.js").read_text())
    assert QUIET < int(patience) / 1000 < HOPE


async def test_its_breakdown_is_its_own() -> None:
    """It begins anew, that is counted, and whoever runs it does not hear of it."""
    sub = Sub()
    sub.sub.use(sub.source)
    sub.sizes.join(FakePipe(), LIVE, small=True)
    running = asyncio.create_task(sub.sub.run(lambda pts: ()))
    await until(lambda: sub.source.deliver is not None)
    sub.source.cut_off.set()
    await until(lambda: sub.restarts == 1)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
