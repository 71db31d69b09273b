"""streamer.http.allowed_origins: which pages may make a browser do something."""

import pytest

from streamer.http.allowed_origins import AllowedOrigins

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


@pytest.mark.parametrize(
    ("headers", "on_loopback", "may"),
    [
        ({}, True, True),
        ({"Origin": "http://127.0.0.1:8000", "Host": "127.0.0.1:8000"}, True, True),
        ({"Origin": "http://[::1]:8000", "Host": "[::1]:8000"}, True, True),
        ({"Origin": "http://10.0.0.7:8000", "Host": "10.0.0.7:8000"}, False, True),
        ({"Origin": "http://10.0.0.7:9000", "Host": "10.0.0.7:8000"}, False, False),
        ({"Origin": "null", "Host": "10.0.0.7:8000"}, False, False),
        ({"Origin": "http://rebound.example", "Host": "rebound.example"}, True, False),
        ({"Origin": "http://rebound.example", "Host": "rebound.example"}, False, True),
        ({"Origin": "https://shown.example", "Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, True, True),
        ({"Origin": STRANGER, "Host": "a", "Sec-Fetch-Site": "cross-site"}, False, False),
        ({"Origin": STRANGER, "Host": "a", "Sec-Fetch-Site": "same-site"}, False, False),
        ({"Origin": "http://a", "Host": "["}, True, False),
        ({"Origin": "http://a", "Host": "a]b:x"}, False, False),
        ({"Sec-Fetch-Site": "none"}, False, True),
        ({"Origin": FRIEND, "Host": "a", "Sec-Fetch-Site": "cross-site"}, True, True),
        ({"Origin": FRIEND.upper(), "Host": "a"}, True, True),
    ],
)
def test_who_may_change_something(headers: dict[str, str], on_loopback: bool, may: bool) -> None:
    """Programs, our own pages, behind a proxy too, and listed origins may; foreign pages and rebound names may not."""
    assert AllowedOrigins([f"{FRIEND}/"], on_loopback=on_loopback).may_change(headers) == may


def test_without_a_list_no_page_may_read() -> None:
    """By default no CORS header is sent to anybody, preflights included."""
    nobody = AllowedOrigins([], on_loopback=False)
    for origin in (FRIEND, "null", None):
        assert nobody.cors(origin) == {}
        assert nobody.preflight(origin, "POST") == {}


def test_any_origin_may_be_allowed() -> None:
    """With "*" every page may, and each is told so by its own name: caches keep them apart."""
    anybody = AllowedOrigins(["*"], on_loopback=False)
    assert anybody.may_change({"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"})
    assert anybody.cors(STRANGER)["Access-Control-Allow-Origin"] == STRANGER
    assert anybody.preflight(STRANGER, "PATCH")["Access-Control-Allow-Methods"] == "PATCH"
    assert anybody.cors(None) == {}
