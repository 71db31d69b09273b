"""streamer.archive.recordings.playlist: HLS of recorded segments."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.recordings.playlist import LEAST_MS, entries_of, playlist
from streamer.archive.recordings.segment import Fragment, Segment
from streamer.values.uuid7 import uuid7

NOON = 1_764_417_600.0


def a_segment(durations: list[tuple[int, bool]], began_at: float = NOON, *, is_open: bool = False) -> Segment:
    """One of fragments that are so long, in milliseconds, and begin with a keyframe or not."""
    fragments, offset, time = list[Fragment](), 800, 0
    for duration, is_key in durations:
        fragments.append(Fragment(offset, duration + 9, time, duration, is_key))
        offset, time = offset + duration + 9, time + duration
    return Segment(
        id=uuid7(began_at),
        stream="a",
        began_at=began_at,
        ended_at=None if is_open else began_at + time / 1000,
        codec="h264",
        mime="video/mp4",
        width=160,
        height=120,
        pictures=1,
        size=offset,
        first_time=0,
        camera_at=None,
        follows=False,
        has_event=False,
        init=b"init",
        fragments=tuple(fragments),
    )


fragments = st.lists(st.tuples(st.integers(30, 12_000), st.booleans()), min_size=1, max_size=40)


@given(fragments)
def test_entries_are_all_of_a_file_once_from_its_first_keyframe_on(durations: list[tuple[int, bool]]) -> None:
    """One after the other, each from a keyframe on and of the least length, but for the last."""
    segment = a_segment(durations)
    entries = list(entries_of(segment))
    keys = [each for each in segment.fragments if each.is_key]
    assert bool(entries) == bool(keys)
    if not entries:
        return
    last = segment.fragments[-1]
    assert entries[0].offset == keys[0].offset
    assert entries[-1].offset + entries[-1].size == last.offset + last.size
    for before, after in pairwise(entries):
        assert before.offset + before.size == after.offset
        assert before.time_ms + before.duration_ms == after.time_ms
        assert before.duration_ms >= LEAST_MS
    assert {each.offset for each in entries} <= {each.offset for each in keys}


@given(fragments, fragments)
def test_what_is_listed_of_a_file_that_grows_stays(
    before: list[tuple[int, bool]], after: list[tuple[int, bool]]
) -> None:
    """More fragments, or the end, change no entry that was there."""
    told = [entry.name.partition("/")[2] for entry in entries_of(a_segment(before, is_open=True))]
    for grown in (a_segment(before + after, is_open=True), a_segment(before + after)):
        assert [entry.name.partition("/")[2] for entry in entries_of(grown)][: len(told)] == told


def test_files_that_follow_one_another_are_played_as_one() -> None:
    """No discontinuity and no second map where one goes on as the other ended; else both, as far as they differ."""
    first = a_segment([(1000, True)] * 10)
    follows = replace(a_segment([(1000, True)] * 10, NOON + 10), follows=True)
    other = replace(a_segment([(1000, True)] * 10, NOON + 20), follows=True, init=b"other")
    late = replace(other, id=uuid7(NOON + 50), began_at=NOON + 50, ended_at=NOON + 60, follows=False)
    text = playlist([first, follows, other, late], NOON, NOON + 90)
    assert text is not None
    assert text.count("#EXT-X-DISCONTINUITY") == 2
    assert text.count("#EXT-X-MAP") == 2
    assert "#EXT-X-PROGRAM-DATE-TIME:2025-11-29T12:00:50.000Z" in text


def test_playing_begins_where_it_was_asked_for() -> None:
    """In the middle of an entry, precisely there; what lies before and behind the span is left out."""
    text = playlist([a_segment([(1000, True)] * 30)], NOON + 7.25, NOON + 17)
    assert text is not None
    assert "#EXT-X-START:TIME-OFFSET=1.250,PRECISE=YES" in text
    assert text.count("#EXTINF:6.000") == 2
    assert playlist([], NOON, NOON + 1) is None
