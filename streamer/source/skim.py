"""Which packets are left undecoded while nobody looks: those that only lead to pictures which nobody wants. Pure.

Of what a codec codes each by itself (MJPEG), what comes before the next wanted one. Else pictures are made of the ones
before them, up to the next keyframe, which needs none: where that is expected before the next picture is wanted, what
comes until then is held back, and dropped when it is there. Where it is late, or somebody begins to look, what was held
is decoded at once and nothing is missed. So of a camera that is asked once a second and sends as many keyframes, only
these are decoded; of one with a keyframe a second that is asked five times, 25 of 30.

Of one whose pictures nobody wants at all only keyframes are decoded, however far apart.

A point from which a camera refreshes its pictures strip by strip is no keyframe here: decoding may begin there, but
what follows is made of what was before.
"""

import math

import av

from streamer.source.opened import Unit
from streamer.values.depth import Depth

LONGEST = 1.5
"""Seconds from one keyframe to the next, up to which packets are held back: to decode so many at once takes a tenth of
that, which is what somebody who begins to look waits for."""
MOST_BYTES = 8 << 20
"""Held back at most."""
OVERDUE = 0.5
"""Seconds after which a keyframe is not waited for any more, of a camera that leaves pictures out."""


class Skim:
    """One attempt's."""

    def __init__(self, *, independent: bool) -> None:
        """Hold nothing; `independent`: each picture is coded by itself."""
        self._independent = independent
        self._held: list[Unit] = []
        self._bytes = 0
        self._lacks = False
        """Whether packets since the newest keyframe were let go of, so that those behind them cannot be decoded."""
        self._key_at: float | None = None
        self._since = 0
        """Packets since the newest keyframe, with it."""
        self._length = 0
        """Packets from the keyframe before the newest to that."""
        self._seconds = 0.0
        """The same in seconds."""
        self._is_steady = False
        """Whether it was as many as from the one before that."""
        self._decoded_at = 0.0
        self._prompt = False
        """Whether the newest keyframe's picture came out of the decoder before the next packet went in."""

    @property
    def distance(self) -> float | None:
        """Seconds from one keyframe to the next, where that is steady, and no picture waits for those behind it."""
        return self._seconds if self._is_steady and self._prompt else None

    def take(self, unit: Unit, packet: "av.Packet[av.VideoStream]", depth: Depth) -> list[Unit]:
        """The units to decode now that this one has come with its packet; those before the last were held back."""
        now, is_key = unit.received_at, packet.is_keyframe and unit.stands
        if self._independent:
            is_early = not depth.is_whole and now < min(depth.wanted_at - depth.slack, self._decoded_at + LONGEST)
            self._decoded_at = self._decoded_at if is_early else now
            return [] if is_early else [unit]
        if is_key:
            self._learn(now)
        self._since += 1
        if is_key:  # it needs nothing of what was held
            self._held, self._bytes, self._lacks = [], 0, False
            return [unit]
        if self._lacks or (unit.is_whole and not depth.is_whole and depth.wanted_at == math.inf):
            self._held, self._bytes, self._lacks = [], 0, True  # nobody wants them
            unit.was_held = True
            return []
        self._held.append(unit)
        self._bytes += packet.size
        if unit.is_whole and self._bytes <= MOST_BYTES and self._may_wait(now, depth):
            unit.was_held = True
            return []
        due, self._held, self._bytes = self._held, [], 0
        return due

    def pictured(self, *, is_own: bool) -> None:
        """A keyframe was decoded; `is_own`: its picture is there, and waits for no packet behind it."""
        self._prompt = is_own

    def _learn(self, now: float) -> None:
        before, self._key_at = self._key_at, now
        if before is not None:
            self._is_steady = self._since == self._length
            self._length, self._seconds = self._since, now - before
        self._since = 0

    def _may_wait(self, now: float, depth: Depth) -> bool:
        """Whether a keyframe is expected by when the next picture is wanted, and not overdue."""
        distance = self.distance
        if depth.is_whole or distance is None or self._key_at is None:
            return False
        expected = self._key_at + distance
        if self._since > self._length or now > expected + OVERDUE:
            self._is_steady = False  # until two more say otherwise
            return False
        return distance <= LONGEST and expected <= depth.wanted_at + depth.slack
