"""Whose video stays for as long as a mark."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.recordings.bookmarks import Bookmarks
from tests.archive.recordings.segments import a_segment

SPANS = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 30)), max_size=10)


@given(SPANS, st.integers(0, 130), st.integers(0, 30))
def test_a_segment_is_held_by_any_mark_it_touches(marks: list[tuple[int, int]], began: int, length: int) -> None:
    """However marks overlap each other, one moment in common is enough; another stream's holds nothing."""
    spans = [(float(at), float(at + seconds)) for at, seconds in marks]
    segment = a_segment(float(began), seconds=length)
    expected = any(at <= began + length and began <= until for at, until in spans)
    assert Bookmarks({"porch": spans}).hold(segment) == expected
    assert not Bookmarks({"yard": spans}).hold(segment)
