"""streamer.http.trusted_proxies: whose word is taken for who asks, and for the folder."""

import pytest

from streamer.http.trusted_proxies import TrustedProxies

PROXIES = TrustedProxies(["127.0.0.1", "10.0.0.0/8"], "/sightline/")


@pytest.mark.parametrize(
    ("remote", "forwarded", "asker"),
    [
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9,198.51.100.7, 10.0.0.3", "198.51.100.7"),
        ("127.0.0.1", "fd00::7", "fd00::7"),
        ("127.0.0.1", "evil", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, evil", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7, ::ffff:10.0.0.3", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9:80, 198.51.100.7:51820", "198.51.100.7"),
        ("127.0.0.1", "[fd00::7]:51820", "fd00::7"),
        ("127.0.0.1", "198.51.100.7, evil:80", "127.0.0.1"),
        ("", "198.51.100.7", ""),
    ],
)
def test_who_asks_is_the_last_that_is_no_proxy_of_ours(remote: str, forwarded: str, asker: str) -> None:
    """Each proxy adds whom it saw; what strangers wrote before that is not believed."""
    assert PROXIES.asker(remote, [forwarded]) == asker


def test_a_line_that_a_proxy_adds_is_behind_what_a_stranger_wrote() -> None:
    """Several lines are one list: HAProxy hands on a stranger's own line, and writes another below."""
    assert PROXIES.asker("127.0.0.1", ["203.0.113.9", "198.51.100.7"]) == "198.51.100.7"
    assert PROXIES.asker("127.0.0.1", []) == "127.0.0.1"


@pytest.mark.parametrize(
    ("remote", "said", "prefix"),
    [
        ("127.0.0.1", "/cameras", "/cameras"),
        ("127.0.0.1", "/a/b/", "/a/b"),
        ("127.0.0.1", "/", ""),
        ("192.0.2.1", "/cameras", "/sightline"),
        ("127.0.0.1", "//evil.example", "/sightline"),
        ("127.0.0.1", "https://evil.example", "/sightline"),
        ("127.0.0.1", "/a b", "/sightline"),
        ("127.0.0.1", None, "/sightline"),
    ],
)
def test_the_folder_is_the_proxys_or_the_configurations(remote: str, said: str | None, prefix: str) -> None:
    """A trusted proxy says the folder, if it is one, and is believed; of others nothing is taken."""
    assert PROXIES.prefix(remote, {} if said is None else {"X-Forwarded-Prefix": said}) == prefix


def test_nobody_is_trusted_unless_configured() -> None:
    """By default no header changes anything."""
    nobody = TrustedProxies()
    assert nobody.asker("127.0.0.1", ["192.0.2.1"]) == "127.0.0.1"
    assert nobody.prefix("127.0.0.1", {"X-Forwarded-Prefix": "/a"}) == ""
    assert "127.0.0.1" not in nobody
