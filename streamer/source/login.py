"""A user name and password for HTTP: Basic (RFC 7617) and Digest (RFC 7616), which most cameras ask for."""

import base64
import hashlib
import os
import re
from collections.abc import Callable, Iterable

_CHALLENGE = re.compile(r'\b(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
"""A field of a challenge. Looked for at every letter of a long word, it would take hours to find none."""
_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
}


def answer(challenge: str, user: str, password: str, method: str, uri: str, cnonce: str | None = None) -> str | None:
    """The Authorization header that answers a WWW-Authenticate header, or None where its scheme is not known.

    Args:
        challenge: the header's value.
        user: as it is meant, not percent-encoded.
        password: the same.
        method: of the request.
        uri: its path and query, as they stand in the request line.
        cnonce: for tests; by chance otherwise.
    """
    scheme, _, rest = challenge.strip().partition(" ")
    if scheme.lower() == "basic":
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    if scheme.lower() != "digest":
        return None
    fields = {name.lower(): quoted or plain for name, quoted, plain in _CHALLENGE.findall(rest)}
    algorithm = fields.get("algorithm", "MD5").upper()
    if algorithm not in _HASHES:
        return None
    realm, nonce, opaque = (fields.get(name, "") for name in ("realm", "nonce", "opaque"))

    def digest(*parts: str) -> str:
        return _HASHES[algorithm](":".join(parts).encode()).hexdigest()

    secret, request = digest(user, realm, password), digest(method, uri)
    said = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    if "auth" in re.split(r"[,\s]+", fields.get("qop", "")):
        cnonce = cnonce or os.urandom(8).hex()
        response = digest(secret, nonce, "00000001", cnonce, "auth", request)
        more = f', qop=auth, nc=00000001, cnonce="{cnonce}"'
    else:  # RFC 2069, which cameras still speak
        response, more = digest(secret, nonce, request), ""
    quoted_fields = ", ".join(f'{name}="{_quoted(value)}"' for name, value in said.items())
    more += f', opaque="{_quoted(opaque)}"' if opaque else ""
    return f'Digest {quoted_fields}, response="{response}", algorithm={algorithm}{more}'


def realm_of(challenges: Iterable[str]) -> str | None:
    """The realm of the first WWW-Authenticate header that names one: 80 printable characters of it at most."""
    for challenge in challenges:
        fields = {name.lower(): quoted or plain for name, quoted, plain in _CHALLENGE.findall(challenge)}
        realm = "".join(letter for letter in fields.get("realm", "") if letter.isprintable())
        if realm:
            return realm[:80]
    return None


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
