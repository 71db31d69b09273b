"""Which streams the replicas share, by their records: those of files, those that were added, which are paused. Pure.

A record that is none of ours says nothing, and stops nobody. What is taken away stays as a record that says so, by the
revision of which it can be written again.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from streamer.cluster.member import Unreadable
from streamer.values.name import is_name
from streamer.values.nesting import goes_deeper

Kind = Literal["file", "added", "paused"]
"""Whether a replica's file has the stream, the API added it, or somebody paused it."""
KINDS: tuple[str, ...] = get_args(Kind)
MOST = 10_000
"""Records that are taken in of those that say something."""
MOST_GONE = 100_000
"""Records whose revisions are remembered of those that say that there is none; the oldest is forgotten first."""
Key = tuple[Kind, str]
"""A record's kind, and the stream's name."""


@dataclass(frozen=True, slots=True)
class RecordHeard:
    """A record was written."""

    kind: Kind
    stream: str
    record: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Record:
    """What one says."""

    settings: Mapping[str, Any]
    """The stream's, as they were written; one of a file has its ${NAME} in them. Of a paused one nothing."""
    replica: str | None
    """In whose file it stands."""
    revision: int


@dataclass(frozen=True, slots=True)
class Writing:
    """To be written, where the record's newest revision is still `last`; 0: there never was one."""

    kind: Kind
    stream: str
    record: bytes
    last: int


class _Held:
    """What a bucket holds, as far as it was heard."""

    def __init__(self) -> None:
        self.records: dict[Key, Record] = {}
        self._gone: dict[Key, int] = {}
        """Revisions of records that say nothing: it is by them that they can be written again."""

    def revision(self, key: Key) -> int:
        """Of a record; 0: there never was one."""
        record = self.records.get(key)
        return self._gone.get(key, 0) if record is None else record.revision

    def has(self, key: Key) -> bool:
        """Whether one was heard, whatever it says."""
        return key in self.records or key in self._gone

    def take_in(self, key: Key, heard: RecordHeard) -> bool:
        """Know a record that is newer than what is known; False: it is none of ours, or one too many."""
        is_readable = True
        try:
            record = _read(heard)
        except Unreadable:
            record, is_readable = None, False
        if record is not None and key not in self.records and len(self.records) >= MOST:
            return False
        self.records.pop(key, None)
        self._gone.pop(key, None)
        if record is not None:
            self.records[key] = record
            return True
        self._gone[key] = heard.revision
        if len(self._gone) > MOST_GONE:
            del self._gone[next(iter(self._gone))]
        return is_readable


