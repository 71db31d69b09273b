"""streamer.cluster.member: what a replica writes of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.cluster.member import Unreadable, member_of, new_life
from tests.cluster.crowd import member


def test_a_record_is_read_as_it_was_written() -> None:
    """Nothing of a member is lost on its way through the bucket."""
    mine = member("a.b", 7, "north", new_life()).model_copy(update={"cannot": frozenset({"road", "yard"})})
    assert member_of(mine.record()) == mine


def test_a_newer_versions_record_is_read() -> None:
    """What this version does not know of is left out, and the rest is understood."""
    record = member("a").record().replace(b"{", b'{"mood":"good",', 1)
    assert member_of(record) == member("a")


@given(st.binary(max_size=200))
def test_what_is_no_record_is_told_in_one_sentence(record: bytes) -> None:
    """Whatever stands in the bucket is a member or Unreadable, and no other error."""
    with pytest.raises(Unreadable, match=r"^a member's record cannot be read: "):
        member_of(record)
