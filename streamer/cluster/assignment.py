"""To whom streams belong that nobody owns: computed by every replica for itself, and alike. Pure.

Rendezvous hashing with weights (Thaler and Ravishankar 1998; Schindelhauer and Schomaker 2005) orders the members for
each stream; nobody is given more than a bound (Mirrokni, Thorup and Zadimoghaddam 2018), and who has reached it is
passed over. Who owns a stream and lives keeps it: when a member leaves, its own streams move and no others.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b

from streamer.cluster.member import Member
from streamer.cluster.shared import SharedStream

OVER, UNDER = 5, 4
"""A quarter more than its share is what a member is given at the most; as whole numbers, so that all round alike."""


def bound(member: Member, members: Iterable[Member], streams: int) -> int:
    """How many of all the streams a member may be given: a quarter more than its share by capacity, rounded up."""
    return -(-OVER * streams * member.capacity // (UNDER * sum(each.capacity for each in members)))


def assign(
    streams: Collection[SharedStream], members: Mapping[str, Member], owners: Mapping[str, str]
) -> dict[str, str]:
    """Say who is to own each stream.

    Args:
        streams: all of them, each once.
        members: those who live, by their id.
        owners: ids by the names of streams; those of members who do not live count for nothing.

    Returns:
        A member's id for each stream's name; nothing where nobody lives, and none for what nobody can run.
    """
    if not members:
        return {}
    placed = {stream.name: owners[stream.name] for stream in streams if owners.get(stream.name) in members}
    counts = Counter(placed.values())
    bounds = {key: bound(member, members.values(), len(streams)) for key, member in members.items()}
    for stream in sorted(streams, key=lambda each: each.name):
        if stream.name not in placed:
            able = [key for key in ranked(stream, members) if stream.name not in members[key].cannot]
            # Where all can run it there is one: all bounds together are no less than all streams, and who is above its
            # own leaves no more to be placed than the others have room for.
            chosen = next((key for key in able if counts[key] < bounds[key]), able[0] if able else None)
            if chosen is not None:
                placed[stream.name] = chosen
                counts[chosen] += 1
    return placed


def ranked(stream: SharedStream, members: Mapping[str, Member]) -> list[str]:
    """The members' ids, best first: by how many labels they share with a stream, then by what the dice say."""
    return sorted(members, key=lambda key: (-stream.nearness(members[key]), -_score(stream.name, members[key]), key))


def _score(stream: str, member: Member) -> float:
    """The dice of one stream and one member, the same on every machine; who has more capacity wins more often."""
    digest = blake2b(f"{member.name}\0{stream}".encode(), digest_size=8).digest()
    dice = ((int.from_bytes(digest) >> 12) + 0.5) / 2**52  # never 0, and never 1
    return member.capacity / -math.log(dice)
