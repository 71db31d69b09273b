"""tests.faults: the checker finds what it is there to find, and nothing else."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.invariants import judge, judge_events
from tests.faults.observed import Gained, Lost, Observed, Saw, Stored, Turned, understood
from tests.faults.schedule import faults
from tests.faults.told import BEGUN, KeptEvent, Letter, News, Told

UP: list[Observed] = [
    *(Stored(0.0, name, is_up=True) for name in "ab"),
    Turned(0.0, "a", "up"),
    Turned(0.0, "b", "up"),
    Gained(1.0, "a", "s", 1),
]


def test_what_nobody_runs_for_too_long_is_found() -> None:
    """Counted while somebody sees NATS: from when the owner died, and not while the only other one is blind."""
    dead = Turned(10.0, "a", "dead")
    assert judge([*UP, dead, Gained(17.9, "b", "s", 2)], ["s"], 60).complaints == []
    late = judge([*UP, dead, Gained(18.1, "b", "s", 2)], ["s"], 60)
    assert late.complaints == ["s was run by nobody for 8.1 s from 10.0 on"]
    blind: list[Observed] = [
        Saw(9.0, "b", is_there=False),
        dead,
        Saw(30.0, "b", is_there=True),
        Gained(37.0, "b", "s", 2),
    ]
    assert judge([*UP, *blind], ["s"], 60).complaints == []


def test_who_is_stopped_runs_nothing_and_who_is_cut_off_does() -> None:
    """A frozen process shows no pictures; one that has lost the others goes on with its cameras."""
    assert judge([*UP, Turned(10.0, "a", "stopped")], ["s"], 60).complaints != []
    assert judge([*UP, Turned(10.0, "a", "cut")], ["s"], 60).complaints == []


def test_two_owners_are_found_as_soon_as_both_are_up() -> None:
    """For more than two seconds; while one is cut off he cannot know."""
    taken = [*UP, Turned(10.0, "a", "cut"), Gained(15.0, "b", "s", 2), Turned(20.0, "a", "up")]
    assert judge([*taken, Lost(21.9, "a", "s")], ["s"], 60).complaints == []
    found = judge([*taken, Lost(22.1, "a", "s")], ["s"], 60)
    assert found.complaints == ["s was run by two for 2.1 s from 20.0 on"]
    torn = [*taken, Stored(19.0, "b", is_up=False), Lost(30.0, "a", "s")]
    assert judge(torn, ["s"], 60).complaints == []


def test_a_claim_that_is_acted_upon_twice_is_found() -> None:
    """Whoever does it."""
    assert judge([*UP, Gained(3.0, "b", "s", 1), Lost(2.0, "a", "s")], ["s"], 4).reused == [("s", 1)]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("09:00:00 INFO    runs line-1 from now on, by claim 17", Gained(1.0, "a", "line-1", 17)),
        ("09:00:00 INFO    runs line-1 no more", Lost(1.0, "a", "line-1")),
        ("09:00:00 WARNING NATS is away: it does not answer; 3 streams are run on", Saw(1.0, "a", is_there=False)),
        ("09:00:00 INFO    NATS is back", Saw(1.0, "a", is_there=True)),
        ("09:00:00 INFO    line-1: live", None),
    ],
)
def test_logs_are_understood(line: str, meant: Observed | None) -> None:
    """What a replica says that it runs, and by which claim."""
    assert understood(1.0, "a", line) == meant


@given(st.integers(0, 2**32))
def test_a_seed_means_the_same_faults_and_one_machine_has_one_at_a_time(seed: int) -> None:
    """So a run that failed can be run again."""
    drawn = faults(seed, 3, 40.0)
    assert drawn == faults(seed, 3, 40.0)
    for machine in range(3):
        own = [fault for fault in drawn if fault.machine == machine]
        for one, other in itertools.pairwise(own):
            assert one.at + one.seconds <= other.at


TAKEN: list[Observed] = [*UP, Gained(20.0, "b", "s", 2), Lost(40.0, "a", "s")]


def test_an_event_of_an_older_claim_that_began_after_a_newer_one_is_found() -> None:
    """Two seconds after it: as long as two may run a stream. Whoever has the newest claim may keep what begins."""
    kept = [KeptEvent("1", "s", "a", 21.9), KeptEvent("2", "s", "b", 30.0), KeptEvent("3", "s", "a", 22.1)]
    judged = judge_events(TAKEN, told_of(*kept))
    assert judged.complaints == ["a kept an event of s that began at 22.1 under claim 1, after claim 2"]
    back = [*TAKEN, Gained(50.0, "a", "s", 3)]
    assert judge_events(back, told_of(KeptEvent("4", "s", "a", 60.0))).complaints == []


def test_an_event_that_two_notifications_say_the_beginning_of_is_found() -> None:
    """One notification may come as often as it likes, and is counted; the end of an event is another."""
    told = told_of(KeptEvent("1", "s", "a", 5.0))
    again = (*told.letters, *told.letters, Letter("end", "alert_ended", "1"))
    assert judge_events(UP, replace(told, letters=again)).complaints == []
    assert replace(told, letters=again).repeated == 1
    other = (*again, Letter("other", BEGUN, "1"))
    found = judge_events(UP, replace(told, letters=other)).complaints
    assert found == ["event 1 was told as new by two notifications"]


def test_an_event_that_a_listener_hears_of_as_new_twice_is_found() -> None:
    """At one replica; each of them tells of it."""
    told = told_of(KeptEvent("1", "s", "a", 5.0))
    assert judge_events(UP, replace(told, news=(News("a", "1"), News("b", "1")))).complaints == []
    found = judge_events(UP, replace(told, news=(News("a", "1"), News("b", "1"), News("a", "1")))).complaints
    assert found == ["event 1 was told as new twice at a"]


def test_an_event_that_nobody_was_told_of_is_found() -> None:
    """That it has ended does not say that it began."""
    told = Told((KeptEvent("1", "s", "a", 5.0),), (Letter("end", "alert_ended", "1"),))
    assert judge_events(UP, told).complaints == ["event 1 of s was told to nobody"]


def told_of(*kept: KeptEvent) -> Told:
    """Of each of these as it began, once."""
    return Told(kept, tuple(Letter(f"of {event.id}", BEGUN, event.id) for event in kept))
