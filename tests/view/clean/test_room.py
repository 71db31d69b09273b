"""streamer.view.clean.room: how much of groups of pictures may be kept, each and all together."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streamer.view.clean.room import Room, Spare

DOINGS = st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(1, 60)), max_size=80)
"""Which room, and the bytes of a picture that comes there; none: its next key picture has come."""


@given(DOINGS, st.integers(0, 100))
def test_all_together_have_no_more_than_is_spare(doings: Sequence[tuple[int, int | None]], most: int) -> None:
    """Each has its own in any case, and beyond that nobody more than he may or than all others leave."""
    spare = Spare(most)
    rooms = [Room(spare, own_bytes=100, most_bytes=150, most_pictures=5) for _ in range(4)]
    for at, size in doings:
        room, before = rooms[at], rooms[at].bytes
        over = [max(0, each.bytes - 100) for each in rooms]
        if size is None:
            room.clear()
            assert (room.pictures, room.bytes) == (0, 0)
        else:
            wanted = before + size
            is_room = room.pictures < 5 and wanted <= 150
            is_spare = wanted <= 100 or wanted - 100 <= most - (sum(over) - over[at])
            assert room.take(size) is (is_room and is_spare)
            assert room.bytes == (wanted if is_room and is_spare else before)
        assert spare.lent_bytes == sum(max(0, each.bytes - 100) for each in rooms) <= most


def test_who_is_forgotten_has_given_back_what_he_had() -> None:
    """A stream that is removed takes no room from others."""
    spare = Spare(10)
    room = Room(spare, own_bytes=5, most_bytes=50)
    assert room.take(15)
    del room
    assert Room(spare, own_bytes=5, most_bytes=50).take(15)


def test_there_is_nothing_spare_where_nobody_says_so() -> None:
    """Each has its own alone."""
    room = Room(own_bytes=5, most_bytes=50)
    assert room.take(5)
    assert not room.take(1)
