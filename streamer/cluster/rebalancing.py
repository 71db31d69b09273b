"""Which stream moves where some own too many: computed by every replica alike, and done by who gives it. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from streamer.cluster.assignment import ranked
from streamer.cluster.member import Member
from streamer.cluster.shared import SharedStream

OVER, UNDER = 6, 5
"""A fifth more than its share by capacity is borne; as whole numbers, so that all round alike."""
PAUSE = 1.0
"""Seconds without any change of owners before one stream moves."""


@dataclass(frozen=True, slots=True)
class Move:
    """A stream's way from one member's id to another's."""

    stream: str
    giver: str
    taker: str


def next_move(
    streams: Collection[SharedStream], members: Mapping[str, Member], owners: Mapping[str, str]
) -> Move | None:
    """Say what moves next; None: all is well enough, or cannot be made better, or a stream has no owner who lives.

    A stream never moves to where fewer of its labels are, and who gives one has no less left than who takes it: no
    stream moves back for as long as members and streams stay the same.

    Args:
        streams: all of them, each once.
        members: those who live, by their id.
        owners: ids by the names of streams.
    """
    streams = [each for each in streams if any(each.name not in member.cannot for member in members.values())]
    owned = {stream.name: owners.get(stream.name) for stream in streams}
    if any(owner not in members for owner in owned.values()):
        return None
    counts = Counter(owned.values())
    by_load = sorted(members, key=lambda key: (counts[key] / members[key].capacity, key))
    capacity = sum(member.capacity for member in members.values())
    for giver in reversed(by_load):
        if UNDER * counts[giver] * capacity <= OVER * len(streams) * members[giver].capacity:
            return None
        given = [stream for stream in streams if owned[stream.name] == giver]
        for taker in by_load:
            if (counts[taker] + 1) * members[giver].capacity > (counts[giver] - 1) * members[taker].capacity:
                continue
            moving = [
                each
                for each in given
                if each.nearness(members[taker]) >= each.nearness(members[giver])
                and each.name not in members[taker].cannot
            ]
            if moving:
                best = min(moving, key=lambda each: (ranked(each, members).index(taker), each.name))
                return Move(best.name, giver, taker)
    return None
