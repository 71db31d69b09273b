"""A stream's recorder: what goes in waits for nothing, what comes out says what became of it."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest

from streamer.archive.recordings.recorder import AGAIN, STUCK, StreamRecorder
from streamer.archive.recordings.recorders import Recorders
from streamer.values.coded import CodedForm, CodedPicture
from streamer.values.recording import Recording
from tests.archive.events import an_event
from tests.archive.recordings.coded import FPS, looped, numbers_in
from tests.archive.recordings.conftest import Coded
from tests.archive.recordings.indexed import FakeIndex
from tests.peers.clock import FakeClock
from tests.peers.until import until

NOON = 1_790_000_000.0
CONTINUOUS = Recording("continuous")


class Room:
    """A recorder, and the clocks it goes by."""

    def __init__(self, index: FakeIndex, recording: Recording) -> None:
        self.index = index
        self.clock, self.wall = FakeClock(0.0), FakeClock(NOON)
        self.recorder = Recorders(index, clock=self.clock, wall=self.wall).of("gate", recording)

    def put(self, pictures: Sequence[CodedPicture]) -> None:
        """As a source does, each when it comes."""
        for picture in pictures:
            self.wall.advance(picture.received_at - self.clock.now)
            self.clock.now = picture.received_at
            self.recorder.put(picture)

    def written(self) -> list[int]:
        """What is drawn on the pictures of all files."""
        return [number for each in self.index.segments for number in numbers_in(self.index.path(each))]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[StreamRecorder]:
        """For as long as the block lasts."""
        task = asyncio.create_task(self.recorder.run())
        await asyncio.sleep(0)  # it has begun
        try:
            yield self.recorder
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_what_came_is_in_files_when_it_ends(coded: Coded, index: FakeIndex) -> None:
    """However soon a stream ends, every picture that came is written, and the last file is closed."""
    room = Room(index, CONTINUOUS)
    async with room.running() as recorder:
        room.put(coded("h264"))
    assert room.written() == list(range(4 * FPS))
    assert [each.ended_at for each in index.segments] == [pytest.approx(NOON + 4)]
    assert (recorder.taken, recorder.written, recorder.segments) == (4 * FPS, 4 * FPS, 1)
    assert recorder.written_bytes == index.path(index.segments[0]).stat().st_size
    assert not +recorder.dropped


async def test_states_say_what_becomes_of_the_video(coded: Coded, index: FakeIndex) -> None:
    """Waiting for video, recording, and off as soon as it is set so."""
    room = Room(index, CONTINUOUS)
    async with room.running() as recorder:
        assert (recorder.state.word, recorder.state.reason) == ("waiting", "waiting for video")
        room.put(coded("h264"))
        await until(lambda: recorder.state.word == "recording")
        recorder.change(Recording("off"))
        assert recorder.state.word == "off"
        assert not recorder.wants
        await until(lambda: index.segments and index.segments[0].ended_at is not None)
        recorder.change(CONTINUOUS)
        room.put([replace(each, opening=1) for each in looped(coded("h264"), 4 * FPS, 10.0)])
        await until(lambda: recorder.state.word == "recording")


async def test_what_came_before_it_was_switched_off_is_kept(coded: Coded, index: FakeIndex) -> None:
    """A change is from the next picture on: those that wait are written, and the file is ended; none is lost by it."""
    room, pictures = Room(index, CONTINUOUS), list(looped(coded("h264"), 4 * FPS + 5))
    async with room.running() as recorder:
        room.put(pictures[: 4 * FPS])
        recorder.change(Recording("off"))
        room.put(pictures[4 * FPS :])  # of a source that has not been told yet
        await until(lambda: index.segments and index.segments[0].ended_at is not None)
    assert room.written() == list(range(4 * FPS))
    assert (recorder.taken, recorder.written, recorder.dropped.total()) == (4 * FPS, 4 * FPS, 0)


async def test_an_event_of_the_right_kind_is_recorded(coded: Coded, index: FakeIndex) -> None:
    """Events of other classes or zones leave nothing; one that is wanted, from some seconds before it on."""
    room = Room(index, Recording("events", before=2, after=3, labels=frozenset({"person"}), zones=frozenset({"fence"})))
    async with room.running() as recorder:
        room.put(list(looped(coded("h264"), 6 * FPS)))
        assert recorder.state.reason == "waiting for an event that is to be recorded"
        for label, zones in (("dog", ("fence",)), ("person", ("yard",))):
            recorder.event(replace(an_event(NOON + 5), label=label, zones=zones))
        recorder.event(replace(an_event(NOON + 5), label="person", zones=("yard", "fence"), ended_at=NOON + 6))
        room.put(list(looped(coded("h264"), 20 * FPS))[6 * FPS :])
        await until(lambda: index.segments and index.segments[0].ended_at is not None)
    (segment,) = index.segments
    assert segment.began_at == pytest.approx(NOON + 3)
    assert segment.ended_at == pytest.approx(NOON + 9, abs=0.15)
    assert segment.has_event


async def test_a_pause_ends_what_is_written(coded: Coded, index: FakeIndex) -> None:
    """A stream that is paused has its file closed at once, not when it goes on."""
    room = Room(index, CONTINUOUS)
    async with room.running() as recorder:
        room.put(coded("h264"))
        await until(lambda: index.segments)
        recorder.end()
        await until(lambda: index.segments and index.segments[0].ended_at is not None)
        assert recorder.state.word == "waiting"
    assert room.written() == list(range(4 * FPS))


async def test_what_mp4_has_no_place_for_is_said(index: FakeIndex) -> None:
    """VP8 is not kept, and the state says so."""
    room = Room(index, CONTINUOUS)
    async with room.running() as recorder:
        recorder.put(CodedPicture(b"x", 0, 0.0, is_key=True, form=CodedForm("vp8", 160, 120)))
        assert recorder.state.word == "unsupported"
        assert "vp8 cannot be kept in MP4" in (recorder.state.reason or "")
    assert index.segments == []


async def test_a_disk_that_hangs_holds_up_nothing(
    coded: Coded, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a write hangs, pictures are taken without waiting and it is said; once it ends, its file is whole."""
    room = Room(index, CONTINUOUS)
    answers, hangs, sync = threading.Event(), threading.Event(), os.fdatasync

    def hang(descriptor: int) -> None:
        hangs.set()
        answers.wait()
        sync(descriptor)

    async with room.running() as recorder:
        with monkeypatch.context() as stuck:
            stuck.setattr(os, "fdatasync", hang)
            room.put(coded("h264"))
            await until(hangs.is_set)
            room.clock.advance(STUCK + 1)
            recorder.look()
            assert recorder.state.word == "stuck"
            room.put([replace(each, received_at=each.received_at + STUCK + 1) for each in coded("h264")])
            recorder.look()
            assert recorder.state.word == "stuck"
        answers.set()

        def is_writing() -> bool:
            recorder.look()
            return recorder.state.word == "recording"

        await until(is_writing)
    assert all(each.ended_at is not None for each in index.segments)
    assert set(room.written()) == set(range(4 * FPS))


