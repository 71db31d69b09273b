"""Sound beside recorded pictures: in the file, in step with them, and never in their way."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from streamer.archive.recordings.mending import mend
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_writer import SegmentWriter
from streamer.archive.recordings.sound_encoder import SoundEncoder
from streamer.archive.recordings.tally import Tally
from streamer.values.coded import MICROSECONDS, CodedPicture, CodedSound, SoundForm
from tests.archive.recordings.coded import FIRST, FPS, looped, numbers_in
from tests.archive.recordings.conftest import Coded
from tests.archive.recordings.indexed import FakeIndex
from tests.peers.clock import FakeClock

RATES = {"aac": 48_000, "opus": 48_000, "pcm_alaw": 8_000, "pcm_mulaw": 8_000}
LATE = 0.05
"""Seconds by which sound comes after the pictures it belongs to."""
BEEP = 0.05
"""Seconds of sound at the beginning of each; then it is silent."""


def sounds(codec: str, seconds: int) -> list[CodedSound]:
    """A beep at the beginning of each second, as a camera sends it beside its pictures."""
    rate = RATES[codec]
    encoder = av.CodecContext.create({"opus": "libopus"}.get(codec, codec), "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.time_base = rate, "mono", Fraction(1, rate)
    encoder.format = {"aac": "fltp", "opus": "s16"}.get(codec, "s16")
    encoder.open()
    form = SoundForm(codec, rate, 1, encoder.extradata or b"")
    size = encoder.frame_size or rate // 50
    times = np.arange(seconds * rate)
    wave = np.where(times % rate < BEEP * rate, 0.5 * np.sin(2 * np.pi * 1000 * times / rate), 0)
    wave = wave.astype(np.float32) if codec == "aac" else (wave * 32767).astype(np.int16)
    found = []
    for begin in range(0, len(wave) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + size], format=encoder.format.name, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
        found += encoder.encode(frame)
    found += encoder.encode(None)
    return [
        CodedSound(
            bytes(packet),
            FIRST + (packet.pts or 0) * MICROSECONDS // rate,
            size * MICROSECONDS // rate,
            (packet.pts or 0) / rate + LATE,
            form,
        )
        for packet in found
    ]


def beeps_in(path: Path) -> list[float]:
    """When each begins, in seconds, on the clock of the pictures."""
    found = list[float]()
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0].astype(float)) > 0.1)
            assert frame.time is not None
            for sample in loud:
                at = frame.time + sample / frame.sample_rate
                if not found or at - found[-1] > 0.5:
                    found.append(at)
    return found


class Desk:
    """A writer, and a clock that what comes moves."""

    def __init__(self, index: FakeIndex) -> None:
        self.index, self.clock, self.tally = index, FakeClock(0.0), Tally()
        boxes = index.boxes_of("gate")
        self.writer = SegmentWriter("gate", index, boxes, clock=self.clock, wall=self.clock, tally=self.tally)

    def put(self, pictures: Sequence[CodedPicture], heard: Sequence[CodedSound]) -> None:
        """As they come."""
        for coded in in_order(pictures, heard):
            self.clock.now = coded.received_at
            if isinstance(coded, CodedSound):
                self.writer.put_sound(coded)
            else:
                self.writer.put(coded, has_event=False)

    def closed(self) -> list[Segment]:
        """All segments, the last one ended."""
        self.writer.close()
        return self.index.segments


def in_order(pictures: Sequence[CodedPicture], heard: Sequence[CodedSound]) -> Iterator[CodedPicture | CodedSound]:
    """By when they came."""
    together: list[CodedPicture | CodedSound] = [*pictures, *heard]
    yield from sorted(together, key=lambda coded: coded.received_at)


@pytest.fixture
def desk(index: FakeIndex) -> Desk:
    """One at which nothing was written."""
    return Desk(index)


@pytest.mark.parametrize("codec", list(RATES))
def test_sound_is_in_step_with_the_pictures(codec: str, coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """From the first keyframe after it is first heard, each beep is where its second begins; G.711 becomes AAC."""
    desk.put(list(looped(coded("h264"), 10 * FPS)), sounds(codec, 10))
    first, second = desk.closed()
    assert second.follows
    assert [first.pictures, second.pictures] == [FPS, 9 * FPS]
    kept = "opus" if codec == "opus" else "mp4a.40.2"
    assert second.mime.endswith(f', {kept}"')
    # A packet that began before the keyframe is in neither file: an eighth of a second of what was G.711.
    assert beeps_in(index.path(second))[-8:] == pytest.approx([float(number) for number in range(1, 9)], abs=0.03)
    assert numbers_in(index.path(second)) == [number % (4 * FPS) for number in range(FPS, 10 * FPS)]


def test_a_camera_that_falls_silent_is_recorded_on(coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """Where sound ends, pictures are on disk as soon as before, and the next file has no empty track."""
    pictures = list(looped(coded("h264"), 130 * FPS))
    desk.put(pictures[: 30 * FPS], sounds("aac", 10))
    newest = index.segments[-1]
    assert newest.fragments[-1].time_ms + newest.fragments[-1].duration_ms >= 28_000
    desk.put(pictures[30 * FPS :], [])
    segments = desk.closed()
    assert sum(each.pictures for each in segments) == 130 * FPS
    assert ["mp4a" in each.mime for each in segments] == [False, True, True, False]


def test_fragments_with_sound_play_by_themselves(coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """What the index calls fragments are all of the file's video and sound, one right behind the other."""
    desk.put(list(looped(coded("h264"), 10 * FPS)), sounds("aac", 10))
    segment = desk.closed()[1]
    ends = [each.offset + each.size for each in segment.fragments]
    assert [each.offset for each in segment.fragments[1:]] == ends[:-1]
    data = index.path(segment).read_bytes()
    whole = index.folder / "whole.mp4"
    whole.write_bytes(segment.init + data[segment.fragments[0].offset : ends[-1]])
    assert len(numbers_in(whole)) == segment.pictures
    assert beeps_in(whole) == beeps_in(index.path(segment))