class Registry:
    """All records of one bucket, as far as one replica has heard."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        """Know none.

        Args:
            on_change: told that there is something new to be known. Must not raise.
        """
        self._on_change = on_change
        self.unreadable = 0
        """Records that were none of ours."""
        self.is_heard = False
        """Whether all of it was told once."""
        self._bucket: str | None = None
        self._held = _Held()
        self._lost: dict[Key, Record] = {}
        """Of a bucket that is no more: what nobody has written again yet."""
        self._draft: _Held | None = None

    # ---- what is heard

    def opens(self, bucket: str) -> None:
        """Begin to hear what a bucket holds; until all is told, what was known counts.

        Args:
            bucket: when it was made.
        """
        if self._bucket is not None and bucket != self._bucket:
            # It was lost, and what it held is written again by whoever knows it: in this connection or a later one.
            self._lost |= self._held.records
            self._held = _Held()
        self._bucket, self._draft = bucket, _Held()

    def caught_up(self) -> None:
        """Have heard all of it: what was known and not told is gone, unless the bucket itself was lost."""
        if self._draft is not None:
            self._held, self._draft = self._draft, None
        self._lost = {key: record for key, record in self._lost.items() if not self._held.has(key)}
        self.is_heard = True
        self._on_change()

    def heard(self, heard: RecordHeard) -> None:
        """Take in a record; one that is no newer than what is known says nothing."""
        key, held = (heard.kind, heard.stream), self._held if self._draft is None else self._draft
        if heard.revision <= held.revision(key):
            return
        self.unreadable += not held.take_in(key, heard)
        if self._draft is None:
            self._lost.pop(key, None)
            self._on_change()

    # ---- what is known

    def of(self, kind: Kind) -> dict[str, Record]:
        """The records of a kind by the names of streams, in order of these."""
        known = self._lost | self._held.records
        found = {name: record for (each, name), record in known.items() if each == kind}
        return dict(sorted(found.items()))

    def record(self, kind: Kind, stream: str) -> Record | None:
        """One; None: there is none."""
        key = (kind, stream)
        return self._held.records.get(key, self._lost.get(key))

    def knew(self, kind: Kind, stream: str) -> bool:
        """Whether there is a record, or was one that says now that there is none."""
        return self._held.has((kind, stream)) or (kind, stream) in self._lost

    def has(self, stream: str) -> bool:
        """Whether there is a stream of that name."""
        return self.record("file", stream) is not None or self.record("added", stream) is not None

    # ---- what is to be written

    def writing(
        self, kind: Kind, stream: str, settings: Mapping[str, Any] | None, replica: str | None = None
    ) -> Writing:
        """What replaces the record that is known.

        Args:
            kind: of it.
            stream: the name.
            settings: what it is to say; None: that it is no more.
            replica: in whose file it stands.
        """
        return Writing(kind, stream, _record_of(settings, replica), self._held.revision((kind, stream)))

    def due(self, mine: Mapping[str, Mapping[str, Any]], me: str, alive: Collection[str] | None) -> list[Writing]:
        """Say what is to be written for our own file; and of a bucket that was lost, whatever is not there yet.

        Of two files that have one name the first to be written holds, until its replica is gone.

        Args:
            mine: what our file says, by name.
            me: our name.
            alive: the names of all replicas that live; None: we do not know, and take nobody's place.
        """
        found = []
        of_files = self.of("file")
        for name, settings in mine.items():
            record = of_files.get(name)
            if record is not None and record.replica != me and (alive is None or record.replica in alive):
                continue
            if not self.has_room("file", name):
                continue
            if record is None or record.replica != me or record.settings != settings:
                found.append(self.writing("file", name, settings, me))
        for name, record in of_files.items():
            if record.replica == me and name not in mine:
                found.append(self.writing("file", name, None))
        written = {(writing.kind, writing.stream) for writing in found}
        return [*found, *(each for each in self.lost() if (each.kind, each.stream) not in written)]

    def lost(self) -> list[Writing]:
        """What a bucket held that was lost, and is not there yet."""
        return [
            self.writing(kind, name, record.settings, record.replica)
            for (kind, name), record in self._lost.items()
            if self.has_room(kind, name)
        ]

    def has_room(self, kind: Kind, stream: str) -> bool:
        """Whether a record would be taken in: who does not hear what it wrote would write it for ever."""
        return (kind, stream) in self._held.records or len(self._held.records) < MOST

    def conflicts(self, mine: Mapping[str, Mapping[str, Any]], me: str) -> dict[str, str]:
        """The names of our file's streams of which another's file says something else, and whose it is."""
        return {
            name: record.replica or ""
            for name, record in self.of("file").items()
            if name in mine and record.replica != me and record.settings != mine[name]
        }


def _record_of(settings: Mapping[str, Any] | None, replica: str | None) -> bytes:
    """A record as it stands in the bucket: JSON."""
    if settings is None:
        return b"null"
    said = {"settings": settings} if replica is None else {"settings": settings, "replica": replica}
    return json.dumps(said).encode()


def _read(heard: RecordHeard) -> Record | None:
    """What a record says; None: that there is none.

    Raises:
        Unreadable: it is none of ours.
    """
    if not is_name(heard.stream):
        raise Unreadable("a record's key holds no name of a stream")
    if heard.record in (b"", b"null"):
        return None
    try:
        said = json.loads(heard.record)
    except (ValueError, RecursionError):
        raise Unreadable("a stream's record is no JSON") from None
    settings, replica = (said.get("settings"), said.get("replica")) if isinstance(said, dict) else (None, None)
    if not isinstance(settings, dict) or goes_deeper(settings):
        raise Unreadable("a stream's record has no settings")
    if heard.kind == "file" and not (isinstance(replica, str) and is_name(replica)):
        raise Unreadable("a record does not say in whose file the stream stands")
    return Record(settings, cast("str | None", replica) if heard.kind == "file" else None, heard.revision)
