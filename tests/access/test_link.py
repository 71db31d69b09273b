"""streamer.access.link: a signed link leads to one picture, for a while, for as long as who made it may see it."""

from dataclasses import replace
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.accounts import Accounts, Session, Token, User
from streamer.access.action import Action, Role
from streamer.access.credential import Credential, LinkSeal
from streamer.access.gate import Gate, GateRules
from streamer.access.link import (
    LONGEST_SECONDS,
    address_of,
    grants_of_maker,
    of_outlet,
    of_token,
    sealed,
    shown_by,
    stream_of,
    target_of,
    to_event,
)
from streamer.access.principal import Grant
from streamer.values.name import NAME
from tests.peers.clock import FakeClock

KEY = "ab" * 32
NOW = 1_800_000_000
PATH = "/api/streams/porch/frame.jpg"
VIEW = frozenset({Action.VIEW})

TEXTS = st.text(max_size=30) | st.text('anx"\\[], \n0123', max_size=30)


@given(st.from_regex(NAME, fullmatch=True), st.integers(1, LONGEST_SECONDS), TEXTS)
def test_a_link_leads_to_its_picture(stream: str, seconds: int, by: str) -> None:
    """Whatever stream and maker are called, what its address carries opens the picture until then, and not after."""
    seal = sealed(f"/api/streams/{stream}/frame.jpg", NOW + seconds, by, KEY)
    address = urlsplit(address_of(seal))
    query = {key: value for key, [value] in parse_qs(address.query, keep_blank_values=True).items()}
    read = LinkSeal(address.path, int(query["until"]), query["by"], query["signature"])
    assert read == seal
    assert shown_by(read, KEY, NOW) == stream
    assert shown_by(read, KEY, NOW + seconds) is None


@given(st.data(), TEXTS)
def test_no_other_path_time_or_maker_has_its_signature(data: st.DataObject, by: str) -> None:
    """A seal of which anything was changed opens nothing, nor does one of another service."""
    seal = sealed(PATH, NOW + 60, by, KEY)
    changed = data.draw(
        st.one_of(
            st.builds(replace, st.just(seal), path=st.just("/api/streams/yard/frame.jpg") | TEXTS),
            st.builds(replace, st.just(seal), until=st.integers(0, 10**12)),
            st.builds(replace, st.just(seal), by=TEXTS),
            st.builds(replace, st.just(seal), signature=TEXTS | st.just(seal.signature.upper())),
        )
    )
    assert (shown_by(changed, KEY, NOW) is not None) == (changed == seal)
    assert shown_by(seal, "cd" * 32, NOW) is None
    assert shown_by(seal, "", NOW) is None


@given(st.floats(0, 99_999_999_999), st.floats(0, 99_999_999_999), st.integers(1, LONGEST_SECONDS), TEXTS)
def test_a_link_leads_to_a_span_too(began: float, ended: float, seconds: int, by: str) -> None:
    """What a clip's address carries is the span it was signed for, and opens it; so does no other span."""
    path = "/api/streams/porch/recordings/clip.mp4"
    seal = sealed(f"{path}?from={began:.3f}&to={ended:.3f}", NOW + seconds, by, KEY)
    address = urlsplit(address_of(seal))
    query = {key: value for key, [value] in parse_qs(address.query, keep_blank_values=True).items()}
    read = LinkSeal(target_of(address.path, query), int(query["until"]), query["by"], query["signature"])
    assert read == seal
    assert shown_by(read, KEY, NOW) == "porch"
    other = replace(read, path=target_of(address.path, query | {"to": f"{ended + 1:.3f}"}))
    assert shown_by(other, KEY, NOW) is None


EVENT = "019ad000-0000-7000-8000-000000000001"


@given(st.from_regex(NAME, fullmatch=True), st.integers(1, LONGEST_SECONDS), TEXTS)
def test_a_link_leads_to_an_events_picture(stream: str, seconds: int, by: str) -> None:
    """It says of which stream the event is; said otherwise it opens nothing."""
    for path in to_event(EVENT, stream):
        seal = sealed(path, NOW + seconds, by, KEY)
        address = urlsplit(address_of(seal))
        query = {key: value for key, [value] in parse_qs(address.query, keep_blank_values=True).items()}
        read = LinkSeal(target_of(address.path, query), int(query["until"]), query["by"], query["signature"])
        assert read == seal
        assert shown_by(read, KEY, NOW) == stream
        other = replace(read, path=target_of(address.path, query | {"stream": f"{stream}x"}))
        assert shown_by(other, KEY, NOW) is None


