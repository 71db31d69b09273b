"""Who owns what: a claim's epoch is the revision of its record, and what an older one says is not listened to. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from streamer.cluster.member import Unreadable


@dataclass(frozen=True, slots=True)
class Claim:
    """What one record says."""

    stream: str
    owner: str | None
    """A member's id; None: the stream was given up."""
    epoch: int
    """The record's revision: each is greater than those before it, whoever wrote it."""


class Claims:
    """The newest claim to each stream."""

    def __init__(self) -> None:
        self._newest: dict[str, Claim] = {}

    def heard(self, claim: Claim) -> bool:
        """Take one in; False: it is no newer than what is known, and says nothing."""
        known = self._newest.get(claim.stream)
        if known is not None and claim.epoch <= known.epoch:
            return False
        self._newest[claim.stream] = claim
        return True

    def of(self, stream: str) -> Claim | None:
        """The newest claim to a stream; None: there never was one."""
        return self._newest.get(stream)

    def __iter__(self) -> Iterator[Claim]:
        return iter(list(self._newest.values()))

    def owners(self) -> dict[str, str]:
        """Members' ids by the names of streams."""
        return {claim.stream: claim.owner for claim in self._newest.values() if claim.owner is not None}

    def forget(self) -> None:
        """Know nothing: revisions begin anew."""
        self._newest.clear()


def record_of(owner: str) -> bytes:
    """A claim as it stands in the bucket: JSON."""
    return json.dumps({"owner": owner}).encode()


def owner_of(record: bytes) -> str:
    """Read whose a claim is.

    Raises:
        Unreadable: it is none.
    """
    try:
        owner = json.loads(record)["owner"]
    except (ValueError, KeyError, TypeError, RecursionError):
        owner = None
    if not isinstance(owner, str) or not owner:
        raise Unreadable("a claim's record cannot be read: it is no JSON object with an owner")
    return owner
