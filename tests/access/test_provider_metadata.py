"""streamer.access.provider_metadata: what a provider says of itself."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.provider_metadata import metadata_of, metadata_url
from streamer.values.errors import Refused

ISSUER = "https://id.example.org/realms/a"
SAID = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}


def test_where_an_issuer_says_it() -> None:
    """Below its own path, whether it is written with a slash at its end or not."""
    assert metadata_url(ISSUER) == metadata_url(f"{ISSUER}/") == f"{ISSUER}/.well-known/openid-configuration"


def test_what_is_not_said_has_the_standards_meaning() -> None:
    """Secrets go by basic authentication, answers do not say whose they are, and the rest is not there."""
    plain = metadata_of(SAID, ISSUER)
    assert (plain.takes_basic, plain.says_issuer) == (True, False)
    assert (plain.userinfo_endpoint, plain.end_session_endpoint) == (None, None)
    other = metadata_of(
        SAID
        | {
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        },
        ISSUER,
    )
    assert (other.takes_basic, other.says_issuer) == (False, True)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"issuer": "https://id.example.org/realms/a/"}, "access.oidc.issuer must be exactly that"),
        ({"issuer": "https://evil.example"}, "calls itself 'https://evil.example'"),
        ({"issuer": None}, "must be exactly"),
        ({"token_endpoint": None}, "does not say its token_endpoint"),
        ({"authorization_endpoint": "http://id.example.org/authorize"}, "authorization_endpoint is no https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint is no https"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri is no https"),
        ({"jwks_uri": 7}, "jwks_uri is no https"),
        ({"userinfo_endpoint": "https://[x"}, "userinfo_endpoint is no https"),
        ({"end_session_endpoint": "https://a/\r\nX: y"}, "end_session_endpoint is no https"),
    ],
)
def test_what_cannot_be_used_is_refused(other: dict[str, object], says: str) -> None:
    """Another issuer, a missing address, or one that is not secret on the way: 502 in a sentence that names it."""
    with pytest.raises(Refused, match=says) as refused:
        metadata_of(SAID | other, ISSUER)
    assert refused.value.status == 502


def test_on_this_machine_it_need_not_be_secret() -> None:
    """http:// leads to loopback alone."""
    assert metadata_of(SAID | {"token_endpoint": "http://127.0.0.1:9/t"}, ISSUER).token_endpoint.startswith("http:")


@given(
    st.dictionaries(
        st.sampled_from([*SAID, "userinfo_endpoint", "token_endpoint_auth_methods_supported"]),
        st.none() | st.integers() | st.text() | st.lists(st.text()) | st.from_regex(r"https?://\S*", fullmatch=True),
    )
)
def test_whatever_is_said_every_address_is_a_secret_one(other: dict[str, Any]) -> None:
    """What is taken is https:// with a host, or http:// on this machine, and safe in a header."""
    try:
        found = metadata_of(SAID | other | {"issuer": ISSUER}, ISSUER)
    except Refused:
        return
    for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint):
        if address is not None:
            parts = urlsplit(address)
            assert parts.hostname
            assert parts.scheme == "https" or parts.hostname in ("localhost", "::1") or "127." in parts.hostname
            assert address.isascii()
            assert address.isprintable()
