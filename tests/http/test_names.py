"""streamer.http.names: by which names a service may be asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.http.names import Names, name_of

NAMES = Names(["Cameras.example", "10.0.0.7"], "sightline")


@pytest.mark.parametrize(
    "authority",
    [
        "127.0.0.1:8000",
        "10.9.0.1",
        "[::1]:8000",
        "[fd00::7]",
        "localhost",
        "LOCALHOST:80",
        "localhost.:80",
        "a.localhost",
        "cameras.example",
        "cameras.example.:8443",
        "CAMERAS.example:1",
        "sightline:8000",
    ],
)
def test_addresses_loopbacks_names_and_configured_ones_are_ours(authority: str) -> None:
    """No page of a stranger's can have one of these as its own host."""
    assert NAMES.may_be(authority)


@pytest.mark.parametrize(
    "authority",
    [
        "evil.example:8000",
        "cameras.example.evil",
        "xcameras.example",
        "127.0.0.1.evil.example",
        "localhost.evil",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::1",
        "::1",
        "[evil]",
        "a:b",
        "u@127.0.0.1",
        "127.0.0.1/",
        ":80",
        ".",
        "",
    ],
)
def test_any_other_name_is_a_strangers(authority: str) -> None:
    """A name that is not configured, and what is no name at all, is none of ours."""
    assert not NAMES.may_be(authority)


def test_what_is_listed_is_what_is_configured() -> None:
    """Addresses and loopback's names are good to ask by, and say nothing of which proxy is ours, unless configured."""
    assert all(map(NAMES.lists, ("cameras.example:8081", "sightline", "10.0.0.7")))
    assert not any(map(NAMES.lists, ("10.0.0.8", "127.0.0.1", "localhost", "evil.example", "", ".")))
    assert not Names([], "10.0.0.7").lists("10.0.0.7:9999")


@given(st.text(max_size=40))
def test_whatever_comes_is_a_name_or_none(authority: str) -> None:
    """No text raises, and what is made of one has no port, no brackets and no capitals."""
    name = name_of(authority)
    assert name is None or (name == name.lower() and not set("[]/@") & set(name))
