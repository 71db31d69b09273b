"""streamer.rtp.recovery: with what decoding begins, and from when on pictures are right."""

import pytest

from streamer.rtp.packet import Packet
from streamer.rtp.payload import Entry, Payload
from streamer.rtp.recovery import REFRESH, Recovery
from streamer.rtp.unit import Unit


def test_a_recovery_point_is_right_after_as_many_pictures_as_it_says() -> None:
    """Decoding begins at once; the pictures until then are marked."""
    recovery, right = Recovery(None), []
    for index in range(5):
        assert recovery.admits(Entry.POINT if index == 0 else Entry.NONE, 2 if index == 0 else 0, index / 10)
        right.append(recovery.is_right(index / 10))
    assert right == [False, False, True, True, True]


def test_an_intra_picture_will_do_when_nothing_better_comes() -> None:
    """Not at once, for the key picture may be near; then it is right as it is."""
    recovery = Recovery(3.0)
    assert [recovery.admits(Entry.INTRA, 0, at) for at in (0.0, 2.9)] == [False, False]
    assert recovery.admits(Entry.INTRA, 0, 3.0)
    assert recovery.is_right(3.0)


def test_a_key_picture_makes_all_right() -> None:
    """Whatever decoding began with, from a key picture on pictures are right, and only such will do after a loss."""
    recovery = Recovery(1.0)
    recovery.admits(Entry.NONE, 0, 0.0)
    assert recovery.admits(Entry.NONE, 0, 2.0)
    assert not recovery.is_right(2.0 + REFRESH / 2)
    assert recovery.admits(Entry.KEY, 0, 3.0)
    assert recovery.is_right(3.0)
    recovery.lose()
    assert not recovery.admits(Entry.INTRA, 0, 3.1)


def test_a_sender_of_key_pictures_far_apart_is_waited_for() -> None:
    """One that has sent a second key picture is no encoder that refreshes: the next is waited for twice as long."""
    recovery = Recovery(2.5)
    assert [recovery.admits(Entry.KEY, 0, at) for at in (0.0, 10.0)] == [True, True]
    recovery.lose()
    assert [recovery.admits(Entry.NONE, 0, at) for at in (11.0, 17.0, 30.9, 31.0)] == [False, False, False, True]
    recovery.forget()
    assert [recovery.admits(Entry.NONE, 0, at) for at in (32.0, 37.0)] == [False, True]


def test_where_key_pictures_can_be_asked_for_they_are_waited_for() -> None:
    """Without a time after which less will do, it never does."""
    recovery = Recovery(None)
    assert not any(recovery.admits(Entry.INTRA, 0, float(at)) for at in range(100))


@pytest.mark.parametrize(
    ("entry", "recovers_after", "predicted", "stands"),
    [
        (Entry.KEY, 0, False, True),
        (Entry.KEY, 8, False, True),
        (Entry.POINT, 0, False, True),
        (Entry.POINT, 0, True, False),
        (Entry.POINT, 1, False, False),
        (Entry.INTRA, 0, False, False),
        (Entry.NONE, 0, True, False),
    ],
)
def test_what_stands_by_itself(entry: Entry, recovers_after: int, predicted: bool, stands: bool) -> None:
    """Key pictures, and points behind which all is right at once and that are predicted from nothing."""
    unit = Unit(0, 0.0, sound=True)
    said = Payload(b"", entry=entry, recovers_after=recovers_after, predicted=predicted)
    unit.add(Packet(96, True, 0, 0, 1, b""), said, 0.0)
    assert unit.stands is stands
