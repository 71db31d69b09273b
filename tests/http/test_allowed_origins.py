"""streamer.http.allowed_origins: which pages may make a browser do something."""

import pytest

from streamer.http.allowed_origins import AllowedOrigins
from streamer.http.names import Names

OURS = Names(["cameras.example", "10.0.0.5"])
FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:8000", "Host": "127.0.0.1:8000"}, True),
        ({"Origin": "http://[::1]:8000", "Host": "[::1]:8000"}, True),
        ({"Origin": "http://10.0.0.7:8000", "Host": "10.0.0.7:8000"}, True),
        ({"Origin": "http://10.0.0.7:9000", "Host": "10.0.0.7:8000"}, False),
        ({"Origin": "null", "Host": "10.0.0.7:8000"}, False),
        ({"Origin": "http://rebound.example", "Host": "rebound.example"}, False),
        ({"Origin": "http://cameras.example", "Host": "cameras.example"}, True),
        ({"Origin": "http://Cameras.example:8081", "Host": "127.0.0.1:8000"}, True),
        ({"Origin": "http://10.0.0.5", "Host": "127.0.0.1:8000"}, True),
        ({"Origin": "http://10.0.0.6", "Host": "127.0.0.1:8000"}, False),
        ({"Origin": "http://cameras.example.evil", "Host": "127.0.0.1:8000"}, False),
        ({"Origin": "http://cameras.example", "Host": "127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "https://shown.example", "Host": "127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": STRANGER, "Host": "a", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": STRANGER, "Host": "a", "Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://a", "Host": "["}, False),
        ({"Origin": "http://a", "Host": "a]b:x"}, False),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": FRIEND, "Host": "a", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": FRIEND.upper(), "Host": "a"}, True),
    ],
)
def test_who_may_change_something(headers: dict[str, str], may: bool) -> None:
    """Programs, our own pages, behind a proxy too, and listed origins may; foreign pages and rebound names may not."""
    assert AllowedOrigins([f"{FRIEND}/"], OURS).may_change(headers) == may


def test_without_a_list_no_page_may_read() -> None:
    """By default no CORS header is sent to anybody, preflights included."""
    nobody = AllowedOrigins([], OURS)
    for origin in (FRIEND, "null", None):
        assert nobody.cors(origin) == {}
        assert nobody.preflight(origin, "POST") == {}


def test_any_origin_may_be_allowed() -> None:
    """With "*" every page may, and each is told so by its own name: caches keep them apart."""
    anybody = AllowedOrigins(["*"], OURS)
    assert anybody.may_change({"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"})
    assert anybody.cors(STRANGER)["Access-Control-Allow-Origin"] == STRANGER
    assert anybody.preflight(STRANGER, "PATCH")["Access-Control-Allow-Methods"] == "PATCH"
    assert anybody.cors(None) == {}


def test_pictures_are_shown_by_pages_of_others_only_where_any_may() -> None:
    """What a page shows without asking, as in `<img>`, tells us nothing of the page: all may, or our own alone."""
    assert AllowedOrigins([FRIEND], OURS).resource_policy == "same-origin"
    assert AllowedOrigins([FRIEND, "*"], OURS).resource_policy == "cross-origin"
