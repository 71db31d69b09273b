"""streamer.http.ice_server: what clients are told of STUN and TURN servers."""

import re

import pytest

from streamer.http.ice_server import LIFETIME, IceServer, credentials


def test_a_login_is_what_the_relay_computes() -> None:
    """The credential is base64 of HMAC-SHA1 over when it ends and a name, as coturn's use-auth-secret has it."""
    username, credential = credentials("north", "mallory", 1_700_000_000.9)
    assert username == f"{1_700_000_000 + LIFETIME}:mallory"
    # echo -n 1700000300:mallory | openssl dgst -sha1 -hmac north -binary | base64
    assert credential == "/gShEhQ6Vnjz7WT/sxxP+GEzbaE="


def test_each_session_is_somebody_else() -> None:
    """Two links of one second have two user names, so that the relay can tell their shares apart, and no secret."""
    server = IceServer("turn:t", secret="north-by-north-west")
    links = [server.link(1_700_000_000.0) for _ in range(2)]
    assert links[0] != links[1]
    for link in links:
        assert re.fullmatch(
            r'<turn:t>; rel="ice-server"; username="1700000300:[0-9a-f]{16}"; credential="[A-Za-z0-9+/]{27}=";'
            r' credential-type="password"',
            link,
        )


@pytest.mark.parametrize(
    ("server", "is_open"),
    [
        (IceServer("stun:s"), True),
        (IceServer("turn:t"), True),
        (IceServer("turn:t", "u", "c"), False),
        (IceServer("turn:t", secret="north-by-north-west"), False),
    ],
)
def test_what_needs_a_login_is_for_sessions(server: IceServer, is_open: bool) -> None:
    """A server with a login, or a secret to make one, is not for everybody's ears."""
    assert server.is_open == is_open
    assert ("username=" in server.link(0.0)) != is_open
