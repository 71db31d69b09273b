"""Signatures of Standard Webhooks (standardwebhooks.com, version 1 of the specification). Pure."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping

PREFIX = "whsec_"
"""What a secret begins with whose rest is base64."""


def key_of(secret: str) -> bytes:
    """The key that a secret stands for.

    Args:
        secret: PREFIX and base64; any other text stands for itself, in UTF-8.

    Raises:
        ValueError: behind PREFIX is no base64, or nothing.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    text = secret.removeprefix(PREFIX)
    key = b64decode(text + "=" * (-len(text) % 4), validate=True)  # some leave the signs at its end out
    if not key:
        raise ValueError("it is empty")
    return key


def signed(id_: str, at: int, body: bytes, key: bytes | None) -> Mapping[str, str]:
    """The headers that say which message this is, and that it is ours.

    Args:
        id_: the notification's: the same at each attempt.
        at: UTC, seconds since 1970, of this attempt: receivers take none that are minutes old.
        body: as it is sent.
        key: None: it is not signed.
    """
    headers = {"webhook-id": id_, "webhook-timestamp": str(at)}
    if key is None:
        return headers
    signature = hmac.digest(key, f"{id_}.{at}.".encode() + body, "sha256")
    return {**headers, "webhook-signature": f"v1,{b64encode(signature).decode()}"}
