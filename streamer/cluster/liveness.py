"""Which members live, judged by the reader's own clock: no clocks of two machines are compared. Pure."""

from dataclasses import dataclass

from streamer.cluster.member import Member

DEAD_AFTER = 4.0
"""Seconds without a new revision of its record. It writes one every second."""
FORGOTTEN_AFTER = 60.0
"""Seconds after which the record of one that did not say good-bye is cleared away."""


@dataclass(frozen=True, slots=True)
class _Word:
    member: Member
    revision: int
    heard_at: float


class Liveness:
    """What was heard of each member, and when."""

    def __init__(self) -> None:
        self._words: dict[str, _Word] = {}
        self._listening_since = float("-inf")

    def heard(self, member: Member, revision: int, now: float) -> None:
        """Take in a record; one of a revision that is not newer says nothing new.

        Args:
            member: what it wrote.
            revision: of its record in the bucket.
            now: monotonic seconds, the reader's.
        """
        known = self._words.get(member.id)
        if known is None or revision > known.revision:
            self._words[member.id] = _Word(member, revision, now)

    def left(self, member: str, revision: int) -> None:
        """Take in that one has said good-bye, or was cleared away."""
        known = self._words.get(member)
        if known is not None and revision > known.revision:
            del self._words[member]

    def listens_anew(self, now: float) -> None:
        """Blame nobody for a silence in which we did not listen: all get the whole time again."""
        self._listening_since = now

    def forget(self) -> None:
        """Know nobody: revisions begin anew."""
        self._words.clear()

    def alive(self, now: float) -> dict[str, Member]:
        """Those who live, by their id."""
        return {key: word.member for key, word in self._words.items() if self._silence(word, now) < DEAD_AFTER}

    def lives(self, member: str, now: float) -> bool:
        """Whether one does, by its id."""
        word = self._words.get(member)
        return word is not None and self._silence(word, now) < DEAD_AFTER

    def unheard(self, name: str, since: float) -> list[str]:
        """The ids of members of a name of whom nothing new was heard since then."""
        return [key for key, word in self._words.items() if word.member.name == name and word.heard_at <= since]

    def heard_since(self, name: str, since: float) -> list[str]:
        """The ids of members of a name of whom something new was heard since then."""
        return [key for key, word in self._words.items() if word.member.name == name and word.heard_at > since]

    def listens_for(self, now: float) -> float:
        """Seconds for which we have listened without a break."""
        return now - self._listening_since

    def silence(self, member: str, now: float) -> float:
        """Seconds since something new was heard of one, listening or not; infinite where nothing ever was."""
        word = self._words.get(member)
        return float("inf") if word is None else now - word.heard_at

    def knows(self, member: str, revision: int) -> bool:
        """Whether one's record was heard of that revision, or a newer one."""
        word = self._words.get(member)
        return word is not None and word.revision >= revision

    def dead_for(self, member: str, now: float) -> float | None:
        """Seconds since the last word of one that died without a good-bye; None: it lives, or has left."""
        word = self._words.get(member)
        silence = 0.0 if word is None else self._silence(word, now)
        return silence if silence >= DEAD_AFTER else None

    def long_dead(self, now: float) -> list[str]:
        """The ids of those whose records may be cleared away."""
        return [key for key, word in self._words.items() if self._silence(word, now) >= FORGOTTEN_AFTER]

    def _silence(self, word: _Word, now: float) -> float:
        """Seconds for which we have listened and heard nothing new."""
        return now - max(word.heard_at, self._listening_since)
