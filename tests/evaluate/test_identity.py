"""streamer.evaluate.identity: whether things keep their ids."""

import pytest

from streamer.evaluate.identity import follow
from streamer.evaluate.truth import Box
from streamer.values.track import TrackedBox

Edges = tuple[float, float, float, float]
HERE: Edges = (10, 10, 30, 30)
FAR: Edges = (100, 100, 140, 150)


def thing(edges: Edges, name: int | str | None = 1, *, label: str = "a", ignored: bool = False) -> Box:
    """A true thing."""
    return Box(label, edges, ignored, name)


def shown(edges: Edges, tracker_id: int, label: str = "a") -> TrackedBox:
    """A box that was drawn."""
    return TrackedBox(tracker_id, edges, label, 1, 0.9)


def test_whoever_keeps_all_ids_has_one() -> None:
    """Each thing by one id throughout, whichever it is, is an IDF1 of 1, no switch, and one id a thing."""
    truth = {number: [thing(HERE, 1), thing(FAR, "b")] for number in range(5)}
    found = follow(truth, {number: [shown(FAR, 77), shown(HERE, 3)] for number in range(5)})
    assert (found.idf1, found.switches, found.things, found.ids, found.ids_per_thing) == (1.0, 0, 2, 2, 1.0)


def test_a_new_id_half_way_is_a_switch() -> None:
    """A thing that goes by another id for the second half has one switch, two ids, and half an IDF1."""
    truth = {number: [thing(HERE)] for number in range(10)}
    found = follow(truth, {number: [shown(HERE, 1 if number < 5 else 2)] for number in range(10)})
    assert (found.idf1, found.switches, found.ids_per_thing) == (0.5, 1, 2.0)


def test_two_that_change_ids_are_two_switches() -> None:
    """Things that exchange their ids count each, though no id is new."""
    truth = {number: [thing(HERE, 1), thing(FAR, 2)] for number in range(4)}
    found = follow(
        truth,
        {number: [shown(HERE, 1 if number < 2 else 2), shown(FAR, 2 if number < 2 else 1)] for number in range(4)},
    )
    assert (found.idf1, found.switches, found.ids) == (0.5, 2, 4)


def test_a_gap_is_no_switch_and_a_return_by_another_id_is() -> None:
    """What is missed for some frames has its id still; what comes back by another has switched."""
    truth = {number: [thing(HERE)] for number in range(6)}
    same = follow(truth, {number: [shown(HERE, 1)] if number not in (2, 3) else [] for number in range(6)})
    other = follow(
        truth, {number: [shown(HERE, 1 + number // 4)] if number not in (2, 3) else [] for number in range(6)}
    )
    assert (same.switches, other.switches) == (0, 1)
    assert same.idf1 == pytest.approx(2 * 4 / (6 + 4))


def test_labels_are_apart() -> None:
    """A box of another label in the place of a thing is not that thing; ids are one label's own."""
    truth = {0: [thing(HERE, 1), thing(FAR, 1, label="b")]}
    assert follow(truth, {0: [shown(HERE, 1), shown(FAR, 2, "b")]}).idf1 == 1.0
    assert follow(truth, {0: [shown(HERE, 1, "b"), shown(FAR, 2, "a")]}).idf1 == 0.0


def test_an_id_is_kept_while_it_fits() -> None:
    """Of two boxes on one thing the one by whose id it went is its own, though the other lies better."""
    truth = {number: [thing(HERE)] for number in range(2)}
    found = follow(truth, {0: [shown(HERE, 1)], 1: [shown((12, 10, 32, 30), 1), shown(HERE, 2)]})
    assert (found.switches, found.ids) == (0, 1)


def test_what_is_ignored_counts_neither_way() -> None:
    """Boxes on things that are not asked for are no mistakes, and frames that are not labelled are not judged."""
    truth = {0: [thing(HERE), thing(FAR, None, ignored=True)]}
    found = follow(truth, {0: [shown(HERE, 1), shown(FAR, 2)], 1: [shown(FAR, 9)]})
    assert (found.idf1, found.things, found.ids) == (1.0, 1, 1)


def test_of_nothing_nothing_is_said() -> None:
    """Where there is neither a thing nor a box there is no figure, and where one is missing it is 0."""
    assert (follow({0: []}, {0: []}).idf1, follow({}, {}).ids_per_thing) == (None, None)
    assert follow({0: [thing(HERE)]}, {0: []}).idf1 == 0.0
    assert follow({0: []}, {0: [shown(HERE, 1)]}).idf1 == 0.0