def more_than(count: int, found: Sequence[int]) -> bool:
    """Whether there is more."""
    return len(found) > count


async def test_no_more_than_a_few_threads_hang(coded: Coded, index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that never answers is tried again each minute, and not for ever."""
    room = Room(index, CONTINUOUS)
    answers, hanging = threading.Event(), list[int]()

    def hang(descriptor: int) -> None:
        hanging.append(descriptor)
        answers.wait()

    monkeypatch.setattr(os, "fdatasync", hang)
    try:
        async with room.running() as recorder:
            for number in range(6):
                at = number * (AGAIN + STUCK + 5)
                room.put([replace(each, opening=number) for each in looped(coded("h264"), 4 * FPS, at)])
                before = len(hanging)
                recorder.look()
                if number < 3:
                    await until(partial(more_than, before, hanging))
                room.clock.advance(STUCK + 1)
                recorder.look()
            assert len(hanging) == 3
            assert recorder.state.word == "stuck"
    finally:
        answers.set()


async def test_those_who_let_go_know_how_long_it_is_kept(index: FakeIndex) -> None:
    """What retention must know is told, at first and with each change."""
    room = Room(index, CONTINUOUS)
    assert index.kept["gate"] == CONTINUOUS
    room.recorder.change(Recording("events", keep_days=3))
    assert index.kept["gate"].keep_days == 3
