"""Streams added, changed, paused and removed while the service runs: by the API, and by an edited configuration.

Every change is checked, then kept for the next start, then done; one after the other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

from streamer import config
from streamer.config import ApiStreamsSettings, Config, StreamSettings
from streamer.control.examinee import examinee
from streamer.control.roster import Entry, Roster, places_of, settings_of
from streamer.control.statefile import Kept, StateFile
from streamer.source import Target
from streamer.values import url
from streamer.values.errors import ConfigError, Refused, SourceError

log = logging.getLogger(__name__)

Judge = Callable[[StreamSettings, ApiStreamsSettings], Awaitable[None]]
"""Raises SourceError where the policy forbids a stream."""
Apply = Callable[[Mapping[str, Entry]], Awaitable[None]]
"""Makes what runs be what is to run."""


class Shared(Protocol):
    """The streams that replicas share."""

    def roster(self) -> Roster:
        """All of them, as far as we know."""

    def is_shared(self, stream: str) -> bool:
        """Whether there is a stream of that name, be it published to another replica."""

    def reason(self, stream: str) -> str | None:
        """Why a stream cannot be run here; None: it can."""

    async def keep(self, before: Kept, after: Kept) -> None:
        """Keep what was changed, for all replicas.

        Raises:
            Refused: another was first, or it cannot be kept now; says whether something may have been changed.
        """

    async def forget(self, stream: str) -> bool:
        """Take a stream away that stands in the file of a replica that is gone; False: it is none such.

        Raises:
            Refused: as `keep`.
        """


class StreamChanges:
    """Who may change the streams, and what came of it."""

    def __init__(
        self, settings: Config, state: StateFile | None, *, judge: Judge, apply: Apply, shared: Shared | None = None
    ) -> None:
        """Read what was kept.

        Args:
            settings: the configuration.
            state: what survives a restart of a service alone; None: nothing does.
            judge: checks where a stream leads.
            apply: told every stream that is to run, after each change.
            shared: what replicas share in the place of `state`; None: we are alone.
        """
        self.policy = settings.api_streams
        self._state, self._shared, self._judge, self._apply = state, shared, judge, apply
        self._changing = asyncio.Lock()
        """Held from before a change is decided until it is made: no other is decided upon what it replaces."""
        self._changes: set[asyncio.Task[None]] = set()
        self._warned: set[str] = set()
        self.roster = self._first(settings)
        self._warn()

    def _first(self, settings: Config) -> Roster:
        if self._shared is not None:
            return self._shared.roster()
        if self._state is not None:
            self._state.say_set_by()
        kept = Kept() if self._state is None else self._state.read()
        try:
            return Roster.of(settings.streams, kept)
        except ConfigError as error:
            if self._state is not None:
                self._state.put_aside(str(error))
            return Roster(settings.streams)

    def require_allowed(self) -> None:
        """Check that streams may be changed at all.

        Raises:
            Refused: 403.
        """
        if not self.policy.allowed:
            raise Refused(403, "changing streams is switched off; api_streams.allowed in the configuration allows it")

    async def add(self, document: dict[str, Any], *, taken: Callable[[str], bool]) -> str:
        """Add a stream; returns its name. `taken` says whether a publisher has a name.

        Raises:
            Refused: why not.
        """
        settings = dict(document)
        name = settings.pop("name", None)
        if not isinstance(name, str):
            raise Refused(422, "name: is missing; it must be a text")
        stream = _parsed(name, settings)
        await self._require_policy(stream)
        await self._whole(self._add(name, stream, taken))
        return name

    async def _add(self, name: str, stream: StreamSettings, taken: Callable[[str], bool]) -> None:
        async with self._changing:
            if name in self.roster.file or name in self.roster.added or taken(name) or self._is_elsewhere(name):
                raise Refused(409, f"there is a stream {name!r} already; choose another name")
            if len(self.roster.added) >= self.policy.max_streams:
                raise Refused(
                    409,
                    f"{self.policy.max_streams} streams have been added, as many as api_streams.max_streams allows; "
                    "remove one first",
                )
            await self._become(self.roster.add(name, stream))
        log.info("%s: added through the API: %s", name, url.redact(stream.url))

    def _is_elsewhere(self, name: str) -> bool:
        return self._shared is not None and self._shared.is_shared(name)

    async def change(self, name: str, patch: dict[str, Any]) -> None:
        """Change some settings of a stream, `paused` among them.

        Raises:
            Refused: why not.
        """
        if "name" in patch:
            raise Refused(422, "name: is not changed; remove the stream, and add it under another")
        await self._whole(self._change(name, patch))

    async def _change(self, name: str, patch: dict[str, Any]) -> None:
        judged: StreamSettings | None = None
        while True:
            async with self._changing:
                roster, asked = self._changed(name, patch)
                if asked is None or asked == judged:
                    await self._become(roster)
                    break
            # Not meanwhile: what others change, and which streams are ours, waits for nobody's name server.
            await self._require_policy(asked)
            judged = asked
        log.info("%s: changed through the API: %s", name, ", ".join(sorted(patch)) or "nothing")

    def _changed(self, name: str, patch: dict[str, Any]) -> tuple[Roster, StreamSettings | None]:
        """The roster with a change, and what the policy is to be asked about; None: nothing."""
        before = self.roster.require(name)
        try:
            roster = self.roster.change(name, patch)
        except ConfigError as error:
            raise Refused(422, str(error)) from None
        after = roster.require(name)
        is_new = after.origin == "api" and settings_of(after.settings) != settings_of(before.settings)
        return roster, after.settings if is_new else None

    async def place(
        self, name: str, places: dict[str, Any], *, require: Callable[[Mapping[str, Any]], None] = lambda _: None
    ) -> None:
        """Give a stream these zones, lines and masks, in the place of all it has.

        Args:
            name: of the stream.
            places: all of them.
            require: is shown those it has until then; raises where they are not what was meant to be changed.

        Raises:
            Refused: why not.
        """
        await self._whole(self._place(name, places, require))

    async def _place(self, name: str, places: dict[str, Any], require: Callable[[Mapping[str, Any]], None]) -> None:
        async with self._changing:
            try:
                roster = self.roster.with_places(name, places)
            except ConfigError as error:
                raise Refused(422, str(error)) from None
            require(self.places(name))
            await self._become(roster)
        log.info("%s: its zones, lines and masks were drawn through the API", name)

    async def remove(self, name: str) -> None:
        """Remove a stream that the API added, or one of the file of a replica that is gone.

        Raises:
            Refused: why not.
        """
        await self._whole(self._remove(name))

    async def _remove(self, name: str) -> None:
        async with self._changing:
            if self._shared is not None and await self._shared.forget(name):
                await self._know(self.roster)
            else:
                await self._become(self.roster.remove(name))
        log.info("%s: removed through the API", name)

    async def reconfigure(self, settings: Config) -> None:
        """Take over an edited configuration."""
        await self._whole(self._reconfigure(settings))

    async def _reconfigure(self, settings: Config) -> None:
        async with self._changing:
            self.policy = settings.api_streams
            await self._know(Roster(settings.streams, self.roster.added, self.roster.paused))

    async def follow(self) -> None:
        """Take over what other replicas changed, and which streams are ours.

        It waits for no change that is being made: NATS may take its time to write that down.
        """
        await self._know(self.roster)

    async def _know(self, roster: Roster) -> None:
        self.roster = roster if self._shared is None else self._shared.roster()
        self._warn()
        await self._apply(self.roster.entries())

    def has(self, name: str) -> bool:
        """Whether a stream of that name is to run, a publisher's not counted."""
        return name in self.roster.entries()

    def why_not_here(self, name: str) -> str | None:
        """Why a stream that replicas share cannot be one here, such as a variable that is not set; None: it can."""
        return None if self._shared is None else self._shared.reason(name)

    def settings(self, name: str) -> dict[str, Any]:
        """What a stream was given, its password removed."""
        entry = self.roster.require(name)
        said = settings_of(entry.settings) | {"paused": entry.paused}
        sub = entry.settings.sub
        shown = {} if sub is None else {"sub": {"url": url.redact(sub.url)}}
        return said | {"url": url.redact(entry.settings.url)} | shown

    def places(self, name: str) -> dict[str, Any]:
        """Zones, lines and masks of a stream, whole."""
        return places_of(self.roster.require(name).settings)

    def examinee(self, settings: dict[str, Any]) -> tuple[Target, float]:
        """What the doctor is to examine, as `examinee` has it.

        Raises:
            ConfigError: the settings cannot be.
            Refused: why not.
        """
        return examinee(settings, self.roster, self.policy)

    async def settle(self) -> None:
        """Wait until every change that has begun is made. What comes of each is told to whoever asked for it."""
        await asyncio.gather(*self._changes, return_exceptions=True)

    async def _whole(self, change: Coroutine[Any, Any, None]) -> None:
        """Make a change from its beginning to its end, even where whoever asked for it has left by then.

        A request is cancelled when its client goes. What is kept would differ from what runs if that stopped a change.
        """
        task = asyncio.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_told_to_nobody)
            raise

    async def _become(self, roster: Roster) -> None:
        if roster.kept != self.roster.kept:
            if self._shared is not None:
                await self._shared.keep(self.roster.kept, roster.kept)
            elif self._state is not None:
                await self._state.keep(roster.kept)
        await self._know(roster)

    async def _require_policy(self, stream: StreamSettings) -> None:
        if stream.tls.ca is not None:
            raise Refused(403, "tls.ca: names a file of this machine, as only the configuration file may")
        for key, asked in (("url", stream), ("sub.url", stream.of_sub)):
            try:
                if asked is not None:
                    await self._judge(asked, self.policy)
            except SourceError as error:
                raise Refused(403, f"{key}: {url.redact(str(error))}") from None

    def _warn(self) -> None:
        """Say once what the operator should know."""
        warnings = {
            f"{name}: the configuration file's stream takes the place of the one that the API added, which is kept"
            for name in self.roster.hidden
        }
        for warning in sorted(warnings - self._warned):
            log.warning("%s", warning)
        self._warned = warnings


def _told_to_nobody(task: asyncio.Task[None]) -> None:
    """A change came to its end after whoever asked for it had left: a refusal is no news, a breakdown is."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Refused):
        log.error("a change of the streams failed in a way nobody foresaw", exc_info=error)


def _parsed(name: str, settings: dict[str, Any]) -> StreamSettings:
    try:
        return config.parse_stream(name, settings)
    except ConfigError as error:
        raise Refused(422, str(error)) from None
