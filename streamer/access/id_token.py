"""The ID token: what an OpenID Connect provider signs of somebody (OpenID Connect Core 1.0 section 3.1.3.7). Pure.

PyJWT checks signatures and times. It is imported with this file alone, and this file where somebody first comes back
from a provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from streamer.values.errors import Refused

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""What a signature may be made by. All of them take two keys, of which we know the one that signs nothing: a token that
is not signed (`none`), or signed by what we know too (HS256), is nobody's word."""
LEEWAY = 60.0
"""Seconds that clocks may differ."""
LONGEST_SUBJECT = 255
"""Characters (Core section 2)."""

_WHY: Mapping[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "it has expired; compare the clocks",
    jwt.ImmatureSignatureError: "it is of the future; compare the clocks",
    jwt.InvalidAudienceError: "it is for another client than access.oidc.client_id",
    jwt.InvalidIssuerError: "it is of another issuer than access.oidc.issuer",
    jwt.InvalidAlgorithmError: f"it is signed otherwise than by {', '.join(ALGORITHMS)}",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.MissingRequiredClaimError: "it lacks one of iss, sub, aud, exp, iat",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What one sign-in's must say."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)


def key_for(token: str, key_set: Mapping[str, Any]) -> jwt.PyJWK | None:
    """The key that a token says it is signed by; None: it is not among them, and may be a new one.

    Args:
        token: in its compact form (RFC 7515 section 3.1).
        key_set: the provider's (RFC 7517 section 5).

    Raises:
        Refused: 502 the token is none, or signed by what is not allowed.
    """
    try:
        header = jwt.get_unverified_header(token.encode("ascii"))
    except (jwt.PyJWTError, UnicodeEncodeError):
        raise refused("it is no token") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise refused(_WHY[jwt.InvalidAlgorithmError])
    keys = key_set.get("keys")
    fitting = [
        each
        for each in (keys if isinstance(keys, list) else [])
        if isinstance(each, dict)
        and each.get("use", "sig") == "sig"
        and each.get("alg", algorithm) == algorithm
        and (kid is None or each.get("kid") == kid)
    ]
    made = [key for each in fitting if (key := _key(each, algorithm)) is not None]
    # Without a kid it must be clear which is meant (Core section 10.1).
    return made[0] if len(made) == 1 or (made and kid is not None) else None


def claims_of(token: str, key: jwt.PyJWK, expected: Expected) -> dict[str, Any]:
    """What a token says, once it is known to be this provider's word, to us, on this sign-in.

    Raises:
        Refused: 502 it is not; says why, and nothing of what it holds.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=expected.client_id,
            issuer=expected.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"], "enforce_minimum_key_length": True},
        )
    except jwt.PyJWTError as error:
        raise refused(_WHY.get(type(error), "it is malformed")) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else expected.client_id) != expected.client_id:
        raise refused("it was made for another client (azp)")
    if claims.get("nonce") != expected.nonce:
        raise refused("it is of another sign-in (nonce)")
    if not 1 <= len(claims["sub"]) <= LONGEST_SUBJECT:
        raise refused("it says nobody's identifier (sub)")
    return claims


def refused(why: str) -> Refused:
    """Why a token is not taken."""
    return Refused(502, f"the provider's ID token is not taken: {why}")


def _key(said: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK.from_dict(said, algorithm)
    except jwt.PyJWTError:
        return None
