"""streamer.stream.arrivals: which decoded frames come to the event loop."""

import asyncio
import itertools
from dataclasses import replace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from streamer.stream.arrivals import SELDOM, WAITING, Arrival, Arrivals
from streamer.stream.counts import Counts
from streamer.stream.inquiry import Inquiry
from streamer.tracking.camera import Camera
from streamer.values.depth import WHOLE, Depth
from streamer.values.frame import Frame
from streamer.values.mishaps import Mishaps
from tests.peers.frames import make_frame

RATE = 30
FRAMES = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), max_size=60)
"""Whether the stream is due, whether somebody looks, and how many pictures before each were not decoded."""


class FakeInquiry:
    """Says what a test says, and has no slot."""

    is_open = False

    def __init__(self) -> None:
        self.is_due = False
        self.breaks = False

    def mark(self, _: Frame) -> bool:
        """Whether the stream is due."""
        if self.breaks:
            raise ValueError("of this test")
        return self.is_due

    def depth(self, frame: Frame, slack: float) -> Depth:
        """The next is wanted at once."""
        return Depth(is_whole=False, wanted_at=frame.received_at, slack=slack)


class Passage:
    """A stream's, in one thread: what comes is there once the loop has had its turn."""

    def __init__(self) -> None:
        self.inquiry, self.counts, self.is_shown = FakeInquiry(), Counts(), False
        self.arrivals = Arrivals(
            cast("Inquiry", self.inquiry),
            Camera(),
            self.counts,
            is_shown=lambda: self.is_shown,
            is_watched=lambda: False,
            mishaps=lambda what: Mishaps(what),
        )
        self.taken: list[Arrival] = []
        self.arrivals.open(asyncio.get_running_loop(), self.taken.append)


@given(FRAMES)
def test_the_loop_hears_of_what_is_needed_and_of_all_that_came(frames: list[tuple[bool, bool, int]]) -> None:
    """Each frame that is due or looked at, others every half second, and how many pictures came in between."""

    async def pass_on() -> None:
        passage, needed, came = Passage(), list[int](), 0
        for index, (is_due, is_shown, missed) in enumerate(frames):
            passage.inquiry.is_due, passage.is_shown = is_due, is_shown
            passage.arrivals.put(replace(make_frame(index / RATE, 100 + index / RATE, index=index), missed=missed))
            await asyncio.sleep(0)
            assert passage.arrivals.depth().is_whole == is_shown
            came += 1 + missed
            needed += [index] if index == 0 or is_due or is_shown else []
            if passage.taken and passage.taken[-1].frame.index == index:
                assert sum(arrival.came for arrival in passage.taken) == came
        heard = [arrival.frame.index for arrival in passage.taken]
        assert set(needed) <= set(heard)
        assert all(after - before <= SELDOM * RATE + 1 for before, after in itertools.pairwise(heard))
        others = set(heard) - set(needed)
        assert all(index - max(each for each in heard if each < index) >= SELDOM * RATE - 1 for index in others)

    asyncio.run(pass_on())


async def test_what_the_loop_is_too_late_for_is_counted_by_what_it_was() -> None:
    """A frame with which the stream was due is a sample that is dropped, another one is lost; the newest are kept."""
    passage = Passage()
    passage.is_shown = True
    for index in range(WAITING + 5):
        passage.inquiry.is_due = index < 2
        passage.arrivals.put(make_frame(index / RATE, index=index))
    await asyncio.sleep(0)
    assert [arrival.frame.index for arrival in passage.taken] == list(range(5, WAITING + 5))
    assert (passage.counts.drops(), passage.arrivals.lost) == ({("sampler", "loop_busy"): 2}, 3)


async def test_a_frame_that_cannot_be_taken_costs_itself() -> None:
    """It is counted, and the next is taken."""
    passage = Passage()
    passage.inquiry.breaks = True
    passage.arrivals.put(make_frame(0.0))
    passage.inquiry.breaks = False
    passage.arrivals.put(make_frame(1.0, index=1))
    await asyncio.sleep(0)
    assert [arrival.frame.index for arrival in passage.taken] == [1]
    assert passage.arrivals.failed == 1


async def test_all_is_decoded_before_anything_came() -> None:
    """Whoever begins has the first picture."""
    assert Passage().arrivals.depth() is WHOLE