def test_a_file_that_was_cut_off_keeps_its_sound(coded: Coded, desk: Desk, index: FakeIndex) -> None:
    """What is made whole has sound and pictures as far as both were on disk."""
    desk.put(list(looped(coded("h264"), 10 * FPS)), sounds("aac", 10))
    segment = index.segments[1]
    path = index.path(segment)
    copy = index.folder / "copy.mp4"
    copy.write_bytes(path.read_bytes())
    mended = mend(copy, segment)
    assert mended is not None
    assert mended.pictures == len(numbers_in(copy)) >= 7 * FPS
    assert len(beeps_in(copy)) >= 7
    assert beeps_in(copy) == pytest.approx(beeps_in(path), abs=0.001)


def test_what_mp4_has_no_place_for_costs_no_picture(coded: Coded, desk: Desk) -> None:
    """Sound of another codec, or that is none, is left out; the pictures are kept."""
    other = [replace(each, form=SoundForm("mp3", 48_000, 1)) for each in sounds("aac", 4)]
    broken = [replace(each, data=b"", form=SoundForm("aac", 48_000, 1, b"")) for each in sounds("aac", 4)]
    for heard in (other, broken):
        desk.put(list(looped(coded("h264"), 4 * FPS, desk.clock.now)), heard)
    assert sum(each.pictures for each in desk.closed()) == desk.tally.written == 8 * FPS


def test_encoding_follows_the_clock_of_what_it_is_given() -> None:
    """Where packets are missing, what comes after them is heard when it should be."""
    heard = sounds("pcm_alaw", 6)
    encoder = SoundEncoder(heard[0].form)
    gap = [each for each in heard if not FIRST + 2_500_000 <= each.time < FIRST + 4_500_000]
    times = [packet.time for each in gap for packet in encoder.encode(each)]
    assert all(before < after for before, after in pairwise(times))
    assert not [time for time in times if FIRST + 2_600_000 < time < FIRST + 4_300_000]
