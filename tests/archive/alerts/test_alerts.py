"""Rules, alerts and silences, in an archive that runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.archive.alerts import alerts as alerts_file
from streamer.archive.alerts import silence_table
from streamer.archive.alerts.alert import AlertQuery
from streamer.archive.archive import Archive
from streamer.archive.database import Database
from streamer.archive.kept import Kept
from streamer.values.alert import AlertRule, Telling
from streamer.values.errors import ConfigError, Refused
from streamer.values.hours import Hours
from tests.archive.events import NOON, a_picture, an_event
from tests.archive.test_archive import opened, put

YARD = AlertRule("yard", labels=frozenset({"person"}), cooldown=60, outlets=("phone",))


@asynccontextmanager
async def telling(
    database: Database, folder: Path, said: Telling, told: list[Kept] | None = None
) -> AsyncIterator[tuple[Archive, list[Kept]]]:
    """An archive that goes by these rules, with a phone and a broker to tell."""
    told = [] if told is None else told
    async with opened(database, folder / "pictures", told, telling=(said, ("mqtt", "phone"))) as archive:
        yield archive, told


async def letters(archive: Archive, outlet: str = "phone") -> list[tuple[str, str | None, str]]:
    """All that waits for an outlet, in order, as it is told: kind, rule, event."""
    found: list[tuple[str, str | None, str]] = []
    while some := await archive.outbox.due(outlet, NOON + 10_000, 1):
        found += [(each.kind, each.rule, each.event.get("id", "")) for each in some]
        await archive.outbox.sent([each.number for each in some])
    return found


async def outcomes(archive: Archive) -> list[tuple[str, str]]:
    """What became of alerts, oldest first: rule and outcome."""
    found = await archive.alerts.history(AlertQuery())
    return [(each.alert.rule, each.alert.outcome) for each in reversed(found)]


async def test_an_event_that_meets_a_rule_is_told_once(empty: Database, tmp_path: Path) -> None:
    """However often it changes it is one alert and one letter, and whoever sends is told of it once it is kept."""
    async with telling(empty, tmp_path, Telling((YARD,))) as (archive, told):
        filled: list[int] = []
        archive.outbox.on_filled("phone", lambda: filled.append(len(told)))
        event = an_event()
        await put(archive, told, event)
        await put(archive, told, replace(event, score=0.9))
        await put(archive, told, replace(event, ended_at=NOON + 5))
        assert len(filled) == 1
        assert archive.alerts.counts == {("yard", "told"): 1}
        assert archive.outbox.queues["phone"].waiting == 1
        assert await letters(archive) == [("alert", "yard", event.id)]
        assert archive.outbox.queues["phone"].waiting == 0
        (found,) = await archive.alerts.history(AlertQuery())
        assert (found.alert.at, found.alert.outlets, found.kept.event.id) == (NOON, ("phone",), event.id)


async def test_the_end_is_told_to_those_who_want_it(empty: Database, tmp_path: Path) -> None:
    """Of a rule that tells the end, and by an outlet that wants every end; once each, whatever comes after it."""
    rule = replace(YARD, tell_end=True)
    quiet = replace(YARD, name="quiet", outlets=("mqtt", "phone"))
    said = Telling((rule, quiet), all_events=("mqtt",), all_ends=("mqtt",))
    async with telling(empty, tmp_path, said) as (archive, told):
        event = an_event()
        await put(archive, told, event)
        ended = replace(event, ended_at=NOON + 5)
        await put(archive, told, ended)
        await put(archive, told, ended)
        assert await letters(archive) == [
            ("alert", "yard", event.id),
            ("alert", "quiet", event.id),
            ("alert_ended", "yard", event.id),
        ]
        assert await letters(archive, "mqtt") == [
            ("event_began", None, event.id),
            ("alert", "quiet", event.id),
            ("alert_ended", "quiet", event.id),
            ("event_ended", None, event.id),
        ]


async def test_reviews_and_bookmarks_tell_nobody(empty: Database, tmp_path: Path) -> None:
    """What a person says of an event is no news of it."""
    async with telling(empty, tmp_path, Telling((), ("mqtt",))) as (archive, told):
        event = an_event()
        await put(archive, told, event)
        await letters(archive, "mqtt")
        await archive.review(event.id, lambda review: replace(review, bookmarked=True))
        assert await letters(archive, "mqtt") == []


async def test_an_event_removed_while_it_goes_on_ends_for_whoever_was_told(empty: Database, tmp_path: Path) -> None:
    """Its alert goes with it; what is to be told of it stays, and its end is told."""
    said = Telling((replace(YARD, tell_end=True),), ("mqtt",))
    async with telling(empty, tmp_path, said) as (archive, told):
        event = an_event()
        await put(archive, told, event)
        assert await archive.remove(event.id)
        assert await archive.alerts.history(AlertQuery()) == []
        assert [kind for kind, *_ in await letters(archive)] == ["alert", "alert_ended"]
        assert [kind for kind, *_ in await letters(archive, "mqtt")] == ["event_began", "event_ended"]


async def test_the_same_thing_is_not_told_again_so_soon(empty: Database, tmp_path: Path) -> None:
    """In a cool-down the class in that stream is noted and not told; another class, or another stream, is."""
    rule = AlertRule("any", cooldown=60, outlets=("phone",))
    async with telling(empty, tmp_path, Telling((rule,))) as (archive, told):
        first = an_event(NOON)
        events = [
            first,
            an_event(NOON + 59.9),
            an_event(NOON + 59.9, label="dog"),
            an_event(NOON + 59.9, stream="gate"),
            an_event(NOON + 60),
        ]
        for event in events:
            await put(archive, told, event)
        assert {event for _, _, event in await letters(archive)} == {events[n].id for n in (0, 2, 3, 4)}
        assert archive.alerts.counts == {("any", "told"): 4, ("any", "cooled"): 1}


async def test_a_rule_that_was_met_says_nothing_at_all_for_a_time(empty: Database, tmp_path: Path) -> None:
    """Whatever the thing and the stream."""
    rule = AlertRule("any", cooldown=0, rule_cooldown=60, outlets=("phone",))
    async with telling(empty, tmp_path, Telling((rule,))) as (archive, told):
        await put(archive, told, an_event(NOON), an_event(NOON + 1, stream="gate"), an_event(NOON + 61, label="dog"))
        assert sorted(await outcomes(archive)) == [("any", "cooled"), ("any", "told"), ("any", "told")]


async def test_what_is_known_late_is_no_alert_of_the_past(empty: Database, tmp_path: Path) -> None:
    """An event that reaches the score only after minutes meets the rule then, and cool-downs count from there."""
    rule = replace(YARD, min_score=0.9)
    async with telling(empty, tmp_path, Telling((rule,))) as (archive, told):
        slow = an_event(NOON, last_at=NOON + 300)
        await put(archive, told, slow)
        await put(archive, told, an_event(NOON + 305, score=0.95))
        await put(archive, told, replace(slow, score=0.95, last_at=NOON + 310))
        found = await archive.alerts.history(AlertQuery())
        assert [(each.alert.at, each.alert.outcome) for each in found] == [(NOON + 305, "told"), (NOON + 300, "cooled")]


async def test_a_rule_without_outlets_is_noted(empty: Database, tmp_path: Path) -> None:
    """Also where the only outlet it names is gone."""
    rules = replace(YARD, name="nobody", outlets=()), replace(YARD, name="gone", outlets=("pager",))
    async with telling(empty, tmp_path, Telling(rules)) as (archive, told):
        await put(archive, told, an_event())
        assert sorted(await outcomes(archive)) == [("gone", "noted"), ("nobody", "noted")]
        states = {each.rule.name: each for each in await archive.alerts.rules()}
        assert states["gone"].unknown_outlets == ("pager",)
        assert (states["gone"].alerts, states["gone"].told, states["gone"].last_at) == (1, 0, NOON)


async def test_an_outlet_named_twice_is_told_once(empty: Database, tmp_path: Path) -> None:
    """A list that names it twice is one that names it."""
    async with telling(empty, tmp_path, Telling((replace(YARD, outlets=("phone", "phone")),))) as (archive, told):
        await put(archive, told, an_event())
        assert len(await letters(archive)) == 1


async def test_nobody_is_told_in_a_silence(empty: Database, tmp_path: Path) -> None:
    """A silence of a rule, of a stream or of all holds what it names; the next event after its end is told."""
    rule = AlertRule("any", cooldown=0, outlets=("phone",))
    async with telling(empty, tmp_path, Telling((rule,), all_events=("mqtt",))) as (archive, told):
        silence = await archive.alerts.silence(NOON + 3600, rule="any", stream="porch", by="anna")
        assert await archive.alerts.silences() == [silence]
        await put(archive, told, an_event(NOON + 1), an_event(NOON + 2, stream="gate"))
        assert len(await letters(archive, "mqtt")) == 2
        await archive.alerts.unsilence(silence.id)
        assert await archive.alerts.silences() == []
        assert not await archive.alerts.unsilence(silence.id)
        await put(archive, told, an_event(NOON + 100))
        assert await outcomes(archive) == [("any", "silenced"), ("any", "told"), ("any", "told")]
        await archive.alerts.silence(NOON + 3600, by="anna")
        await put(archive, told, an_event(NOON + 200))
        assert (await outcomes(archive))[-1] == ("any", "silenced")
        (state,) = await archive.alerts.rules()
        assert state.silenced_until == NOON + 3600


async def test_a_silence_takes_the_place_of_one_of_the_same(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A button that is pressed all day, or a broker's client that never stops, leaves room for others' silences."""
    monkeypatch.setattr(alerts_file, "MOST_SILENCES", 2)
    async with telling(empty, tmp_path, Telling((YARD,))) as (archive, _):
        other = await archive.alerts.silence(NOON + 9000, stream="porch", by="anna")
        made = [
            await archive.alerts.silence(NOON + seconds, rule="yard", by="mqtt") for seconds in (3600, 60, 1800, 600)
        ]
        assert await archive.alerts.silences() == [made[-1], other]


