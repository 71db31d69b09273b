"""streamer.view.clean.group: the pictures since the last key picture."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.view.clean.group import Group
from streamer.view.clean.room import Room, Spare

PICTURES = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=80)


@given(PICTURES, st.integers(20, 120), st.integers(1, 12))
def test_a_group_can_be_decoded_and_is_bounded(pictures: list[tuple[bool, int]], most_bytes: int, most: int) -> None:
    """What is kept is everything from the last key picture on, or nothing where that is more than may be kept."""
    group = Group(Room(Spare(), own_bytes=most_bytes // 2, most_bytes=most_bytes, most_pictures=most))
    wanted: list[bytes] = []
    for number, (is_key, size) in enumerate(pictures):
        message = bytes([number]) * size
        group.put(message, is_key=is_key)
        wanted = [message] if is_key else [*wanted, message] if wanted else []
        if len(wanted) > most or sum(map(len, wanted)) > most_bytes:
            wanted = []
        assert list(group.pictures) == wanted
        assert group.held_bytes == sum(map(len, wanted)) <= most_bytes
        assert len(group) == len(wanted) <= most


def test_a_group_that_is_too_long_begins_again_at_the_next_key_picture() -> None:
    """Who comes late waits for it then; that it was given up is counted."""
    group = Group(Room(most_pictures=2))
    for is_key in (True, False, False, False):
        group.put(b"x", is_key=is_key)
    assert (len(group), group.given_up) == (0, 1)
    group.put(b"x", is_key=True)
    assert len(group) == 1
