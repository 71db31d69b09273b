"""streamer.outlets.webhook.signature: Standard Webhooks, as its reference implementation has it."""

import time
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from streamer.outlets.webhook.signature import key_of, signed

KEYS = st.binary(min_size=1, max_size=64)


@given(KEYS, st.text(max_size=200))
def test_the_reference_takes_what_is_signed(key: bytes, body: str) -> None:
    """Whatever is sent, and whatever the key is."""
    secret = f"whsec_{b64encode(key).decode()}"
    assert key_of(secret) == key
    headers = dict(signed("an-id", int(time.time()), body.encode(errors="replace"), key))
    Webhook(secret).verify(body.encode(errors="replace"), headers, json_parse=False)


def test_what_was_changed_on_the_way_is_not_taken() -> None:
    """Neither another body, nor another id, nor another time."""
    now, key = int(time.time()), b"k" * 24
    verifier = Webhook(b64encode(key).decode())
    headers = dict(signed("an-id", now, b"{}", key))
    verifier.verify(b"{}", headers)
    for body, changed in (
        (b"[]", {}),
        (b"{}", {"webhook-id": "another"}),
        (b"{}", {"webhook-timestamp": str(now - 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(body, {**headers, **changed})


def test_a_text_is_a_key_by_itself() -> None:
    """And without one nothing is signed, but every message has its id."""
    assert key_of("a text of some length") == b"a text of some length"
    assert key_of("whsec_YQ") == key_of("whsec_YQ==") == b"a"
    assert signed("an-id", 5, b"", None) == {"webhook-id": "an-id", "webhook-timestamp": "5"}


@pytest.mark.parametrize("secret", ["whsec_", "whsec_%%%%", "whsec_Y"])
def test_what_is_no_base64_is_no_key(secret: str) -> None:
    """Behind the prefix."""
    with pytest.raises(ValueError, match=r"base64|it is empty"):
        key_of(secret)