async def test_few_that_ended_are_remembered(empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that ended last; each event's transaction reads them."""
    monkeypatch.setattr(silence_table, "MOST_ENDED", 3)
    async with telling(empty, tmp_path, Telling((YARD,))) as (archive, _):
        for number in range(6):
            await archive.alerts.silence(NOON + 3600 + number, rule="yard", by="mqtt")
        await archive.alerts.unsilence((await archive.alerts.silences())[0].id)
        with empty.reading() as cursor:
            assert len(silence_table.all_(cursor, 0)) == 3


async def test_the_end_of_what_was_told_is_told_in_a_silence(empty: Database, tmp_path: Path) -> None:
    """Whoever was told of the beginning would else wait for the end for good."""
    async with telling(empty, tmp_path, Telling((replace(YARD, tell_end=True),))) as (archive, told):
        event = an_event()
        await put(archive, told, event)
        await archive.alerts.silence(NOON + 3600)
        await put(archive, told, replace(event, ended_at=NOON + 5))
        assert [kind for kind, *_ in await letters(archive)] == ["alert", "alert_ended"]


async def test_a_made_rule_is_in_force_at_once_and_after_a_restart(empty: Database, tmp_path: Path) -> None:
    """It is kept whole, changed under its name, and gone when it is removed."""
    made = replace(YARD, name="made", streams=("po*",), zones=frozenset({"z"}), hours=(Hours.parse("22:00-06:00"),))
    async with telling(empty, tmp_path, Telling()) as (archive, _):
        assert await archive.alerts.put_rule(made, "anna")
        assert not await archive.alerts.put_rule(replace(made, cooldown=5), "bert")
        assert archive.alerts.telling.rules == (replace(made, cooldown=5),)
    async with telling(empty, tmp_path, Telling((YARD,))) as (archive, _):
        assert list(archive.alerts.telling.rules) == [YARD, replace(made, cooldown=5)]
        _, state = await archive.alerts.rules()
        assert (state.origin, state.by, state.made_at, state.hidden) == ("here", "bert", NOON + 60, False)
        assert await archive.alerts.remove_rule("made")
        assert not await archive.alerts.remove_rule("made")
        assert list(archive.alerts.telling.rules) == [YARD]


async def test_the_files_rule_wins(empty: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No rule is made under a name of the file's; one that the file names later is hidden, said, and can be removed."""
    async with telling(empty, tmp_path, Telling()) as (archive, _):
        await archive.alerts.put_rule(replace(YARD, cooldown=5), "anna")
        archive.alerts.change(Telling((YARD,)), ("phone",))
        assert archive.alerts.telling.rules == (YARD,)
        assert "alerts.yard: the file's rule is in force" in caplog.text
        with pytest.raises(Refused, match=r"alerts\.yard stands in the configuration file"):
            await archive.alerts.put_rule(YARD, "anna")
        ours, hidden = await archive.alerts.rules()
        assert (ours.origin, ours.hidden, hidden.origin, hidden.hidden) == ("file", False, "here", True)
        assert await archive.alerts.remove_rule("yard")
        with pytest.raises(Refused, match="which alone can change it"):
            await archive.alerts.remove_rule("yard")


async def test_what_cannot_be_a_rule_is_refused(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One too many, and one for an outlet that is none; neither is kept."""
    monkeypatch.setattr(alerts_file, "MOST_MADE", 1)
    monkeypatch.setattr(alerts_file, "MOST_SILENCES", 1)
    async with telling(empty, tmp_path, Telling()) as (archive, _):
        with pytest.raises(ConfigError, match=r"alerts\.yard\.outlets: 'pager' is no outlet; there are mqtt, phone"):
            await archive.alerts.put_rule(replace(YARD, outlets=("pager",)), "anna")
        await archive.alerts.put_rule(YARD, "anna")
        with pytest.raises(Refused, match="there are 1 rules already"):
            await archive.alerts.put_rule(replace(YARD, name="more"), "anna")
        assert [each.rule.name for each in await archive.alerts.rules()] == ["yard"]
        await archive.alerts.silence(NOON + 100)
        with pytest.raises(Refused, match="there are 1 silences already"):
            await archive.alerts.silence(NOON + 100, stream="porch")


async def test_words_that_no_database_holds_are_refused_in_a_sentence(empty: Database, tmp_path: Path) -> None:
    """Whoever asks for half a character of UTF-16 is told, and nothing is broken by it."""
    async with telling(empty, tmp_path, Telling()) as (archive, told):
        await put(archive, told, an_event())
        rule = replace(YARD, labels=frozenset({"\ud800"}))
        with pytest.raises(ConfigError, match="no archive can hold that"):
            await archive.alerts.try_rule(rule, NOON)
        with pytest.raises(ConfigError, match="no archive can hold that"):
            await archive.alerts.silence(NOON + 100, rule="\ud800")
        assert await archive.alerts.silences() == []


async def test_a_rule_is_tried_on_what_is_kept(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells what would have been told, cool-downs among it, of the streams one may see, page by page; nobody is."""
    monkeypatch.setattr(alerts_file, "MAX_LIMIT", 2)
    monkeypatch.setattr(alerts_file, "MOST_TRIED", 2)
    async with telling(empty, tmp_path, Telling()) as (archive, told):
        events = [an_event(NOON + at) for at in (0, 30, 60, 120, 150)]
        hidden, other = an_event(NOON, stream="gate"), an_event(NOON, label="dog")
        await put(archive, told, *events, hidden, other)
        trial = await archive.alerts.try_rule(YARD, NOON, ["porch"])
        assert (trial.told, trial.cooled, trial.examined, trial.is_whole) == (3, 2, 5, True)
        assert [each.kept.event.id for each in trial.alerts] == [events[3].id, events[2].id]
        assert [each.at for each in trial.alerts] == [NOON + 120, NOON + 60]
        assert (await archive.alerts.try_rule(YARD, NOON)).told == 4
        assert (await archive.alerts.try_rule(YARD, NOON + 150)).told == 1
        monkeypatch.setattr(alerts_file, "MOST_EXAMINED", 2)
        assert not (await archive.alerts.try_rule(YARD, NOON)).is_whole
        assert await outcomes(archive) == []


async def test_alerts_are_found_by_what_is_asked_of_them(empty: Database, tmp_path: Path) -> None:
    """By stream, rule, outcome and time, a page at a time, newest first."""
    rules = replace(YARD, cooldown=0), replace(YARD, name="all", labels=frozenset(), cooldown=0)
    async with telling(empty, tmp_path, Telling(rules)) as (archive, told):
        await put(archive, told, an_event(NOON), an_event(NOON + 1, stream="gate"), an_event(NOON + 2, label="dog"))

        async def found(**given: object) -> list[tuple[str, str, float]]:
            query = replace(AlertQuery(), **given)  # type: ignore[arg-type]
            alerts = [each.alert for each in await archive.alerts.history(query)]
            return [(alert.rule, alert.stream, alert.at - NOON) for alert in alerts]

        assert await found(rule="yard") == [("yard", "gate", 1), ("yard", "porch", 0)]
        assert await found(streams=("gate",), rule="all") == [("all", "gate", 1)]
        assert await found(streams=()) == []
        assert await found(since=NOON + 2) == [("all", "porch", 2)]
        assert len(await found(until=NOON + 1)) == 2
        assert await found(outcome="cooled") == []
        (newest,) = await archive.alerts.history(AlertQuery(limit=1))
        assert len(await found(before=newest.alert.id)) == 4
        assert [each.alerts for each in await archive.alerts.rules(["gate"])] == [1, 1]
        assert [each.alerts for each in await archive.alerts.rules([])] == [0, 0]


async def test_what_a_killed_service_left_open_is_told_to_have_ended(empty: Database, tmp_path: Path) -> None:
    """At the next start, to those who were told of the beginning, though the rule is gone by then."""
    said = Telling((replace(YARD, tell_end=True),), ("mqtt",))
    event = an_event()
    async with telling(empty, tmp_path, said) as (archive, told):
        await put(archive, told, event)
    async with telling(empty, tmp_path, Telling((), ("mqtt",))) as (archive, told):
        assert archive.outbox.queues["phone"].waiting == 2
        assert await letters(archive) == [("alert", "yard", event.id), ("alert_ended", "yard", event.id)]
        assert await letters(archive, "mqtt") == [("event_began", None, event.id), ("event_ended", None, event.id)]
    async with telling(empty, tmp_path, said) as (archive, _):
        assert await letters(archive, "mqtt") == []


async def test_a_letters_picture_is_the_events(empty: Database, tmp_path: Path) -> None:
    """As far as it is kept; of an event without one, or of none, there is none."""
    async with telling(empty, tmp_path, Telling()) as (archive, told):
        event, bare = an_event(), an_event()
        await put(archive, told, event)
        archive.put(bare)
        picture = a_picture()
        assert await archive.outbox.picture(event.id) == picture
        assert await archive.outbox.picture("nobody") is None
        archive.pictures.image(event).unlink()
        assert await archive.outbox.picture(event.id) is None
