"""What a user, or a token, may be called, and when two names are one. Pure.

Whoever reads the audit tells people apart by eye: so case, width and how a letter is composed make no other name, and
what nobody can see may not stand in one. Letters of two scripts that look alike are two, since names are given by
administrators.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import TypeVar

from streamer.values.errors import ConfigError

U = TypeVar("U")

LONGEST = 64
"""Characters of a name."""

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that are shown as nothing (Default_Ignorable_Code_Point, as far as Python calls it printable)."""
_RESERVED = re.compile(r"(nobody|token|link|outlet|command)\b.*|.*\(proxy\)", re.DOTALL)
"""How the audit calls others than users."""


def user_name(text: str) -> str:
    """A name as it is kept: composed (NFC).

    Raises:
        ConfigError: nobody may be called that; says why.
    """
    name = _legible(text, "a user's name")
    if "/" in name or name in (".", ".."):
        raise ConfigError("a user's name stands in paths: it holds no '/', and is not '.' or '..'")
    if is_reserved(name):
        raise ConfigError(f"{name!r} is no user's name: the audit calls others so")
    return name


def token_name(text: str) -> str:
    """The same of a token. It stands in no path, and in the audit behind the word "token".

    Raises:
        ConfigError: no token may be called that; says why.
    """
    return _legible(text, "a token's name")


def _legible(text: str, whose: str) -> str:
    name = unicodedata.normalize("NFC", text)
    if not 1 <= len(name) <= LONGEST:
        raise ConfigError(f"{whose} has 1 to {LONGEST} characters, not {len(name)}")
    if not is_seen(name):
        raise ConfigError(f"{whose} holds nothing that cannot be seen, such as control characters")
    if name != " ".join(name.split()):
        raise ConfigError(f"{whose} has blanks only between its words, one at a time")
    return name


def is_seen(name: str) -> bool:
    """Whether nothing of a name is invisible."""
    return name.isprintable() and not _UNSEEN.search(name)


def is_reserved(name: str) -> bool:
    """Whether the audit calls others than users so."""
    return _RESERVED.fullmatch(key_of(name)) is not None


def key_of(name: str) -> str:
    """The same for all spellings of one name (Unicode 3.13, toNFKC_Casefold, until nothing changes)."""
    while (key := unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())) != name:
        name = key
    return key


def shown_key(text: str) -> str:
    """The key of a name that a stranger shows, which may be of any length and stand for nobody."""
    return key_of(text[: LONGEST + 1])


def found(users: Mapping[str, U], text: str) -> U | None:
    """Of users by name the one who is meant; looks at all of them, whoever it is."""
    wanted = shown_key(text)
    keys = {key_of(name): user for name, user in users.items()}
    return keys.get(wanted)
