"""Which frames go to the model, and when: one decision over all cameras, which pulls. Pure.

A stream is due when its sampler says so, and its slot is open until its turn comes. When a call can leave, the newest
frame of each due stream is taken, those first that have had the least of their share. Nothing waits in front of the
model: where it works on one call at a time the next leaves just before that one ends, with frames as fresh as can be.
docs/design/scheduling.md has the reasons.
"""

import math
from dataclasses import dataclass
from typing import Final

from streamer.inference.discipline import Call, Told
from streamer.inference.run_times import NEW, RunTimes
from streamer.inference.slot import Slot

LEAD: Final = 0.1
"""Of a call's run time, that the next leaves before its end, and as long as its samples take to make and to send."""
SENDING: Final = 2.0
"""Times as long as making its samples takes, until a call is with the model."""
TRIES_AGAIN: Final = 1.0
"""Seconds without a call after which a frame is asked about although all are thought to come too late: who never asks
never learns that the model has become faster. If it comes in time, outside a trial, what was thought is forgotten: a
mean would need as many tries as there were slow calls, and one is made a second."""
CUT_SHORT: Final = 2.0
"""Times as long as it was let run, that a call is thought to take which its deadline ended: or all would be in time."""
ROUNDED: Final = 0.005
"""Seconds before its deadline that a call may be ended by it."""
SOON: Final = 0.5
"""Of its period, within which a stream that is due again has sent too much, and not been served too little."""


@dataclass(slots=True)
class _Place:
    """A stream's in the line."""

    had: float
    """The share its stream has had."""
    since: float
    """When it came to wait."""
    slot: Slot


