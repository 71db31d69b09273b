"""One stream's events."""

from dataclasses import replace
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from streamer.events.confirmation import Rule, Rules
from streamer.events.watch import RETELL, Change, Watch
from streamer.values.alert import AlertRule
from streamer.values.event import Mark
from streamer.values.hours import Hours
from streamer.values.place import Asks, Line, Places, Zone
from tests.events.looks import INTERVAL, NOON, Scene, at

RULES = Rules(Rule(0.6))
YARD = Zone("yard", ((0.4, 0.0), (0.6, 0.0), (0.6, 1.0), (0.4, 1.0)), dwell=1.0)
GATE = Line("gate", ((0.5, 1.0), (0.5, 0.0)))
"""Upwards in the picture: from its left to its right is forward."""


def kinds(changes: tuple[Change, ...]) -> list[str]:
    return [change.kind for change in changes]


def test_two_of_three_good_samples_begin_an_event() -> None:
    """One good sample is no event; the second is, and it began with the first that showed the thing."""
    watch, scene = Watch(RULES, Places()), Scene()
    assert watch.update(scene.look({1: (0.7, at(0.5))})).changes == ()
    assert watch.update(scene.look({1: (0.55, at(0.5))})).changes == ()
    (change,) = watch.update(scene.look({1: (0.65, at(0.5))})).changes
    assert change.kind == "begun"
    assert change.event.began_at == NOON + INTERVAL
    assert (change.event.score, change.event.tracker_id) == (0.7, 1)


def test_faint_samples_begin_nothing_and_carry_on() -> None:
    """A thing seen faintly goes on, and its event ends two seconds of answers after the last sample that found it."""
    watch, scene = Watch(RULES, Places()), Scene()
    for _ in range(20):
        assert watch.update(scene.look({1: (0.4, at(0.5))})).changes == ()
    for _ in range(2):
        watch.update(scene.look({1: (0.9, at(0.5))}))
    for _ in range(30):
        assert "ended" not in kinds(watch.update(scene.look({1: (0.35, at(0.5))})).changes)
    last = scene.pts
    ended = [change for _ in range(12) for change in watch.update(scene.look()).changes if change.kind == "ended"]
    assert len(ended) == 1
    assert abs((ended[0].event.ended_at or 0) - (NOON + last)) < 1e-6
    assert watch.going_on == 0


def test_a_silent_model_ends_nothing() -> None:
    """Samples without an answer are no misses: after ten seconds of silence the event goes on."""
    watch, scene = Watch(RULES, Places()), Scene()
    for _ in range(5):
        watch.update(scene.look({1: (0.9, at(0.5))}))
    scene.pts += 10
    assert kinds(watch.update(scene.look()).changes) == ["changed"]  # its first picture is due
    assert kinds(watch.update(scene.look({1: (0.9, at(0.5))})).changes) == ["changed"]  # it is told again, by the time
    assert watch.going_on == 1


def test_the_rule_of_a_class_is_its_own() -> None:
    """A class with a higher score begins no event by what another's would."""
    watch, scene = Watch(Rules(Rule(0.6), {"person": Rule(0.8)}), Places()), Scene()
    for _ in range(5):
        assert watch.update(scene.look({1: (0.7, at(0.5))})).changes == ()
    assert [kinds(watch.update(scene.look({1: (0.85, at(0.5))})).changes) for _ in range(2)] == [[], ["begun"]]


def test_a_zone_is_entered_dwelt_in_and_left_once() -> None:
    """Going through gives one mark of each kind, with its time; the event names the zone from then on."""
    watch, scene = Watch(RULES, Places(zones=(YARD,))), Scene()
    marks: list[Mark] = []
    changes: list[Change] = []
    for step in range(40):
        outcome = watch.update(scene.look({1: (0.9, at(0.1 + step * 0.02))}))
        marks += [mark for _, mark in outcome.marks]
        changes += outcome.changes
    assert [(mark.kind, mark.where) for mark in marks] == [("enter", "yard"), ("dwell", "yard"), ("leave", "yard")]
    assert marks[1].at - marks[0].at >= 1.0
    assert changes[-1].event.zones == ("yard",)
    assert changes[-1].event.marks == tuple(marks)


