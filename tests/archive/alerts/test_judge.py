"""What comes of events, judged in their own transaction."""

import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.archive import event_table
from streamer.archive.alerts import alert_table, outbox_table, silence_table
from streamer.archive.alerts.alert import Alert, AlertQuery
from streamer.archive.alerts.judge import Judge, Judged
from streamer.archive.database import BadRow, Database
from streamer.archive.migrations import migrate
from streamer.archive.query import Query
from streamer.archive.sqlite import Sqlite
from streamer.values.alert import AlertRule, Silence, Telling
from streamer.values.event import Event
from streamer.values.notification import Notification
from tests.archive.events import NOON, an_event

OUTLETS = ("mqtt", "phone")


def make_judge(*rules: AlertRule, all_events: tuple[str, ...] = (), now: float = NOON + 60) -> Judge:
    judge = Judge(lambda: now)
    judge.by = Telling(rules, all_events), OUTLETS
    return judge


def put(database: Database, judge: Judge, *events: Event) -> Judged:
    with database.writing() as cursor:
        return judge.put(cursor, [(event, None) for event in events])


def alerts_of(database: Database) -> list[Alert]:
    """Oldest first."""
    with database.reading() as cursor:
        return [each.alert for each in reversed(alert_table.page(cursor, AlertQuery(limit=1000)))]


def letters_of(database: Database, outlet: str) -> list[Notification]:
    """All that an outlet is told, in the order it is, as a sender reads them: one after the other."""
    found: list[Notification] = []
    with database.writing() as cursor:
        while some := outbox_table.due(cursor, outlet, NOON + 10**6, 100):
            found += some
            outbox_table.sent(cursor, [each.number for each in some], NOON)
    return found


def test_an_event_and_its_letters_are_kept_together_or_not_at_all(database: Database) -> None:
    """Where the transaction fails after all of it was written there is no event, no alert, no letter, and no count."""
    judge = make_judge(AlertRule("any", outlets=("phone",)), all_events=("mqtt",))

    def fail() -> None:
        with database.writing() as cursor:
            judged = judge.put(cursor, [(an_event(), None)])
            assert judged.letters == {"phone": 1, "mqtt": 1}
            cursor.run("INSERT INTO event (id) VALUES (NULL)")

    with pytest.raises(BadRow):
        fail()
    with database.reading() as cursor:
        assert event_table.page(cursor, Query()) == []
        assert outbox_table.queues(cursor) == {}
    assert alerts_of(database) == []
    assert letters_of(database, "phone") == []


def test_an_event_that_the_database_refuses_leaves_no_letter(database: Database) -> None:
    """One that cannot be kept is told to nobody."""
    judge = make_judge(AlertRule("any", outlets=("phone",)))
    with pytest.raises(BadRow):
        put(database, judge, an_event(), an_event(label="\0\ud800"))
    assert letters_of(database, "phone") == []


def test_a_rule_is_judged_by_the_event_as_it_was_seen(database: Database) -> None:
    """To less than the milliseconds that are kept: an event told as it passes a dwell meets the rule by that."""
    began_at = NOON + 0.00051
    event = an_event(began_at, last_at=began_at + 10)
    put(database, make_judge(AlertRule("stays", dwell=10.0)), event)
    assert [alert.rule for alert in alerts_of(database)] == ["stays"]


def test_a_rule_that_is_made_meets_what_goes_on_and_not_what_was(database: Database) -> None:
    """Events that had ended before it was made are no alerts, though their pictures come later; open ones are, now."""
    open_one, ended = an_event(NOON), an_event(NOON, ended_at=NOON + 9)
    put(database, make_judge(), replace(open_one, last_at=NOON + 20), ended)
    judge = make_judge(AlertRule("any"))
    put(database, judge, replace(open_one, last_at=NOON + 30), ended)
    (alert,) = alerts_of(database)
    assert (alert.event_id, alert.at) == (open_one.id, NOON + 20)


