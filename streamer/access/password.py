"""Passwords, hashed by argon2id in a thread of its own: RFC 9106, with OWASP's parameters for a machine that does more.

One at a time: each takes 46 MiB for its twentieth of a second, and gives it back. What is larger than 32 MiB glibc
returns to the system at once; smaller, and it would stay.
"""

import secrets
import unicodedata
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

from streamer.values.errands import Errands
from streamer.values.errors import ConfigError, Overloaded

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")

SHORTEST, LONGEST = 8, 256
"""Characters of a password."""
WAITING = 8
"""Passwords that may wait for their turn, the one under way among them: half a second's worth."""
KEPT_FREE = 4
"""Places beyond those for who was let in before: strangers of many addresses can fill the others for hours."""


def require_password(password: str) -> None:
    """Check a new password.

    Raises:
        ConfigError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"a password has {SHORTEST} to {LONGEST} characters")


def hashed_now(password: str) -> str:
    """The hash of a new password, with its salt and parameters. Blocks for a twentieth of a second.

    Raises:
        ConfigError: it is too short or too long.
    """
    require_password(password)
    return _hasher().hash(_bytes(password))


def is_outdated(hashed: str) -> bool:
    """Whether it was hashed with other parameters than today's: who has just shown the password gets a new hash."""
    from argon2.exceptions import InvalidHashError

    try:
        return _hasher().check_needs_rehash(hashed)
    except InvalidHashError:
        return False


class Passwords:
    """Hashes and verifies, one at a time."""

    def __init__(self) -> None:
        self._errands = Errands(1, "passwords")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """The hash of a new password, of which nobody makes one who was not let in.

        Raises:
            ConfigError: it is too short or too long.
            Overloaded: too many wait.
        """
        require_password(password)
        return await self._turn(partial(hashed_now, password), known=True)

    async def verify(self, password: str, hashed: str | None, *, known: bool = False) -> bool:
        """Whether this is the password; takes the same time whether it is, or there is none.

        Args:
            password: as it was shown.
            hashed: of the user; None: there is no such user, or he has no password.
            known: whoever shows it was let in before, from where he is.

        Raises:
            Overloaded: too many wait.
        """
        return await self._turn(partial(_verified, password, hashed), known=known)

    async def _turn(self, errand: Callable[[], T], *, known: bool) -> T:
        if self._waiting >= WAITING + KEPT_FREE * known:
            raise Overloaded("too many passwords wait to be checked", retry_after=1)
        self._waiting += 1
        try:
            return await self._errands.run(errand)
        finally:
            self._waiting -= 1


def _verified(password: str, hashed: str | None) -> bool:
    from argon2.exceptions import Argon2Error, InvalidHashError

    shown, nobody = _bytes(password[: LONGEST + 1]), _of_nobody()
    try:
        _hasher().verify(nobody if hashed is None else hashed, shown)
    except InvalidHashError:  # it was written by hand
        return _verified(password, None)
    except Argon2Error:
        return False
    return hashed is not None


@cache
def _hasher() -> "PasswordHasher":
    """Imported by whoever first needs it: a service without users has none of it."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=46 << 10, parallelism=1)


@cache
def _of_nobody() -> str:
    """What an unknown user's password is compared with."""
    return _hasher().hash(secrets.token_bytes(32))


def _bytes(password: str) -> bytes:
    """Composed, as RFC 8265 section 4.2 has it: one keyboard writes ü as one character and another as two."""
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")
