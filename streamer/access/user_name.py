"""What a user may be called, and when two names are one. Pure.

Told apart by eye alone, two names are one person to whoever reads the audit: so case, width and how a letter is composed
make no difference, and what nobody can see may not stand in a name. Letters that only look alike (Cyrillic а) are not
told apart: names are given by an administrator.
"""

import re
import unicodedata

from streamer.values.errors import ConfigError

LONGEST = 64
"""Characters of a name."""

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that are shown as nothing (Default_Ignorable_Code_Point, as far as Python calls it printable)."""
_RESERVED = re.compile(r"(nobody|token|link)\b.*", re.DOTALL)
"""How the audit calls others than users."""


def user_name(text: str) -> str:
    """A name as it is kept: composed (NFC).

    Raises:
        ConfigError: nobody may be called that; says why.
    """
    name = unicodedata.normalize("NFC", text)
    if not 1 <= len(name) <= LONGEST:
        raise ConfigError(f"a user's name has 1 to {LONGEST} characters, not {len(name)}")
    if not name.isprintable() or _UNSEEN.search(name):
        raise ConfigError("a user's name holds nothing that cannot be seen, such as control characters")
    if name != " ".join(name.split()):
        raise ConfigError("a user's name has blanks only between its words, one at a time")
    if "/" in name or name in (".", ".."):
        raise ConfigError("a user's name stands in paths: it holds no '/', and is not '.' or '..'")
    if _RESERVED.fullmatch(key_of(name)):
        raise ConfigError(f"{name!r} is no user's name: the audit calls others so")
    return name


def key_of(name: str) -> str:
    """The same for all spellings of one name (Unicode 3.13, toNFKC_Casefold, until nothing changes)."""
    while (key := unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())) != name:
        name = key
    return key
