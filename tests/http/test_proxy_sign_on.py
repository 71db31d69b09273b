"""streamer.http.proxy_sign_on: who asks, as a proxy says that knows him."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from streamer.access.credential import ProxyWord
from streamer.http.proxy_sign_on import MAX_GROUPS, MAX_WORD, ProxySignOn
from streamer.http.trusted_proxies import TrustedProxies
from streamer.values.errors import Refused

SIGN_ON = ProxySignOn(TrustedProxies(["127.0.0.1", "10.0.0.0/8"]), "Remote-User", "Remote-Groups")

WORDS = st.text(max_size=40) | st.text("anders,;| \t\udc80\u202e", max_size=40)


def headers(*lines: tuple[str, str]) -> CIMultiDict[str]:
    """Those of a request."""
    return CIMultiDict(lines)


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ([("Remote-User", "anna")], ProxyWord("anna")),
        ([("remote-user", " anna ")], ProxyWord("anna")),
        ([("Remote-User", "anna"), ("Remote-Groups", "admins,staff")], ProxyWord("anna", ("admins", "staff"))),
        ([("Remote-User", "anna"), ("Remote-Groups", "admins|staff")], ProxyWord("anna", ("admins", "staff"))),
        ([("Remote-User", "anna"), ("Remote-Groups", " admins ;; staff,")], ProxyWord("anna", ("admins", "staff"))),
        ([("Remote-User", "Änne Müller"), ("Remote-Groups", "")], ProxyWord("Änne Müller")),
        ([("Remote-User", "")], None),
        ([("Remote-Groups", "admins")], None),
        ([("X-Forwarded-User", "anna")], None),
        ([], None),
    ],
)
def test_a_trusted_proxy_names_who_asks(lines: list[tuple[str, str]], word: ProxyWord | None) -> None:
    """The user is the header's, the groups a list with commas, semicolons or bars; without a user there is nobody."""
    assert SIGN_ON.word("10.1.2.3", headers(*lines)) == word
    assert SIGN_ON.word("::ffff:10.1.2.3", headers(*lines)) == word


@pytest.mark.parametrize("peer", ["192.0.2.1", "11.0.0.1", "::1", "", "anna"])
def test_of_nobody_else_such_a_header_is_read(peer: str) -> None:
    """What a stranger writes names nobody, whoever he says he asks for."""
    said = headers(("Remote-User", "anna"), ("X-Forwarded-For", "10.0.0.1"))
    assert SIGN_ON.word(peer, said) is None


@pytest.mark.parametrize(
    "lines",
    [
        [("Remote-User", "anna"), ("Remote-User", "root")],
        [("Remote-User", "anna"), ("remote-user", "")],
        [("Remote-User", "anna"), ("Remote-Groups", "staff"), ("Remote-Groups", "admins")],
        [("Remote-User", "a" * (MAX_WORD + 1))],
        [("Remote-User", "anna\x07")],
        [("Remote-User", "anna\u202e")],
        [("Remote-User", "{http.reverse_proxy.header.Remote-User}")],
        [("Remote-User", "ann\u3164a")],
        [("Remote-User", "nobody")],
        [("Remote-User", "Token prometheus")],
        [("Remote-User", "command (root)")],
        [("Remote-User", b"\xff\xfe".decode(errors="surrogateescape"))],
        [("Remote-User", "anna"), ("Remote-Groups", "staff,a\x00b")],
        [("Remote-User", "anna"), ("Remote-Groups", "g," * (MAX_GROUPS + 1))],
    ],
)
def test_what_a_proxy_says_twice_or_that_is_no_name_is_refused(lines: list[tuple[str, str]]) -> None:
    """A stranger's line beside the proxy's own, and what nobody is called, is 400 and not a guess."""
    with pytest.raises(Refused, match="Remote-") as refused:
        SIGN_ON.word("127.0.0.1", headers(*lines))
    assert refused.value.status == 400


def test_groups_are_read_where_they_are_configured_alone() -> None:
    """Without `groups_header` nobody gets a group by a header that happens to have a usual name."""
    alone = ProxySignOn(SIGN_ON.proxies, "Remote-User")
    said = headers(("Remote-User", "anna"), ("Remote-Groups", "admins"), ("Remote-Groups", "staff"))
    assert alone.word("127.0.0.1", said) == ProxyWord("anna")


@given(user=WORDS, groups=WORDS)
def test_whatever_is_said_a_name_can_be_shown(user: str, groups: str) -> None:
    """Every word that is taken is short, printable and without what stands between groups."""
    try:
        word = SIGN_ON.word("127.0.0.1", headers(("Remote-User", user), ("Remote-Groups", groups)))
    except Refused:
        return
    if word is None:
        assert not user.strip()
        return
    for each in (word.user, *word.groups):
        assert each == each.strip() != ""
        assert each.isprintable()
        assert len(each) <= MAX_WORD
    assert not set(",;|") & set("".join(word.groups))
