"""Which streams there are to be: those of the configuration file, those the API added, and which of them are paused.

What the file names wins. A stream of the API whose name the file takes is kept, and comes back when the file lets go of
the name. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from streamer import config
from streamer.config import PlacesSettings, StreamSettings
from streamer.config.variables import collect_secrets
from streamer.control.statefile import Kept
from streamer.values.errors import ConfigError, Refused
from streamer.values.explanation import dotted

PLACES = tuple(PlacesSettings.model_fields)
"""The keys of a stream's settings that say where things are watched."""


@dataclass(frozen=True)
class Entry:
    """One stream as it is to run."""

    settings: StreamSettings
    origin: Literal["file", "api"]
    paused: bool


@dataclass(frozen=True)
class Roster:
    """All of them. A change gives another roster."""

    file: Mapping[str, StreamSettings]
    """Those of the configuration file, by name."""
    added: Mapping[str, StreamSettings] = field(default_factory=dict)
    """Those of the API."""
    paused: frozenset[str] = frozenset()
    """What the API paused, of both."""

    @classmethod
    def of(cls, file: Mapping[str, StreamSettings], kept: Kept) -> "Roster":
        """The roster a service starts with.

        Raises:
            ConfigError: what was kept is not what a stream can be.
        """
        added = {name: config.parse_stream(name, settings) for name, settings in kept.streams.items()}
        return cls(file, added, kept.paused)

    @property
    def kept(self) -> Kept:
        """What must survive a restart."""
        return Kept({name: settings_of(stream) for name, stream in self.added.items()}, self.paused)

    @property
    def hidden(self) -> list[str]:
        """Names of the API's streams that the file has taken."""
        return [name for name in self.added if name in self.file]

    def entries(self) -> dict[str, Entry]:
        """Every stream that is to run, by name, the file's first."""
        found = {
            name: Entry(stream, "file", stream.paused if "paused" in stream.model_fields_set else name in self.paused)
            for name, stream in self.file.items()
        }
        return found | {
            name: Entry(stream, "api", name in self.paused)
            for name, stream in self.added.items()
            if name not in self.file
        }

    def require(self, name: str) -> Entry:
        """One that is to run.

        Raises:
            Refused: 404.
        """
        entries = self.entries()
        if name not in entries:
            raise Refused(404, "there is no stream of that name")
        return entries[name]

    def add(self, name: str, stream: StreamSettings) -> "Roster":
        """With another stream of the API, or other settings of one."""
        return replace(self, added={**self.added, name: stream}).with_paused(name, stream.paused)

    def change(self, name: str, patch: dict[str, Any]) -> "Roster":
        """With some settings of one stream changed, as RFC 7396 merges them: null stands for what is left out.

        Raises:
            Refused: 404 there is none of that name, 409 the configuration file has the say.
            ConfigError: the settings cannot be.
        """
        entry = self.require(name)
        if entry.origin == "file":
            return self._change_of_file(name, patch)
        merged = _merged(settings_of(entry.settings) | {"paused": entry.paused}, patch)
        return self.add(name, config.parse_stream(name, merged))

    def with_places(self, name: str, places: Mapping[str, Any]) -> "Roster":
        """With these zones, lines and masks of one stream, in the place of all it had.

        Raises:
            Refused: 404 there is none of that name, 409 the configuration file has the say.
            ConfigError: they cannot be.
        """
        entry = self.require(name)
        if unknown := sorted(places.keys() - PLACES):
            collect_secrets(dict(places), trusted=False)
            raise ConfigError(f"{dotted((unknown[0],))}: unknown key; allowed here are {', '.join(PLACES)}")
        if entry.origin == "file":
            raise Refused(409, f"{name!r} stands in the configuration file; its zones, lines and masks are drawn there")
        others = {key: value for key, value in settings_of(entry.settings).items() if key not in PLACES}
        return self.add(name, config.parse_stream(name, {**others, **places, "paused": entry.paused}))

    def remove(self, name: str) -> "Roster":
        """Without a stream of the API.

        Raises:
            Refused: 404 there is none of that name, 409 it stands in the configuration file.
        """
        if self.require(name).origin == "file":
            raise Refused(409, f"{name!r} stands in the configuration file; it is removed there, or paused here")
        added = {other: stream for other, stream in self.added.items() if other != name}
        return replace(self, added=added).with_paused(name, False)

    def _change_of_file(self, name: str, patch: dict[str, Any]) -> "Roster":
        if patch.keys() - {"paused"}:
            collect_secrets(patch, trusted=False)
            named = ", ".join(dotted((key,)) for key in sorted(patch.keys() - {"paused"}))
            raise Refused(
                409, f"{name!r} stands in the configuration file; {named} is changed there, and only paused here"
            )
        if patch and "paused" in self.file[name].model_fields_set:
            raise Refused(409, f"the configuration file says whether {name!r} is paused; it is changed there")
        # Through the configuration's own check, for its sentence.
        said = {"url": self.file[name].url, "paused": name in self.paused}
        asked = config.parse_stream(name, _merged(said, patch))
        return self.with_paused(name, asked.paused)

    def with_paused(self, name: str, paused: bool) -> "Roster":
        """With one stream paused, or not."""
        return replace(self, paused=self.paused | {name} if paused else self.paused - {name})


def places_of(stream: StreamSettings) -> dict[str, Any]:
    """Zones, lines and masks of a stream, whole: also what was not said of them."""
    return stream.model_dump(include=set(PLACES))


def settings_of(stream: StreamSettings) -> dict[str, Any]:
    """What was said of a stream, without its being paused, which is the roster's."""
    return stream.model_dump(exclude_unset=True, exclude={"paused"})


def _merged(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396 section 2."""
    merged = dict(document)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            before = merged.get(key)
            merged[key] = _merged(before if isinstance(before, dict) else {}, value)
        else:
            merged[key] = value
    return merged
