"""The broker as an outlet: a connection that is made again whenever it is lost, and what is told over it.

Two ways lead to the broker. Notifications come from the outbox, in order, and are gone from it once the broker has
acknowledged them: those of an hour without a broker are told when it is back. What streams and rules are doing is held
by topic, the newest alone, and told anew with each connection.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace

import aiomqtt

from streamer.outlets.delivery import Delivery
from streamer.outlets.mqtt.board import Board
from streamer.outlets.mqtt.broker import Broker
from streamer.outlets.mqtt.client import BrokerAway, Client, PublishRefused
from streamer.outlets.mqtt.commands import Commands
from streamer.outlets.mqtt.discovery import Discovery
from streamer.outlets.mqtt.letter import payload_of, topic_of
from streamer.outlets.mqtt.pictures import Pictures
from streamer.outlets.mqtt.remarks import Remarks
from streamer.outlets.mqtt.session import OFFLINE, Session
from streamer.outlets.mqtt.topics import Topics
from streamer.outlets.news import Look, Orders
from streamer.outlets.outbox import Outbox
from streamer.outlets.sender import Undelivered, Unwelcome
from streamer.values.clock import Clock
from streamer.values.ending import heed
from streamer.values.errands import Errands
from streamer.values.errors import ConfigError
from streamer.values.event import Picture
from streamer.values.mishaps import Mishaps
from streamer.values.notification import Notification
from streamer.values.outlet import OutletState
from streamer.values.task_group import together

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds from one look at streams and rules to the next: nothing is told more often of them."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds from a connection's end to the next attempt; doubled with each that comes to nothing."""
LASTING = 10.0
"""Seconds after which a connection has come to something."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is told, and heard."""

    prefix: str = "sightline"
    """Of all topics."""
    pictures: float | None = None
    """Seconds from one picture of a stream to the next; None: none."""
    discovery: str | None = None
    """Prefix of Home Assistant's discovery; None: it is not told."""
    commands: bool = False
    """Take commands."""
    software: str = "0"
    """Our version."""
    base: str | None = None
    """Where browsers find the page, without a slash at its end; None: nobody said."""


