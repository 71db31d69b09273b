"""Whether events meet rules, judged in the transaction that keeps them: an event, its alerts and what outlets are to be
told of it are kept together, or not at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from streamer.archive import event_table
from streamer.archive.alerts import alert_table, outbox_table, silence_table
from streamer.archive.alerts.alert import Alert, Outcome
from streamer.archive.alerts.letter import Draft
from streamer.archive.database import Cursor
from streamer.archive.event_table import Standing
from streamer.archive.kept import Kept
from streamer.values.alert import AlertRule, Silence, Telling
from streamer.values.event import Event, Picture
from streamer.values.notification import NotificationKind


@dataclass(slots=True)
class Judged:
    """What came of some events."""

    kept: list[Kept] = field(default_factory=list)
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By rule and outcome."""
    letters: Counter[str] = field(default_factory=Counter)
    """That are to be sent, by outlet."""

    def add(self, other: "Judged") -> None:
        """And what came of others."""
        self.kept += other.kept
        self.alerts += other.alerts
        self.letters += other.letters


@dataclass(frozen=True, slots=True)
class _News:
    """One event's."""

    event: Event
    """As it was put: to less than the milliseconds of what is kept."""
    kept: Kept
    before: Standing | None
    """None: it is new."""
    alerts: Sequence[Alert]
    """Made by it so far."""

    @property
    def has_just_ended(self) -> bool:
        return self.event.ended_at is not None and not (self.before is not None and self.before.has_ended)


class Judge:
    """One archive's. It is asked in the thread that writes; what it goes by may be changed from another."""

    def __init__(self, wall: Callable[[], float], replica: str | None = None) -> None:
        """Know no rule yet.

        Args:
            wall: UTC, seconds since 1970.
            replica: with whom the pictures of what is kept here lie; None: there is no cluster.
        """
        self._wall, self._replica = wall, replica
        self.by: tuple[Telling, tuple[str, ...]] = Telling(), ()
        """What is told to whom, and the names of all outlets there are."""

    def put(self, cursor: Cursor, entries: Iterable[tuple[Event, Picture | None]]) -> Judged:
        """Keep events as they are now, and what comes of them."""
        entries = list(entries)
        case = _Case(cursor, *self.by, self._wall())
        if not case.matters and all(event.ended_at is None for event, _ in entries):
            return Judged(event_table.put(cursor, entries, self._replica))
        ids = [event.id for event, _ in entries]
        before, alerts = event_table.standings(cursor, ids), alert_table.of_events(cursor, ids)
        kept = {each.event.id: each for each in event_table.put(cursor, entries, self._replica)}
        for event, _ in entries:
            case.hear(_News(event, kept[event.id], before.get(event.id), alerts.get(event.id, ())))
        return case.close(list(kept.values()))

    def ended(self, cursor: Cursor, ended: Sequence[Kept]) -> Judged:
        """Tell of the end of events that nobody saw end: the service was killed, or they are removed before."""
        case = _Case(cursor, *self.by, self._wall())
        alerts = alert_table.of_events(cursor, [kept.event.id for kept in ended])
        for kept in ended:
            event = replace(kept.event, ended_at=kept.event.ended_at or kept.event.last_at)
            case.tell_end(replace(kept, event=event), alerts.get(event.id, ()))
        return case.close([])


class _Case:
    """What comes of the events of one transaction."""

    def __init__(self, cursor: Cursor, telling: Telling, outlets: tuple[str, ...], now: float) -> None:
        self._cursor, self._telling, self._outlets, self._now = cursor, telling, outlets, now
        self.matters = bool(telling.rules or telling.all_events)
        """Whether anything may come of an event that goes on."""
        self._silences: list[Silence] | None = None
        self._drafts: list[Draft] = []
        self._shown: tuple[Kept, Mapping[str, Any]] | None = None
        """The event that was told of last, and as it is shown: a hundred rules may tell of one."""
        self._alerts: Counter[tuple[str, str]] = Counter()

    def hear(self, news: _News) -> None:
        """One event is new, has changed, or has ended."""
        if news.before is None:
            self._tell(self._telling.all_events, "event_began", None, news.kept)
        made = list(news.alerts)
        if news.before is None or not news.before.has_ended:
            made += self._alerts_of(news)
        if news.has_just_ended:
            self.tell_end(news.kept, made)

    def tell_end(self, kept: Kept, alerts: Iterable[Alert]) -> None:
        """To those who were told of these alerts and want to know, and to those who are told of all events."""
        open_ones = [alert for alert in alerts if alert.ends]
        for alert in open_ones:
            self._tell(alert.ends, "alert_ended", alert.rule, kept)
        alert_table.ended(self._cursor, [alert.id for alert in open_ones])
        self._tell(self._telling.all_events, "event_ended", None, kept)

    def close(self, kept: list[Kept]) -> Judged:
        """Have outlets be told; what came of it all."""
        outbox_table.put(self._cursor, self._drafts, self._now)
        return Judged(kept, self._alerts, Counter(draft.outlet for draft in self._drafts))

    def _alerts_of(self, news: _News) -> Iterator[Alert]:
        """Those that come of it now, each noted and told."""
        known = {alert.rule for alert in news.alerts}
        for rule in self._telling.rules:
            met_at = None if rule.name in known else rule.met_at(news.event)
            if met_at is not None:
                # Met by what is known only now, such as its best score: not in the past, where nobody was told.
                at = met_at if news.before is None else max(met_at, news.before.last_at)
                yield self._alert(rule, news, at)

    def _alert(self, rule: AlertRule, news: _News, at: float) -> Alert:
        event = news.event
        outcome = self._outcome(rule, event, at)
        outlets = self._there(rule.outlets) if outcome == "told" else ()
        ends = outlets if rule.tell_end else tuple(name for name in outlets if name in self._telling.all_ends)
        alert = Alert(
            alert_table.new_id(at), rule.name, event.id, event.stream, event.label, at, outcome, outlets, ends
        )
        alert_table.put(self._cursor, [alert])
        self._alerts[rule.name, outcome] += 1
        self._tell(outlets, "alert", rule.name, news.kept)
        return alert

    def _outcome(self, rule: AlertRule, event: Event, at: float) -> Outcome:
        if self._is_silenced(rule, event, at):
            return "silenced"
        if alert_table.is_cooling(self._cursor, rule, event, at):
            return "cooled"
        return "told" if self._there(rule.outlets) else "noted"

    def _is_silenced(self, rule: AlertRule, event: Event, at: float) -> bool:
        """Now, or when it was met, where it is kept only later: the database was away."""
        if self._silences is None:
            self._silences = silence_table.all_(self._cursor, self._now - silence_table.REMEMBERED)
        return any(
            each.silences(rule.name, event.stream, self._now)
            or (each.made_at <= at and each.silences(rule.name, event.stream, at))
            for each in self._silences
        )

    def _there(self, outlets: Iterable[str]) -> tuple[str, ...]:
        """Those there are: a rule that was made by the API may outlive the outlet it names."""
        return tuple(name for name in dict.fromkeys(outlets) if name in self._outlets)

    def _tell(self, outlets: Iterable[str], kind: NotificationKind, rule: str | None, kept: Kept) -> None:
        for outlet in outlets:
            if self._shown is None or self._shown[0] is not kept:
                self._shown = kept, kept.document()
            self._drafts.append(Draft(outlet, kind, kept.event.stream, rule, self._shown[1]))
