"""The key-value store of NATS JetStream, for as long as one connection lasts. Names of the library are used here and in
subjects.py alone.

The library's own reconnecting is not used: it keeps what is published meanwhile and sends it later, and a claim that is
written minutes after it was meant is worse than none.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.api import KeyValueConfig, StorageType
from nats.js.kv import KeyValue

from streamer.cluster.claims import Claim, owner_of, record_of
from streamer.cluster.credentials import Credentials, credentials_in
from streamer.cluster.member import Member, Unreadable, member_of
from streamer.cluster.registry import KINDS, Kind, RecordHeard, Writing
from streamer.cluster.servers import Servers, place
from streamer.values.errors import ConfigError, SightlineError
from streamer.values.name import is_name
from streamer.values.task_group import together

PATIENCE = 2.0
"""Seconds that a server may take to let us in."""
ANSWER = 1.0
"""Seconds that the store may take for an answer."""
AHEAD = 1000
"""Entries that are read ahead of who takes them in."""
LEFT_BEHIND = 10.0
"""Seconds after which NATS forgets a watch whose connection has ended; the library's are five minutes."""
LARGEST = 262_144
"""Bytes of a record: of a stream with many zones. NATS takes messages of four times that."""
WRONG_LAST = (10071, 10164)
"""JetStream's codes for a revision that is not the last."""


ODD = (ValueError, LookupError, TypeError, AttributeError, AssertionError)
"""What the library raises where an answer is none of NATS's, or an address is none."""
MADE_MEANWHILE = 10058
"""JetStream's code for a bucket of that name that is there, and is set up otherwise."""


class NatsAway(SightlineError):
    """There is no connection, or none any more, or no answer; says why in one sentence."""


class Rejected(NatsAway):
    """NATS is there, and does not take this one record; says why."""


class Outrun(SightlineError):
    """Another wrote to the key before us."""


@dataclass(frozen=True, slots=True)
class MemberHeard:
    """A member's record was written."""

    member: Member
    revision: int


@dataclass(frozen=True, slots=True)
class GoodBye:
    """A member's record was deleted."""

    member: str
    revision: int


@dataclass(frozen=True, slots=True)
class Echo:
    """What a replica wrote to learn whether it comes back to it."""

    replica: str
    """Its name."""
    revision: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """All that stood in the bucket has been told; what follows is new."""


Heard = MemberHeard | GoodBye | Claim | RecordHeard | Echo | CaughtUp


