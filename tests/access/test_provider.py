"""streamer.access.provider: the way to an OpenID Connect provider and back."""

import asyncio
import base64
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from streamer.access.json_fetch import JsonFetch
from streamer.access.pending import Pending
from streamer.access.provider import AT_ONCE, AT_ONCE_EACH, KEYS_LAST, Client, Provider
from streamer.values.errors import Overloaded, Refused
from tests.access.issuer import CLIENT_ID, RSA_KEY, Issuer, claims, jwk, run_issuer, signed
from tests.peers.clock import FakeClock
from tests.peers.until import until

BACK = "https://cameras.example.org/api/sign-in/oidc/callback"


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """Give a provider that says what a test has it say."""
    async with run_issuer() as issuer:
        yield issuer


def client_of(issuer: Issuer, clock: FakeClock | None = None, **other: Any) -> Provider:
    """Its client."""
    return Provider(Client(issuer.url, CLIENT_ID, **other), JsonFetch(), clock or FakeClock())


def begun(address: str = "10.0.0.1") -> Pending:
    """A sign-in."""
    return Pending("b", address, BACK, "/", 600.0)


async def read(issuer: Issuer, provider: Provider | None = None, **other: object) -> Any:
    """The claims of one whole sign-in."""
    pending = begun()
    issuer.tokens = {"id_token": signed(claims(issuer.url, pending.nonce, **other)), "access_token": "tok"}
    return await (provider or client_of(issuer)).claims("c0de", None, pending)


async def test_the_way_there_says_what_must_come_back(issuer: Issuer) -> None:
    """A code is asked for, with state, nonce and the challenge; the verifier does not go along."""
    issuer.metadata["authorization_endpoint"] += "?tenant=1"
    pending = begun()
    way = await client_of(issuer, client_secret="s3cret", scopes=("profile", "groups")).way_there(pending)
    assert urlsplit(way).path == "/authorize"
    assert parse_qs(urlsplit(way).query) == {
        "tenant": ["1"],
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "redirect_uri": [BACK],
        "scope": ["openid profile groups"],
        "state": [pending.state],
        "nonce": [pending.nonce],
        "code_challenge": [pending.challenge],
        "code_challenge_method": ["S256"],
    }
    assert pending.verifier not in way
    assert "s3cret" not in way


async def test_a_code_becomes_claims(issuer: Issuer) -> None:
    """It is redeemed with the verifier; what the provider says of itself and its keys are asked for once."""
    provider = client_of(issuer)
    assert (await read(issuer, provider, name="Anna"))["name"] == "Anna"
    assert (await read(issuer, provider))["sub"] == "u1"
    assert issuer.asked == ["/.well-known/openid-configuration", "/token", "/keys", "/token"]
    form = issuer.forms[0]
    assert form.pop("code_verifier")
    assert form == {"grant_type": "authorization_code", "code": "c0de", "redirect_uri": BACK, "client_id": CLIENT_ID}


async def test_the_secret_goes_as_the_provider_takes_it(issuer: Issuer) -> None:
    """By basic authentication, each part as a form has it; or in the form, where only that is offered."""
    await read(issuer, client_of(issuer, client_secret="s:3 ü"))
    sent = base64.b64decode(str(issuer.authorization[0]).removeprefix("Basic ")).decode()
    assert sent == f"{CLIENT_ID}:s%3A3+%C3%BC"
    assert "client_secret" not in issuer.forms[0]
    issuer.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    await read(issuer, client_of(issuer, client_secret="s:3 ü"))
    assert issuer.authorization[1] is None
    assert issuer.forms[1]["client_secret"] == "s:3 ü"


async def test_what_the_token_lacks_is_asked_for(issuer: Issuer) -> None:
    """Some providers say groups elsewhere; the token's own word counts for more, and it must be about the same one."""
    issuer.metadata["userinfo_endpoint"] = f"{issuer.url}/userinfo"
    issuer.user_info = {"sub": "u1", "groups": ["staff"], "name": "other"}
    wants = client_of(issuer, claims=("name", "groups"))
    assert (await read(issuer, wants, name="Anna"))["groups"] == ["staff"]
    assert (await read(issuer, wants, name="Anna"))["name"] == "Anna"
    assert issuer.asked.count("/userinfo") == 2
    await read(issuer, wants, name="Anna", groups=[])
    assert issuer.asked.count("/userinfo") == 2
    issuer.user_info["sub"] = "u2"
    with pytest.raises(Refused, match="somebody else") as refused:
        await read(issuer, wants)
    assert refused.value.status == 502


