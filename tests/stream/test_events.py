"""streamer.stream.events: what a stream's answered samples become."""

import asyncio
from collections import deque
from dataclasses import replace

import pytest

from streamer.stream import events as stream_events
from streamer.stream.events import SILENCE, StreamEvents
from streamer.values.alert import AlertRule
from streamer.values.detections import Detections
from streamer.values.errands import Errands
from streamer.values.event import Event, Picture
from streamer.values.followed import Followed
from streamer.values.mishaps import Mishaps
from streamer.values.place import Line, Places, Zone
from streamer.values.watching import EventRule, Watching
from tests.peers.clock import FakeClock
from tests.peers.frames import make_detections, make_frame
from tests.peers.until import until

WALL = 1_800_000_000.0
SAMPLE = 0.2
LEFT = Zone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
MIDDLE = Line("middle", ((0.5, 1), (0.5, 0)))
"""Upwards: from left to right is forward."""
HERE, THERE = (5.0, 10.0, 15.0, 20.0), (45.0, 10.0, 55.0, 20.0)
"""In the left and the right half of a frame of 64 pixels."""


class Stream:
    """One whose model answers as it is told."""

    def __init__(self, watching: Watching = Watching()) -> None:  # noqa: B008  a value
        self.clock, self.wall = FakeClock(), FakeClock(WALL)
        self.told: list[tuple[Event, Picture | None]] = []
        self.dwells: list[float] = []
        self.events = StreamEvents(
            watching,
            clock=self.clock,
            wall=self.wall,
            errands=Errands(1, "pictures"),
            mishaps=Mishaps("pictures", clock=self.clock),
            on_event=lambda event, picture: self.told.append((event, picture)),
            dwells=lambda: self.dwells,
        )
        self.opening = 0
        self.tracker_id = 7
        self._pts = 0.0
        self._scores: deque[float] = deque(maxlen=10)

    def sample(
        self, score: float | None = None, box: tuple[float, float, float, float] = HERE, *, late: float = 0.0
    ) -> None:
        """The next sample, which shows one thing with this score, faintly below 0.5, or nothing; answered so late."""
        self._pts += SAMPLE
        received_at = self.clock.advance(SAMPLE)
        self.wall.advance(SAMPLE)
        frame = replace(make_frame(self._pts, received_at), opening=self.opening)
        self._scores.append(score or 0.0)
        self.clock.advance(late)
        self.wall.advance(late)
        self.events.answered(frame, self._answer(score, box, received_at), 0.5)

    def _answer(self, score: float | None, box: tuple[float, float, float, float], received_at: float) -> Detections:
        nothing = make_detections(self._pts, received_at=received_at)
        if score is None:
            return nothing
        followed = Followed(self.tracker_id, "person", 1, self._pts, self._pts, tuple(self._scores), None)
        found = make_detections(self._pts, [box], scores=[score], received_at=received_at)
        rows = replace(found, labels=("person",), followed=(followed,))
        return rows if score >= 0.5 else replace(nothing, faint=rows)

    def reconnect(self) -> None:
        """The camera was away; its tracks are others."""
        self.opening, self.tracker_id = self.opening + 1, self.tracker_id + 1
        self._scores.clear()

    @property
    def news(self) -> list[Event]:
        """What was told, without pictures."""
        return [event for event, picture in self.told if picture is None]


def test_a_thing_begins_once_and_ends_once() -> None:
    """Two good samples of three begin an event, two seconds without the thing end it; both are counted."""
    stream = Stream()
    stream.sample(0.9)
    assert stream.news == []
    stream.sample(0.9)
    [begun] = stream.news
    assert (begun.label, begun.tracker_id, begun.began_pts, begun.ended_at) == ("person", 7, SAMPLE, None)
    assert (stream.events.begun, stream.events.ended, stream.events.going_on) == ({"person": 1}, {}, 1)
    for _ in range(10):
        stream.sample()
    assert stream.news[-1].ended_at == stream.news[-1].last_at
    assert {event.id for event in stream.news} == {begun.id}
    assert (stream.events.ended, stream.events.going_on) == ({"person": 1}, 0)


def test_times_are_those_of_the_frame() -> None:
    """An answer that took its time does not make an event later: it began when the frame came, in UTC."""
    stream = Stream()
    stream.sample(0.9, late=0.7)
    stream.sample(0.9, late=0.1)
    assert stream.news[0].began_at == pytest.approx(WALL + SAMPLE, abs=0.001)


def test_what_is_seen_faintly_goes_on_and_begins_nothing() -> None:
    """Rows below the stream's score begin no event, and keep one from ending."""
    stream = Stream()
    for _ in range(5):
        stream.sample(0.4)
    assert stream.news == []
    for _ in range(2):
        stream.sample(0.9)
    for _ in range(15):
        stream.sample(0.4)
    assert stream.events.going_on == 1