def test_trembling_at_an_edge_is_not_coming_and_going() -> None:
    """A box that shakes by a few pixels on a zone's edge enters it once at most."""
    watch, scene = Watch(RULES, Places(zones=(YARD,))), Scene()
    marks = [
        mark
        for step in range(60)
        for _, mark in watch.update(scene.look({1: (0.9, at(0.4 + (0.004 if step % 2 else -0.004)))})).marks
    ]
    assert len(marks) <= 1


def test_a_line_is_crossed_forward_and_backward() -> None:
    """From the left of a directed line to its right is forward, the way back is backward, trembling on it neither."""
    watch, scene = Watch(RULES, Places(lines=(GATE,))), Scene()
    way = [0.2, 0.3, 0.4, 0.495, 0.503, 0.498, 0.6, 0.7, 0.6, 0.4, 0.3]
    marks = [mark for x in way for _, mark in watch.update(scene.look({1: (0.9, at(x))})).marks]
    assert [mark.direction for mark in marks] == ["forward", "backward"]


def test_a_line_ends_where_it_ends() -> None:
    """Who walks past the end of a line has not crossed it."""
    short = Line("gate", ((0.5, 0.4), (0.5, 0.0)))
    watch, scene = Watch(RULES, Places(lines=(short,))), Scene()
    marks = [mark for x in (0.2, 0.4, 0.6, 0.8) for _, mark in watch.update(scene.look({1: (0.9, at(x, 0.9))})).marks]
    assert marks == []


def test_a_zone_asks_for_classes_scores_sizes_and_hours() -> None:
    """What a zone does not ask for does not enter it."""
    scene_of = {"car": Asks(labels=frozenset({"car"})), "score": Asks(min_score=0.95), "size": Asks(min_size=0.5)}
    scene_of["hours"] = Asks(hours=(Hours.parse("03:00-03:01"),))
    zones = tuple(replace(YARD, name=name, asks=asks) for name, asks in scene_of.items())
    watch, scene = Watch(RULES, Places(zones=(*zones, YARD)), UTC), Scene()
    marks = [mark for _ in range(4) for _, mark in watch.update(scene.look({1: (0.9, at(0.5))})).marks]
    assert {mark.where for mark in marks} == {"yard"}


def test_what_stands_in_a_mask_is_no_thing() -> None:
    """A tree that the model takes for a person begins no event where it is masked."""
    mask = ((0.4, 0.0), (0.6, 0.0), (0.6, 1.0), (0.4, 1.0))
    watch, scene = Watch(RULES, Places(masks=(mask,))), Scene()
    for _ in range(10):
        assert watch.update(scene.look({1: (0.9, at(0.5))})).changes == ()


def test_what_never_was_a_thing_counts_nowhere() -> None:
    """Crossings of a track that is not confirmed are not counted, and of one that is, those before it was."""
    watch, scene = Watch(RULES, Places(lines=(GATE,))), Scene()
    for x in (0.3, 0.4, 0.6, 0.7):
        assert watch.update(scene.look({1: (0.55, at(x))})).marks == ()
    watch.update(scene.look({1: (0.9, at(0.75))}))
    marks = watch.update(scene.look({1: (0.9, at(0.8))})).marks
    assert [mark.direction for _, mark in marks] == ["forward"]


def test_zones_know_who_is_in_them() -> None:
    """Occupancy counts confirmed things by class, and is 0 and not absent for an empty zone."""
    watch, scene = Watch(RULES, Places(zones=(YARD,))), Scene()
    assert watch.occupancy() == {("yard", ""): 0}
    for _ in range(3):
        watch.update(scene.look({1: (0.9, at(0.5)), 2: (0.9, at(0.55)), 3: (0.9, at(0.9))}))
    assert watch.occupancy()["yard", "person"] == 2