class Bucket:
    """One, as long as the connection lasts."""

    def __init__(self, store: KeyValue, born: str, closed: asyncio.Event) -> None:
        self.born = born
        """When it was made, by the server's word: another is another bucket."""
        self.unreadable = 0
        """Records that were none of ours."""
        self._store, self._closed = store, closed

    async def call(self, replica: str) -> int:
        """Write what says nothing, and comes back as an echo of that revision; returns it.

        Args:
            replica: the caller's name.

        Raises:
            NatsAway: it may not be written.
        """
        with told():
            return await self._store.put(f"echo.{key_of(replica)}", b"")

    async def speak(self, member: Member) -> int:
        """Write a member's record; returns its revision.

        Raises:
            NatsAway: it may not be written.
        """
        with told():
            return await self._store.put(f"member.{key_of(member.id)}", member.record())

    async def clear(self, member: str) -> None:
        """Take a member's record away, by its id.

        Raises:
            NatsAway: it may be there still.
        """
        with told():
            await self._store.delete(f"member.{key_of(member)}")

    async def claim(self, stream: str, owner: str, last: int) -> Claim:
        """Write that a stream is somebody's, if its newest record still has a revision.

        Args:
            stream: its name.
            owner: a member's id.
            last: the revision; 0: there is no record, and never was one.

        Raises:
            Outrun: it has another.
            NatsAway: it may not be written.
        """
        with told():
            epoch = await self._store.update(f"claim.{key_of(stream)}", record_of(owner), last=last)
        return Claim(stream, owner, epoch)

    async def give(self, stream: str, last: int) -> None:
        """Delete a claim, if its revision is still that.

        Raises:
            Outrun: it has another.
            NatsAway: it may be there still.
        """
        with told():
            await self._store.delete(f"claim.{key_of(stream)}", last=last)

    async def write(self, writing: Writing) -> RecordHeard:
        """Write what a stream is, if its record's newest revision is still the one that is to be replaced.

        Raises:
            Outrun: it has another.
            NatsAway: it may not be written.
        """
        key = f"{writing.kind}.{key_of(writing.stream)}"
        with told():
            revision = await self._store.update(key, writing.record, last=writing.last)
        return RecordHeard(writing.kind, writing.stream, writing.record, revision)

    async def hear(self) -> AsyncGenerator[Heard, None]:
        """Tell all that stands in the bucket, that this was all, and then whatever is written.

        Raises:
            NatsAway: the connection has ended.
        """
        with told():
            watcher = await self._store.watchall(inactive_threshold=LEFT_BEHIND)
        entries: asyncio.Queue[KeyValue.Entry | None] = asyncio.Queue(AHEAD)
        ends = asyncio.create_task(together(_read(watcher, entries), self._lost()))
        try:
            while True:
                entry = await _next(entries, ends) if entries.empty() else entries.get_nowait()
                heard = self._understood(entry)
                if heard is not None:
                    yield heard
        finally:
            ends.cancel()
            await asyncio.gather(ends, return_exceptions=True)

    async def _lost(self) -> None:
        await self._closed.wait()
        raise NatsAway("the connection was lost")

    def _understood(self, entry: KeyValue.Entry | None) -> Heard | None:
        if entry is None:
            return CaughtUp()
        kind, _, key = entry.key.partition(".")
        name, revision, record = key.replace("=", "."), entry.revision or 0, entry.value or b""
        is_gone = entry.operation is not None
        if "." in key or (kind != "member" and not is_name(name)):
            self.unreadable += 1  # nobody writes there: it would stand for the one whose key is another
            return None
        try:
            if len(record) > LARGEST:
                raise Unreadable(f"a record of {len(record)} bytes is more than {LARGEST}")
            if kind == "member":
                return GoodBye(name, revision) if is_gone else MemberHeard(_member(name, record), revision)
            if kind == "claim":
                return Claim(name, None if is_gone else owner_of(record), revision)
            if kind == "echo":
                return Echo(name, revision)
            if kind in KINDS:
                return RecordHeard(cast("Kind", kind), name, b"" if is_gone else record, revision)
        except Unreadable:
            self.unreadable += 1
            if kind == "claim":
                return Claim(name, None, revision)
            if kind in KINDS:  # as if there were none: it can be written again by its revision
                return RecordHeard(cast("Kind", kind), name, b"", revision)
        return None


def _member(name: str, record: bytes) -> Member:
    member = member_of(record)
    if member.id != name:
        raise Unreadable("a member's record stands where another's belongs")
    return member


class _Client(Client):
    """Signs what a server sends it, where a file says who we are.

    The library would sign with two packages more, and read the file on the event loop (docs/design/dependencies.md).
    """

    def __init__(self, shown: Credentials | None) -> None:
        super().__init__()
        if shown is not None:
            self._auth_configured = True
            self._public_nkey = shown.public


class _TlsClient(_Client):
    """Sends nobody a password without TLS: the library leaves that to what the server says, in the clear."""

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if initial_connection and not info.get("tls_required"):
            if not info.get("tls_available"):
                raise nats.errors.SecureConnWantedError
            info["tls_required"] = True
        await super()._process_info(info, initial_connection)


@asynccontextmanager
async def opened(servers: Servers, url: str, name: str, *, copies: int = 1) -> AsyncIterator[Bucket]:
    """Connect to a server, and find the bucket of a cluster, or make it.

    Args:
        servers: how we show each other who we are.
        url: which of them.
        name: the cluster's: letters, digits, _ and -.
        copies: NATS servers that hold the bucket, where it has to be made: 1, or 3 of three or more.

    Raises:
        NatsAway: there is no way to it; says why.
    """
    async with connected(servers, url) as (client, closed):
        try:
            yield await _found(client, name, copies, closed)
        except NatsAway as away:
            raise NatsAway(f"{place(url)}: {away}") from None