class MqttOutlet:
    """One broker's."""

    wants_picture = False
    """With a notification: pictures have topics of their own."""

    def __init__(
        self,
        name: str,
        broker: Broker,
        options: Options,
        outbox: Outbox,
        *,
        look: Look,
        orders: Orders,
        clock: Clock,
        wall: Clock,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """Connect nowhere yet.

        Args:
            name: the outlet's.
            broker: where it is.
            options: what is told.
            outbox: notifications.
            look: where the state of streams is had from.
            orders: who does what commands say.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            dice: gives 0 to 1.
        """
        self._broker, self._options, self._look = broker, options, look
        self._clock, self._wall, self._dice = clock, wall, dice
        self._topics = topics = Topics(options.prefix)
        self._discovery = None
        if options.discovery is not None:
            self._discovery = Discovery(
                options.discovery,
                topics,
                options.software,
                pictures=options.pictures is not None,
                commands=options.commands,
            )
        self._board = Board(topics, self._discovery, clock)
        self._pictures = None
        if options.pictures is not None:
            self._pictures = Pictures(topics, look, outbox, options.pictures, clock)
        self._commands = Commands(topics, orders, clock) if options.commands else None
        self._delivery = Delivery(name, self, outbox, kind="mqtt", place=broker.host, clock=clock, wall=wall, dice=dice)
        self._refused = Remarks("the broker refused", clock)
        self._unseen = Mishaps("mqtt: what streams are doing cannot be seen", clock=clock)
        self._connecting = Errands(2, "mqtt")
        self._client: Client | None = None
        """While there is a connection."""
        self._why: str | None = "it has not been connected yet"
        """There is none."""
        self._tried = asyncio.Event()
        """A connection was made, or could not be."""
        self._away_since: float | None = None
        """UTC; None: there is one, or the first is being made."""
        self._pause = FIRST_PAUSE

    @property
    def state(self) -> OutletState:
        """How it fares, the connection with it: nobody need be told anything for that to matter."""
        ignored = 0 if self._commands is None else self._commands.ignored
        state = replace(self._delivery.state, ignored=ignored)
        if self._away_since is None or self._why is None or state.status != "ok":
            return state
        return replace(state, status="failing", failing_since=self._away_since, error=self._why)

    async def test(self) -> None:
        """Tell it something that says it is a test.

        Raises:
            Undelivered: why it has it not.
        """
        await self._delivery.test()

    async def run(self) -> None:
        """Until cancelled."""
        self._take_in()
        parts = [self._deliver(), self._watch(), self._stay_connected()]
        if self._commands is not None:
            parts.append(self._commands.run())
        await together(*parts)

    async def _deliver(self) -> None:
        await self._tried.wait()  # what waits at the start would fail at a broker that nobody has asked yet
        await self._delivery.run()

    async def send(self, notification: Notification, picture: Picture | None) -> None:
        """Publish a notification; returns once the broker has it.

        Raises:
            Undelivered: it has it not, or nobody knows.
        """
        client = self._client
        if client is None:
            raise Undelivered(self._why or "it is being connected")
        payload = payload_of(notification, self._options.base)
        if client.is_too_large(topic_of(notification, self._topics), payload):
            raise Unwelcome(f"{len(payload)} bytes are more than it takes")
        try:
            await client.tell(topic_of(notification, self._topics), payload)
        except (BrokerAway, PublishRefused) as error:
            raise Undelivered(str(error)) from None
        self._was_told(notification)

    def _was_told(self, notification: Notification) -> None:
        event = notification.event.get("id")
        if not isinstance(event, str):
            return
        if notification.rule is not None and notification.kind == "alert":
            self._board.met(notification.rule, event)
        elif notification.rule is not None:
            self._board.over(notification.rule, event)
        if self._pictures is not None and notification.kind != "alert_ended":
            self._pictures.of_event(notification.stream, event)

    # ---- what is held

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self._take_in()

    def _take_in(self) -> None:
        with self._unseen:
            streams = self._look.streams()
            if streams is not None:
                self._board.update(streams, self._look.rules())

    # ---- the connection

    async def _stay_connected(self) -> None:
        while True:
            began_at = self._clock()
            try:
                await self._connected()
            except (BrokerAway, ConfigError) as error:
                heed()
                self._lost(str(error))
            if self._clock() - began_at > LASTING:
                self._pause = FIRST_PAUSE
            await asyncio.sleep(self._pause * (0.5 + self._dice() / 2))
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _connected(self) -> None:
        """One connection.

        Raises:
            BrokerAway: it is lost, or there was none.
            ConfigError: TLS's files cannot be used.
        """
        context: ssl.SSLContext | None = None
        if self._broker.tls is not None:
            context = await self._connecting.run(self._broker.tls.context)
        will = aiomqtt.Will(self._topics.status, OFFLINE, qos=1, retain=True)
        client = Client(
            self._broker, context, identifier=self._topics.identifier, will=will, connecting=self._connecting
        )
        async with client:
            session = Session(
                client,
                self._topics,
                self._board,
                self._pictures,
                held=self._topics.held + (() if self._discovery is None else (self._discovery.held,)),
                on_command=None if self._commands is None else self._commands.put,
                refused=self._refused,
            )
            await session.begin()
            self._made(client)
            try:
                await session.run()
            finally:
                self._client = None
                await session.end()

    def _made(self, client: Client) -> None:
        log.info("mqtt: connected to %s", self._broker.place)
        self._client, self._why, self._away_since = client, None, None
        self._tried.set()
        self._delivery.retry_now()

    def _lost(self, why: str) -> None:
        """Said once an outage, and again where it comes to be for another reason."""
        if why != self._why:
            log.warning("mqtt: %s: %s; it is tried again and again", self._broker.place, why)
        if self._away_since is None:
            self._away_since = self._wall()
        self._why = why
        self._tried.set()
