"""Where segments end and begin, and what the index is told of them."""

import errno
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_file import MOST_FRAGMENT, SegmentFile
from streamer.archive.recordings.segment_writer import MOST_AGE, MOST_BEGUN, MOST_SETS, SegmentWriter
from streamer.archive.recordings.tally import Tally
from streamer.values.coded import MICROSECONDS, CodedForm, CodedPicture
from tests.archive.recordings.coded import FIRST, FPS, STEP, looped, numbers_in, times_in
from tests.archive.recordings.conftest import Coded
from tests.archive.recordings.indexed import FakeIndex
from tests.peers.clock import FakeClock

NOON = 1_790_000_000.0
"""UTC, as the monotonic clock is 0."""


class Desk:
    """A writer, and clocks that pictures move."""

    def __init__(self, index: FakeIndex) -> None:
        self.index, self.tally = index, Tally()
        self.clock, self.wall = FakeClock(0.0), FakeClock(NOON)
        self.writer = SegmentWriter(
            "gate", index, index.boxes_of("gate"), clock=self.clock, wall=self.wall, tally=self.tally
        )

    def put(self, pictures: Sequence[CodedPicture]) -> None:
        """Write each as it comes."""
        for picture in pictures:
            ahead = picture.received_at - self.clock.now
            self.clock.advance(ahead)
            self.wall.advance(ahead)
            self.writer.put(picture, has_event=False)

    def closed(self) -> list[Segment]:
        """All segments, the last one ended."""
        self.writer.close()
        return self.index.segments

    def numbers(self) -> list[int]:
        """What is drawn on the pictures of all files, one after the other."""
        return [number for each in self.index.segments for number in numbers_in(self.index.path(each))]


@pytest.fixture
def desk(index: FakeIndex) -> Desk:
    """One at which nothing was written."""
    return Desk(index)


@pytest.mark.parametrize("kind", ["h264", "b-frames", "hevc"])
def test_a_minute_ends_at_a_keyframe_and_the_next_follows(kind: str, coded: Coded, desk: Desk) -> None:
    """Segments of a minute hold every picture once, and each begins exactly when the one before it ended."""
    pictures = coded(kind)
    desk.put(list(looped(pictures, 150 * FPS)))
    segments = desk.closed()
    assert [each.pictures for each in segments] == [60 * FPS, 60 * FPS, 30 * FPS]
    assert [each.began_at - NOON for each in segments] == pytest.approx([0, 60, 120])
    assert [each.ended_at for each in segments[:2]] == [each.began_at for each in segments[1:]]
    assert segments[2].ended_at == pytest.approx(NOON + 150)
    assert [each.follows for each in segments] == [False, True, True]
    assert desk.numbers() == [number % len(pictures) for number in range(150 * FPS)]
    assert desk.tally.written == 150 * FPS
    assert not desk.tally.dropped


