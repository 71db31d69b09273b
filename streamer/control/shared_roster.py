"""The roster of a replica: the streams that all replicas share, read from their registry, and changes written to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from streamer.cluster.bucket import Outrun
from streamer.cluster.registry import Kind, Record, Registry, Writing
from streamer.cluster.shared import SharedStream
from streamer.config import StreamSettings, parse_shared_stream, parse_stream
from streamer.control.roster import Roster, settings_of
from streamer.control.statefile import Kept
from streamer.values.errors import ConfigError
from streamer.values.recording import Recording

PARSE: Mapping[Kind, Callable[[str, dict[str, Any]], StreamSettings]] = {
    "file": parse_shared_stream,
    "added": parse_stream,
}
"""How a record's settings are read: ${NAME} is replaced in those of a file alone."""
ANY_URL = "rtsp://camera/"
"""In the place of one that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What became of a record."""

    record: Record
    stream: StreamSettings | None
    """None: it cannot be run here."""
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Sharing:
    """What replicas share, as one of them has it."""

    shared: list[SharedStream]
    """What any replica may run."""
    listening: set[str]
    """What is pushed to us, as our file has it."""
    not_here: set[str]
    """What we cannot run."""


class SharedRoster:
    """One replica's."""

    def __init__(self, registry: Registry) -> None:
        """Read nothing yet."""
        self._registry = registry
        self._read: dict[tuple[Kind, str], _Read] = {}

    def roster(self) -> Roster:
        """The streams that there are to be, but for those that cannot be run here."""
        found: dict[Kind, dict[str, StreamSettings]] = {
            kind: {name: stream for name in self._registry.of(kind) if (stream := self._of(kind, name)) is not None}
            for kind in PARSE
        }
        return Roster(found["file"], found["added"], frozenset(self._registry.of("paused")))

    def recordings(
        self, mine: Mapping[str, Mapping[str, Any]], added: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Recording | None]:
        """What all shared streams say of their recordings, be it that they cannot run here; None: it cannot be read.

        Args:
            mine: what our file says, by name, of which the registry may not know yet.
            added: what the API added before there was a cluster, of which it may not either.
        """
        found = {name: _recording("added", name, settings) for name, settings in added.items()}
        found |= {name: _recording("file", name, settings) for name, settings in mine.items()}
        kinds: tuple[Kind, ...] = ("added", "file")  # of one name the file's counts
        for kind in kinds:
            for name, record in self._registry.of(kind).items():
                stream = self._of(kind, name)
                found[name] = _recording(kind, name, record.settings) if stream is None else stream.record.value()
        return found

    def reason(self, name: str) -> str | None:
        """Why a stream cannot be run here; None: it can."""
        for kind in PARSE:
            if self._registry.record(kind, name) is not None:
                self._of(kind, name)
                return self._read[kind, name].why
        return None

    def sharing(self, me: str) -> Sharing:
        """What is shared. What is listened for runs where its file is: there it is pushed to.

        Args:
            me: our name.
        """
        found = Sharing([], set(), set())
        for name, record in (self._registry.of("added") | self._registry.of("file")).items():
            stream = self._of("added" if record.replica is None else "file", name)
            if stream is None:
                found.not_here.add(name)
                found.shared.append(SharedStream(name))
            elif not stream.listen:
                found.shared.append(SharedStream(name, stream.labels, stream.on_partition))
            elif record.replica == me:
                found.listening.add(name)
        return found

    def writings(self, before: Kept, after: Kept) -> list[Writing]:
        """What is to be written for a change.

        Args:
            before: what whoever made it knew.
            after: what is to be.

        Raises:
            Outrun: it is otherwise already.
        """
        pausing, resuming = [], []
        for name in sorted(before.paused ^ after.paused):
            if (self._registry.record("paused", name) is not None) != (name in before.paused):
                raise Outrun
            if name in after.paused:
                pausing.append(self._registry.writing("paused", name, {}))
            else:
                resuming.append(self._registry.writing("paused", name, None))
        changing = []
        for name in sorted(before.streams.keys() | after.streams.keys()):
            said = after.streams.get(name)
            if said == before.streams.get(name):
                continue
            known = self._of("added", name)
            if (None if known is None else settings_of(known)) != before.streams.get(name):
                raise Outrun
            changing.append(self._registry.writing("added", name, said))
        # Where the second of two is not written, a camera that is paused stays so, or is one that is no more.
        return [*pausing, *changing, *resuming]

    def warnings(self) -> set[str]:
        """What cannot be run here, and why, in one sentence each."""
        self._read = {key: read for key, read in self._read.items() if self._registry.record(*key) is not None}
        return {
            f"{name}: is left to other replicas: {read.why}"
            for (_, name), read in self._read.items()
            if read.why is not None
        }

    def _of(self, kind: Kind, name: str) -> StreamSettings | None:
        """What a record says, as it is here; None: there is none, or it cannot be."""
        record = self._registry.record(kind, name)
        if record is None:
            return None
        read = self._read.get((kind, name))
        if read is None or read.record != record:  # by its revision alone it may be another bucket's
            try:
                read = _Read(record, PARSE[kind](name, dict(record.settings)))
            except ConfigError as error:
                # What JSON can say of a text, and Unicode cannot, no log and no answer can.
                read = _Read(record, None, str(error).encode(errors="backslashreplace").decode())
            except Exception as error:  # noqa: BLE001  whatever anybody wrote there: the streams beside it run
                read = _Read(record, None, f"its settings cannot be read ({type(error).__name__})")
            self._read[kind, name] = read
        return read.stream


def _recording(kind: Kind, name: str, settings: Mapping[str, Any]) -> Recording | None:
    """What a stream says of its recording, whatever else it says; None: that cannot be."""
    said = {"url": ANY_URL, **({"record": settings["record"]} if "record" in settings else {})}
    try:
        return PARSE[kind](name, said).record.value()
    except ConfigError:
        return None
