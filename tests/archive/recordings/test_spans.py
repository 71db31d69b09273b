"""Spans out of segments. Pure."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.recordings.found import Span
from streamer.archive.recordings.spans import SEAM, joined

SEGMENTS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20), st.booleans()), max_size=30)
"""(seconds since the last one began, its length, whether there was an event) of each."""


def laid_out(steps: list[tuple[int, int, bool]]) -> list[tuple[float, float, bool]]:
    found, at = [], 0.0
    for step, length, has_event in steps:
        at += step
        found.append((at, at + length, has_event))
    return found


@given(SEGMENTS)
def test_every_moment_of_video_is_in_a_span_and_every_gap_in_none(steps: list[tuple[int, int, bool]]) -> None:
    """Spans come in order, and cover what segments cover, but for seams."""
    segments = laid_out(steps)
    spans = joined(segments)
    assert [span.began_at for span in spans] == sorted(span.began_at for span in spans)
    for moment in range(int(max((ended for _, ended, _ in segments), default=0)) + 1):
        is_video = any(began <= moment < ended for began, ended, _ in segments)
        near = any(began - SEAM <= moment <= ended + SEAM for began, ended, _ in segments)
        covered = any(span.began_at <= moment < span.ended_at for span in spans)
        assert covered or not is_video
        assert near or not covered


@given(SEGMENTS)
def test_neighbours_differ_or_have_a_gap_between(steps: list[tuple[int, int, bool]]) -> None:
    """Where nothing changes, nothing new begins."""
    spans = joined(laid_out(steps))
    for one, next_one in pairwise(spans):
        assert next_one.began_at - one.ended_at > SEAM or one.has_event != next_one.has_event


def test_a_segment_without_length_is_no_span() -> None:
    """What has only begun shows nothing yet."""
    assert joined([(5.0, 5.0, False), (8.0, 9.0, True)]) == [Span(8.0, 9.0, True)]