def test_a_silence_holds_what_was_met_in_it_though_it_is_kept_later(database: Database) -> None:
    """Where the database was away for an hour nobody is told then of what a silence covered; what came after it is."""
    with database.writing() as cursor:
        silence_table.put(cursor, Silence("a", NOON + 100, made_at=NOON))
    judge = make_judge(AlertRule("any", cooldown=0, outlets=("phone",)), now=NOON + 3600)
    put(database, judge, *(an_event(at, last_at=at + 1) for at in (NOON - 5, NOON + 50, NOON + 200)))
    assert [alert.outcome for alert in alerts_of(database)] == ["told", "silenced", "told"]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Event]]:
    """Batches of what is told of some events, out of order, some told twice, some late."""
    told: list[Event] = []
    for _ in range(draw(st.integers(1, 8))):
        at = NOON + draw(st.integers(0, 400)) / 4
        event = an_event(
            at,
            stream=draw(st.sampled_from(["porch", "gate"])),
            label=draw(st.sampled_from(["person", "dog"])),
            score=draw(st.sampled_from([0.5, 0.95])),
        )
        told.append(event)
        told += [
            replace(event, last_at=at + later, score=0.95) for later in draw(st.lists(st.integers(2, 90), max_size=2))
        ]
        if draw(st.booleans()):
            told.append(replace(event, last_at=at + 100, ended_at=at + 100))
    batches = []
    told = draw(st.permutations(told)) if draw(st.booleans()) else told
    while told:
        batch: list[Event] = []
        seen: set[str] = set()
        while told and told[0].id not in seen and len(batch) < 4:
            batch.append(told.pop(0))
            seen.add(batch[-1].id)
        batches.append(batch)
    return batches


RULES = (
    AlertRule("thing", cooldown=20, outlets=("phone",), tell_end=True),
    AlertRule("rule", cooldown=0, rule_cooldown=35, min_score=0.9, outlets=("phone", "mqtt")),
    AlertRule("both", cooldown=7.5, rule_cooldown=3, dwell=2, outlets=("mqtt",)),
    AlertRule("nobody", labels=frozenset({"person"})),
)


@settings(max_examples=40, deadline=None)
@given(histories())
def test_whatever_comes_nobody_is_told_too_often_or_out_of_order(batches: list[list[Event]]) -> None:
    """No cool-down is broken, each rule is met by each event once, and ends follow beginnings, in rising numbers."""
    with tempfile.TemporaryDirectory() as folder:
        database = Sqlite(Path(folder) / "sightline.db")
        migrate(database)
        judge = make_judge(*RULES, all_events=("mqtt",))
        for batch in batches:
            put(database, judge, *batch)
        alerts = alerts_of(database)
        letters = {outlet: letters_of(database, outlet) for outlet in OUTLETS}
        database.close()

    assert len({(alert.rule, alert.event_id) for alert in alerts}) == len(alerts)
    for rule in RULES:
        told = [alert for alert in alerts if alert.rule == rule.name and alert.outcome in ("told", "noted")]
        cooled = [alert for alert in alerts if alert.rule == rule.name and alert.outcome == "cooled"]
        for one in told:
            for other in told:
                same = (one.stream, one.label) == (other.stream, other.label)
                apart = max(rule.rule_cooldown, rule.cooldown if same else 0)
                assert one is other or round(1000 * abs(one.at - other.at)) >= 1000 * apart
        for one in cooled:  # and none is held back but by one that was told
            assert any(
                abs(one.at - other.at) < rule.rule_cooldown
                or (abs(one.at - other.at) < rule.cooldown and (one.stream, one.label) == (other.stream, other.label))
                for other in told
            )
        for outlet in rule.outlets:
            of_rule = [each.event["id"] for each in letters[outlet] if (each.kind, each.rule) == ("alert", rule.name)]
            assert sorted(of_rule) == sorted(alert.event_id for alert in told)
    for outlet in OUTLETS:
        by_stream: dict[str, list[int]] = defaultdict(list)
        kinds: dict[tuple[str, str | None], list[str]] = defaultdict(list)
        for each in letters[outlet]:
            by_stream[each.stream].append(each.number)
            kinds[each.event["id"], each.rule].append(each.kind)
        for numbers in by_stream.values():
            assert numbers == sorted(set(numbers))
        for told_kinds in kinds.values():
            assert told_kinds in (["alert"], ["alert", "alert_ended"], ["event_began"], ["event_began", "event_ended"])
    assert len({each.id for some in letters.values() for each in some}) == sum(map(len, letters.values()))