def test_an_outlets_link_ends_with_the_outlet() -> None:
    """Nobody made it who could lose a right: it shows one stream for as long as that outlet is sent links at all."""
    accounts = Accounts(link_key=KEY)
    gate = Gate(GateRules(is_open=False, outlets=frozenset({"phone"})), lambda: accounts, FakeClock(NOW))
    path, _ = to_event(EVENT, "porch")
    shown = Credential(link=sealed(path, NOW + 60, of_outlet("phone"), KEY))
    principal = gate.principal(shown)
    assert (principal.kind, principal.actions, principal.sees("porch"), principal.sees("yard")) == (
        "link", VIEW, True, False,
    )  # fmt: skip
    other = Credential(link=sealed(path, NOW + 60, of_outlet("other"), KEY))
    assert not gate.principal(other).sees("porch")
    gate.rules = GateRules(is_open=False)
    assert not gate.principal(shown).sees("porch")


def test_what_one_part_ends_with_is_not_the_beginning_of_the_next() -> None:
    """Two links whose parts are the same letters in a row have two signatures."""
    assert sealed(PATH, 1, "2 3", KEY).signature != sealed(PATH, 12, " 3", KEY).signature


@pytest.mark.parametrize(
    "path",
    [
        "/api/streams",
        "/api/streams/porch",
        "/api/streams/porch/events",
        "/api/streams/a/b/frame.jpg",
        "/api/streams/../frame.jpg",
        "/api/streams/*/frame.jpg",
        "/api/streams/porch/frame.jpg/",
        "/api/streams/porch/frame.jpg\n",
        "/streams/porch.mjpeg",
        "/api/events?stream=porch",
        "/api/events/019ad000-0000-7000-8000-000000000001?stream=porch",
        "/api/events/019ad000-0000-7000-8000-000000000001/picture",
        "/api/events/019ad000-0000-7000-8000-000000000001/picture?stream=",
        "/api/events/../picture?stream=porch",
        "/",
        "",
    ],
)
def test_a_link_leads_to_nothing_else(path: str) -> None:
    """Only the newest picture of one stream can be linked to; a seal over another path, well signed, opens nothing."""
    assert stream_of(path) is None
    assert shown_by(sealed(path, NOW + 60, "anna", KEY), KEY, NOW) is None


def test_a_link_for_longer_than_a_day_opens_nothing() -> None:
    """Nor does one that is signed with the key, as none was given out."""
    assert shown_by(sealed(PATH, NOW + LONGEST_SECONDS + 1, "anna", KEY), KEY, NOW) is None


def test_it_shows_what_its_maker_may_see_when_it_is_asked_for() -> None:
    """A maker who is gone, or sees other streams now, opens nothing any more; and never more than the one stream."""
    anna = User("anna", Role.ADMIN, ("porch",))
    with_anna = Accounts(link_key=KEY).with_user(anna)
    accounts = with_anna
    gate = Gate(GateRules(is_open=False), lambda: accounts, FakeClock(NOW))
    shown = Credential(link=sealed(PATH, NOW + 60, "anna", KEY))
    principal = gate.principal(shown)
    assert (principal.kind, principal.actions, principal.sees("porch"), principal.sees("yard")) == (
        "link",
        VIEW,
        True,
        False,
    )
    accounts = with_anna.with_user(replace(anna, streams=("yard",)))
    assert gate.principal(shown).kind == "nobody"
    accounts = with_anna.without_user("anna")
    assert not gate.principal(shown).sees("porch")


def test_a_link_that_opens_nothing_takes_nothing_away() -> None:
    """Who is signed in and follows a link that has expired is who he is."""
    session = Session("d" * 64, "s", "anna", NOW, NOW + 60)
    accounts = Accounts(link_key=KEY).with_user(User("anna", Role.VIEWER)).with_session(session)
    gate = Gate(GateRules(is_open=False), lambda: accounts, FakeClock(NOW))
    assert gate.principal(Credential(link=sealed(PATH, NOW, "anna", KEY), session="d" * 64)).name == "anna"


def test_tokens_and_who_signed_in_elsewhere_make_links_too() -> None:
    """A token's counts until it ends, a session's for as long as there is one; nobody's where anybody may look."""
    token = Token("3f", "home", "d" * 64, VIEW, ("porch",), expires_at=NOW + 10)
    session = Session("e" * 64, "s", "bob", NOW, NOW + 20, grants=(Grant(VIEW, ("porch",)),))
    accounts = replace(Accounts(link_key=KEY), tokens=MappingProxyType({token.digest: token})).with_session(session)
    by_token, by_bob = of_token("3f"), "bob"
    assert grants_of_maker(by_token, accounts, NOW) == (token.grant,)
    assert grants_of_maker(by_token, accounts, NOW + 10) == ()
    assert grants_of_maker(by_bob, accounts, NOW) == session.grants
    assert grants_of_maker(by_bob, accounts, NOW + 20) == ()
    for anonymous, sees in ((VIEW, True), (frozenset[Action](), False)):
        gate = Gate(GateRules(is_open=False, anonymous=anonymous), lambda: accounts, FakeClock(NOW))
        assert gate.principal(Credential(link=sealed(PATH, NOW + 60, "nobody", KEY))).sees("porch") == sees