async def test_a_new_key_is_found_and_an_unknown_one_asked_for_once_a_minute(issuer: Issuer) -> None:
    """A provider may change its keys at any time; tokens with invented ones do not make us ask over and over."""
    clock = FakeClock()
    provider = client_of(issuer, clock)
    await read(issuer, provider)
    new = rsa.generate_private_key(65537, 2048)
    pending = begun()
    issuer.tokens = {"id_token": signed(claims(issuer.url, pending.nonce), new, kid="new")}
    for _ in range(3):
        with pytest.raises(Refused, match="none of the provider's keys"):
            await provider.claims("c", None, pending)
    assert issuer.asked.count("/keys") == 1
    clock.advance(KEYS_LAST + 1)
    issuer.keys = [jwk(RSA_KEY, "rsa"), jwk(new, "new")]
    assert (await provider.claims("c", None, pending))["sub"] == "u1"
    assert issuer.asked.count("/keys") == 2


@pytest.mark.parametrize(
    ("status", "said", "refusal"),
    [
        (400, {"error": "invalid_grant"}, (403, "was used, has expired")),
        (401, {"error": "invalid_client", "error_description": "s3cret"}, (502, "no tokens: invalid_client")),
        (500, {"error": "<b>"}, (502, "no tokens: 500")),
        (200, {"access_token": "t"}, (502, "no id_token")),
        (200, {"id_token": 7}, (502, "no id_token")),
        (200, {"id_token": "a.b.c"}, (502, "is no token")),
        (200, {"id_token": "\ud800"}, (502, "is no token")),
    ],
)
async def test_what_the_provider_says_instead_of_tokens(
    issuer: Issuer, status: int, said: dict[str, Any], refusal: tuple[int, str]
) -> None:
    """A code that was used is the browser's fault, all else the provider's or the configuration's."""
    issuer.status, issuer.tokens = status, said
    with pytest.raises(Refused, match=refusal[1]) as refused:
        await client_of(issuer).claims("c", None, begun())
    assert refused.value.status == refusal[0]
    assert "s3cret" not in str(refused.value)


async def test_an_answer_says_whose_it_is(issuer: Issuer) -> None:
    """Where it does it must be this provider's; and it must, where the provider says that it always does (RFC 9207)."""
    provider = client_of(issuer)
    with pytest.raises(Refused, match="another provider's"):
        await provider.claims("c", "https://evil.example", begun())
    issuer.metadata["authorization_response_iss_parameter_supported"] = True
    with pytest.raises(Refused, match="another provider's"):
        await client_of(issuer).claims("c", None, begun())
    assert "/token" not in issuer.asked
    pending = begun()
    issuer.tokens = {"id_token": signed(claims(issuer.url, pending.nonce))}
    assert await client_of(issuer).claims("c", issuer.url, pending)


async def test_codes_are_redeemed_few_at_a_time(issuer: Issuer) -> None:
    """A provider that is slow keeps a few waiting, and the next is told so at once."""
    gate = asyncio.Event()
    reached = 0

    class Slow(JsonFetch):
        async def post(self, *args: Any) -> tuple[int, dict[str, Any]]:
            nonlocal reached
            reached += 1
            await gate.wait()
            return 400, {"error": "invalid_grant"}

    provider = Provider(Client(issuer.url, CLIENT_ID), Slow(), FakeClock())
    waiting = [asyncio.create_task(provider.claims("c", None, begun())) for _ in range(AT_ONCE_EACH)]
    await until(lambda: reached == AT_ONCE_EACH)
    with pytest.raises(Overloaded):
        await provider.claims("c", None, begun())
    others = [begun(f"10.0.1.{number}") for number in range(AT_ONCE - AT_ONCE_EACH)]
    waiting += [asyncio.create_task(provider.claims("c", None, each)) for each in others]
    await until(lambda: reached == AT_ONCE)
    with pytest.raises(Overloaded):
        await provider.claims("c", None, begun("10.0.2.1"))
    gate.set()
    assert all(isinstance(each, Refused) for each in await asyncio.gather(*waiting, return_exceptions=True))
    with pytest.raises(Refused):
        await provider.claims("c", None, begun())


async def test_the_way_out_is_the_providers(issuer: Issuer) -> None:
    """Where it has one."""
    assert await client_of(issuer).way_out() is None
    issuer.metadata["end_session_endpoint"] = f"{issuer.url}/out"
    assert await client_of(issuer).way_out() == f"{issuer.url}/out?client_id={CLIENT_ID}"


def test_its_library_is_loaded_by_who_first_needs_it() -> None:
    """No service has PyJWT in memory before somebody comes back from a provider."""
    check = "import sys, streamer.service, streamer.http.oidc; raise SystemExit('jwt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
