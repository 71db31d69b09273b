"""streamer.outlets.webhook.answer: what a receiver says, and for how long it wants to be left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.outlets.sender import Undelivered
from streamer.outlets.webhook.answer import LONGEST_WORDS, require_taken

NOW = 1_800_000_000.0


def failure(status: int, body: bytes = b"", **headers: str) -> Undelivered:
    """What it means."""
    said = {key.replace("_", "-"): value for key, value in headers.items()}
    with pytest.raises(Undelivered) as failed:
        require_taken(status, said, body, NOW, lambda text: text.replace("hidden", "***"))
    return failed.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_what_is_taken_raises_nothing(status: int) -> None:
    """Whatever is said with it."""
    require_taken(status, {"Retry-After": "5"}, b"\xff", NOW, str)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("-1", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, 1e9),
        ("Fri, 15 Jan 99999 08:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, seconds: float | None) -> None:
    """RFC 9110 section 10.2.3; what is neither counts as nothing said."""
    assert failure(429, Retry_After=said).retry_after == seconds


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"ok":false,"error_code":429,"parameters":{"retry_after":31}}', 31.0),
        (b'{"parameters":{"retry_after":"31"}}', None),
        (b'{"parameters":{"retry_after":NaN}}', None),
        (b'{"parameters":{"retry_after":-1}}', None),
        (b'{"parameters":[]}', None),
        (b"[" * 1000, None),
    ],
)
def test_telegram_says_it_in_the_body(body: bytes, seconds: float | None) -> None:
    """In `parameters`."""
    assert failure(429, body, Content_Type="application/json").retry_after == seconds


def test_what_it_says_is_shown_in_one_line() -> None:
    """Telegram's description, Slack's word, ntfy's error; no page for browsers, and no secret that it quotes."""
    said = b'{"ok":false,"description":"Bad Request: chat not found"}'
    assert str(failure(400, said, Content_Type="application/json")) == "it answers 400 (Bad Request: chat not found)"
    assert str(failure(404, b"no_service\n\x1b[2J hidden", Content_Type="text/plain; charset=utf-8")) == (
        "it answers 404 (no_service [2J ***)"
    )
    assert str(failure(500, b"<html>Oops", Content_Type="text/html")) == "it answers 500"


@pytest.mark.parametrize("before", range(LONGEST_WORDS - 7, LONGEST_WORDS + 1))
def test_no_half_of_a_secret_is_shown(before: int) -> None:
    """Where what is shown of the words ends within one: half of a token is a good part of it."""
    said = failure(500, b"x" * before + b"hidden", Content_Type="text/plain")
    assert "h" not in str(said).partition("(")[2]


@given(
    st.integers(300, 999),
    st.binary(max_size=300),
    st.text(max_size=40),
    st.sampled_from(["text/plain", "application/json"]),
)
def test_no_answer_breaks_it(status: int, body: bytes, retry_after: str, kind: str) -> None:
    """Whatever is answered is a failure with a sentence that fits on a line."""
    failed = failure(status, body, Retry_After=retry_after, Content_Type=kind)
    assert str(failed).isprintable()
    assert len(str(failed)) < 250
