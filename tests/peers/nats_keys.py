"""Keys and JWTs of NATS, made for a test as `nk` and `nsc` make them (ADR-14: jwt version 2)."""

import base64
import binascii
import json
import os
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OPERATOR, ACCOUNT, USER = 14 << 3, 0, 20 << 3
"""Kinds of keys: the letters O, A and U that public ones begin with."""
SEED = 18 << 3
ANY = -1
UNLIMITED = {"subs": ANY, "data": ANY, "payload": ANY}
FOR_ACCOUNT = {"imports": ANY, "exports": ANY, "wildcards": True, "conn": ANY, "leaf": ANY}
FOR_JETSTREAM = {"mem_storage": ANY, "disk_storage": ANY, "streams": ANY, "consumer": ANY}


@dataclass(frozen=True, slots=True)
class NatsKey:
    """One of a kind."""

    kind: int
    raw: bytes

    @property
    def seed(self) -> str:
        """Begins with S and the kind's letter."""
        return _lettered(bytes((SEED | self.kind >> 5, (self.kind & 31) << 3)) + self.raw)

    @property
    def public(self) -> str:
        """Begins with the kind's letter."""
        return _lettered(bytes((self.kind,)) + self._key.public_key().public_bytes_raw())

    def jwt(self, kind: str, of: "NatsKey", **said: Any) -> str:
        """What it says of another, or of itself, signed."""
        claims: dict[str, Any] = {
            "jti": of.public, "iat": 1_700_000_000, "iss": self.public, "name": kind, "sub": of.public,
            "nats": {"type": kind, "version": 2, **said},
        }  # fmt: skip
        signed = ".".join(map(_encoded, ({"typ": "JWT", "alg": "ed25519-nkey"}, claims)))
        return f"{signed}.{_url_safe(self._key.sign(signed.encode()))}"

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.raw)


def make_key(kind: int) -> NatsKey:
    """A new one."""
    return NatsKey(kind, os.urandom(32))


def creds(jwt: str, key: NatsKey) -> str:
    """A user's file, word for word as nsc writes it."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        "************************* IMPORTANT *************************\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n"
        "NKEYs are sensitive and should be treated as secrets.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{key.seed}\n------END USER NKEY SEED------\n\n"
        "*************************************************************\n"
    )


def operated() -> tuple[list[str], str]:
    """Lines of a server's configuration with an operator and an account that has JetStream; and a user's file of it."""
    operator, system, account, user = map(make_key, (OPERATOR, ACCOUNT, ACCOUNT, USER))
    limits = {**UNLIMITED, **FOR_ACCOUNT}
    lines = [
        f"operator: {operator.jwt('operator', operator, system_account=system.public)}",
        f"system_account: {system.public}",
        "resolver: MEMORY",
        f"resolver_preload: {{ {system.public}: {operator.jwt('account', system, limits=limits)},",
        f"  {account.public}: {operator.jwt('account', account, limits=limits | FOR_JETSTREAM)} }}",
    ]
    return lines, creds(account.jwt("user", user, **UNLIMITED), user)


def _lettered(data: bytes) -> str:
    return base64.b32encode(data + binascii.crc_hqx(data, 0).to_bytes(2, "little")).decode().rstrip("=")


def _encoded(part: dict[str, Any]) -> str:
    return _url_safe(json.dumps(part).encode())


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
