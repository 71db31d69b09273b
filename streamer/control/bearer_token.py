"""Tokens that a request shows (RFC 6750). Pure."""

import hmac


def shows(authorization: str | None, token: str) -> bool:
    """Whether an Authorization header carries this token.

    Compared in constant time: how long it takes must not say how much of a guess was right.
    """
    scheme, _, shown = (authorization or "").partition(" ")
    # aiohttp gives bytes that are not UTF-8 as surrogates.
    return scheme.lower() == "bearer" and hmac.compare_digest(
        shown.strip().encode(errors="surrogateescape"), token.encode()
    )
