"""What a decoder must be told before the first picture."""

import pytest

from streamer.archive.recordings.parameter_sets import sets_of
from tests.archive.recordings.conftest import Coded


@pytest.mark.parametrize(("kind", "count"), [("h264", 2), ("hevc", 3), ("mjpeg", 0)])
def test_each_keyframe_says_the_same(kind: str, count: int, coded: Coded) -> None:
    """SPS and PPS of H.264, VPS too of H.265, are found in front of every keyframe, and nothing in MJPEG."""
    pictures = [picture for picture in coded(kind) if picture.is_key]
    found = {sets_of(picture.form.codec, picture.data) for picture in pictures}
    assert len(found) == 1
    assert len(found.pop()) == count


def test_order_and_number_of_times_do_not_matter() -> None:
    """The same sets said twice, or in another order, or with longer start codes, are the same sets."""
    sps, pps, picture = b"\0\0\1\x67abc", b"\0\0\1\x68de", b"\0\0\1\x65\x88\0\0\1\x67never"
    once = sets_of("h264", sps + pps + picture)
    assert once == {b"\x67abc", b"\x68de"}
    assert sets_of("h264", b"\0" + pps + b"\0" + sps + pps + sps + picture) == once


def test_other_sets_are_others(coded: Coded) -> None:
    """A camera that is set to another profile in the middle says other sets."""
    ordinary, other = (coded(kind)[0] for kind in ("h264", "b-frames"))
    assert sets_of("h264", ordinary.data) != sets_of("h264", other.data)