def test_a_picture_is_where_its_time_says(coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """In a second segment too, a picture's media time is its own less the segment's first, to the microsecond."""
    pictures = [replace(each, time=each.time * 1_000_003 // 1_000_000) for each in looped(coded("h264"), 70 * FPS)]
    desk.put(pictures)
    found = [each.first_time + time for each in desk.closed() for time in times_in(index.path(each))]
    assert found == [picture.time for picture in pictures]


@pytest.mark.parametrize("kind", ["h264", "b-frames"])
def test_pictures_last_alike_in_every_segment(kind: str, coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """A browser believes what a sample is said to last: in a second segment too, a picture's time from the first on."""
    form = replace(coded(kind)[0].form, frame_rate=None)
    desk.put([replace(each, form=form) for each in looped(coded(kind), 70 * FPS)])
    for segment in desk.closed()[1:]:
        with av.open(str(index.path(segment))) as file:
            packets = [packet for packet in file.demux(video=0) if packet.size]
        assert {packet.duration for packet in packets} == {STEP}


def test_the_index_knows_of_each_second(coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """What is on disk of the segment that is being written is in the index, without an end."""
    desk.put(list(looped(coded("h264"), 3 * FPS + 5)))
    (segment,) = index.segments
    assert segment.ended_at is None
    assert [each.time_ms for each in segment.fragments] == [0, 1000, 2000]
    assert segment.size == index.path(segment).stat().st_size
    assert (segment.codec, segment.width, segment.height) == ("h264", 160, 120)
    assert segment.first_time == FIRST


def test_of_keyframes_alone_not_each_is_a_fragment(coded: Coded, desk: Desk) -> None:
    """A camera whose pictures are all keyframes has, once that is known, a fragment a second and not one a picture."""
    desk.put(list(looped(coded("intra"), 130 * FPS)))
    first, second, third = desk.closed()
    assert len(first.fragments) > 59 * FPS
    assert 58 <= len(second.fragments) <= 61
    assert all(each.is_key for each in (*second.fragments, *third.fragments))
    assert sum(each.pictures for each in (first, second, third)) == 130 * FPS


def test_boxes_are_told_which_segment_is_where(coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """Each segment is told of as it begins, and with the time of its last picture as it ends."""
    pictures = list(looped(coded("h264"), 70 * FPS))
    desk.put(pictures)
    first, second = desk.closed()
    boxes = index.boxes["gate"]
    assert boxes.begun_ids == [first.id, second.id]
    assert boxes.ended_at == {first.id: pictures[60 * FPS - 1].time, second.id: pictures[-1].time}


def again(pictures: Sequence[CodedPicture], **changed: object) -> list[CodedPicture]:
    """The clip once more, right behind itself, changed."""
    return [
        replace(each, time=each.time + len(pictures) * STEP, received_at=each.received_at + 4, **changed)  # type: ignore[arg-type]
        for each in pictures
    ]


def test_another_connection_is_another_segment(coded: Coded, desk: Desk) -> None:
    """What comes of a camera that was connected anew does not follow."""
    desk.put([*coded("h264"), *again(coded("h264"), opening=1)])
    assert [(each.pictures, each.follows) for each in desk.closed()] == [(4 * FPS, False), (4 * FPS, False)]


def test_other_parameter_sets_are_another_segment(coded: Coded, desk: Desk) -> None:
    """A camera that is set to another profile, of the same size, begins a file that says so; both play whole."""
    desk.put([*coded("h264"), *again(coded("b-frames"))])
    segments = desk.closed()
    assert len({each.mime for each in segments}) == 2
    assert desk.numbers() == [*range(4 * FPS), *range(4 * FPS)]


def test_another_codec_is_another_segment(coded: Coded, desk: Desk) -> None:
    """The same of a camera that is set to H.265."""
    desk.put([*coded("h264"), *again(coded("hevc"))])
    assert [each.codec for each in desk.closed()] == ["h264", "hevc"]
    assert desk.numbers() == [*range(4 * FPS), *range(4 * FPS)]


@pytest.mark.parametrize("jump", [5 * MICROSECONDS, 3600 * MICROSECONDS, -5 * MICROSECONDS])
def test_a_jump_of_the_camera_s_clock_is_another_segment(jump: int, coded: Coded, desk: Desk) -> None:
    """No picture lasts for an hour because a camera's clock was set, and none is refused because it was set back."""
    later = [replace(each, time=each.time + jump) for each in again(coded("h264"))]
    desk.put([*coded("h264"), *later])
    segments = desk.closed()
    assert [each.pictures for each in segments] == [4 * FPS, 4 * FPS]
    assert not segments[1].follows
    assert segments[1].began_at == pytest.approx(NOON + 4)


def test_after_a_jump_nothing_is_written_before_a_keyframe(coded: Coded, desk: Desk) -> None:
    """Pictures that refer to what is missing are not kept, and are counted."""
    later = [replace(each, time=each.time + 9 * MICROSECONDS) for each in again(coded("h264"))[5:]]
    desk.put([*coded("h264"), *later])
    desk.closed()
    assert desk.numbers() == [*range(4 * FPS), *range(FPS, 4 * FPS)]
    assert desk.tally.dropped == {"no_keyframe": 5}


def test_a_clock_that_is_set_begins_another_segment(coded: Coded, desk: Desk) -> None:
    """Where the machine's clock is set by an hour, the next keyframe's segment begins by the new one."""
    desk.put(coded("h264"))
    desk.wall.advance(3600)
    desk.put(again(coded("h264")))
    segments = desk.closed()
    assert [each.began_at - NOON for each in segments] == pytest.approx([0, 3604])
    assert [each.pictures for each in segments] == [4 * FPS, 4 * FPS]


def test_a_camera_s_clock_that_drifts_stays_with_ours(coded: Coded, desk: Desk) -> None:
    """A camera that loses 10 ms a minute is followed: segments still begin where the one before ended, and in time."""
    pictures = [
        replace(each, time=FIRST + round((each.time - FIRST) * (1 - 10 / 60_000)))
        for each in looped(coded("h264"), 600 * FPS)
    ]
    desk.put(pictures)
    segments = desk.closed()
    assert all(each.follows for each in segments[1:])
    assert [each.ended_at for each in segments[:-1]] == [each.began_at for each in segments[1:]]
    arrivals = {picture.time: picture.received_at for picture in pictures}
    assert [each.began_at - NOON for each in segments] == pytest.approx(
        [arrivals[each.first_time] for each in segments], abs=0.001
    )


@pytest.mark.parametrize(("rate", "written"), [(0.2, [20]), (None, [1, 10])])
def test_a_slow_camera_has_no_gaps(rate: float | None, written: list[int], coded: Coded, desk: Desk) -> None:
    """Pictures that come every five seconds are one segment: at once where it is said, else once it is seen."""
    form = replace(coded("h264")[0].form, frame_rate=rate)
    desk.put(
        [
            replace(each, time=FIRST + number * 5 * MICROSECONDS, received_at=number * 5.0, form=form)
            for number, each in enumerate(looped(coded("h264"), 20))
        ]
    )
    assert [each.pictures for each in desk.closed()] == written


def test_without_keyframes_a_segment_ends_all_the_same(coded: Coded, desk: Desk) -> None:
    """After two minutes without a keyframe the file is ended; the next begins with the next there is."""
    pictures = [replace(each, is_key=number == 0) for number, each in enumerate(looped(coded("h264"), 121 * FPS))]
    desk.put(pictures)
    desk.put(
        [
            replace(each, time=each.time + 121 * MICROSECONDS, received_at=121 + each.received_at)
            for each in coded("h264")
        ]
    )
    first, second = desk.closed()
    assert (first.pictures, second.pictures) == (120 * FPS + 1, 4 * FPS)
    assert desk.tally.dropped == {"no_keyframe": FPS - 1}


def test_a_segment_is_marked_also_after_its_end(coded: Coded, desk: Desk) -> None:
    """An event that is known late marks the segment its first seconds are in, and no other."""
    desk.put(list(looped(coded("h264"), 121 * FPS)))
    desk.writer.mark(lambda since, until: since <= 59 <= until)
    assert [each.has_event for each in desk.closed()] == [True, False, False]


def test_a_write_that_fails_leaves_what_is_whole(
    coded: Coded, desk: Desk, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk is full in the middle, the file ends with its last whole second, and what is lost is counted."""
    desk.put(list(looped(coded("h264"), 2 * FPS + 1)))

    def full(file: SegmentFile) -> bool:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(SegmentFile, "flush", full)
    with pytest.raises(OSError, match="full"):
        desk.put([next(iter(coded("h264")[2 * FPS + 1 :]))])
    (segment,) = desk.writer.torn
    path = index.path(segment)
    assert path.stat().st_size == segment.fragments[-1].offset + segment.fragments[-1].size
    assert numbers_in(path) == list(range(2 * FPS))
    assert desk.tally.written == 2 * FPS
    assert desk.tally.dropped == {"unwritten": 1}  # and the one it was given last is given again


def test_what_is_no_picture_begins_no_file(coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """A keyframe without parameter sets, or one that is none, costs itself and leaves no file."""
    first = coded("hevc")[0]
    broken = [replace(first, data=b"\0\0\0\1\x26\x01nonsense"), replace(first, data=first.data[:20])]
    desk.put(broken)
    assert desk.closed() == []
    assert sum(desk.tally.dropped.values()) == 2
    assert [file for file in index.folder.rglob("*") if file.is_file()] == []


def test_paths_are_of_the_day_it_begins(coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """Files lie by stream and UTC day."""
    desk.put(coded("h264"))
    (segment,) = desk.closed()
    assert index.path(segment).relative_to(index.folder) == Path("gate/2026/09/21", f"{segment.id}.mp4")


def _jump(number: int, picture: CodedPicture) -> CodedPicture:
    return replace(picture, time=picture.time + number % 2 * 3600 * MICROSECONDS)


def _grow(number: int, picture: CodedPicture) -> CodedPicture:
    return replace(picture, form=replace(picture.form, width=160 + number % 2))


def _reconnect(number: int, picture: CodedPicture) -> CodedPicture:
    return replace(picture, opening=number)


@pytest.mark.parametrize("change", [_jump, _grow, _reconnect])
def test_a_camera_that_changes_with_each_picture_fills_no_disk_with_files(
    change: Callable[[int, CodedPicture], CodedPicture], coded: Coded, desk: Desk
) -> None:
    """Files may be begun MOST_BEGUN times in a minute; what does not fit into them is counted, and lost."""
    keys = [picture for picture in coded("h264") if picture.is_key]
    desk.put([change(number, picture) for number, picture in enumerate(looped(keys, 300))])
    assert len(desk.closed()) == len(list(desk.index.folder.rglob("*.mp4"))) == MOST_BEGUN
    assert desk.tally.dropped["restless"] == 300 - MOST_BEGUN


@pytest.mark.parametrize(
    "claims",
    [
        {"time": 2**62},
        {"time": -(2**80)},
        {"form": CodedForm("h264", 0, 120)},
        {"form": CodedForm("h264", 160, 70_000)},
        {"data": b"\0\0\1\x67" + bytes([66] * MOST_SETS) + b"\0\0\1\x68\xce\0\0\1\x65picture"},
    ],
    ids=["late", "early", "empty", "wide", "sets"],
)
def test_what_no_file_and_no_row_has_room_for_begins_none(claims: dict[str, Any], coded: Coded, desk: Desk) -> None:
    """Times, sizes and parameter sets are what the camera says they are; what is too large is let go, and counted."""
    key = coded("h264")[0]
    desk.put([replace(key, **claims), replace(key, received_at=1.0)])
    assert [each.first_time for each in desk.closed()] == [key.time]
    assert desk.tally.dropped["unreadable"] == 1
    assert list(desk.index.boxes["gate"].ended_at) == desk.index.boxes["gate"].begun_ids


def test_a_camera_whose_clock_stands_still_holds_neither_memory_nor_a_file_for_ever(coded: Coded, desk: Desk) -> None:
    """A fragment has MOST_FRAGMENT bytes at the most, and a file lasts MOST_AGE of our seconds."""
    key, other = coded("h264")[:2]
    large = replace(other, data=other.data + b"\0\0\1\x0c" + bytes([255] * (MOST_FRAGMENT // 4)))
    desk.put([key, *(replace(large, time=key.time + 1 + at, received_at=float(at)) for at in range(12))])
    assert desk.index.segments[0].size > MOST_FRAGMENT
    desk.put([replace(key, time=key.time + 20, received_at=MOST_AGE + 1)])
    assert len(desk.closed()) == 2


def test_a_moof_larger_than_ffmpegs_buffer_is_found(coded: Coded, desk: Desk) -> None:
    """FFmpeg writes such a box in pieces, and goes back in it; all its pictures are in the index."""
    key, other = coded("h264")[:2]
    desk.put([key, *(replace(other, time=key.time + 200 * at, received_at=at / 5000) for at in range(1, 4900))])
    [segment] = desk.closed()
    assert (segment.pictures, len(numbers_in(desk.index.path(segment)))) == (4900, 4900)
