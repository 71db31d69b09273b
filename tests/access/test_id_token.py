"""streamer.access.id_token: whose word is taken for who somebody is."""

import base64
import contextlib
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import assume, given
from hypothesis import strategies as st

from streamer.access.id_token import ALGORITHMS, LEEWAY, Expected, claims_of, key_for
from streamer.values.errors import Refused
from tests.access.issuer import CLIENT_ID, EC_KEY, ED_KEY, RSA_KEY, Private, claims, jwk, signed

ISSUER, NONCE = "https://id.example.org", "n" * 43
EXPECTED = Expected(ISSUER, CLIENT_ID, NONCE)
KEYS: dict[str, Any] = {"keys": [jwk(RSA_KEY, "rsa"), jwk(EC_KEY, "ec"), jwk(ED_KEY, "ed")]}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def read(token: str, keys: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a token says that must be signed by one of the keys."""
    key = key_for(token, KEYS if keys is None else keys)
    assert key is not None
    return claims_of(token, key, EXPECTED)


def unsigned(header: dict[str, Any], said: dict[str, Any], signature: str = "") -> str:
    """A token put together by hand."""
    parts = (base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (header, said))
    return ".".join((*parts, signature))


DAY = 86_400
"""Seconds: these tests may run long after they were collected."""


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA_KEY, "RS256", "rsa"), (RSA_KEY, "PS256", "rsa"), (EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")],
)
def test_a_providers_word_is_taken(key: Private, algorithm: str, kid: str) -> None:
    """Signed by a key of the provider, in any of the ways that are allowed, for us and for this sign-in."""
    said = claims(ISSUER, NONCE, preferred_username="anna")
    assert read(signed(said, key, algorithm, kid))["preferred_username"] == "anna"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "lacks one of"),
        ({"aud": "another"}, "another client"),
        ({"aud": []}, "lacks one of"),
        ({"aud": None}, "lacks one of"),
        ({"aud": [CLIENT_ID, "another"]}, "azp"),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"nonce": "m" * 43}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"nonce": 7}, "another sign-in"),
        ({"exp": int(time.time() - LEEWAY - 5)}, "expired"),
        ({"exp": None}, "lacks one of"),
        ({"exp": "soon"}, "malformed"),
        ({"iat": int(time.time() + LEEWAY + DAY)}, "of the future"),
        ({"nbf": int(time.time() + LEEWAY + DAY)}, "of the future"),
        ({"iat": None}, "lacks one of"),
        ({"sub": None}, "lacks one of"),
        ({"sub": ""}, "nobody's"),
        ({"sub": "x" * 256}, "nobody's"),
    ],
)
def test_what_is_not_for_this_sign_in_is_refused(other: dict[str, object], why: str) -> None:
    """Another's, an old one or one without what it must say: 502, with the reason and nothing of the token."""
    token = signed(claims(ISSUER, NONCE, **other))
    with pytest.raises(Refused, match=why) as refused:
        read(token)
    assert refused.value.status == 502
    assert NONCE not in str(refused.value)
    assert not any(part in str(refused.value) for part in token.split("."))


def test_clocks_may_differ_a_little_and_several_may_be_meant() -> None:
    """A minute either way is no reason; with several audiences `azp` says that we are meant."""
    now = int(time.time())
    read(signed(claims(ISSUER, NONCE, exp=now - LEEWAY / 2)))
    read(signed(claims(ISSUER, NONCE, iat=now + LEEWAY / 2)))
    read(signed(claims(ISSUER, NONCE, aud=[CLIENT_ID, "another"], azp=CLIENT_ID)))
    read(signed(claims(ISSUER, NONCE, aud=[CLIENT_ID])))


def test_what_is_not_signed_is_nobodys_word() -> None:
    """`none` in any spelling, an algorithm that takes one key, and one that is left out are not allowed."""
    said = claims(ISSUER, NONCE)
    tokens = [unsigned({"alg": alg, "kid": "rsa"}, said) for alg in ("none", "None", "NONE", "", None, ["RS256"])]
    public = jwk(RSA_KEY, "rsa")["n"]
    tokens += [unsigned({"kid": "rsa"}, said), jwt.encode(said, public, "HS256", headers={"kid": "rsa"})]
    for token in tokens:
        with pytest.raises(Refused, match="signed otherwise than by RS256"):
            key_for(token, KEYS)
    assert not any(each.startswith("HS") for each in ALGORITHMS)


def test_a_signature_of_another_key_is_wrong() -> None:
    """Nor does it help to call another's key by the name of one of the provider's, or to send one's own along."""
    strange = rsa.generate_private_key(65537, 2048)
    token = jwt.encode(
        claims(ISSUER, NONCE), strange, "RS256", headers={"kid": "rsa", "jwk": jwk(strange, "rsa"), "jku": "http://x/"}
    )
    with pytest.raises(Refused, match="signature is wrong"):
        read(token)
    whole = signed(claims(ISSUER, NONCE))
    head, _, signature = whole.split(".")
    forged = unsigned({}, claims(ISSUER, NONCE, sub="admin")).split(".")[1]
    with pytest.raises(Refused, match="signature is wrong"):
        read(f"{head}.{forged}.{signature}")


def test_a_key_is_used_for_what_it_is_for() -> None:
    """One for encryption, for another algorithm, of another curve or too short checks no signature."""
    token = signed(claims(ISSUER, NONCE))
    for other in ({"use": "enc"}, {"alg": "PS256"}, {"kid": "another"}):
        assert key_for(token, {"keys": [jwk(RSA_KEY, "rsa") | other]}) is None
    wide = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(Refused, match="malformed"):
        read(signed(claims(ISSUER, NONCE), EC_KEY, "ES256", "ec"), {"keys": [jwk(wide, "ec")]})
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505  that is what it is about
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        weak = signed(claims(ISSUER, NONCE), short)
    with pytest.raises(Refused, match="malformed"):
        read(weak, {"keys": [jwk(short, "rsa")]})


def test_without_a_kid_it_must_be_clear_which_key_is_meant() -> None:
    """The only one that fits is taken; of two, neither."""
    token = signed(claims(ISSUER, NONCE), kid=None)
    assert read(token)["sub"] == "u1"
    two = {"keys": [jwk(RSA_KEY, "a"), jwk(rsa.generate_private_key(65537, 2048), "b")]}
    assert key_for(token, two) is None


@given(keys=JSON, member=st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "alg", "use"]), JSON))
def test_whatever_keys_a_provider_publishes_one_is_found_or_none(keys: object, member: dict[str, Any]) -> None:
    """A key set of any form gives no key, or an unusable one is passed over for the one that is."""
    token = signed(claims(ISSUER, NONCE))
    key_for(token, {"keys": keys})
    for kty in ("RSA", "EC", "OKP", "oct"):
        found = key_for(token, {"keys": [{"kty": kty, **member, "kid": "rsa"}, KEYS["keys"][0]]})
        assert found is None or found.key_id == "rsa"


@given(header=st.dictionaries(st.text(max_size=5) | st.sampled_from(["alg", "kid", "crit", "b64"]), JSON), said=JSON)
def test_whatever_is_called_a_token_is_refused_in_a_sentence(header: dict[str, Any], said: Any) -> None:
    """Without a signature of the provider's nothing gets through, and nothing else than a refusal comes of it."""
    for token in (unsigned({**header, "alg": "RS256", "kid": "rsa"}, said, "AAAA"), unsigned(header, said), str(said)):
        with pytest.raises(Refused):
            read(token)


@given(said=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "jti"]), JSON))
def test_whatever_a_provider_signs_ends_in_claims_or_a_sentence(said: dict[str, Any]) -> None:
    """Claims of any type are read or refused."""
    assume(all(isinstance(said.get(key, ""), str) for key in ("iss", "sub")))  # PyJWT signs no others
    token = signed({**claims(ISSUER, NONCE), **said})
    with contextlib.suppress(Refused):
        assert {"iss", "sub", "aud", "exp", "iat"} <= read(token).keys()
