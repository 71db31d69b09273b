"""The gate: what a request shows becomes a principal, by what is known at that moment.

Asked again with the same credential it may answer otherwise: a token is removed, a session ends, a role changes. What
lasts longer than a request asks again (streamer/http/admissions.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from streamer.access.accounts import Accounts
from streamer.access.action import Action
from streamer.access.credential import Credential, LinkSeal
from streamer.access.link import grants_of_maker, of_outlet, shown_by
from streamer.access.principal import EVERY_STREAM, Grant, Principal


@dataclass(frozen=True, slots=True)
class GateRules:
    """The part of it that the configuration decides."""

    is_open: bool
    """Nobody is asked who he is, as long as there are no users: only on loopback, and without a section `access`."""
    anonymous: frozenset[Action] = frozenset()
    """What anybody may on every stream."""
    configured_tokens: Mapping[str, Principal] = field(default_factory=dict)
    """By digest: `ingress.token` and `api_streams.token`, from before tokens had scopes."""
    groups: Mapping[str, Grant] = field(default_factory=dict)
    """What a trusted proxy's or OpenID Connect's groups mean here."""
    users_of_proxy: Grant | None = None
    """What whoever a proxy names may without any of these groups; None: nothing."""
    session_seconds: float = 12 * 3600.0
    """How long what a proxy said of somebody counts for what lasts longer than its request."""
    user_header: str | None = None
    """In which a trusted proxy names him; None: none is asked."""
    groups_header: str = ""
    """In which it names his groups, with commas between."""
    outlets: frozenset[str] = frozenset()
    """Who is sent links to pictures, which lead there for as long as he is told of things at all."""


class Gate:
    """One service's."""

    def __init__(self, rules: GateRules, accounts: Callable[[], Accounts], wall: Callable[[], float]) -> None:
        """Decide by these.

        Args:
            rules: of the configuration; may be replaced while it runs.
            accounts: the document in force.
            wall: seconds since 1970, UTC, by which sessions and tokens end.
        """
        self.rules = rules
        self._accounts = accounts
        self._wall = wall

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked who he is."""
        return self.rules.is_open and not self._accounts().users

    def principal(self, credential: Credential) -> Principal:
        """Who shows this. What is unknown or has ended shows nothing; but who shows a token that is, may nothing.

        He is to be told, whatever anybody may: a program goes on for months without noticing otherwise. Where nobody is
        asked who he is, a token too many does no harm.
        """
        if credential.passed is not None:
            return credential.passed
        found = self._found(credential)
        if found is not None:
            return found.with_grants(self._for_anybody())
        if credential.token is not None and not self.is_open:
            return Principal("nobody", "nobody")
        return self._nobody()

    def keys_to(self, action: Action) -> tuple[str, ...]:
        """The configuration's tokens that are there for this, by the names of their keys."""
        if action is Action.VIEW:  # which one of them brings with it
            return ()
        tokens = self.rules.configured_tokens.values()
        return tuple(each.name.removeprefix("token ") for each in tokens if action in each.actions)

    def of_groups(self, groups: Sequence[str]) -> tuple[Grant, ...]:
        """What somebody of these groups may."""
        return tuple(self.rules.groups[group] for group in groups if group in self.rules.groups)

    def _found(self, credential: Credential) -> Principal | None:
        now, accounts = self._wall(), self._accounts()
        if credential.token is not None:
            if credential.token in self.rules.configured_tokens:
                return self.rules.configured_tokens[credential.token]
            token = accounts.tokens.get(credential.token)
            if token is not None and (token.expires_at is None or token.expires_at > now):
                return Principal("token", f"token {token.name}", (token.grant,))
            if credential.proxy is None:  # some (oauth2-proxy) send a token of their own beside their word
                return None
        if credential.link is not None and (shown := self._by_link(credential.link)) is not None:
            return shown
        if credential.session is not None:
            session = accounts.sessions.get(credential.session)
            if session is not None and session.expires_at > now:
                if session.grants is not None:
                    return Principal("user", session.user, session.grants)
                user = accounts.users.get(session.user)
                if user is not None:
                    return Principal("user", user.name, (user.grant,))
        if credential.proxy is not None:
            grants = self.of_groups(credential.proxy.groups)
            if not grants and self.rules.users_of_proxy is not None:
                grants = (self.rules.users_of_proxy,)
            return Principal("proxy", credential.proxy.user, grants)
        return None

    def _by_link(self, seal: LinkSeal) -> Principal | None:
        """Who shows a link: he sees one stream, if who made it still does; the path that he asked for is the link's."""
        now, accounts = self._wall(), self._accounts()
        stream = shown_by(seal, accounts.link_key, now)
        if stream is None:
            return None
        made_for = any(seal.by == of_outlet(name) for name in self.rules.outlets)
        grants = (Grant(frozenset({Action.VIEW})),) if made_for else grants_of_maker(seal.by, accounts, now)
        maker = Principal("link", f"link of {seal.by}", grants)
        if not maker.with_grants(self._for_anybody()).sees(stream):
            return None
        return Principal("link", maker.name, (Grant(frozenset({Action.VIEW}), (stream,)),))

    def _nobody(self) -> Principal:
        return Principal("open" if self.is_open else "nobody", "nobody", self._for_anybody())

    def _for_anybody(self) -> tuple[Grant, ...]:
        """Nobody is worse off for having said who he is."""
        given = self.rules.anonymous
        if self.is_open:
            # Users are made by who has the machine: through an open door a stranger could lock out its owner.
            given = given | {Action.VIEW, Action.PUBLISH, Action.OPERATE, Action.METRICS} - self._asked_for_a_token()
        return (Grant(given, EVERY_STREAM),) if given else ()

    def _asked_for_a_token(self) -> frozenset[Action]:
        """What `ingress.token` and `api_streams.token` are the key to."""
        return frozenset[Action]().union(*(each.actions for each in self.rules.configured_tokens.values())) - {
            Action.VIEW
        }
