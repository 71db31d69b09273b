"""What a stream or a model may be called: its name stands in URLs, metric labels and file names. Pure."""

import re
from fnmatch import fnmatchcase

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""A regular expression for the whole of it; web/index.html and web/adding.js say the same to a browser."""
NAMES = "1 to 64 letters, digits, '.', '_' or '-', first a letter or digit"
"""What a name is made of, for a sentence."""


def is_name(text: str) -> bool:
    """Whether a stream or a model may be called that."""
    return re.fullmatch(NAME, text) is not None


def is_pattern(text: str) -> bool:
    """Whether it is a name, or several: * stands for any letters there and ? for one, as fnmatch(3) has it."""
    return re.fullmatch(NAME.replace("0-9", "0-9*?"), text) is not None


def is_within(pattern: str, wider: str) -> bool:
    """Whether all that one pattern means another means too. Where that takes more than a look at both, it says no.

    A * of the narrower can be matched by a * alone, for it may be any letters.
    """
    return fnmatchcase(_in_order(pattern).replace("*", "\0"), _in_order(wider).replace("?", "[!\0]"))


def _in_order(pattern: str) -> str:
    """The same, of whose signs that stand together all ? come first, and of * there is one."""
    return re.sub(r"[*?]+", lambda signs: "?" * signs[0].count("?") + "*" * ("*" in signs[0]), pattern)
