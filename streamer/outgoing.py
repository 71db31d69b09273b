"""Who is told, as the configuration has it: a sender for each webhook and for the broker.

Nothing of it is imported where the configuration names none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from ipaddress import ip_network
from typing import TYPE_CHECKING, Protocol

from streamer.config import Config
from streamer.config.mqtt import MqttSettings
from streamer.config.outlets import MQTT
from streamer.config.webhook import WebhookSettings
from streamer.outlets.news import Look, Orders
from streamer.source.allowed_destinations import EVERYWHERE, AllowedDestinations, Resolve, resolve
from streamer.values.alert import Telling
from streamer.values.clock import Clock
from streamer.values.ending import ended
from streamer.values.outlet import OutletState
from streamer.values.supervision import PAUSE, supervise

if TYPE_CHECKING:
    from streamer.outlets.outbox import Outbox
    from streamer.outlets.webhook.letter import PictureLinks

PictureLinksOf = Callable[[str, str, str], Awaitable[tuple[str, str, int] | None]]
"""Takes outlet, stream and event, gives links to picture and thumbnail from their paths on, and when they end."""


class Remote(Look, Orders, Protocol):
    """What a broker is shown, and who obeys it."""


class Outlet(Protocol):
    """One that runs."""

    @property
    def state(self) -> OutletState:
        """How it fares."""

    async def run(self) -> None:
        """Tell it what there is to tell, until cancelled."""

    async def test(self) -> None:
        """Tell it something now.

        Raises:
            Undelivered: why that did not reach it.
            Overloaded: it is being done already.
        """


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the configuration says of one, and what makes it."""

    said: object
    make: Callable[[], Outlet]


async def _no_links(*_: str) -> None:
    return None