def test_zones_and_lines_are_counted() -> None:
    """Who is in a zone is known while he is, and a crossing counts by line, direction and label."""
    stream = Stream(Watching(places=Places((LEFT,), (MIDDLE,))))
    assert stream.events.occupancy() == {("left", ""): 0}
    for _ in range(2):
        stream.sample(0.9, HERE)
    assert stream.events.occupancy() == {("left", ""): 0, ("left", "person"): 1}
    for _ in range(2):
        stream.sample(0.9, THERE)
    assert stream.events.occupancy() == {("left", ""): 0}
    assert stream.events.crossings == {("middle", "forward", "person"): 1}
    for _ in range(2):
        stream.sample(0.9, HERE)
    assert stream.events.crossings[("middle", "backward", "person")] == 1
    assert [mark.kind for mark in stream.news[-1].marks] == ["enter", "leave", "cross", "enter", "cross"]


def test_of_invented_names_no_more_are_counted_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines and labels beyond MOST_COUNTED are not told apart; those that are known go on counting."""
    monkeypatch.setattr(stream_events, "MOST_COUNTED", 1)
    stream = Stream(Watching(places=Places((), (MIDDLE,))))
    for box in (HERE, HERE, THERE, HERE, THERE):
        stream.sample(0.9, box)
    assert stream.events.crossings == {("middle", "forward", "person"): 2}


def test_another_connection_ends_what_went_on() -> None:
    """Nothing need be where it was behind it: the event ends when it was seen last, and another begins."""
    stream = Stream()
    for _ in range(3):
        stream.sample(0.9)
    last = stream.wall.now
    stream.reconnect()
    stream.sample(0.9)
    assert stream.news[-1].ended_at == pytest.approx(last, abs=0.001)
    stream.sample(0.9)
    assert len({event.id for event in stream.news}) == 2


def test_an_answer_of_a_connection_that_is_over_ends_nothing() -> None:
    """What was asked before a camera was away, and is answered after what came behind it, changes nothing."""
    stream = Stream()
    stream.sample(0.9)
    stream.reconnect()
    for _ in range(3):
        stream.sample(0.9)
    known = list(stream.told)
    stream.opening -= 1
    stream.sample(0.9)
    stream.opening += 1
    assert stream.told == known
    stream.sample(0.95)
    assert stream.events.going_on == 1
    assert len({event.id for event in stream.news}) == 1


def test_other_zones_end_what_went_on_and_other_rules_do_not() -> None:
    """An event that is told of a zone has been watched by it; what is asked of others may change meanwhile."""
    stream = Stream()
    for _ in range(3):
        stream.sample(0.9)
    stream.events.change(Watching(EventRule(0.95)))
    assert stream.events.going_on == 1
    stream.events.change(Watching(EventRule(0.95), places=Places((LEFT,))))
    assert stream.events.going_on == 0
    for _ in range(3):
        stream.sample(0.9)
    assert stream.events.going_on == 0  # 0.95 are asked for now


def test_silence_ends_what_went_on() -> None:
    """More than a minute without an answer ends every event, at when it was seen last."""
    stream = Stream()
    for _ in range(3):
        stream.sample(0.9)
    last = stream.wall.now
    stream.clock.advance(SILENCE)
    stream.events.listen()
    assert stream.events.going_on == 1
    stream.clock.advance(0.1)
    stream.events.listen()
    assert stream.events.going_on == 0
    assert stream.news[-1].ended_at == pytest.approx(last, abs=0.001)


async def test_the_end_of_a_stream_ends_its_events() -> None:
    """Who is cancelled leaves none open."""
    stream = Stream()
    running = asyncio.create_task(stream.events.run())
    for _ in range(3):
        stream.sample(0.9)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (stream.events.going_on, stream.news[-1].ended_at is None) == (0, False)


async def test_an_event_that_ended_has_a_picture_with_all_that_was_in_it() -> None:
    """The best sample's frame is drawn in a thread, and told with the boxes of that sample."""
    stream = Stream()
    running = asyncio.create_task(stream.events.run())
    for _ in range(3):
        stream.sample(0.9)
    for _ in range(10):
        stream.sample()
    await until(lambda: any(picture for _, picture in stream.told))
    event, picture = next(each for each in stream.told if each[1])
    assert picture is not None
    assert picture.image.startswith(b"\xff\xd8")
    assert [(each.label, each.box, each.tracker_id) for each in picture.boxes] == [("person", HERE, 7)]
    assert event.box == HERE
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_an_event_is_told_as_it_passes_what_rules_ask_for() -> None:
    """By the rules there are at that sample: one that is made while a thing is there is met by it."""
    stream = Stream()
    for _ in range(15):
        stream.sample(0.9)
    before = len(stream.news)
    stream.sample(0.9)
    assert len(stream.news) == before
    stream.dwells.append(3.5)
    while stream.wall() - stream.news[0].began_at < 3.5:
        stream.sample(0.9)
    assert len(stream.news) == before + 1
    assert AlertRule("stays", dwell=3.5).met_at(stream.news[-1]) is not None
