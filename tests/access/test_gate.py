"""streamer.access.gate: who shows what, by what is known at that moment."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.accounts import Accounts, Session, Token, User
from streamer.access.action import Action, Role
from streamer.access.credential import NOTHING, Credential, ProxyWord, digest
from streamer.access.gate import Gate, GateRules
from streamer.access.principal import Grant, Principal

NOW = 1_000.0
VIEW = frozenset({Action.VIEW})
ANNA = Credential(session=digest("cookie"))
SCRAPE = Credential(token=digest("scrape"))
VERA = Credential(proxy=ProxyWord("vera", ("guards",)))
FULL = (
    Accounts()
    .with_user(User("anna", Role.VIEWER, ("a",)))
    .with_session(Session(digest("cookie"), "1", "anna", 0.0, NOW + 1))
    .with_token(Token("1", "scrape", digest("scrape"), frozenset({Action.METRICS}), expires_at=NOW + 1))
)
RULES = GateRules(is_open=False, groups={"guards": Grant(VIEW, ("b",))})


def gate(accounts: Accounts = FULL, rules: GateRules = RULES, now: float = NOW) -> Gate:
    """One at that moment."""
    return Gate(rules, lambda: accounts, lambda: now)


@pytest.mark.parametrize(
    ("credential", "kind", "name", "actions"),
    [
        (NOTHING, "nobody", "nobody", set()),
        (ANNA, "user", "anna", {Action.VIEW}),
        (SCRAPE, "token", "token scrape", {Action.METRICS}),
        (VERA, "proxy", "vera", {Action.VIEW}),
        (replace(SCRAPE, session=ANNA.session, proxy=VERA.proxy), "token", "token scrape", {Action.METRICS}),
        (replace(ANNA, proxy=VERA.proxy), "user", "anna", {Action.VIEW}),
        (Credential(token=digest("of the proxy's own"), proxy=VERA.proxy), "proxy", "vera", {Action.VIEW}),
        (Credential(token=digest("unknown"), session=ANNA.session), "nobody", "nobody", set()),
        (Credential(session=digest("unknown"), proxy=VERA.proxy), "proxy", "vera", {Action.VIEW}),
        (Credential(proxy=ProxyWord("vera", ("cooks",))), "proxy", "vera", set()),
    ],
)
def test_the_first_that_is_there_counts(credential: Credential, kind: str, name: str, actions: set[Action]) -> None:
    """A token, then a session, then the proxy's word; an unknown token counts too, unless a proxy sent it along."""
    principal = gate().principal(credential)
    assert (str(principal.kind), principal.name) == (kind, name)
    assert principal.actions == actions


@pytest.mark.parametrize("credential", [ANNA, SCRAPE])
def test_at_its_end_it_shows_nothing(credential: Credential) -> None:
    """Sessions and tokens count until the moment they end at, and not in it."""
    assert gate(now=NOW + 0.999).principal(credential).kind in ("user", "token")
    assert gate(now=NOW + 1).principal(credential) == Principal("nobody", "nobody")


def test_nobody_is_worse_off_for_having_said_who_he_is() -> None:
    """What anybody may, everybody may beside his own; but not who shows a token that is unknown."""
    anybody = gate(rules=replace(RULES, anonymous=VIEW))
    for credential in (NOTHING, ANNA, SCRAPE, VERA):
        assert anybody.principal(credential).may(Action.VIEW, "whatever")
    assert anybody.principal(Credential(token=digest("unknown"))).actions == set()


def test_an_open_door_is_shut_by_the_first_user() -> None:
    """Where nobody is asked, all may be done but administering, and what the configuration's tokens are the key to."""
    publisher = Principal("token", "token ingress.token", (Grant(frozenset({Action.PUBLISH})),))
    keys: Mapping[str, Principal] = {digest("key"): publisher}
    rules = GateRules(is_open=True)
    assert gate(Accounts(), rules).principal(NOTHING).actions == set(Action) - {Action.ADMINISTER}
    guarded = gate(Accounts(), replace(rules, configured_tokens=keys))
    assert guarded.principal(NOTHING).actions == set(Action) - {Action.ADMINISTER, Action.PUBLISH}
    assert guarded.principal(Credential(token=digest("key"))).may(Action.PUBLISH, "drone")
    assert guarded.keys_to(Action.PUBLISH) == ("ingress.token",)
    assert gate(FULL, rules).principal(NOTHING) == Principal("nobody", "nobody")


@given(st.lists(st.sampled_from(["a", "b", "line-1", "*", "line-*", "?"])), st.sampled_from(["a", "c", "line-2"]))
def test_a_grant_covers_what_one_of_its_patterns_does(patterns: list[str], stream: str) -> None:
    """One may to a stream what one of the patterns allows; everywhere only by the pattern of all."""
    principal = Principal("user", "anna", (Grant(VIEW, tuple(patterns)),))
    covered = "*" in patterns or stream in patterns or ("line-*" in patterns and "-" in stream)
    assert principal.sees(stream) is (covered or ("?" in patterns and len(stream) == 1))
    assert principal.may_everywhere(Action.VIEW) is ("*" in patterns)
    assert not principal.may(Action.OPERATE, stream)
