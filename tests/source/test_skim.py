"""streamer.source.skim: which packets are left undecoded while nobody looks."""

import math
from collections.abc import Iterable
from typing import cast

import av
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.opened import Unit
from streamer.source.skim import LONGEST, MOST_BYTES, OVERDUE, Skim
from streamer.values.depth import WHOLE, Depth

FPS = 30
FAR = Depth(is_whole=False, wanted_at=1e9, slack=0.05)
"""Nothing is wanted for long."""


class Camera:
    """A camera whose packets are numbered, and what is decoded of them."""

    def __init__(self, *, gop: int = FPS, independent: bool = False, prompt: bool = True) -> None:
        self.skim = Skim(independent=independent)
        self.gop, self.independent, self.prompt = gop, independent, prompt
        self.number = 0
        self.bytes = 100
        self.units = list[Unit]()

    def send(
        self, depth: Depth = WHOLE, *, key: bool | None = None, whole: bool = True, stands: bool = True
    ) -> list[int]:
        """The numbers of the packets that are decoded with the next one."""
        is_key = self.independent or (self.number % self.gop == 0 if key is None else key)
        packet = cast("av.Packet[av.VideoStream]", av.Packet(b"\0" * self.bytes))
        packet.is_keyframe = is_key
        unit = Unit(packet, self.number / FPS, is_whole=whole, stands=stands)
        self.units.append(unit)
        self.number += 1
        due = self.skim.take(unit, packet, depth)
        if is_key and stands and unit in due:
            self.skim.pictured(is_own=self.prompt)
        return [self.units.index(each) for each in due]

    def send_many(self, count: int, depth: Depth = WHOLE) -> list[int]:
        """The same of so many."""
        return [number for _ in range(count) for number in self.send(depth)]


def known(**camera: int | bool) -> Camera:
    """A camera whose keyframes are known to be as far apart as they are, just before the next one."""
    made = Camera(**camera)  # type: ignore[arg-type]
    made.send_many(2 * made.gop)
    made.send()
    made.send_many(made.gop - 1)
    return made


def test_while_somebody_looks_everything_is_decoded() -> None:
    """Each packet at once, and none twice."""
    assert Camera().send_many(100) == list(range(100))


def test_of_what_is_wanted_as_seldom_as_keyframes_come_only_these_are_decoded() -> None:
    """What leads to nothing that is wanted is left out."""
    camera = known()
    assert camera.send_many(3 * FPS, FAR) == [90, 120, 150]


def test_the_end_of_a_group_is_left_out_where_nothing_in_it_is_wanted() -> None:
    """Of five pictures a second the last leads to the next keyframe, and what lies between is not needed."""
    camera, decoded = known(), list[int]()
    for number in range(90, 150):
        wanted_at = ((number - 1) // 6 + 1) * 6 / FPS
        decoded += camera.send(Depth(is_whole=False, wanted_at=wanted_at, slack=0.01))
    assert [number % 30 for number in decoded] == [*range(25), *range(25)]


def test_who_begins_to_look_misses_nothing() -> None:
    """What was held is decoded with the next packet, in order, and its own pictures are not wanted any more."""
    camera = known()
    camera.send_many(12, FAR)
    assert camera.send() == list(range(91, 103))
    assert [unit.was_held for unit in camera.units[90:103]] == [False, *[True] * 11, False]
    assert camera.send_many(40) == list(range(103, 143))


def test_a_keyframe_that_is_late_is_not_waited_for() -> None:
    """With the first packet too many all that was held is decoded, and nothing is held until keyframes are steady."""
    camera = known()
    camera.send_many(30, FAR)
    assert camera.send(FAR, key=False) == list(range(91, 121))
    assert camera.send(FAR, key=False) == [121]
    camera = known()
    camera.send_many(10, FAR)
    camera.number = 120 + int(OVERDUE * FPS) + 1  # a camera that leaves out pictures where nothing moves
    assert len(camera.send(FAR, key=False)) == 10


def test_nothing_is_held_where_keyframes_are_far_apart() -> None:
    """So much would be decoded at once for whoever begins to look, and so long no picture would be new."""
    camera = known(gop=int(LONGEST * FPS) + 1)
    assert camera.send_many(100, FAR) == list(range(camera.number - 100, camera.number))


def test_nothing_is_held_where_a_picture_waits_for_those_behind_it() -> None:
    """With B-pictures a keyframe's picture would not come before the next one."""
    camera = known(prompt=False)
    assert len(camera.send_many(60, FAR)) == 60


def test_a_picture_that_is_refreshed_bit_by_bit_is_followed() -> None:
    """Each part of it is needed, and what was held before it."""
    camera = known()
    camera.send_many(5, FAR)
    assert camera.send(FAR, whole=False) == [91, 92, 93, 94, 95]


def test_a_point_from_which_pictures_are_refreshed_is_no_keyframe() -> None:
    """What was held is needed by what follows one; between keyframes it is held like any other picture."""
    camera = known()
    assert camera.send(FAR, key=True) == [90]
    camera.send_many(4, FAR)
    assert camera.send(FAR, key=True, stands=False) == []
    assert camera.send(WHOLE) == list(range(91, 97))
    camera = Camera()
    sent = [camera.send(FAR, key=number % 10 == 0, stands=False) for number in range(100)]
    assert sent == [[number] for number in range(100)]


def test_no_more_is_held_than_fits() -> None:
    """A camera that sends much is decoded before memory runs out."""
    camera = known()
    camera.bytes = MOST_BYTES // 4
    assert [len(camera.send(FAR)) for _ in range(6)] == [1, 0, 0, 0, 0, 5]


def test_of_pictures_by_themselves_those_that_are_wanted_are_decoded() -> None:
    """Of MJPEG at 30 a second five are, and one at least in a second and a half."""
    camera, decoded, wanted_at = Camera(independent=True), list[int](), 0.0
    for _ in range(60):
        found = camera.send(Depth(is_whole=False, wanted_at=wanted_at, slack=0.05))
        decoded += found
        wanted_at = wanted_at + 0.2 if found else wanted_at
    assert len(decoded) in (10, 11)
    camera = Camera(independent=True)
    camera.send()
    assert len(camera.send_many(10 * FPS, FAR)) == int(10 / LONGEST)
    assert camera.send(WHOLE) == [camera.number - 1]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 300)), max_size=150))
def test_what_is_decoded_has_all_it_needs(packets: Iterable[tuple[bool, bool, bool, int]]) -> None:
    """Whatever comes, nothing is decoded twice or out of turn, nor without what came before it in its group."""
    camera, decoded = known(gop=5), list[int]()
    begun = camera.number
    for is_key, whole, is_whole, wanted in packets:
        depth = Depth(is_whole=is_whole, wanted_at=wanted / FPS, slack=0.01)
        decoded += camera.send(depth, key=is_key or None, whole=whole)
    assert decoded == sorted(set(decoded))
    for before, after in zip([begun - 1, *decoded], decoded, strict=False):
        packet = camera.units[after].packet
        assert after == before + 1 or (packet is not None and packet.is_keyframe)


def test_of_what_nobody_wants_only_keyframes_are_decoded() -> None:
    """However far apart and large; nothing is kept for later, so what comes behind is decoded from a keyframe on."""
    camera = Camera(gop=1000)
    camera.bytes = MOST_BYTES // 10
    nothing = Depth(is_whole=False, wanted_at=math.inf)
    assert camera.send_many(50, nothing) == [0]
    assert camera.send(WHOLE) == []
    assert camera.send(WHOLE, key=True) == [51]
    assert camera.send(WHOLE) == [52]
