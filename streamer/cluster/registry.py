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
"""Records that are taken in."""
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
        self._bucket: str | None = None
        self._known: dict[Key, Record | None] = {}
        self._revisions: dict[Key, int] = {}
        self._draft: dict[Key, RecordHeard] | None = None

    # ---- what is heard

    def opens(self, bucket: str) -> None:
        """Begin to hear what a bucket holds; until all is told, what was known counts.

        Args:
            bucket: when it was made.
        """
        is_another = self._bucket is not None and bucket != self._bucket
        self._bucket, self._draft = bucket, {}
        if is_another:  # it was lost, and what it held is written again by whoever knows it
            self._revisions.clear()

    def caught_up(self) -> None:
        """Have heard all of it: what was known and not told is gone, unless the bucket itself was lost."""
        draft, self._draft = self._draft or {}, None
        if self._revisions:
            self._known.clear()
            self._revisions.clear()
        for heard in draft.values():
            self._take_in(heard)
        self._on_change()

    def heard(self, heard: RecordHeard) -> None:
        """Take in a record; one that is no newer than what is known says nothing."""
        key = (heard.kind, heard.stream)
        if self._draft is not None:
            known = self._draft.get(key)
            if len(self._draft) < MOST if known is None else heard.revision > known.revision:
                self._draft[key] = heard
        elif heard.revision > self._revisions.get(key, 0):
            self._take_in(heard)
            self._on_change()

    def _take_in(self, heard: RecordHeard) -> None:
        key = (heard.kind, heard.stream)
        if key not in self._revisions and len(self._revisions) >= MOST:
            self.unreadable += 1
            return
        self._revisions[key] = heard.revision
        try:
            self._known[key] = _read(heard)
        except Unreadable:
            self.unreadable += 1
            self._known[key] = None

    # ---- what is known

    def of(self, kind: Kind) -> dict[str, Record]:
        """The records of a kind by the names of streams, in order of these."""
        found = {name: record for (each, name), record in self._known.items() if each == kind and record is not None}
        return dict(sorted(found.items()))

    def record(self, kind: Kind, stream: str) -> Record | None:
        """One; None: there is none."""
        return self._known.get((kind, stream))

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
        return Writing(kind, stream, _record_of(settings, replica), self._revisions.get((kind, stream), 0))

    def due(self, mine: Mapping[str, Mapping[str, Any]], me: str, alive: Collection[str]) -> list[Writing]:
        """Say what is to be written for our own file; and of a bucket that was lost, whatever is not there yet.

        Of two files that have one name the first to be written holds, until its replica is gone.

        Args:
            mine: what our file says, by name.
            me: our name.
            alive: the names of all replicas that live.
        """
        found = []
        of_files = self.of("file")
        for name, settings in mine.items():
            record = of_files.get(name)
            if record is not None and record.replica != me and record.replica in alive:
                continue
            if record is None or record.replica != me or record.settings != settings:
                found.append(self.writing("file", name, settings, me))
        for name, record in of_files.items():
            if record.replica == me and name not in mine:
                found.append(self.writing("file", name, None))
        written = {(writing.kind, writing.stream) for writing in found}
        lost = [key for key, record in self._known.items() if record is not None and key not in self._revisions]
        for kind, name in lost:
            record = self._known[kind, name]
            if record is not None and (kind, name) not in written:
                found.append(self.writing(kind, name, record.settings, record.replica))
        return found

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
