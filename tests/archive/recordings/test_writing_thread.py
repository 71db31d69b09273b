"""What is written of what waits: windows around events, disks that fail and come back."""

import errno
import os
from dataclasses import replace
from math import inf

import pytest

from streamer.archive.recordings.growing_file import GrowingFile
from streamer.archive.recordings.mending import mend
from streamer.archive.recordings.ring import Ring
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_writer import SegmentWriter
from streamer.archive.recordings.tally import Tally
from streamer.archive.recordings.windows import Window, Windows
from streamer.archive.recordings.writing_thread import LEAST_FREE, RETRY, WritingThread
from streamer.values.coded import CodedPicture
from streamer.values.recording import Recording
from tests.archive.recordings.coded import FPS, looped, numbers_in
from tests.archive.recordings.conftest import Coded
from tests.archive.recordings.indexed import FakeIndex
from tests.peers.clock import FakeClock


class Bench:
    """A thread that is not started: a test does what it does, when it would."""

    def __init__(self, index: FakeIndex, recording: Recording) -> None:
        self.index, self.recording = index, recording
        self.clock, self.ring, self.windows, self.tally = FakeClock(0.0), Ring(), Windows(), Tally()
        writer = SegmentWriter(
            "gate", index, index.boxes_of("gate"), clock=self.clock, wall=self.clock, tally=self.tally
        )
        self.thread = WritingThread(
            self.ring,
            self.windows,
            writer,
            lambda: self.recording,
            folder=index.folder,
            mend=self.mend,
            clock=self.clock,
            on_end=lambda: None,
        )
        self.came = 0

    def mend(self, segment: Segment) -> None:
        whole = mend(self.index.path(segment), segment)
        if whole is not None:
            self.index.put(whole)

    def pass_seconds(self, pictures: list[CodedPicture], seconds: float) -> None:
        """Let pictures come for so long, written twice a second."""
        for picture in list(looped(pictures, self.came + round(seconds * FPS)))[self.came :]:
            self.clock.now = picture.received_at
            self.ring.put(picture)
            self.came += 1
            if self.came % (FPS // 2) == 0:
                self.thread.once()

    def failure(self) -> str | None:
        """In a word."""
        return None if self.thread.failure is None else self.thread.failure.word

    def seconds(self) -> list[tuple[float, float]]:
        """From when to when each segment is, once the last has ended."""
        self.thread.close()
        self.thread.once()
        return [(round(each.began_at, 3), round(each.ended_at or inf, 3)) for each in self.index.segments]

    def written(self) -> int:
        """Pictures in all files."""
        return sum(len(numbers_in(self.index.path(each))) for each in self.index.segments)


def test_everything_is_written_where_it_is_set_so(coded: Coded, index: FakeIndex) -> None:
    """In the mode continuous every picture that came is in a file."""
    bench = Bench(index, Recording("continuous"))
    bench.pass_seconds(coded("h264"), 70)
    assert bench.seconds() == [(0, 60), (60, 70)]
    assert bench.written() == bench.tally.written == 70 * FPS


def test_an_event_keeps_what_was_before_and_after(coded: Coded, index: FakeIndex) -> None:
    """In the mode events a file begins with the keyframe before the seconds before, and ends after those after."""
    bench = Bench(index, Recording("events", before=5, after=10))
    bench.pass_seconds(coded("h264"), 20.5)
    assert index.segments == []
    bench.windows.put("a", Window(18.7 - 5, inf))
    bench.pass_seconds(coded("h264"), 10)
    bench.windows.put("a", Window(18.7 - 5, 29.5 + 10))
    bench.pass_seconds(coded("h264"), 40)
    assert bench.seconds() == [(13, 39.6)]
    assert [each.has_event for each in index.segments] == [True]


def test_an_event_before_the_last_is_over_goes_on_in_its_file(coded: Coded, index: FakeIndex) -> None:
    """Where the seconds before an event reach back to those after the last, nothing is between them."""
    bench = Bench(index, Recording("events", before=5, after=5))
    bench.pass_seconds(coded("h264"), 10)
    bench.windows.put("a", Window(5, 15))
    bench.pass_seconds(coded("h264"), 9)
    bench.windows.put("b", Window(18 - 5, 18 + 5))
    bench.pass_seconds(coded("h264"), 30)
    assert bench.seconds() == [(5, 23.1)]
    assert bench.written() == 181


def test_events_apart_are_files_apart(coded: Coded, index: FakeIndex) -> None:
    """Where there is time between two windows, it is not kept."""
    bench = Bench(index, Recording("events", before=5, after=5))
    bench.pass_seconds(coded("h264"), 10)
    bench.windows.put("a", Window(5, 15))
    bench.pass_seconds(coded("h264"), 30)
    bench.windows.put("b", Window(38 - 5, 38 + 5))
    bench.pass_seconds(coded("h264"), 30)
    assert bench.seconds() == [(5, 15.1), (33, 43.1)]
    assert not bench.tally.dropped
    assert bench.ring.lost == 0


def test_pictures_before_an_event_are_bounded(coded: Coded, index: FakeIndex) -> None:
    """While nothing happens, memory holds what an event might want, and no more."""
    bench = Bench(index, Recording("events", before=5))
    bench.pass_seconds(coded("h264"), 60)
    assert len(bench.ring) <= (5 + 5 + 1 + 1) * FPS


def test_what_lies_around_events_is_marked(coded: Coded, index: FakeIndex) -> None:
    """In the mode continuous segments say whether an event lies in them, those that have ended too."""
    bench = Bench(index, Recording("continuous", before=5))
    bench.pass_seconds(coded("h264"), 62)
    bench.windows.put("a", Window(61 - 5, 75))
    bench.pass_seconds(coded("h264"), 120)
    bench.seconds()
    assert [each.has_event for each in index.segments] == [True, True, False, False]


def test_a_camera_that_is_silent_has_its_file_ended(coded: Coded, index: FakeIndex) -> None:
    """Some seconds after the last picture the file is ended, though nothing comes that would end it."""
    bench = Bench(index, Recording("continuous"))
    bench.pass_seconds(coded("h264"), 10)
    bench.clock.advance(30)
    bench.thread.once()
    (segment,) = index.segments
    assert segment.ended_at == pytest.approx(10)


def refuse(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Have the disk take nothing."""

    def flush(file: GrowingFile, *, durably: bool = False) -> bool:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(GrowingFile, "flush", flush)


def test_a_full_disk_costs_nothing_where_there_is_room_again_soon(
    coded: Coded, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes while a disk is full waits; once there is room, all but the second that was cut off is there."""
    bench = Bench(index, Recording("continuous"))
    bench.pass_seconds(coded("h264"), 10)
    with monkeypatch.context() as full:
        refuse(full, errno.ENOSPC)
        bench.pass_seconds(coded("h264"), 6)
        assert bench.failure() == "full"
    bench.pass_seconds(coded("h264"), RETRY + 5)
    bench.seconds()
    assert bench.failure() is None
    lost = bench.tally.dropped["unwritten"] + bench.tally.dropped["no_keyframe"]
    assert lost <= 2 * FPS
    assert bench.written() == bench.tally.written == bench.came - lost
    assert all(each.ended_at is not None for each in index.segments)


def test_a_disk_that_refuses_says_why(coded: Coded, index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state has the system's own words."""
    bench = Bench(index, Recording("continuous"))
    refuse(monkeypatch, errno.EIO)
    bench.pass_seconds(coded("h264"), 3)
    assert bench.thread.failure is not None
    assert (bench.thread.failure.word, bench.thread.failure.reason) == (
        "failing",
        f"recordings cannot be written: {os.strerror(errno.EIO)}",
    )


def test_a_disk_that_is_away_for_long_costs_the_oldest(
    coded: Coded, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what memory may hold, pictures go up to the next keyframe, and every one is counted."""
    bench = Bench(index, Recording("continuous"))
    with monkeypatch.context() as full:
        refuse(full, errno.ENOSPC)
        bench.pass_seconds(coded("h264"), 60)
    bench.pass_seconds(coded("h264"), 20)
    bench.seconds()
    lost = bench.ring.lost + sum(bench.tally.dropped.values())
    assert 30 * FPS < lost < 50 * FPS
    assert bench.written() == bench.came - lost


def test_room_is_left_for_others(coded: Coded, index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the last of a disk is taken, the file is ended properly, and nothing more is written."""
    bench = Bench(index, Recording("continuous"))
    bench.pass_seconds(coded("h264"), 5)
    whole = os.statvfs(index.folder)
    few = LEAST_FREE // whole.f_frsize - 1
    values = list(whole)
    values[2], values[4] = 1 << 40, few
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(values))
    bench.pass_seconds(coded("h264"), 12)
    assert bench.failure() == "full"
    (segment,) = index.segments
    assert segment.ended_at is not None
    assert segment.pictures == len(numbers_in(index.path(segment)))


def test_what_no_one_foresaw_stops_nothing(coded: Coded, index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is said once and tried again: the thread lives."""
    bench = Bench(index, Recording("continuous"))
    with monkeypatch.context() as broken:
        broken.setattr(SegmentWriter, "put", lambda *_, **__: 1 / 0)
        bench.pass_seconds(coded("h264"), 1)
        assert bench.failure() == "failing"
    bench.pass_seconds(coded("h264"), RETRY + 5)
    assert bench.seconds() == [(0, RETRY + 6)]


def test_modes_change_while_it_runs(coded: Coded, index: FakeIndex) -> None:
    """From continuous to events and back, nothing is kept but what each wants."""
    bench = Bench(index, Recording("continuous"))
    bench.pass_seconds(coded("h264"), 10)
    bench.recording = Recording("events", before=2)
    bench.pass_seconds(coded("h264"), 30)
    bench.recording = replace(bench.recording, mode="continuous")
    bench.pass_seconds(coded("h264"), 10)
    assert bench.seconds() == [(0, 10), (32, 50)]  # the ring held what an event might have wanted
