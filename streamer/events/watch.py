"""One stream's events: begun, changed, ended, by what each answered sample shows. Pure; the time is the sample's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Literal

from streamer.events.confirmation import Rules
from streamer.events.thing import Thing, is_masked, place
from streamer.values.event import Event, Mark
from streamer.values.hours import within
from streamer.values.place import Line, Places, Zone
from streamer.values.sight import Look, Sight

FIRST_PICTURE = 1.0
"""Seconds from an event's beginning to its first picture: one that goes on for long has one soon."""
RETELL = 10.0
"""Seconds after which an event that goes on is told again, so that who is killed knows how long it was there."""
MOST_THINGS = 1000
"""Beyond, those that were found longest ago are given up."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is new about one event."""

    kind: Literal["begun", "changed", "ended"]
    event: Event
    take_picture: bool = False
    """This sample shows it better than any before."""
    keep_picture: bool = False
    """The best so far is to be kept now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one sample."""

    changes: tuple[Change, ...] = ()
    marks: tuple[tuple[str, Mark], ...] = ()
    """What things did at zones and lines, with the label of each."""


class Watch:
    """One stream's."""

    def __init__(self, rules: Rules, places: Places, zone: tzinfo | None = None) -> None:
        """Have seen nothing.

        Args:
            rules: when a thing becomes an event.
            places: zones, lines and masks.
            zone: by whose clock hours count; None: this machine's.
        """
        self.rules, self.places = rules, places
        self.dwells: Sequence[float] = ()
        """After how many seconds in view, or in a zone, an event is told again: something may come of it then."""
        self._zone = zone
        self._things: dict[int, Thing] = {}
        self._last_pts: float | None = None
        self._interval: float | None = None
        """Seconds between answered samples, as they come lately."""
        self._answered = 0.0
        """Seconds of answered samples so far."""

    def update(self, look: Look) -> Outcome:
        """Take in one answered sample. One older than the newest taken comes too late to matter."""
        if self._last_pts is not None and look.pts <= self._last_pts:
            return Outcome()
        self._pace(look.pts)
        open_now = self._open_now(look.at)
        changes: list[Change | None] = []
        marks: list[tuple[str, Mark]] = []
        for sight in look.sights:
            thing = self._thing(sight, look)
            if thing is None:
                continue
            done = place(thing, sight, look, self.places, open_now)
            if thing.event is not None or self._confirmed(sight):
                # What it did before it was confirmed counts then, and what was never a thing counts nowhere.
                fresh = thing.event is None
                marks += [(sight.label, mark) for mark in (thing.marks if fresh else done)]
                changes.append(self._change(thing, sight, look, fresh=fresh, marked=bool(done)))
        changes += self._unpictured(look)
        changes += self._ended()
        return Outcome(tuple(change for change in changes if change is not None), tuple(marks))

    def stop(self) -> tuple[Change, ...]:
        """End everything: a cut, another geometry, a connection that was lost, the stream's end."""
        ended = [self._end(thing) for thing in self._things.values() if thing.event is not None]
        self._things.clear()
        self._last_pts = None
        return tuple(ended)

    @property
    def going_on(self) -> int:
        """Events that have not ended."""
        return sum(thing.event is not None for thing in self._things.values())

    def occupancy(self) -> Mapping[tuple[str, str], int]:
        """Confirmed things in each zone, by (zone, label)."""
        count: Counter[tuple[str, str]] = Counter({(zone.name, ""): 0 for zone in self.places.zones})
        for thing in self._things.values():
            if thing.event is not None:
                count.update(
                    (name, thing.event.label) for name, each in thing.presences.items() if each.since is not None
                )
        return count

    def present(self) -> Mapping[str, int]:
        """Confirmed things, by label."""
        return Counter(thing.event.label for thing in self._things.values() if thing.event is not None)

    # ---- one thing

    def _thing(self, sight: Sight, look: Look) -> Thing | None:
        thing = self._things.pop(sight.tracker_id, None)
        if thing is None:
            if sight.is_faint or is_masked(sight, look, self.places):
                return None
            thing = Thing(sight.tracker_id, look.at, look.pts, look.at, look.pts)
        thing.see(look, self._answered)
        self._things[sight.tracker_id] = thing  # as the last: it was found last
        return thing

    def _confirmed(self, sight: Sight) -> bool:
        rate = 0.0 if not self._interval else 1 / self._interval
        return not sight.is_faint and self.rules.of(sight.label).confirms(sight.scores, rate)

    def _change(self, thing: Thing, sight: Sight, look: Look, *, fresh: bool, marked: bool) -> Change | None:
        if fresh:
            thing.begin(look, sight)
        better = thing.improves(look, sight)
        due = not thing.pictured and look.at - thing.first_at >= FIRST_PICTURE
        again = look.at - thing.told_at >= RETELL or thing.has_stayed(self.dwells)
        if not (fresh or better or marked or due or again):
            return None
        thing.told_at, thing.pictured = look.at, thing.pictured or due
        return Change("begun" if fresh else "changed", thing.known(), take_picture=better, keep_picture=due)

    def _unpictured(self, look: Look) -> list[Change]:
        """Those whose first picture is due and that this sample does not show: whoever is alerted waits for it."""
        due = [
            thing
            for thing in self._things.values()
            if thing.event is not None and not thing.pictured and look.at - thing.first_at >= FIRST_PICTURE
        ]
        for thing in due:
            thing.pictured = True
        return [Change("changed", thing.known(), keep_picture=True) for thing in due]

    def _ended(self) -> list[Change]:
        """Those nothing has been found of for long enough, and those there are too many of."""
        gone = [thing for thing in self._things.values() if self._answered - thing.found >= self._patience(thing)]
        for thing in gone:
            del self._things[thing.tracker_id]
        while len(self._things) > MOST_THINGS:
            gone.append(self._things.pop(next(iter(self._things))))
        return [self._end(thing) for thing in gone if thing.event is not None]

    def _patience(self, thing: Thing) -> float:
        rule = self.rules.otherwise if thing.event is None else self.rules.of(thing.event.label)
        return rule.end_after

    def _end(self, thing: Thing) -> Change:
        event = thing.known()
        return Change("ended", replace(event, ended_at=event.last_at), keep_picture=True)

    # ---- the stream

    def _pace(self, pts: float) -> None:
        if self._last_pts is not None:
            elapsed = pts - self._last_pts
            if self._interval is not None:
                elapsed = min(elapsed, 2 * self._interval)  # a model that was silent for long missed nothing in it
            self._interval = elapsed if self._interval is None else 0.8 * self._interval + 0.2 * elapsed
            self._answered += elapsed
        self._last_pts = pts

    def _open_now(self, at: float) -> frozenset[str]:
        """Names of the zones and lines whose hours it is."""
        every: tuple[Zone | Line, ...] = (*self.places.zones, *self.places.lines)
        return frozenset(each.name for each in every if within(each.asks.hours, at, self._zone))