class Scheduler:
    """One model's."""

    def __init__(self, *, max_batch_size: int, in_flight: int, deadline: float) -> None:
        """Have no stream.

        Args:
            max_batch_size: pictures a call at the most.
            in_flight: calls under way at the most.
            deadline: seconds after its arrival from which a frame's answer is worth nothing.
        """
        self.max_batch_size = max_batch_size
        self.deadline = deadline
        self.run_times = RunTimes(in_flight)
        self._in_flight = in_flight
        self._calls: list[Call] = []
        self._open: dict[str, _Place] = {}
        """By stream."""
        self._had: dict[str, float] = {}
        """Shares had by streams: one for every sample, divided by the stream's weight."""
        self._share = 0.0
        """What who was first in the line last had had: who was not due for a while has no more coming."""
        self._area = self._area_at = 0.0
        """Seconds of all calls so far, and when that was so."""
        self._left_at = -math.inf
        self._is_short = False
        """Whether a stream was due again before its turn came, since the last call left."""
        self._making = 0.0
        """Seconds from a call's being taken to its being sent, on average."""

    def __len__(self) -> int:
        return len(self._open)

    @property
    def has_place(self) -> bool:
        """Whether one call more may be under way."""
        return len(self._calls) < self._in_flight

    def put(self, slot: Slot) -> Told | None:
        """A stream is due; what it had open is over, and the new slot has its turn."""
        place = self._open.get(slot.stream)
        if place is None:
            had = max(self._had.get(slot.stream, 0.0), self._share)
            self._open[slot.stream] = _Place(had, slot.opened_at, slot)
            return None
        before, place.slot = place.slot, slot
        if slot.opened_at - before.opened_at < SOON * slot.period:
            return before, "superseded"
        self._is_short = True
        return before, "capacity"

    def withdraw(self, slot: Slot) -> bool:
        """Take a slot out; whether it was still open."""
        place = self._open.get(slot.stream)
        if place is None or place.slot is not slot:
            return False
        del self._open[slot.stream]
        return True

    def clear(self) -> list[Slot]:
        """All that are open, who are no longer."""
        slots = [place.slot for place in self._open.values()]
        self._open.clear()
        return slots

    def leaves_at(self, now: float) -> float | None:
        """When a call about frames may leave if nothing else happens, `now` at the earliest; None: not before that."""
        if not self._open or len(self._calls) >= self._in_flight:
            return None
        ahead = self._ahead
        if ahead is None:
            return now
        if self.run_times.tries:
            return None  # as many as are tried are under way
        return max(now, ahead.ends_at - SENDING * self._making - LEAD * (ahead.ends_at - ahead.taken_at))

    def take(self, now: float) -> tuple[Call | None, list[Told]]:
        """The call that leaves now, if one does, and the slots that nothing can come of any more."""
        at = self.leaves_at(now)
        if at is None or at > now:
            return None, []
        line = [place.slot for place in sorted(self._open.values(), key=lambda place: (place.had, place.since))]
        late = self._late(line, now)
        if len(late) == len(line) and not self._calls and self.run_times.tries_more:
            self.run_times.give_up(now)
            late = self._late(line, now)
        is_try = len(late) == len(line) and not self._calls and now - self._left_at >= TRIES_AGAIN
        if is_try:
            late = [slot for slot in line if slot.age(now) > self.deadline]
        for slot in late:
            del self._open[slot.stream]
        told: list[Told] = [(slot, "late") for slot in late]
        batch = self._batch([slot for slot in line if slot.stream in self._open], now)
        if not batch:
            return None, told
        self._share = max(self._share, self._open[batch[0].stream].had)
        for slot in batch:
            slot.is_settled = True
            self._had[slot.stream] = self._open.pop(slot.stream).had + 1 / slot.weight
        self._forget()
        self._left_at = now
        # The newest frame's deadline is the call's: an old neighbour must not cut short what is fresh.
        deadline = max(slot.frame.received_at for slot in batch) + self.deadline
        call = self._begin(batch, sum(slot.pictures for slot in batch), deadline, now)
        # What one comes to that leaves alone within a trial says nothing against what is known of several at once.
        call.is_try = is_try and not self.run_times.tries
        if (self._open or self._is_short) and len(self._calls) >= self.run_times.lanes:
            self.run_times.crowd(now)
        self._is_short = False
        return call, told

    def begin(self, pictures: int, deadline: float, now: float) -> Call:
        """A call about other pictures leaves."""
        return self._begin([], pictures, deadline, now)

    def sent(self, call: Call, now: float) -> None:
        """Its samples are made, and on their way to the model."""
        self._making += NEW * (now - call.taken_at - self._making)

    def end(self, call: Call, now: float, *, is_measure: bool) -> None:
        """A call is over; `is_measure`: it took as long as such calls take."""
        self._measure(now)
        self._calls.remove(call)
        for behind in self._calls:
            if behind.ahead is call:
                behind.ends_at += now - max(call.ends_at, behind.taken_at)
        call.ended_at, ahead, call.ahead = now, call.ahead, None
        seconds = now - call.taken_at
        if not is_measure or seconds <= 0:
            return
        beside = (self._area - call.area) / seconds
        if ahead is not None and ahead.ended_at is not None:  # it was there before the model was free for it
            seconds, beside = now - max(call.taken_at, ahead.ended_at), float(call.lanes)
        if _was_cut_short(call, now):
            if ahead is not None and ahead.ended_at is not None and _was_cut_short(ahead, ahead.ended_at):
                seconds = now - call.taken_at  # it waited for the one ahead for all that: the model works on
            else:
                seconds *= CUT_SHORT
        elif call.is_try:
            self.run_times.forget()
        self.run_times.add(call.pictures, seconds, beside, now)

    def _late(self, line: list[Slot], now: float) -> list[Slot]:
        """Those whose answers would come too late even if they were asked about alone."""
        return [slot for slot in line if slot.age(self._answered_at(slot.pictures, now)) > self.deadline]

    def _batch(self, line: list[Slot], now: float) -> list[Slot]:
        """The first of the line: no more than are worth a call, and than every frame among them can bear.

        Where several calls may leave, they share what is due. A frame of more pictures than a call carries is a batch
        of several calls.
        """
        due = sum(slot.pictures for slot in line)
        free = max(1, self.run_times.lanes - len(self._calls))
        most = min(self.run_times.worth(self.max_batch_size), math.ceil(due / free))
        batch, pictures = list[Slot](), 0
        for slot in line:
            pictures += slot.pictures
            answered_at = self._answered_at(pictures, now)
            if batch and (pictures > most or max(each.age(answered_at) for each in (*batch, slot)) > self.deadline):
                break
            batch.append(slot)
        return batch

    def _begin(self, slots: list[Slot], pictures: int, deadline: float, now: float) -> Call:
        self._measure(now)
        ends_at = self._answered_at(pictures, now)
        call = Call(slots, pictures, now, deadline, ends_at, self._area, self.run_times.lanes, self._ahead)
        self._calls.append(call)
        return call

    @property
    def _ahead(self) -> Call | None:
        """The call that another one would wait for in front of the model; None: it would not."""
        too_many = len(self._calls) - self.run_times.lanes
        return None if too_many < 0 else sorted(self._calls, key=lambda call: call.ends_at)[too_many]

    def _answered_at(self, pictures: int, now: float) -> float:
        """When a call about so many is thought to be answered that leaves now."""
        ahead, beside = self._ahead, min(self.run_times.lanes, len(self._calls) + 1)
        return (now if ahead is None else max(now, ahead.ends_at)) + self.run_times.seconds(pictures, beside)

    def _measure(self, now: float) -> None:
        self._area += len(self._calls) * max(0.0, now - self._area_at)
        self._area_at = now

    def _forget(self) -> None:
        """Streams that have had no more than those that were served last: nothing is kept of who is gone."""
        for stream in [stream for stream, had in self._had.items() if had <= self._share and stream not in self._open]:
            del self._had[stream]


def _was_cut_short(call: Call, ended_at: float) -> bool:
    """Whether its deadline ended it."""
    return ended_at >= call.deadline - ROUNDED