def test_pictures_are_taken_of_the_best_and_kept_twice() -> None:
    """A picture is taken where the thing shows better by a tenth, kept after the first second and at the end."""
    watch, scene = Watch(RULES, Places()), Scene()
    changes = [
        change
        for score in (0.7, 0.7, 0.72, 0.9, 0.91, 0.9, 0.9, 0.9)
        for change in watch.update(scene.look({1: (score, at(0.5))})).changes
    ]
    assert [change.take_picture for change in changes] == [True, True, False]
    assert [change.keep_picture for change in changes] == [False, False, True]
    (ended,) = watch.stop()
    assert ended.keep_picture
    assert ended.event.score == 0.91


def test_a_picture_is_due_a_second_after_the_beginning_whether_the_thing_is_seen_or_not() -> None:
    """Whoever is alerted to what was there for a moment has its picture then, and not once its event has ended."""
    watch, scene = Watch(RULES, Places()), Scene()
    for _ in range(2):
        watch.update(scene.look({1: (0.9, at(0.5))}))
    kept = [change for _ in range(8) for change in watch.update(scene.look()).changes if change.keep_picture]
    assert [(change.kind, change.take_picture) for change in kept] == [("changed", False)]
    assert kept[0].event.last_at == NOON + 2 * INTERVAL


SCORES = st.lists(st.lists(st.sampled_from([0.0, 0.35, 0.55, 0.65, 0.9]), min_size=3, max_size=3), max_size=60)


@given(SCORES)
def test_every_event_begins_once_and_ends_once(rows: list[list[float]]) -> None:
    """Whatever is seen: an event is begun, changed any number of times and ended, in this order, and none is left."""
    watch, scene = Watch(RULES, Places(zones=(YARD,), lines=(GATE,))), Scene()
    seen: dict[str, list[str]] = {}
    times: dict[str, float] = {}
    changes: list[Change] = []
    for row in rows:
        found = {number: (score, at(0.3 + 0.2 * number)) for number, score in enumerate(row) if score}
        changes += watch.update(scene.look(found)).changes
    changes += watch.stop()
    for change in changes:
        seen.setdefault(change.event.id, []).append(change.kind)
        assert change.event.last_at >= times.get(change.event.id, 0)
        times[change.event.id] = change.event.last_at
    for story in seen.values():
        assert story[0] == "begun"
        assert story[-1] == "ended"
        assert set(story[1:-1]) <= {"changed"}
    assert watch.going_on == 0


@given(
    dwells=st.lists(st.floats(0.3, 30), min_size=1, max_size=4),
    enters_at=st.floats(0.1, 5),
    interval=st.floats(0.05, 0.5),
)
def test_whoever_waits_for_a_dwell_hears_of_it_with_the_sample_that_reaches_it(
    dwells: list[float], enters_at: float, interval: float
) -> None:
    """In view and in a zone: rules that ask for so long are met by what is told, not a sample later; each once."""
    watch, scene = Watch(RULES, Places(zones=(replace(YARD, dwell=None),))), Scene(interval)
    watch.dwells = dwells
    rules = [AlertRule(f"in view {dwell}", dwell=dwell) for dwell in dwells]
    rules += [AlertRule(f"in the yard {dwell}", zones=frozenset({"yard"}), dwell=dwell) for dwell in dwells]
    known: dict[str, float] = {}
    told = 0
    while scene.pts < enters_at + 32:
        look = scene.look({1: (0.9, at(0.5 if scene.pts > enters_at else 0.2))})
        for change in watch.update(look).changes:
            told += 1
            for rule in rules:
                met_at = rule.met_at(change.event)
                if met_at is not None and known.setdefault(rule.name, look.at) == look.at:
                    assert look.at - interval - 1e-3 <= met_at <= look.at or change.kind == "begun"
    assert len(known) == len({rule.name for rule in rules})
    assert told <= 2 * len(dwells) + 6 + scene.pts / RETELL


def test_without_such_rules_nothing_is_told_more_often() -> None:
    """A thing that stands still is told every ten seconds."""
    watch, scene = Watch(RULES, Places()), Scene()
    told = sum(len(watch.update(scene.look({1: (0.9, at(0.5))})).changes) for _ in range(250))
    assert told == 1 + 1 + 4  # begun, its first picture, and every ten seconds