@asynccontextmanager
async def connected(servers: Servers, url: str) -> AsyncIterator[tuple[Client, asyncio.Event]]:
    """Connect to a server, once; gives the client, and what is set when the connection has ended.

    Args:
        servers: how we show each other who we are.
        url: which of them.

    Raises:
        NatsAway: it cannot be reached, or does not let us in; says why.
    """
    closed, trouble = asyncio.Event(), list[Exception]()

    async def on_error(error: Exception) -> None:
        del trouble[:-1]
        trouble.append(error)

    async def on_closed() -> None:
        closed.set()

    try:
        tls = None if servers.tls is None else await asyncio.to_thread(servers.tls.context)
        path = servers.credentials
        shown = None if path is None else await asyncio.to_thread(credentials_in, path)
    except ConfigError as error:
        raise NatsAway(str(error)) from None
    client = (_TlsClient if servers.tls is not None or url.startswith("tls://") else _Client)(shown)
    try:
        try:
            async with asyncio.timeout(PATIENCE):
                await client.connect(
                    [url],
                    error_cb=on_error,
                    closed_cb=on_closed,
                    name="sightline",
                    token=servers.token,
                    signature_cb=None if shown is None else shown.sign,
                    user_jwt_cb=None if shown is None or shown.jwt is None else shown.jwt.encode,
                    tls=tls,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=PATIENCE,  # type: ignore[arg-type]  # handed to wait_for as it is
                    ping_interval=1,
                )
        except (nats.errors.Error, OSError, TimeoutError, *ODD) as error:
            raise NatsAway(f"{place(url)}: {_sentence(trouble[-1] if trouble else error)}") from None
        yield client, closed
    finally:
        # TLS would wait 30 s for a farewell; and the library asserts where it never began to connect.
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError, *ODD):
            async with asyncio.timeout(ANSWER):
                await client.close()


async def _found(client: Client, name: str, copies: int, closed: asyncio.Event) -> Bucket:
    with told():
        stream = client.jetstream(timeout=ANSWER)
        bucket = f"sightline-{name}"
        try:
            store = await stream.key_value(bucket)
        except nats.js.errors.NotFoundError:
            made = KeyValueConfig(bucket, replicas=copies, storage=StorageType.FILE, max_value_size=LARGEST)
            try:
                await stream.create_key_value(made)
            except nats.js.errors.BadRequestError as error:
                if error.err_code != MADE_MEANWHILE:
                    raise
            store = await stream.key_value(bucket)
        status = await store.status()
    return Bucket(store, str(status.stream_info.created), closed)


async def _read(watcher: KeyValue.KeyWatcher, entries: "asyncio.Queue[KeyValue.Entry | None]") -> None:
    async for entry in watcher:
        await entries.put(entry)


async def _next(entries: "asyncio.Queue[KeyValue.Entry | None]", ends: "asyncio.Task[None]") -> KeyValue.Entry | None:
    """Wait for one. Those that are there already are read without: who reads a bucket anew says nothing meanwhile."""
    entry = asyncio.ensure_future(entries.get())
    try:
        await asyncio.wait((entry, ends), return_when=asyncio.FIRST_COMPLETED)
        if not entry.done():
            await ends
            raise NatsAway("it tells nothing any more")
        return entry.result()
    finally:
        entry.cancel()


def key_of(name: str) -> str:
    """A name in a key: a dot at its end, or two in a row, would be none. Names have no equals sign."""
    return name.replace(".", "=")


@contextmanager
def told() -> Iterator[None]:
    """Say in our own words what the library raises."""
    try:
        yield
    except nats.js.errors.KeyWrongLastSequenceError:
        raise Outrun("another was first") from None
    except nats.js.errors.APIError as error:
        if error.err_code in WRONG_LAST:  # of a deletion, whose answer the library does not look at
            raise Outrun("another was first") from None
        if error.code == HTTPStatus.BAD_REQUEST:
            raise Rejected(f"JetStream refuses: {error.description or error.code}") from None
        raise NatsAway(f"JetStream refuses: {error.description or error.code}") from None
    except nats.errors.MaxPayloadError:
        raise Rejected("NATS takes no message of that size") from None
    except (nats.errors.Error, OSError, TimeoutError, *ODD) as error:
        raise NatsAway(_sentence(error)) from None


def _sentence(error: Exception) -> str:
    """What went wrong, without addresses or passwords."""
    if isinstance(error, nats.js.errors.NoStreamResponseError):
        return "NATS has no JetStream, or its bucket has no leader at the moment"
    if "authorization" in str(error).lower():  # while connecting the library raises its plainest error with these words
        return "NATS does not let us in: the user, password, token or credentials are not right"
    if isinstance(error, TimeoutError):
        return "NATS does not answer"
    if isinstance(error, OSError):
        return error.strerror or "the connection failed"
    if isinstance(error, (nats.errors.ConnectionClosedError, nats.errors.UnexpectedEOF)):
        return "the connection was lost"
    if isinstance(error, nats.errors.SecureConnWantedError):
        return "this server has no TLS"
    return f"the connection failed ({type(error).__name__})"
