"""The list of all streams, put together from what each replica says of its own. Pure, but for `Listing.listed`.

A replica that does not answer costs its own streams alone, and these only their numbers: they are listed, as moving.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from streamer.http.description import StreamDescription
from streamer.http.forwarding.answer_body import read_answer
from streamer.http.forwarding.neighbours import Neighbours
from streamer.http.forwarding.passed import FAILED
from streamer.values.clock import Clock
from streamer.values.replica import Replica, Whereabouts

ASKING = 1.0
"""Seconds that a list waits for a replica, once: until that answers in time again none waits for it any more."""
PATIENCE = 3.0
"""Seconds in which it must have answered, with nobody waiting."""
FRESH = 0.5
"""Seconds that an answer serves whoever else asks: pages do every second."""
SLOW = 5.0
"""Seconds that an older answer serves while a replica is slow; one that is gone refuses at once."""
LARGEST = 8 << 20
"""Bytes of an answer: two thousand streams have four million."""
LIST = "/api/streams"
TAKEN_OVER = "another takes the stream over within seconds"

Rows = Mapping[str, StreamDescription]
"""Streams by name."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a replica said last."""

    at: float
    """Monotonic seconds."""
    rows: Rows
    why: str | None = None
    """Why that says nothing; None: it does."""


class Listing:
    """The one of a replica."""

    def __init__(self, neighbours: Neighbours, clock: Clock) -> None:
        self._neighbours, self._clock = neighbours, clock
        self._heard: dict[str, Heard] = {}
        self._asking: dict[str, asyncio.Task[Heard]] = {}
        self._slow: set[str] = set()
        """Those for which a list has waited in vain."""
        self._last: dict[str, StreamDescription] = {}
        """What each stream was when it was last seen to run: its form is shown on while it moves."""

    async def listed(self, here: Iterable[StreamDescription], sees: Callable[[str], bool]) -> list[StreamDescription]:
        """Every stream that one sees, those that run `here` among them."""
        heard = await self.heard()
        whereabouts = self._neighbours.whereabouts
        rows = joined(whereabouts, {row["name"]: row for row in here}, heard, self._last)
        self._last = {row["name"]: row for row in rows}
        return [row for row in rows if sees(row["name"])]

    async def heard(self) -> Mapping[str, Heard]:
        """What the others say, each asked at once, and no more often than it is worth."""
        others = self._neighbours.whereabouts.others()
        names = [replica.name for replica in others]
        self._heard = {name: self._heard[name] for name in names if name in self._heard}
        self._slow.intersection_update(names)
        return dict(zip(names, await asyncio.gather(*map(self._of, others)), strict=True))

    async def close(self) -> None:
        """Ask nobody any more."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _of(self, replica: Replica) -> Heard:
        before = self._heard.get(replica.name)
        if before is not None and before.why is None and self._clock() - before.at < FRESH:
            return before
        task = self._asking.get(replica.name)
        if task is None:
            task = self._asking[replica.name] = asyncio.create_task(self._ask(replica))
            task.add_done_callback(lambda _: self._asking.pop(replica.name, None))
        if replica.name not in self._slow:
            await asyncio.wait([task], timeout=ASKING)  # which others may wait for, too
        if task.done():
            return task.result()
        self._slow.add(replica.name)
        return self._known(replica)

    def _known(self, replica: Replica) -> Heard:
        """What counts of one that does not answer in time."""
        before = self._heard.get(replica.name)
        if before is not None and before.why is None and self._clock() - before.at < SLOW:
            return before
        return Heard(self._clock(), {}, f"its replica {replica.name} does not answer this replica")

    async def _ask(self, replica: Replica) -> Heard:
        begun = self._clock()
        heard = await self._answer(replica)
        if heard is None:
            return self._known(replica)
        if heard.at - begun < ASKING:
            self._slow.discard(replica.name)
        self._heard[replica.name] = heard
        return heard

    async def _answer(self, replica: Replica) -> Heard | None:
        """What it says; None: nothing."""
        try:
            async with asyncio.timeout(PATIENCE), self._neighbours.get(replica, LIST) as answer:
                if answer.status != 200:
                    raise ValueError(f"it answers {answer.status}")
                text = await read_answer(answer, LARGEST)
            return Heard(self._clock(), read(text))
        except TimeoutError:
            return None
        except FAILED:
            return Heard(self._clock(), {}, f"its replica {replica.name} is away; {TAKEN_OVER}")


def read(text: bytes | bytearray) -> Rows:
    """The streams in a replica's answer.

    Raises:
        ValueError: it is no list of streams.
    """
    try:
        rows = json.loads(text)
    except RecursionError:
        raise ValueError("it is no list") from None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows
    ):
        raise ValueError("it is no list of streams")
    return {row["name"]: cast(StreamDescription, row) for row in rows}


def joined(whereabouts: Whereabouts, here: Rows, heard: Mapping[str, Heard], last: Rows) -> list[StreamDescription]:
    """All streams: those that are shared in their order, and behind them what else runs anywhere, by name.

    Args:
        whereabouts: which replica runs what.
        here: ours.
        heard: what the others say of theirs, by replica.
        last: what was known of each.
    """
    elsewhere = {name: replica for replica, said in heard.items() for name in said.rows}
    shared = whereabouts.streams()
    others = sorted((here.keys() | elsewhere.keys()).difference(shared))
    return [_row(name, whereabouts, here, heard, elsewhere, last) for name in (*shared, *others)]


def _row(
    name: str,
    whereabouts: Whereabouts,
    here: Rows,
    heard: Mapping[str, Heard],
    elsewhere: Mapping[str, str],
    last: Rows,
) -> StreamDescription:
    if name in here:
        return {**here[name], "replica": whereabouts.me}
    owner = whereabouts.of(name)
    said = None if owner is None else heard.get(owner.name)
    if owner is not None and said is not None and name in said.rows:
        return {**said.rows[name], "replica": owner.name}
    if owner is None and name in elsewhere:  # its owner says so before its claim was heard here
        return {**heard[elsewhere[name]].rows[name], "replica": elsewhere[name]}
    if said is None or owner is None:
        why = "no replica runs it at this moment; one takes it within seconds"
    else:
        why = said.why or f"the replica {owner.name} has just taken it, and begins it"
    return moving(name, why, last.get(name))


def moving(name: str, why: str, last: StreamDescription | None) -> StreamDescription:
    """A stream that nobody runs who answers: its form, as far as it is known, and no numbers."""
    known: dict[str, Any] = {} if last is None else dict(last)
    return {
        "name": name,
        "origin": known.get("origin", "file"),
        "state": "moving",
        "reason": why,
        "error": None,
        "width": known.get("width"),
        "height": known.get("height"),
        "fps": None,
        "detections_per_second": None,
        "sample_fps": known.get("sample_fps", 0.0),
        "effective_sample_fps": None,
        "priority": known.get("priority", 1.0),
        "pictures_per_sample": None,
        "age_ms": None,
        "picture_age_ms": None,
        "hold_ms": None,
        "latency": None,
        "model": known.get("model", ""),
        "findings": known.get("findings", []),
        "viewers": 0,
        "recording": None,
        "sub": None,
        "replica": None,
    }
