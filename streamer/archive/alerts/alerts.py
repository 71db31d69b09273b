"""The front of this room for people: rules, what came of them, and silences.

Every question may raise Overloaded: the database cannot answer now.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from streamer.archive import event_table
from streamer.archive.alerts import alert_table, rule_table, silence_table
from streamer.archive.alerts.alert import AlertQuery, FoundAlert
from streamer.archive.alerts.judge import Judge, Judged
from streamer.archive.alerts.rule_state import RuleState, in_force, states
from streamer.archive.alerts.rule_table import MadeRule
from streamer.archive.alerts.trial import Met, Trial, TriedAlert, met, told
from streamer.archive.database import Cursor
from streamer.archive.desk import Desk
from streamer.archive.query import MAX_LIMIT, Query
from streamer.values.alert import AlertRule, Silence, Telling
from streamer.values.errors import ConfigError, Refused
from streamer.values.uuid7 import uuid7

log = logging.getLogger(__name__)

DAY = 86_400.0
MOST_MADE = 100
"""Rules made by the API."""
MOST_SILENCES = 1000
"""At a time."""
MOST_EXAMINED = 20_000
"""Events that one rule is tried on."""
MOST_TRIED = 100
"""Alerts of a trial that are shown."""
MOST_COUNTED = 1000
"""Rules and outcomes told apart."""


class Alerts:
    """One archive's."""

    def __init__(self, desk: Desk, judge: Judge, *, wall: Callable[[], float]) -> None:
        """Know no rule yet.

        Args:
            desk: where the database is asked.
            judge: goes by what is in force here.
            wall: UTC, seconds since 1970.
        """
        self._desk, self._judge, self._wall = desk, judge, wall
        self._said = Telling()
        self._made: Sequence[MadeRule] = ()
        self._hidden: set[str] = set()
        self._dwells: dict[str, Sequence[float]] = {}
        self.outlets: tuple[str, ...] = ()
        """Names of all there are, by the configuration."""
        self.counts: Counter[tuple[str, str]] = Counter()
        """Alerts since the start, by rule and outcome."""

    @property
    def telling(self) -> Telling:
        """What is told to whom: rules of the file, and those that were made where the file has none of that name."""
        return self._judge.by[0]

    def change(self, said: Telling, outlets: Sequence[str]) -> None:
        """Go by what the configuration says now.

        Args:
            said: by it.
            outlets: names of all there are.
        """
        self._said, self.outlets = said, tuple(outlets)
        self.take_over(self._made)

    def dwells(self, stream: str) -> Sequence[float]:
        """After how many seconds something may come of an event of that stream, in order; quick."""
        if stream not in self._dwells:
            self._dwells[stream] = self.telling.dwells(stream)
        return self._dwells[stream]

    def take_over(self, made: Sequence[MadeRule]) -> None:
        """Go by these that were made, and by the file's."""
        self._made, self._dwells = made, {}
        self._judge.by = in_force(self._said, made), self.outlets
        hidden = {each.rule.name for each in made} & {rule.name for rule in self._said.rules}
        for name in sorted(hidden - self._hidden):
            log.warning("alerts.%s: the file's rule is in force, and not the one of that name that was made here", name)
        self._hidden = hidden

    def judged(self, judged: Judged) -> None:
        """Count what came of events."""
        for key, count in judged.alerts.items():
            if key in self.counts or len(self.counts) < MOST_COUNTED:
                self.counts[key] += count

    # ---- rules

    async def rules(self, streams: Collection[str] | None = None) -> list[RuleState]:
        """All of the file, and all that were made.

        Args:
            streams: of which alone alerts are counted; None: of all.
        """
        now, of = self._wall(), None if streams is None else sorted(streams)
        tallies = await self._desk.read(lambda cursor: alert_table.tallies(cursor, now - DAY, of))
        silences = await self.silences()
        return states(self._said, self._made, outlets=self.outlets, tallies=tallies, silences=silences)

    async def put_rule(self, rule: AlertRule, by: str) -> bool:
        """Have a rule in force from now on, in the place of one of its name; whether there was none.

        Raises:
            Refused: 409, the file has one of that name, or there are too many.
            ConfigError: it names an outlet that is none.
        """
        self._require_ours(rule.name)
        for outlet in rule.outlets:
            if outlet not in self.outlets:
                there = f"there are {', '.join(self.outlets)}" if self.outlets else "there is none"
                raise ConfigError(f"alerts.{rule.name}.outlets: {outlet!r} is no outlet; {there}")

        def change(cursor: Cursor) -> tuple[bool, list[MadeRule]]:
            is_new = rule_table.put(cursor, MadeRule(rule, by, self._wall()))
            made = rule_table.all_(cursor)
            if is_new and len(made) > MOST_MADE:
                raise Refused(409, f"there are {MOST_MADE} rules already, and no more are kept: remove one first")
            return is_new, made

        is_new, made = await self._desk.change(change)
        self.take_over(made)
        return is_new

    async def remove_rule(self, name: str) -> bool:
        """Have a rule that was made in force no longer; False: there is none.

        Raises:
            Refused: 409, it is of the file.
        """
        if all(each.rule.name != name for each in self._made):
            self._require_ours(name)

        def change(cursor: Cursor) -> tuple[bool, list[MadeRule]]:
            return rule_table.remove(cursor, name), rule_table.all_(cursor)

        was_there, made = await self._desk.change(change)
        self.take_over(made)
        return was_there

    async def try_rule(self, rule: AlertRule, since: float, streams: Collection[str] | None = None) -> Trial:
        """What a rule would have told of the events that began since then, silences aside.

        Args:
            rule: which need not be in force.
            since: UTC, seconds since 1970.
            streams: of which alone; None: of all.
        """
        there = await self._desk.read(event_table.streams)
        covered = tuple(name for name in there if rule.covers(name) and (streams is None or name in streams))
        query = Query(
            streams=covered, labels=tuple(rule.labels), since=since, min_score=rule.min_score, limit=MAX_LIMIT
        )
        found: list[Met] = []
        examined, before, is_whole = 0, None, False
        while not is_whole and examined < MOST_EXAMINED:
            examined_now, before, some = await self._desk.read(partial(_try_page, rule, query, before))
            found += some
            examined += examined_now
            is_whole = examined_now < MAX_LIMIT
        return await self._desk.read(partial(_trial, rule, found, examined, is_whole))

    async def history(self, query: AlertQuery) -> list[FoundAlert]:
        """Alerts with their events, newest first."""
        return await self._desk.read(partial(alert_table.page, query=query))

    # ---- silences

    async def silences(self) -> list[Silence]:
        """Those in force, by when they end."""
        return await self._desk.read(lambda cursor: silence_table.all_(cursor, self._wall()))

    async def silence(
        self, until: float, *, rule: str | None = None, stream: str | None = None, by: str = ""
    ) -> Silence:
        """Have nobody told until then. It takes the place of one of the same rule and stream.

        Args:
            until: UTC, seconds since 1970.
            rule: of that rule's alerts alone; None: of any.
            stream: of that stream's alone; None: of any.
            by: who says so.

        Raises:
            Refused: 409, there are too many.
        """
        now = self._wall()
        made = Silence(uuid7(now), until, rule, stream, by, now)

        def change(cursor: Cursor) -> Silence:
            others = silence_table.all_(cursor, now)
            for each in others:
                if (each.rule, each.stream) == (rule, stream):
                    silence_table.end(cursor, each.id, now)
            if sum((each.rule, each.stream) != (rule, stream) for each in others) >= MOST_SILENCES:
                raise Refused(409, f"there are {MOST_SILENCES} silences already, and no more are kept: end one first")
            silence_table.put(cursor, made)
            return made

        return await self._desk.change(change)

    async def unsilence(self, id_: str) -> bool:
        """End a silence now; whether it was in force."""
        return await self._desk.change(lambda cursor: silence_table.end(cursor, id_, self._wall()))

    # ----

    def _require_ours(self, name: str) -> None:
        if any(rule.name == name for rule in self._said.rules):
            raise Refused(409, f"alerts.{name} stands in the configuration file, which alone can change it")


def _try_page(rule: AlertRule, query: Query, before: str | None, cursor: Cursor) -> tuple[int, str | None, list[Met]]:
    """Of one page: how many events, the last one's id, and those that met the rule."""
    kept = event_table.page(cursor, replace(query, before=before))
    return len(kept), kept[-1].event.id if kept else None, met(rule, kept)


def _trial(rule: AlertRule, found: list[Met], examined: int, is_whole: bool, cursor: Cursor) -> Trial:
    """What came of all pages."""
    tellable = told(rule, found)
    newest = tellable[: -MOST_TRIED - 1 : -1]
    kept = {each.event.id: each for each in event_table.of_ids(cursor, {each.event_id for each in newest})}
    shown = tuple(TriedAlert(each.at, kept[each.event_id]) for each in newest if each.event_id in kept)
    return Trial(len(tellable), len(found) - len(tellable), examined, is_whole, shown)
