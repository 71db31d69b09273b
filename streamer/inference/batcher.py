"""Which frames go to the model, and when, where as many as can be count more than how new they are: `push`. Pure.

A frame waits from when its slot opened. A batch leaves as soon as the model can take one, and holds whatever waits
then, longest waiting first. While the model is busy the next batch fills by itself.
"""

from streamer.inference.discipline import Call, Told
from streamer.inference.slot import Slot


class Batcher:
    """One waiting place a stream: a newer slot takes it from an older one, so no stream can crowd out another."""

    def __init__(self, *, max_batch_size: int, in_flight: int, deadline: float) -> None:
        self.max_batch_size = max_batch_size
        self.deadline = deadline
        """Seconds after its arrival from which a frame is not worth asking about."""
        self._in_flight = in_flight
        self._calls: list[Call] = []
        self._waiting: dict[str, Slot] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def has_place(self) -> bool:
        """Whether one call more may be under way."""
        return len(self._calls) < self._in_flight

    def put(self, slot: Slot) -> Told | None:
        """Add a slot; an older one of the same stream is superseded, and keeps its place in the line."""
        slot.is_settled = True
        older = self._waiting.get(slot.stream)
        self._waiting[slot.stream] = slot
        return None if older is None else (older, "superseded")

    def withdraw(self, slot: Slot) -> bool:
        """Take a slot out; whether it was still open."""
        if self._waiting.get(slot.stream) is not slot:
            return False
        del self._waiting[slot.stream]
        return True

    def clear(self) -> list[Slot]:
        """All that wait, who do no longer."""
        waiting, self._waiting = list(self._waiting.values()), {}
        return waiting

    def leaves_at(self, now: float) -> float | None:
        """When a call about frames may leave: now, or when another has ended."""
        return now if self._waiting and len(self._calls) < self._in_flight else None

    def take(self, now: float) -> tuple[Call | None, list[Told]]:
        """The next call: of the streams that wait, those that have waited longest; and who waited too long.

        It has `max_batch_size` pictures at most, each tile being one, or else is a single sample.
        """
        if self.leaves_at(now) is None:
            return None, []
        old = [slot for slot in self._waiting.values() if slot.age(now) > self.deadline]
        told: list[Told] = [(self._waiting.pop(slot.stream), "late") for slot in old]
        # A dict keeps insertion order, and a superseding slot keeps its stream's place: first come, first served.
        batch, room = list[Slot](), self.max_batch_size
        for slot in list(self._waiting.values()):
            room -= slot.pictures
            if batch and room < 0:  # a frame of more pictures than a call carries is a batch of several calls
                break
            batch.append(self._waiting.pop(slot.stream))
        if not batch:
            return None, told
        deadline = max(slot.frame.received_at for slot in batch) + self.deadline
        return self._begin(batch, sum(slot.pictures for slot in batch), deadline, now), told

    def begin(self, pictures: int, deadline: float, now: float) -> Call:
        """A call about other pictures leaves."""
        return self._begin([], pictures, deadline, now)

    def sent(self, call: Call, now: float) -> None:
        """Nothing is learnt of it."""

    def end(self, call: Call, now: float, *, is_measure: bool) -> None:
        """It is over."""
        self._calls.remove(call)

    def _begin(self, slots: list[Slot], pictures: int, deadline: float, now: float) -> Call:
        call = Call(slots, pictures, now, deadline)
        self._calls.append(call)
        return call
