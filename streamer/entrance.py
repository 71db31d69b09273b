"""Who may come in, as the configuration in force has it: the gate and its rules, and what signing in is made of."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from streamer.access.action import Action, Role
from streamer.access.attempts import Attempts
from streamer.access.audit import Audit
from streamer.access.credential import digest
from streamer.access.gate import Gate, GateRules
from streamer.access.json_fetch import JsonFetch
from streamer.access.link import LONGEST_SECONDS, address_of, of_outlet, sealed, to_event, with_link_key
from streamer.access.password import Passwords
from streamer.access.pending import PendingSignIns
from streamer.access.principal import Grant, Principal
from streamer.access.provider import Client, Provider
from streamer.access.store import Store
from streamer.access.token_uses import TokenUses
from streamer.config import AccessSettings, Config, OidcSettings, audit_path, store_path
from streamer.http.access_keys import AccessParts
from streamer.http.sign_on import SignOn
from streamer.values.clock import Clock
from streamer.values.errors import ConfigError, Refused
from streamer.values.host import is_loopback


class Entrance:
    """One service's."""

    def __init__(self, config: Config, path: Path | None, *, clock: Clock, wall: Clock = time.time) -> None:
        """Read who may come in. Blocks.

        Args:
            config: in force.
            path: the file it stands in, beside which users are kept; None: they are kept nowhere.
            clock: monotonic seconds.
            wall: seconds since 1970, UTC.

        Raises:
            ConfigError: the file of users cannot be read or understood, or `access.oidc.tls.ca` cannot be used.
        """
        access = config.access or AccessSettings()
        kept = store_path(config.access, path)
        self.store = Store(kept, wall)
        self.store.read()
        self.audit = Audit(None if kept is None else audit_path(kept), wall)
        self.gate = Gate(rules(config), lambda: self.store.accounts, wall)
        self.sign_on = None if access.oidc is None else sign_on(access.oidc, clock)
        self.parts = AccessParts(
            self.store,
            Passwords(),
            Attempts(clock),
            self.audit,
            TokenUses(self.store, wall),
            access.session_hours * 3600.0,
            wall,
        )

    async def picture_links(self, outlet: str, stream: str, event: str) -> tuple[str, str, int] | None:
        """Links to an event's picture and thumbnail, from their paths on, and when they end: a day at the most.

        They are an outlet's own, and end with it.

        Returns:
            None: there can be none now, since what they are sealed with cannot be kept.
        """
        accounts = self.store.accounts
        if not accounts.link_key:
            try:
                accounts = await self.store.change(with_link_key)
            except Refused:  # the store says why in the log
                return None
        until = int(self.parts.wall()) + LONGEST_SECONDS
        by, key = of_outlet(outlet), accounts.link_key
        image, thumbnail = (address_of(sealed(path, until, by, key)) for path in to_event(event, stream))
        return image, thumbnail, until

    def reconfigure(self, config: Config) -> None:
        """Decide by this from now on. What was closed opens with the next start alone: a file may be half written."""
        now = rules(config)
        self.gate.rules = replace(now, is_open=now.is_open and self.gate.rules.is_open)


def require_a_door(config: Config, entrance: Entrance) -> None:
    """Check that whoever reaches us from elsewhere is asked who he is, or that somebody wants it otherwise.

    Raises:
        ConfigError: there are no users, and nothing is said.
    """
    if is_loopback(config.server.host) or config.access is not None or entrance.store.accounts.users:
        return
    raise ConfigError(
        f"server.host is {config.server.host}, and whoever reaches it would see and change everything: make a user with"
        " `sightline user add NAME --role admin`, or let anybody watch with `access: {anonymous: [view]}` in the"
        " configuration"
    )


def rules(config: Config) -> GateRules:
    """What the configuration says of who may what."""
    access = config.access or AccessSettings()
    groups = {name: Grant(Role(group.role).actions, tuple(group.streams)) for name, group in access.groups.items()}
    proxy = access.proxy
    default = None if proxy is None or proxy.default_role is None else Grant(Role(proxy.default_role).actions)
    return GateRules(
        is_open=config.access is None and is_loopback(config.server.host),
        anonymous=frozenset(map(Action, access.anonymous)),
        configured_tokens=_configured_tokens(config),
        groups=groups,
        users_of_proxy=default,
        user_header=None if proxy is None else proxy.user_header,
        groups_header="" if proxy is None else proxy.groups_header,
        session_seconds=access.session_hours * 3600.0,
        outlets=frozenset(name for name, webhook in config.webhooks.items() if webhook.form == "link"),
    )


def sign_on(oidc: OidcSettings, clock: Clock) -> SignOn:
    """Signing in at a provider, of which nothing is asked before somebody does. Blocks where a file is named.

    Raises:
        ConfigError: it cannot be used.
    """
    client = Client(
        oidc.issuer,
        oidc.client_id,
        oidc.client_secret,
        tuple(oidc.scopes),
        (oidc.name_claim, oidc.groups_claim),
    )
    default = None if oidc.default_role is None else Grant(Role(oidc.default_role).actions)
    provider = Provider(client, JsonFetch(_trusting(oidc.tls.ca)), clock)
    return SignOn(provider, PendingSignIns(clock), oidc.name, oidc.name_claim, oidc.groups_claim, default)


def _trusting(ca: str | None) -> ssl.SSLContext | None:
    try:
        return None if ca is None else ssl.create_default_context(cafile=ca)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror
        raise ConfigError(
            f"access.oidc.tls.ca: {ca} cannot be used ({reason}); it must be certificates in PEM"
        ) from None


def _configured_tokens(config: Config) -> Mapping[str, Principal]:
    """`ingress.token` and `api_streams.token`, which may be the same, by digest."""
    found: dict[str, Principal] = {}
    for key, token, actions in (
        ("ingress.token", config.ingress.token, {Action.PUBLISH}),
        ("api_streams.token", config.api_streams.token, {Action.VIEW, Action.OPERATE}),
    ):
        if token is not None:
            grants = (Grant(frozenset(actions)),)
            earlier = found.get(digest(token))
            found[digest(token)] = (
                Principal("token", f"token {key}", grants) if earlier is None else earlier.with_grants(grants)
            )
    return found
