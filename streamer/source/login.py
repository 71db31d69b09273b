"""A user name and password for HTTP and RTSP: Basic (RFC 7617) and Digest (RFC 7616), which most cameras ask for."""

import base64
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

_ITEM = re.compile(r"""([\w!#$%&'*+.^`|~-]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*)))?""")
"""A field of a challenge, or a word alone. Of a long word nothing is looked at twice: otherwise it would take hours."""
_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data),
}
"""The strongest last."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks for in one way."""

    scheme: str
    """In lower case."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case, values as they are meant."""

    @property
    def algorithm(self) -> str:
        """Of Digest, in upper case."""
        return self.fields.get("algorithm", "").upper() or "MD5"

    @property
    def realm(self) -> str | None:
        """What the password is asked for: 80 printable characters of it at most."""
        realm = "".join(letter for letter in self.fields.get("realm", "") if letter.isprintable())
        return realm[:80] or None

    @property
    def stale(self) -> bool:
        """Whether the password was right, and only the nonce too old."""
        return self.fields.get("stale", "").lower() == "true"

    @property
    def strength(self) -> int:
        """The higher the better; 0: not known here."""
        if self.scheme == "basic":
            return 1
        qops = set(re.split(r"[,\s]+", self.fields.get("qop", "").lower())) - {""}
        known = list(_HASHES)
        base = self.algorithm.removesuffix("-SESS")
        if self.scheme != "digest" or base not in known or (qops and "auth" not in qops):
            return 0
        return 2 + known.index(base)


def challenges_of(values: Iterable[str]) -> list[Challenge]:
    """The challenges of WWW-Authenticate fields: one may hold several (RFC 9110 section 11.6.1)."""
    found: list[Challenge] = []
    for value in values:
        fields: dict[str, str] = {}
        after, begins = 0, True
        for item in _ITEM.finditer(value):
            between, after = value[after : item.start()], item.end()
            if item[2]:
                fields[item[1].lower()] = item[4] if item[3] is None else re.sub(r"\\(.)", r"\1", item[3])
            elif begins or "," in between:  # any other word alone is a value's that lacks its quotes
                begins, fields = False, {}
                found.append(Challenge(item[1].lower(), fields))
    return found


def strongest(challenges: Iterable[Challenge]) -> Challenge | None:
    """The best of those that are known; of equals the first. None: none is."""
    known = [challenge for challenge in challenges if challenge.strength]
    return max(known, key=lambda challenge: challenge.strength, default=None)


def hashed(algorithm: str, *parts: str) -> str:
    """Parts joined by colons, as Digest hashes them (RFC 7616 section 3.2), in hexadecimal.

    Args:
        algorithm: MD5, SHA-256 or SHA-512-256, each also with -SESS behind it.
        parts: as they are meant.
    """
    return _HASHES[algorithm.removesuffix("-SESS")](":".join(parts).encode()).hexdigest()


class Login:
    """A user and a password, and the challenge they answer to.

    Args:
        user: as it is meant, not percent-encoded.
        password: the same.
        cnonce: for tests; by chance otherwise.
    """

    def __init__(self, user: str, password: str, cnonce: str | None = None) -> None:
        self._user, self._password = user, password
        self._given, self._cnonce = cnonce, ""
        self._challenge: Challenge | None = None
        self._count = 0
        """Requests that were answered for with this nonce."""
        self._accepted = self._renewed = False

    @property
    def name(self) -> str | None:
        """How it logs in: "Basic", "Digest SHA-256"; None: nobody has asked yet."""
        if self._challenge is None:
            return None
        return "Basic" if self._challenge.scheme == "basic" else f"Digest {self._challenge.algorithm}"

    @property
    def realm(self) -> str | None:
        """What it logs in to, in the server's word; None: nobody has asked, or it has no name."""
        return None if self._challenge is None else self._challenge.realm

    def take(self, challenges: Iterable[Challenge]) -> bool:
        """Answer the strongest of these from now on; False: none of them is known."""
        chosen = strongest(challenges)
        if chosen is not None:
            self._challenge, self._count = chosen, 0
            self._cnonce = self._given or os.urandom(8).hex()
        return chosen is not None

    def tries_again(self, challenges: Iterable[Challenge]) -> bool:
        """Whether a request that was refused is worth another try, which then answers these challenges.

        It is the first time; or the password was right and the nonce is not any more, which is believed once in a row:
        whoever tries a wrong password often is locked out.
        """
        chosen = strongest(challenges)
        if chosen is None:
            return False
        if self._challenge is not None:
            moved = self._accepted and chosen.fields.get("nonce") != self._challenge.fields.get("nonce")
            if self._renewed or not (chosen.stale or moved):
                return False
            self._renewed = True
        return self.take([chosen])

    def accepted(self) -> None:
        """A request was not refused."""
        self._accepted, self._renewed = self._challenge is not None, False

    def header(self, method: str, uri: str) -> str | None:
        """The Authorization field of the next request; None: nobody has asked for one.

        Args:
            method: of the request.
            uri: as it stands in the request line.
        """
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        self._count += 1
        return self._digest(self._challenge, method, uri)

    def _digest(self, challenge: Challenge, method: str, uri: str) -> str:
        algorithm, fields = challenge.algorithm, challenge.fields
        realm, nonce, opaque = (fields.get(name, "") for name in ("realm", "nonce", "opaque"))
        cnonce, count = self._cnonce, f"{self._count:08x}"

        secret = hashed(algorithm, self._user, realm, self._password)
        request = hashed(algorithm, method, uri)
        if algorithm.endswith("-SESS"):
            secret = hashed(algorithm, secret, nonce, cnonce)
        said = {"username": self._user, "realm": realm, "nonce": nonce, "uri": uri}
        if fields.get("qop"):
            said["response"] = hashed(algorithm, secret, nonce, count, cnonce, "auth", request)
        else:  # RFC 2069, which cameras still speak
            said["response"] = hashed(algorithm, secret, nonce, request)
        said |= {"opaque": opaque} if opaque else {}
        parts = [f'{name}="{_quoted(value)}"' for name, value in said.items()]
        parts += [f"algorithm={fields['algorithm']}"] if fields.get("algorithm") else []
        parts += [f"qop=auth, nc={count}"] if fields.get("qop") else []
        parts += [f'cnonce="{cnonce}"'] if fields.get("qop") or algorithm.endswith("-SESS") else []
        return f"Digest {', '.join(parts)}"


def realm_of(values: Iterable[str]) -> str | None:
    """The realm of the first challenge that names one."""
    return next((challenge.realm for challenge in challenges_of(values) if challenge.realm), None)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