class Outgoing:
    """One service's."""

    def __init__(
        self,
        config: Config,
        outbox: "Outbox | None",
        *,
        clock: Clock,
        wall: Clock,
        links_of: PictureLinksOf = _no_links,
        on_restart: Callable[[str], None] = lambda _: None,
        remote: Remote | None = None,
        resolver: Resolve = resolve,
        runs: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Tell nobody yet.

        Args:
            config: in force.
            outbox: what is to be told; None: nothing is kept, and nobody told.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            links_of: makes links to pictures.
            on_restart: told the name of a task that ended in a way nobody foresaw.
            remote: what a broker is shown of streams, and who obeys it; None: there is no broker.
            resolver: knows the addresses of names.
            runs: whether an outlet is ours to tell, by its name: of several replicas one does. `look` when it changes.
        """
        self._outbox, self._clock, self._wall = outbox, clock, wall
        self._links_of, self._on_restart, self._resolver = links_of, on_restart, resolver
        self._remote, self._is_ours = remote, runs
        self._changing, self._changed = asyncio.Lock(), asyncio.Event()
        self._said: dict[str, object] = {}
        self._outlets: dict[str, Outlet] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._runs = False
        for name, wanted in self._wanted(config).items():
            self._said[name], self._outlets[name] = wanted.said, wanted.make()

    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs for as long as the service lives, by name."""
        return {} if self._outbox is None else {"outlets": self.run}

    def states(self) -> tuple[OutletState, ...]:
        """How each fares, in order of their names; the broker last."""
        return tuple(outlet.state for outlet in self._outlets.values())

    def running(self) -> frozenset[str]:
        """Names of those that are told from here."""
        return frozenset(name for name in self._outlets if self._is_ours(name))

    def look(self) -> None:
        """Others may be ours to tell than before; never waits."""
        self._changed.set()

    async def test(self, outlet: str) -> None:
        """Tell an outlet something now.

        Raises:
            KeyError: there is none of that name.
            Undelivered: why that did not reach it.
            Overloaded: it is being done already.
        """
        await self._outlets[outlet].test()

    async def run(self) -> None:
        """Have each outlet told, by a task of its own, until cancelled."""
        self._runs = True
        try:
            while True:
                self._changed.clear()
                async with self._changing:
                    await self._settle()
                await self._changed.wait()
        finally:
            self._runs = False
            await self._end(*self._tasks)

    async def _settle(self) -> None:
        """Have those told that are ours, and no others."""
        ours = self.running()
        await self._end(*(self._tasks.keys() - ours))
        for name in ours - self._tasks.keys():
            self._begin(name, self._outlets[name])

    async def reconfigure(self, config: Config) -> None:
        """Tell those that it says from now on; one of which it says the same goes on as it was."""
        async with self._changing:
            await self._reconfigured(config)

    async def _reconfigured(self, config: Config) -> None:
        wanted = self._wanted(config)
        gone = [name for name, said in self._said.items() if name not in wanted or wanted[name].said != said]
        await self._end(*gone)
        for name in gone:
            del self._said[name], self._outlets[name]
        for name in wanted.keys() - self._outlets.keys():
            self._said[name], self._outlets[name] = wanted[name].said, wanted[name].make()
        self._outlets = {name: self._outlets[name] for name in wanted}
        if self._runs:
            await self._settle()

    def _begin(self, name: str, outlet: Outlet) -> None:
        task = f"outlet {name}"
        running = supervise(task, outlet.run, pause=PAUSE, on_restart=lambda: self._on_restart(task))
        self._tasks[name] = asyncio.create_task(running, name=task)

    async def _end(self, *names: str) -> None:
        tasks = [self._tasks.pop(name) for name in names if name in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(ended(task.get_name(), task) for task in tasks))

    # ---- made

    def _wanted(self, config: Config) -> Mapping[str, _Wanted]:
        if self._outbox is None:
            return {}
        base = config.server.public_url
        wanted = {
            name: _Wanted((settings, base), partial(self._webhook, name, settings, base, self._outbox))
            for name, settings in sorted(config.webhooks.items())
        }
        if config.mqtt is not None and self._remote is not None:
            make = partial(self._mqtt, config.mqtt, base, self._outbox, self._remote)
            wanted[MQTT] = _Wanted((config.mqtt, base), make)
        return wanted

    def _mqtt(self, settings: MqttSettings, base: str | None, outbox: "Outbox", remote: Remote) -> Outlet:
        from streamer.outlets.mqtt.broker import Broker, Tls
        from streamer.outlets.mqtt.outlet import MqttOutlet, Options

        tls = settings.tls
        broker = Broker(
            settings.host,
            settings.port,
            settings.user,
            settings.password,
            Tls(tls.ca, tls.cert, tls.key) if settings.is_secure else None,
        )
        options = Options(
            settings.prefix,
            settings.pictures,
            settings.discovery,
            settings.commands,
            version("sightline"),
            None if base is None else base.rstrip("/"),
        )
        return MqttOutlet(MQTT, broker, options, outbox, look=remote, orders=remote, clock=self._clock, wall=self._wall)

    def _webhook(self, name: str, settings: WebhookSettings, base: str | None, outbox: "Outbox") -> Outlet:
        from streamer.outlets.delivery import Delivery
        from streamer.outlets.webhook.signature import key_of
        from streamer.outlets.webhook.webhook import Receiver, Webhook

        base = None if base is None else base.rstrip("/")
        receiver = Receiver(
            settings.url,
            None if settings.secret is None else key_of(settings.secret),
            settings.recipe,
            settings.form,
            "" if settings.chat is None else str(settings.chat),
            base,
        )
        webhook = Webhook(
            receiver,
            destinations(settings, self._resolver).addresses,
            partial(self._links, name, base or ""),
            self._wall,
        )
        return Delivery(
            name,
            webhook,
            outbox,
            kind="webhook",
            place=receiver.place,
            recipe=settings.recipe,
            clock=self._clock,
            wall=self._wall,
        )

    async def _links(self, outlet: str, base: str, stream: str, event: str) -> "PictureLinks | None":
        from streamer.outlets.webhook.letter import PictureLinks

        links = await self._links_of(outlet, stream, event)
        return None if links is None else PictureLinks(base + links[0], base + links[1], links[2])


def destinations(settings: WebhookSettings, resolver: Resolve = resolve) -> AllowedDestinations:
    """Where a webhook may be: of special addresses, loopback's among them, only those that are named."""
    networks = EVERYWHERE if settings.networks is None else tuple(map(ip_network, settings.networks))
    return AllowedDestinations(frozenset({"http", "https"}), networks, resolver)


def telling(config: Config) -> Telling:
    """What the configuration says is told to whom. The broker has a switch for each rule, which must go off again."""
    rules = tuple(settings.value(name) for name, settings in config.alerts.items())
    broker = () if config.mqtt is None else (MQTT,)
    return Telling(rules, all_events=broker if config.mqtt is not None and config.mqtt.events else (), all_ends=broker)
