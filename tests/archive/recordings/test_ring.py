"""Encoded pictures that wait: bounded, and whatever is let go ends where decoding can begin again."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.recordings.ring import Coded, Ring
from streamer.values.coded import CodedForm, CodedPicture, CodedSound, SoundForm

FORM = CodedForm("h264", 160, 120)


def picture(at: float, *, is_key: bool = False, size: int = 10) -> CodedPicture:
    """One that came then."""
    return CodedPicture(bytes(size), round(at * 1e6), at, is_key, FORM)


def is_key(coded: Coded) -> bool:
    """Whether decoding may begin with it."""
    return isinstance(coded, CodedPicture) and coded.is_key


def filled(ring: Ring, keys: str) -> Ring:
    """With a picture a second: K is a keyframe."""
    for at, kind in enumerate(keys):
        ring.put(picture(at, is_key=kind == "K"))
    return ring


def all_of(ring: Ring) -> list[float]:
    """Takes what is held; when each came."""
    taken = []
    while (held := ring.first()) is not None:
        ring.take(held)
        taken.append(held.received_at)
    return taken


def test_what_decoding_from_a_moment_needs_stays() -> None:
    """Trimmed to a moment, what is held begins with the last keyframe before it."""
    ring = filled(Ring(), "K--K--K--")
    ring.trim(5.5)
    assert all_of(ring) == [3, 4, 5, 6, 7, 8]


def test_the_rest_of_what_was_taken_stays_until_another_keyframe_serves() -> None:
    """Pictures that follow those taken begin with no keyframe, and are held as long as decoding may go on there."""
    ring = filled(Ring(), "K--K--")
    for _ in range(2):
        held = ring.first()
        assert held is not None
        ring.take(held)
    ring.trim(2.5)
    assert ring.mend()
    ring.trim(3.5)
    assert not ring.mend()
    assert all_of(ring) == [3, 4, 5]


def test_too_many_bytes_cost_whole_groups() -> None:
    """Where there is no room, pictures go up to the next keyframe, and are counted where they were wanted."""
    ring = Ring(most_bytes=70)
    ring.is_wanted = True
    filled(ring, "K--K--K-")
    assert all_of(ring) == [3, 4, 5, 6, 7]
    assert ring.lost == 3


def test_what_no_keyframe_is_held_for_is_let_go() -> None:
    """After a group that had no room at all, pictures are held again from the next keyframe on."""
    ring = Ring(most_bytes=35)
    ring.is_wanted = True
    filled(ring, "K-------K-")
    assert all_of(ring) == [8, 9]
    assert ring.lost == 8


def test_too_many_seconds_cost_whole_groups() -> None:
    """A disk that is away for longer than pictures may wait costs the oldest."""
    ring = filled(Ring(most_seconds=4.5), "K--K--K-")
    assert all_of(ring) == [3, 4, 5, 6, 7]


def test_sound_goes_with_its_pictures() -> None:
    """Sound between pictures is let go with them, and is not counted as one."""
    ring = Ring(most_bytes=60)
    ring.is_wanted = True
    for at, kind in enumerate("KsK-s-K-"):
        form = SoundForm("aac", 8000, 1)
        ring.put(CodedSound(bytes(10), 0, 0, at, form) if kind == "s" else picture(at, is_key=kind == "K"))
    assert all_of(ring) == [2, 3, 4, 5, 6, 7]
    assert ring.lost == 1


def test_a_break_is_told_once() -> None:
    """Whoever writes learns that what he gets does not follow what he had, with the first that does not."""
    ring = filled(Ring(), "K--")
    assert ring.mend()
    assert all_of(ring) == [0, 1, 2]
    ring.clear()
    filled(ring, "-K-")
    assert not ring.mend()
    assert ring.mend()
    assert all_of(ring) == [1, 2]


@given(st.lists(st.tuples(st.sampled_from(["key", "put", "take", "trim"]), st.integers(1, 40)), max_size=80))
def test_bytes_are_bounded_and_every_picture_is_accounted_for(steps: list[tuple[str, int]]) -> None:
    """Whatever comes: never more bytes than allowed, each picture taken, lost or held, and after a break a keyframe."""
    ring = Ring(most_bytes=100, most_seconds=20)
    ring.is_wanted = True
    put = taken = 0
    follows = True
    for at, (step, size) in enumerate(steps):
        if step in ("key", "put"):
            ring.put(picture(at, is_key=step == "key", size=size))
            put += 1
        elif step == "trim":
            before, lost = len(ring), ring.lost
            ring.trim(at - size)
            put -= before - len(ring)
            assert ring.lost == lost
        elif (held := ring.first()) is not None:
            follows = ring.mend() and follows
            assert is_key(held) or follows or taken
            ring.take(held)
            taken += 1
        assert ring.bytes <= 100
        assert put == taken + ring.lost + len(ring)
        if ring.is_broken and (held := ring.first()) is not None:
            assert is_key(held)
