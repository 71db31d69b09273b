"""Who we are at NATS, by a file: a user's JWT with the seed of his key (`.creds`), or the seed of an nkey alone.

The key never leaves us: the server sends a nonce, and is sent its signature (Ed25519). Formats: NATS's nkeys and jwt
libraries; a seed is base32 of two bytes that tell its kind, 32 of the key, and a CRC-16 (XMODEM), its low byte first.
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streamer.values.errors import ConfigError

LARGEST = 65_536
"""Bytes of a file: a JWT with many permissions has some thousands."""
_JWT = re.compile(r"-----BEGIN NATS USER JWT-----\s+([\w-]+\.[\w-]+\.[\w-]+)\s+-{3,}END NATS USER JWT-{3,}", re.ASCII)
_SEED_OF_USER = re.compile(r"-----BEGIN USER NKEY SEED-----\s+(\S+)\s+-{3,}END USER NKEY SEED-{3,}")
_KIND_SEED, _KIND_USER = 18 << 3, 20 << 3
"""The letters S and U that seeds and users' public keys begin with."""
_HEAD = bytes((_KIND_SEED | _KIND_USER >> 5, (_KIND_USER & 31) << 3))
"""Of a user's seed."""
_LETTERS = 58
"""Of a seed."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's, or an nkey's. What it holds is shown nowhere."""

    jwt: str | None = field(repr=False)
    """What his account says of the user, signed; None: the server knows the public key itself."""
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> str:
        """The public key as NATS has it: U and 55 letters and digits."""
        known = bytes((_KIND_USER,)) + self.key.public_key().public_bytes_raw()
        return base64.b32encode(known + _checksum(known)).decode()

    def sign(self, nonce: str) -> bytes:
        """The signature of what a server sent, in base64."""
        return base64.b64encode(self.key.sign(nonce.encode()))


def credentials_in(path: str) -> Credentials:
    """Read a file. Blocks.

    Raises:
        ConfigError: it cannot be used; says which and why, and nothing of what is in it.
    """
    try:
        return _understood(_text(path).strip())
    except OSError as error:
        raise ConfigError(f"{path} cannot be used as credentials for NATS: {error.strerror or 'it is none'}") from None
    except ValueError as error:
        raise ConfigError(f"{path} cannot be used as credentials for NATS: {error}") from None


def _text(path: str) -> str:
    # A pipe that nobody writes to is empty, and holds up nobody.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        found = file.read(LARGEST + 1) or b""
    if len(found) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    return found.decode("ascii", "replace")


def _understood(text: str) -> Credentials:
    if not text:
        raise ValueError("it is empty")
    if "-----BEGIN" not in text:
        return Credentials(None, _key(text))
    jwt, seed = _JWT.search(text), _SEED_OF_USER.search(text)
    if jwt is None:
        raise ValueError("it has no user's JWT between its lines BEGIN and END NATS USER JWT")
    if seed is None:
        raise ValueError("it has no seed between its lines BEGIN and END USER NKEY SEED")
    return Credentials(jwt[1], _key(seed[1]))


def _key(seed: str) -> Ed25519PrivateKey:
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except ValueError:
        raw = b""
    if len(seed) != _LETTERS or len(raw) != len(_HEAD) + 34 or _checksum(raw[:-2]) != raw[-2:]:
        raise ValueError("it holds no seed of an nkey, S and 57 letters and digits, nor a user's JWT and seed (.creds)")
    if raw[:2] != _HEAD:
        raise ValueError("it holds a seed that is not a user's, which begins with SU")
    return Ed25519PrivateKey.from_private_bytes(raw[2:-2])


def _checksum(data: bytes) -> bytes:
    return binascii.crc_hqx(data, 0).to_bytes(2, "little")
