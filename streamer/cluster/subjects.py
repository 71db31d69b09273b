"""What replicas tell of their streams by NATS's subjects, for each other and for whoever else listens.

CLUSTER.detections.STREAM and CLUSTER.events.STREAM, in JSON; docs/events.md. Nothing waits for NATS: what it does not
take is dropped, the oldest first, and counted. A connection of its own: a burst here must not delay a claim.
"""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from streamer.cluster.bucket import NatsAway, connected, key_of, told
from streamer.cluster.servers import Servers
from streamer.values.buffer import Buffer
from streamer.values.ending import heed
from streamer.values.task_group import together

Kind = Literal["detections", "events", "streams"]

WAITING = 1024
"""Messages that may wait to be sent; then the oldest are dropped."""
HEARD_WAITING = 1024
"""Messages that may wait to be taken in."""
HEARD_BYTES = 8 << 20
"""Their bytes."""
LOOK = 0.5
"""Seconds from one look at whether anybody here wants to hear to the next."""
PAUSE = 0.5
"""Seconds from a connection's end to the next try."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Message:
    kind: Kind
    stream: str
    document: Callable[[], Mapping[str, Any]]
    """Made when it is sent: most are where nobody is connected."""
    epoch: int | None


@dataclass(frozen=True, slots=True)
class _Ear:
    wanted: Callable[[], bool]
    tell: Callable[[str, str, Mapping[str, Any]], None]


class Subjects:
    """One replica's."""

    def __init__(self, servers: Servers, cluster: str, me: str, *, epoch_of: Callable[[str], int | None]) -> None:
        """Connect nowhere yet.

        Args:
            servers: where NATS is.
            cluster: its name, which all its subjects begin with.
            me: our replica's name.
            epoch_of: of our claim to a stream; None: it is not ours.
        """
        self._servers, self._cluster, self._me, self._epoch_of = servers, cluster, me, epoch_of
        self._waiting: Buffer[_Message] = Buffer(WAITING)
        self._ears: dict[Kind, _Ear] = {}
        self._is_away = False
        self.sent = 0
        """Messages that NATS was given."""
        self.unreadable = 0
        """Messages that were none of a replica's."""
        self._refused = 0
        """Messages that are larger than it takes."""

    @property
    def dropped(self) -> int:
        """Messages that NATS was not given: it was away, or too slow."""
        return self._waiting.dropped + self._refused

    def tell(self, kind: Kind, stream: str, document: Callable[[], Mapping[str, Any]]) -> None:
        """Tell all who listen; never waits.

        Args:
            kind: of what it is.
            stream: that it is about.
            document: gives it, as the API has it.
        """
        self._waiting.put(_Message(kind, stream, document, self._epoch_of(stream)))

    def hear(self, kind: Kind, wanted: Callable[[], bool], tell: Callable[[str, str, Mapping[str, Any]], None]) -> None:
        """Hear what other replicas tell, for as long as somebody here wants to.

        Args:
            kind: of what it is.
            wanted: whether anybody does now.
            tell: called on the event loop with stream, replica, and what it tells, as the API has it.
        """
        self._ears[kind] = _Ear(wanted, tell)

    async def run(self) -> None:
        """Tell and hear, until cancelled."""
        for url in itertools.cycle(self._servers.urls):
            try:
                async with connected(self._servers, url) as (client, closed):
                    self._here()
                    self._waiting.clear()  # it is of before
                    await together(self._send(client), self._listen(client), _ended(closed))
            except NatsAway as away:
                heed()
                self._away(away)
            await asyncio.sleep(PAUSE)

    # ---- told

    async def _send(self, client: Client) -> None:
        while True:
            heed()
            message = await self._waiting.take()
            said = {**message.document(), "replica": self._me, "epoch": message.epoch}
            subject = f"{self._cluster}.{message.kind}.{key_of(message.stream)}"
            payload = json.dumps(said, separators=(",", ":")).encode()
            if len(payload) > client.max_payload:
                self._refused += 1
                continue
            with told():
                await client.publish(subject, payload)
            self.sent += 1

    # ---- heard

    async def _listen(self, client: Client) -> None:
        """Subscribe to what somebody wants, and to nothing else."""
        heard: dict[Kind, Subscription] = {}
        while True:
            heed()
            for kind, ear in self._ears.items():
                with told():
                    if ear.wanted() and kind not in heard:
                        heard[kind] = await self._subscribed(client, kind, ear)
                    elif kind in heard and not ear.wanted():
                        await heard.pop(kind).unsubscribe()
            await asyncio.sleep(LOOK)

    async def _subscribed(self, client: Client, kind: Kind, ear: _Ear) -> Subscription:
        async def take(message: Msg) -> None:
            self._take_in(ear, message)

        return await client.subscribe(
            f"{self._cluster}.{kind}.>",
            cb=take,
            pending_msgs_limit=HEARD_WAITING,
            pending_bytes_limit=HEARD_BYTES,
        )

    def _take_in(self, ear: _Ear, message: Msg) -> None:
        try:
            document = json.loads(message.data)
            replica, stream = document.pop("replica"), document["stream"]
            document.pop("epoch")
            if message.subject.rpartition(".")[2] != key_of(stream) or not isinstance(replica, str):
                raise ValueError(stream)
        except (ValueError, LookupError, TypeError, AttributeError):
            self.unreadable += 1
            return
        if replica != self._me:
            ear.tell(stream, replica, document)

    # ---- said

    def _away(self, away: NatsAway) -> None:
        if not self._is_away:
            log.info("detections and events are told to nobody by NATS: %s", away)
        self._is_away = True

    def _here(self) -> None:
        if self._is_away:
            log.info("detections and events are told by NATS again")
        self._is_away = False


async def _ended(closed: asyncio.Event) -> None:
    await closed.wait()
    raise NatsAway("the connection was lost")
