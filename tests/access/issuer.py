"""An OpenID Connect provider that says whatever a test has it say. The real one is tests/peers/oidc_provider.py."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.peers.process import free_port

CLIENT_ID = "sightline"

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def jwk(private: Private, kid: str, **more: str) -> dict[str, Any]:
    """The public half of a key, as a provider publishes it."""
    if isinstance(private, rsa.RSAPrivateKey):
        made = RSAAlgorithm.to_jwk(private.public_key())
    elif isinstance(private, ec.EllipticCurvePrivateKey):
        made = ECAlgorithm.to_jwk(private.public_key())
    else:
        made = OKPAlgorithm.to_jwk(private.public_key())
    return {**json.loads(made), "kid": kid, **more}


def claims(issuer: str, own_nonce: str, **other: object) -> dict[str, Any]:
    """What an ID token says that is as it must be; None takes a claim away."""
    now = int(time.time())
    usual = {"iss": issuer, "sub": "u1", "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": own_nonce}
    return {key: value for key, value in {**usual, **other}.items() if value is not None}


def signed(said: dict[str, Any], key: Private = RSA_KEY, algorithm: str = "RS256", kid: str | None = "rsa") -> str:
    """An ID token."""
    return jwt.encode(said, key, algorithm, headers={} if kid is None else {"kid": kid})


class Issuer:
    """One provider."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.metadata: dict[str, Any] = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        self.keys: list[dict[str, Any]] = [jwk(RSA_KEY, "rsa")]
        self.tokens: dict[str, Any] = {}
        """What the token endpoint says."""
        self.user_info: dict[str, Any] = {}
        self.status = 200
        """Of the token endpoint."""
        self.asked: list[str] = []
        """Paths, in order."""
        self.forms: list[dict[str, str]] = []
        self.authorization: list[str | None] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Any request."""
        self.asked.append(request.path)
        if request.path == "/token":
            self.forms.append({key: str(value) for key, value in (await request.post()).items()})
            self.authorization.append(request.headers.get("Authorization"))
            return web.json_response(self.tokens, status=self.status)
        said = {
            "/.well-known/openid-configuration": self.metadata,
            "/keys": {"keys": self.keys},
            "/userinfo": self.user_info,
        }
        return web.json_response(said[request.path])


@asynccontextmanager
async def run_issuer(port: int | None = None) -> AsyncIterator[Issuer]:
    """Run one for as long as the block lasts."""
    issuer = Issuer(port or free_port())
    async with answering(issuer.answer, int(issuer.url.rpartition(":")[2])):
        yield issuer


@asynccontextmanager
async def answering(handler: Any, port: int) -> AsyncIterator[str]:
    """A server of 127.0.0.1 that answers everything by one handler; gives its URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
